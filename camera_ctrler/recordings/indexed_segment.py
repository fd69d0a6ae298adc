"""A file of footage as the index knows it."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Row

from camera_ctrler.recordings.hour_totals import RANKS, StoredFile, read_seen
from contract.recording_paths import segment_path
from contract.recordings import KeptFor, Segment

#: Key of a file: camera id, start (Unix ms UTC), epoch.
SegmentKey = tuple[str, int, int]
#: Codec, sound, width and height in pixels.
Format = tuple[str, str, int, int]

_TIER: Final = StoredFile._fields.index("tier")
_KEPT_FOR: Final = tuple(KeptFor.ranked(rank) for rank in RANKS)


class IndexedSegment:
    """A file of footage, and where it is; not changed once it is made."""

    __slots__ = ("_segment", "tier")

    #: 0: on the frames volume; 1: in the archive.
    tier: int

    def __init__(self, segment: Segment, tier: int) -> None:
        self._segment = segment
        self.tier = tier

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IndexedSegment) and (self.segment, self.tier) == (other.segment, other.tier)

    def __hash__(self) -> int:
        return hash((self.key, self.tier))

    def __repr__(self) -> str:
        return f"IndexedSegment({self.segment!r}, {self.tier})"

    @property
    def segment(self) -> Segment:
        """What its worker told of it."""
        return self._segment

    @property
    def key(self) -> SegmentKey:
        """Camera id, start and epoch, by which `SegmentIndex.remove` and `moved` know it."""
        return self.segment.camera_id, self.segment.start_ms, self.segment.epoch

    @property
    def path(self) -> str:
        """Path relative to the frames volume, or to the archive."""
        return segment_path(*self.key)


class StoredSegment(IndexedSegment):
    """One that is made from a row only when somebody looks: of the thousands of a day, players look at few."""

    __slots__ = ("_camera_id", "_formats", "_row")

    def __init__(self, camera_id: str, row: Row[*tuple[Any, ...]], formats: Mapping[int, Format]) -> None:
        """Take a row with the columns of a `StoredFile`."""
        self.tier = row[_TIER]
        self._camera_id, self._row, self._formats = camera_id, row, formats

    @property
    def segment(self) -> Segment:
        """What its worker told of it."""
        try:
            return self._segment
        except AttributeError:  # the slot is empty until now
            self._segment = self._read()
            return self._segment

    @property
    def key(self) -> SegmentKey:
        """Camera id, start and epoch, by which `SegmentIndex.remove` and `moved` know it."""
        return self._camera_id, self._row.start_ms, self._row.epoch

    def _read(self) -> Segment:
        _, start_ms, epoch, duration_ms, size_bytes, number, kept_for, motion, _, seen = self._row
        codec, audio, width, height = self._formats[number]
        return Segment(
            camera_id=self._camera_id,
            start_ms=start_ms,
            end_ms=start_ms + duration_ms,
            epoch=epoch,
            size_bytes=size_bytes,
            codec=codec,
            audio=audio,
            width=width,
            height=height,
            kept_for=_KEPT_FOR[kept_for],
            motion=motion / 1000,
            seen=read_seen(seen),
        )
