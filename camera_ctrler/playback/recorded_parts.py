"""Serves the pieces of files of footage that playlists name, with the wall-clock time as decode time."""

from dataclasses import dataclass
from fractions import Fraction

from camera_ctrler.playback.fragments import Layout
from camera_ctrler.playback.recorded import named
from camera_ctrler.playback.recorded_files import FootageGoneError, RecordedFiles
from camera_ctrler.playback.track_runs import shift, silenced


@dataclass(frozen=True, slots=True)
class PartBytes:
    """What is sent for one part."""

    data: bytes
    #: Names what is sent.
    tag: str
    #: Whether the part can still grow.
    growing: bool


class RecordedParts:
    """Init sections and runs of fragments. Safe to use from several threads."""

    def __init__(self, files: RecordedFiles) -> None:
        self._files = files

    def init(self, camera_id: str, start_ms: int, epoch: int, *, sound: bool = True) -> PartBytes:
        """Return the init section of a file.

        Raises:
            FootageGoneError: The file is not there any more.
            DamagedFootageError: It has none.
        """
        found = named(camera_id, start_ms, epoch)
        head = self._files.head(found)
        with self._files.open(found) as opened:
            data = opened.read(0, head.size)
        tag = f"{head.digest}{'' if sound else '-silent'}"
        return PartBytes(data if sound else silenced(data, head.video.track_id), tag, growing=False)

    def media(
        self, camera_id: str, start_ms: int, epoch: int, first: int, last: int, *, sound: bool = True
    ) -> PartBytes:
        """Return the fragments from `first` to `last`, both included, at most to the end of the file.

        Their times are Unix time in each track's ticks: the first picture of the file is shown at `start_ms`.

        Raises:
            FootageGoneError: The file is not there any more, or has no fragment `first`.
            DamagedFootageError: It cannot be read.
        """
        found = named(camera_id, start_ms, epoch)
        with self._files.open(found) as opened:
            layout = self._files.layout(opened)
            if not first < len(layout.fragments):
                raise FootageGoneError(
                    f"the file {found.path} has {len(layout.fragments)} whole fragments, none of number {first}; "
                    "load the playlist again"
                )
            end = min(last, len(layout.fragments) - 1)
            data = opened.read(*layout.bytes_of(first, end))
        begins = {track.track_id: _begin(layout, track.timescale, start_ms) for track in layout.head.tracks}
        video = layout.head.video
        begins[video.track_id] += layout.fragments[0].first_offset
        shifted = shift(data, begins, {video.track_id: layout.fragments[0].first_offset})
        tag = f"{start_ms}-{epoch}-{first}-{end}-{len(data)}{'' if sound else '-silent'}"
        return PartBytes(shifted if sound else silenced(shifted, video.track_id), tag, growing=end < last)


def _begin(layout: Layout, timescale: int, start_ms: int) -> int:
    """Return the ticks that lead from the time in a file to Unix time."""
    return round((Fraction(start_ms, 1000) - Fraction(layout.first_picture, layout.head.video.timescale)) * timescale)
