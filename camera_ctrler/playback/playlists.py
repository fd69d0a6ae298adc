"""Makes playlists of recorded footage: of a range, and of what is being recorded."""

import math
from dataclasses import replace
from typing import Final

from camera_ctrler.playback import hls
from camera_ctrler.playback.fragments import Layout
from camera_ctrler.playback.growing_files import GrowingFiles
from camera_ctrler.playback.hls import Part
from camera_ctrler.playback.live_windows import WINDOW_SECONDS, LiveWindows
from camera_ctrler.playback.recorded import NothingRecordedError, files_of, nothing_recorded
from camera_ctrler.playback.recorded_files import FootageGoneError, RecordedFiles
from camera_ctrler.playback.showing import Run, Shown, runs_of, runs_shown
from camera_ctrler.playback.track_runs import DamagedFootageError
from camera_ctrler.recordings.footage import Footage
from camera_ctrler.recordings.index import VOLUME, IndexedSegment
from runtime.clock import Clock

#: Milliseconds before now at which a live playlist begins for one who comes in: enough to begin at once.
ENTRANCE_MS: Final = 20_000
#: All who come within so many milliseconds share one live playlist.
SHARED_MS: Final = 10_000
#: Milliseconds that a live playlist may be followed; then the player begins anew.
MAX_LIVE_MS: Final = 24 * 3_600_000
#: Bytes of a file that is sent as a whole: a part is made in memory. Files with rare keyframes may be larger.
MAX_PART_BYTES: Final = 50_000_000
#: Bits a second that are stated where nothing is known.
_USUAL_BANDWIDTH: Final = 4_000_000


