"""Decodes single pictures of recorded footage: the one shown at an instant, or the keyframe before it."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import structlog

from camera_ctrler.playback.fragments import Layout
from camera_ctrler.playback.recorded import files_of, nothing_recorded
from camera_ctrler.playback.recorded_files import FootageGoneError, OpenedFile, RecordedFiles
from camera_ctrler.playback.showing import Shown
from camera_ctrler.playback.track_runs import DamagedFootageError
from camera_ctrler.recordings.footage import Footage

#: Milliseconds for which a picture stands for what follows it when nothing does.
NEAREST_MS: Final = 2_000
#: Milliseconds of footage that are looked up at once for instants that lie close together.
_LOOKED_UP_MS: Final = 600_000
#: Instants that lie further apart than this are looked up one by one.
_CLOSE_MS: Final = 60_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Moment:
    """One decoded picture."""

    frame: av.VideoFrame
    #: When it was taken, Unix ms UTC.
    at_ms: int


class Moments:
    """Pictures of all cameras' footage. Safe to use from several threads."""

    def __init__(self, footage: Footage, files: RecordedFiles) -> None:
        self._footage = footage
        self._files = files

    def picture(self, camera_id: str, at_ms: int) -> Moment:
        """Return the picture that was shown at `at_ms`: the newest one up to then, at most `NEAREST_MS` older.

        Raises:
            NothingRecordedError: There is none; the text names the footage nearby.
            IndexAwayError: The database is away.
        """
        files, _ = files_of(self._footage, camera_id, max(0, at_ms - NEAREST_MS), at_ms + 1)
        for file in reversed(self._files.shown(files)[0]):
            if file.from_ms <= at_ms:
                found = self._tried(file, at_ms)
                if found is not None and found.at_ms >= at_ms - NEAREST_MS:
                    return found
        raise nothing_recorded(self._footage, camera_id, at_ms, at_ms + 1)

    def keyframes(self, camera_id: str, times_ms: Iterable[int]) -> Iterator[Moment | None]:
        """Yield for each instant, ascending, the keyframe before it; None where nothing was recorded.

        Raises:
            IndexAwayError: The database is away.
        """
        looked_up: list[Shown] = []
        until_ms = last_ms = -1
        for at_ms in times_ms:
            if at_ms >= until_ms:
                close = last_ms >= 0 and at_ms - last_ms <= _CLOSE_MS
                until_ms = at_ms + (_LOOKED_UP_MS if close else 1)
                looked_up, _ = self._files.shown(files_of(self._footage, camera_id, at_ms, until_ms)[0])
            last_ms = at_ms
            file = next((each for each in looked_up if each.from_ms <= at_ms < each.to_ms), None)
            yield None if file is None else self._tried(file, at_ms, keyframe=True)

    def _tried(self, file: Shown, at_ms: int, *, keyframe: bool = False) -> Moment | None:
        """Return a picture of a file, or None where the file has none to give."""
        try:
            with self._files.open(file.found) as opened:
                return _decoded(opened, self._files.layout(opened), min(at_ms, file.to_ms - 1), keyframe=keyframe)
        except (FootageGoneError, DamagedFootageError, av.FFmpegError) as error:
            log.warning("recorded_picture_skipped", path=file.found.path, error=str(error))
            return None


def _decoded(opened: OpenedFile, layout: Layout, at_ms: int, *, keyframe: bool) -> Moment | None:
    if not layout.fragments:
        return None
    start_ms = opened.found.segment.start_ms
    wanted = Fraction(2 * (at_ms - start_ms) + 1, 2_000)  # pictures are known by whole milliseconds
    place = layout.at(wanted)
    first = layout.keyframe_before(place)
    last = first if keyframe else layout.last_needed(place)
    data = io.BytesIO(opened.read(0, layout.head.size) + opened.read(*layout.bytes_of(first, last)))
    scale = layout.head.video.timescale
    shown_before = layout.first_picture + wanted * scale
    found: av.VideoFrame | None = None
    with av.open(data, "r", format="mp4") as container:
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"  # threads over pictures would first fill themselves with pictures
        for frame in container.decode(stream):
            if found is not None and (frame.pts or 0) > shown_before:
                break
            found = frame
            if keyframe:
                break
    if found is None:
        return None
    return Moment(found, start_ms + round(Fraction((found.pts or 0) - layout.first_picture, scale) * 1000))
