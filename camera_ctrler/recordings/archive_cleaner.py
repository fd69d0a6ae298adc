"""Retention in the archive: what was kept long enough goes, and the oldest while it takes more than it may."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import structlog

from camera_ctrler.recordings.archive import Archive
from camera_ctrler.recordings.index import ARCHIVE, CameraHour, IndexedSegment
from camera_ctrler.recordings.known_footage import KnownFootage
from camera_ctrler.recordings.retention import (
    GOES_FOR_ROOM,
    Doomed,
    Reason,
    VolumeFile,
    Wanted,
    expired,
    first_expiry_ms,
    make_room,
)
from contract.recordings import KeptFor
from contract.retention import KeepRules
from runtime.clock import Clock

#: Files whose rows are removed together.
_BATCH = 100

log = structlog.get_logger(__name__)


class ArchiveCleaner:
    """Deletes from one archive. Not thread-safe: one thread calls `step`."""

    def __init__(
        self, archive: Archive, known: KnownFootage, keep: KeepRules, clock: Clock, *, max_bytes: int = 0
    ) -> None:
        self._archive = archive
        self._known = known
        self._keep = keep
        self._clock = clock
        self._max_bytes = max_bytes
        #: Hour of a camera -> Unix ms UTC before which nothing in it has been kept long enough, as its files say.
        self._due: dict[tuple[str, int], int] = {}
        #: Bytes of footage there by the reason it is kept for.
        self.bytes: dict[KeptFor, int] = {}
        self.deleted_bytes: Counter[Reason] = Counter()

    def step(self, until: float) -> None:
        """Delete what is to go.

        Args:
            until: Monotonic seconds after which no further hour is begun.

        Raises:
            IndexSilentError: The index does not answer.
            ArchiveError: The archive does not; rows of what was not deleted stay.
        """
        hours = self._known.ask(lambda index: list(index.hours(tier=ARCHIVE)), 30.0)
        self.bytes = {kept_for: sum(hour.bytes[kept_for] for hour in hours) for kept_for in KeptFor}
        self._due = {key: self._due[key] for hour in hours if (key := (hour.camera_id, hour.hour_ms)) in self._due}
        self._expire(hours, until)
        excess = sum(self.bytes.values()) - self._max_bytes
        if self._max_bytes and excess > 0:
            self._make_room(hours, Wanted(footage=excess), until)

    def _expire(self, hours: list[CameraHour], until: float) -> None:
        now_ms = self._clock.now_ms()
        for hour in hours:
            key = (hour.camera_id, hour.hour_ms)
            first_ms = first_expiry_ms(hour.hour_ms, [each for each, n in hour.count.items() if n], self._keep)
            if max(first_ms, self._due.get(key, 0)) > now_ms:
                continue
            if self._clock.monotonic() >= until:
                return
            files = list(self._files(hour))
            doomed = list(expired(files, now_ms))
            self._delete(doomed)
            gone = {each.file.path for each in doomed}
            self._due[key] = min((file.expires_ms for file in files if file.path not in gone), default=now_ms)

    def _make_room(self, hours: list[CameraHour], want: Wanted, until: float) -> None:
        for kept_for in GOES_FOR_ROOM:
            files = (file for hour in hours if hour.count[kept_for] for file in self._files(hour))
            doomed = make_room(files, want, kept_for, self._clock.now_ms())
            while batch := list(islice(doomed, _BATCH)):
                self._delete(batch)
                if self._clock.monotonic() >= until:
                    return

    def _files(self, hour: CameraHour) -> Iterator[VolumeFile]:
        found = self._known.ask(lambda index: index.segments_of_hour(hour.camera_id, hour.hour_ms))
        return (self._file(each) for each in found if each.tier == ARCHIVE)

    def _file(self, each: IndexedSegment) -> VolumeFile:
        segment = each.segment
        return VolumeFile(
            camera_id=segment.camera_id,
            start_ms=segment.start_ms,
            end_ms=segment.end_ms,
            size_bytes=segment.size_bytes,
            kept_for=segment.kept_for,
            expires_ms=self._keep.expires_ms(segment),
            path=each.path,
            epoch=segment.epoch,
            recorded_ms=segment.end_ms - segment.start_ms,
        )

    def _delete(self, batch: list[Doomed]) -> None:
        """Delete files, then their rows; those that went before a failure are forgotten, too."""
        gone: list[Doomed] = []
        try:
            for each in batch:
                self._archive.delete(each.file.path)
                gone.append(each)
        finally:
            keys = ((each.file.camera_id, each.file.start_ms, each.file.epoch or 0) for each in gone)
            self._known.forget(keys, tier=ARCHIVE)
            for each in gone:
                self.deleted_bytes[each.reason] += each.file.size_bytes
                self.bytes[each.file.kept_for] -= each.file.size_bytes
            if gone:
                log.info("deleted_from_archive", files=len(gone), reason=gone[0].reason)