class Playlists:
    """Playlists of all cameras. Safe to use from several threads."""

    def __init__(self, footage: Footage, files: RecordedFiles, clock: Clock) -> None:
        self._footage = footage
        self._files = files
        self._clock = clock
        self._windows = LiveWindows()
        self._growing = GrowingFiles(clock)

    def of_range(self, camera_id: str, from_ms: int, to_ms: int) -> str:
        """Return a playlist with an end: every file that has something of the range, as a whole.

        The first one begins with a short part that holds `from_ms`, for that is what somebody waits for.

        Raises:
            NothingRecordedError: There is no such file that can be played.
            IndexAwayError: The database is away.
        """
        files, growing = files_of(self._footage, camera_id, from_ms, to_ms)
        parts: list[Part] = []
        showing, left_out = self._files.shown(files)
        for file in showing:
            try:
                parts += self._whole(file, from_ms, growing=file.found.path == growing)
            except FootageGoneError:  # deleted in this moment
                left_out += 1
        if not parts:
            raise nothing_recorded(self._footage, camera_id, from_ms, to_ms)
        return hls.playlist(parts, ended=True, start_ms=from_ms, left_out=left_out)

    def live(self, camera_id: str, from_ms: int) -> str:
        """Return the playlist that began at `from_ms` and grows: what is left of it, to the last whole part.

        Raises:
            NothingRecordedError: Nothing was recorded since then.
            IndexAwayError: The database is away.
        """
        now_ms = self._clock.now_ms()
        name = camera_id, from_ms
        begin_ms = self._windows.begin_ms(name)
        files, growing = self._live_files(camera_id, begin_ms, now_ms)
        parts: list[Part] = []
        for file in self._files.shown(files)[0]:
            try:
                runs = self._runs(file, growing=file.found.path in growing)
            except FootageGoneError:  # deleted in this moment
                continue
            parts += (part for part in runs if part.end_ms > begin_ms)
        window = self._windows.cut(name, parts, now_ms - WINDOW_SECONDS * 1000)
        if not window.parts:
            raise NothingRecordedError(
                f"nothing of camera {camera_id!r} was recorded since {hls.iso_time(from_ms)}; check its status, and "
                "that it is recorded"
            )
        return hls.playlist(window.parts, ended=False, place=window.place)

    def _live_files(self, camera_id: str, begin_ms: int, now_ms: int) -> tuple[list[IndexedSegment], set[str]]:
        """Return all files from `begin_ms` on, and the paths of those that are being written, which grow."""
        found, named = files_of(self._footage, camera_id, begin_ms, now_ms + WINDOW_SECONDS * 1000)
        finished = [each for each in found if each.path != named]
        paths = {each.path for each in finished}
        growing: list[IndexedSegment] = []
        for each in self._growing.noted(camera_id, (each for each in found if each.path == named)):
            if each.path not in paths:
                try:
                    length_ms = self._files.layout_of(each).length * 1000
                except (FootageGoneError, DamagedFootageError):  # nothing of it is whole yet, or it is gone
                    continue
                end_ms = each.segment.start_ms + math.ceil(length_ms)
                if end_ms > begin_ms:
                    growing.append(IndexedSegment(each.segment.model_copy(update={"end_ms": end_ms}), VOLUME))
        return [*finished, *growing], {each.path for each in growing}

    def entrance(self, camera_id: str) -> str:
        """Return the playlist that leads to the live one.

        Raises:
            NothingRecordedError: Nothing is being recorded.
            IndexAwayError: The database is away.
        """
        now_ms = self._clock.now_ms()
        from_ms = (now_ms - ENTRANCE_MS) // SHARED_MS * SHARED_MS
        files, _ = files_of(self._footage, camera_id, from_ms, now_ms + WINDOW_SECONDS * 1000)
        if not files:
            raise nothing_recorded(self._footage, camera_id, from_ms, now_ms)
        newest = files[-1].segment
        length_ms = newest.end_ms - newest.start_ms
        bandwidth = newest.size_bytes * 8_000 // length_ms if length_ms else _USUAL_BANDWIDTH
        return hls.entrance(from_ms, bandwidth * 3 // 2, (newest.width, newest.height))

    def _whole(self, file: Shown, from_ms: int, *, growing: bool) -> list[Part]:
        """Return what shows of a file in as few parts as can be, from the one that holds `from_ms` on."""
        segment = file.found.segment
        large = segment.size_bytes > MAX_PART_BYTES
        if file.whole and not growing and not large and from_ms <= segment.start_ms:
            return [self._as_one(file)]
        layout = self._files.layout_of(file.found)
        runs = runs_shown(runs_of(layout, open_end=False), file)
        passed = [run for run in runs if segment.start_ms + run.begin * 1000 <= from_ms][:-1]
        runs = runs[len(passed) :]
        if large:
            pieces = [[run] for run in runs]
        elif from_ms <= file.from_ms:
            pieces = [runs] if runs else []
        else:
            pieces = [each for each in (runs[:1], runs[1:]) if each]
        return [_part(file, layout, each[0], each[-1]) for each in pieces]

    def _as_one(self, file: Shown) -> Part:
        """Return a whole file as one part; of a file in the archive, what the index says of it."""
        segment = file.found.segment
        part = Part(
            start_ms=segment.start_ms,
            epoch=segment.epoch,
            first=0,
            last=hls.TO_THE_END,
            begin_ms=segment.start_ms,
            seconds=(segment.end_ms - segment.start_ms) / 1000,
            init=f"{segment.codec} {segment.audio} {segment.width}x{segment.height}",
            own_init=True,
            sound=bool(segment.audio),
        )
        if file.found.tier != VOLUME:
            return part
        head = self._files.head(file.found)
        return replace(part, init=head.digest, own_init=False, sound=head.has_sound, lead=float(head.lead or 0))

    def _runs(self, file: Shown, *, growing: bool) -> list[Part]:
        """Return what shows of a file in parts that a live playlist has."""
        layout = self._files.layout_of(file.found)
        runs = runs_shown(runs_of(layout, open_end=growing), file)
        return [_part(file, layout, run, run) for run in runs]


def _part(file: Shown, layout: Layout, first: Run, last: Run) -> Part:
    segment = file.found.segment
    return Part(
        start_ms=segment.start_ms,
        epoch=segment.epoch,
        first=first.first,
        last=last.last,
        begin_ms=segment.start_ms + float(first.begin * 1000),
        seconds=float(last.end - first.begin),
        init=layout.head.digest,
        sound=layout.head.has_sound,
        lead=float(layout.fragments[first.first].lead),
    )
