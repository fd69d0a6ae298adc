"""Deletes footage, frames and crops that were kept long enough, or that must make room: the file first, then its row.

A crash between the two leaves a row without a file, which the next pass over its hour removes. Several cleaners may
work on one volume.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby, islice
from typing import Final

import structlog

from camera_ctrler.recordings.index import VOLUME, IndexedSegment, SegmentKey
from camera_ctrler.recordings.known_footage import SETTLES_MS, IndexSilentError, KnownFootage
from camera_ctrler.recordings.retention import (
    GOES_FOR_ROOM,
    Doomed,
    Reason,
    VolumeFile,
    Wanted,
    expired,
    make_room,
)
from camera_ctrler.recordings.shelf_list import ShelfList
from camera_ctrler.recordings.volume_contents import Kind, Shelf, VolumeContents
from contract.recording_paths import HOUR_MS
from contract.recordings import KeptFor
from runtime.clock import Clock

#: Files whose rows are removed together; a crash leaves so many rows without a file at most.
BATCH: Final = 100
#: Seconds for which a list of what goes next is used again.
_WALK_SECONDS: Final = 30.0
#: Seconds for which a file that cannot be deleted is left alone.
_STUCK_SECONDS: Final = 300.0
#: Seconds after which shelves that had nothing to give are looked at again.
_BARREN_SECONDS: Final = 3_600.0
#: Milliseconds after which a shelf is looked at again that may hold evidence nobody remembers.
_LATER_MS: Final = 60_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Deleted:
    """What a cleaner has deleted since it was made."""

    bytes: Counter[Reason] = field(default_factory=Counter)
    #: Of footage, as far as the index knew it.
    seconds: dict[Reason, float] = field(default_factory=dict)

    def note(self, reason: Reason, size_bytes: int, seconds: float) -> None:
        """Count a file."""
        self.bytes[reason] += size_bytes
        self.seconds[reason] = self.seconds.get(reason, 0.0) + seconds


class _Walk:
    """Files that may go for want of room, oldest first, over all shelves."""

    def __init__(self, files: Iterator[VolumeFile], made_at: float) -> None:
        self.made_at: Final = made_at
        self._files = files
        self._looked_at = 0
        #: Files that were chosen.
        self.chosen = 0
        #: Whether it has come to an hour in which footage may still become evidence.
        self.is_unsettled = False

    def files(self) -> Iterator[VolumeFile]:
        """Yield the files that are left."""
        for file in self._files:
            self._looked_at += 1
            yield file

    @property
    def has_left_some(self) -> bool:
        """Whether it has come past files that were not chosen: they would be older than what it has left."""
        return self._looked_at > self.chosen


class Cleaner:
    """Deletes from one volume. Safe to use from several threads; raises `OSError` where it cannot be read."""

    def __init__(self, contents: VolumeContents, known: KnownFootage, clock: Clock) -> None:
        self._contents = contents
        self._known = known
        self._clock = clock
        self._lock = threading.Lock()
        self.deleted: Final = Deleted()
        self._shelves = ShelfList(contents, clock)
        #: What was being looked through for room, by reason of keeping.
        self._walks: dict[KeptFor, _Walk] = {}
        #: Shelves of hours long over that hold nothing which is kept for that reason only.
        self._barren: set[tuple[Shelf, KeptFor]] = set()
        self._barren_since = clock.monotonic()
        #: Path -> monotonic seconds until which it is left alone.
        self._stuck: dict[str, float] = {}
        #: Paths of footage that is on its way into the archive.
        self._moving: set[str] = set()
        #: Shelf -> Unix ms UTC before which nothing on it has been kept long enough, as its files say.
        self._due: dict[Shelf, int] = {}

    # --- room ----------------------------------------------------------------------------------------------------

    def make_room(self, want: Wanted, until: float) -> bool:
        """Delete what is least wanted, oldest first, and count `want` down.

        Args:
            want: Bytes to be freed.
            until: Monotonic seconds after which no further batch is begun.

        Returns:
            Whether all was done that can be: enough is free, or nothing is left that may go.
        """
        for kept_for in GOES_FOR_ROOM:
            walk = self._walk(kept_for, want)
            doomed = make_room(walk.files(), want, kept_for, self._clock.now_ms())
            while batch := _take(doomed, BATCH):
                walk.chosen += len(batch)
                self._delete(batch)
                if want.any and self._clock.monotonic() >= until:
                    return False
            if not want.any:
                return True
            self._walks.pop(kept_for, None)  # there is nothing more in it
        self._shelves.list_soon()
        return True

    def _walk(self, kept_for: KeptFor, want: Wanted) -> _Walk:
        """Return the files to be looked through; those of the last time where they are still true."""
        now = self._clock.monotonic()
        walk = self._walks.pop(kept_for, None)
        is_usable = walk is not None and not (walk.is_unsettled or walk.has_left_some) and want.of_all
        if walk is None or not is_usable or now - walk.made_at > _WALK_SECONDS:
            walk = self._new_walk(kept_for, None if want.of_all else frozenset(want.cameras))
        if want.of_all:
            self._walks[kept_for] = walk
        return walk

    def _new_walk(self, kept_for: KeptFor, cameras: frozenset[str] | None) -> _Walk:
        now = self._clock.monotonic()
        if now - self._barren_since > _BARREN_SECONDS:
            self._barren_since = now
            self._barren.clear()
        shelves = [
            shelf
            for shelf in self._shelves.known()
            if (cameras is None or (shelf.kind is Kind.FOOTAGE and shelf.camera_id in cameras))
            and not self._is_barren(shelf, kept_for)
        ]

        def files() -> Iterator[VolumeFile]:
            for hour_ms, group in groupby(shelves, lambda shelf: shelf.hour_ms):
                is_settled = self._is_settled(hour_ms)
                walk.is_unsettled = walk.is_unsettled or not is_settled
                yield from merge(
                    *(self._of_shelf(shelf, kept_for, is_settled=is_settled) for shelf in group),
                    key=lambda file: file.start_ms,
                )

        walk = _Walk(files(), now)
        return walk

    def _of_shelf(self, shelf: Shelf, kept_for: KeptFor, *, is_settled: bool) -> Iterator[VolumeFile]:
        self._remove_rows(shelf)
        is_barren = True
        for file in self._contents.files(shelf):
            if file.kept_for is kept_for and not self._is_stuck(file):
                is_barren = False
                yield file
        if is_barren and is_settled:
            self._barren.add((shelf, kept_for))

    def _is_barren(self, shelf: Shelf, kept_for: KeptFor) -> bool:
        """Tell whether a shelf surely has nothing to give, without looking at its files: there may be very many."""
        if (shelf, kept_for) in self._barren:
            return True
        if not self._is_settled(shelf.hour_ms):
            return False
        if shelf.kind is Kind.FRAMES:  # what is past its age goes for that; the rest of it is evidence
            return kept_for is not KeptFor.CONTINUOUS or self._contents.due_ms(shelf) <= self._clock.now_ms()
        if shelf.kind is Kind.CROPS:
            return kept_for is not KeptFor.MOTION
        hour = self._known.hours.get((shelf.camera_id, shelf.hour_ms))
        return hour is not None and hour.count[kept_for] == 0

    def _is_settled(self, hour_ms: int) -> bool:
        return self._clock.now_ms() > hour_ms + HOUR_MS + SETTLES_MS

    # --- age -----------------------------------------------------------------------------------------------------

    def expire(self, seconds: float) -> bool:
        """Delete what has been kept for as long as the rules say; returns whether all of it was looked at.

        Args:
            seconds: For which to go on, once the volume is listed; then no further hour is begun.
        """
        shelves = self._shelves.all()
        until = self._clock.monotonic() + seconds
        self._due = {shelf: self._due[shelf] for shelf in shelves if shelf in self._due}
        for shelf in shelves:
            now_ms = self._clock.now_ms()
            if max(self._contents.due_ms(shelf), self._due.get(shelf, 0)) > now_ms:
                continue
            if self._clock.monotonic() >= until:
                return False
            self._expire_shelf(shelf, now_ms)
        self._remove_rows_of_empty_hours(shelves)
        return True

    def _expire_shelf(self, shelf: Shelf, now_ms: int) -> None:
        if shelf.kind is Kind.FOOTAGE:
            self._remove_rows(shelf)
        if self._contents.may_hide_evidence(shelf):
            self._due[shelf] = now_ms + _LATER_MS
            return
        files = [file for file in self._contents.files(shelf) if not self._is_stuck(file)]
        doomed = list(expired(files, now_ms))
        left = len(files) - len(doomed)
        for start in range(0, len(doomed), BATCH):
            self._delete(doomed[start : start + BATCH])
        gone = {each.file.path for each in doomed}
        self._due[shelf] = min((file.expires_ms for file in files if file.path not in gone), default=now_ms + _LATER_MS)
        if shelf.kind is not Kind.FOOTAGE and left == 0 and shelf.hour_ms + HOUR_MS + SETTLES_MS < now_ms:
            self._contents.sweep(shelf)

    # --- moving --------------------------------------------------------------------------------------------------

    @contextmanager
    def left_alone(self, paths: Iterable[str]) -> Iterator[None]:
        """Delete none of these files for the time of the ``with`` block: they are on their way into the archive."""
        moving = set(paths)
        with self._lock:
            self._moving |= moving
        try:
            yield
        finally:
            with self._lock:
                self._moving -= moving

    def delete_moved(self, found: Iterable[IndexedSegment]) -> None:
        """Delete files from the volume that are in the archive, and in the index as such."""
        for each in found:
            try:
                size_bytes = self._contents.footage.delete(each.path)
            except OSError as error:  # a later pass finds it
                log.warning("footage_not_deleted", path=each.path, error=str(error))
                continue
            segment = each.segment
            with self._lock:
                self.deleted.note(Reason.ARCHIVED, size_bytes, (segment.end_ms - segment.start_ms) / 1000)

    # --- deleting ------------------------------------------------------------------------------------------------

    def _delete(self, batch: list[Doomed]) -> None:
        """Delete files, then their rows."""
        gone: list[SegmentKey] = []
        freed: Counter[Reason] = Counter()
        with self._lock:
            for each in batch:
                file = each.file
                if file.path in self._moving:
                    continue
                try:
                    size_bytes = self._contents.delete(file)
                except OSError as error:
                    self._stuck[file.path] = self._clock.monotonic() + _STUCK_SECONDS
                    log.warning("footage_not_deleted", path=file.path, error=str(error))
                    continue
                freed[each.reason] += size_bytes
                self.deleted.note(each.reason, size_bytes, file.recorded_ms / 1000)
                if file.epoch is not None and each.reason is not Reason.ARCHIVED:
                    gone.append((file.camera_id, file.start_ms, file.epoch))
        self._forget(gone)
        for reason, size_bytes in freed.items():
            oldest, newest = batch[0].file.start_ms, batch[-1].file.start_ms
            log.info("deleted", reason=reason, bytes=size_bytes, files=len(batch), oldest_ms=oldest, newest_ms=newest)

    def _is_stuck(self, file: VolumeFile) -> bool:
        until = self._stuck.get(file.path)
        if until is None:
            return False
        if self._clock.monotonic() < until:
            return True
        self._stuck.pop(file.path, None)
        return False

    def _remove_rows(self, shelf: Shelf) -> None:
        if shelf.kind is Kind.FOOTAGE:
            self._forget(self._contents.rows_without_file(shelf))

    def _remove_rows_of_empty_hours(self, shelves: Iterable[Shelf]) -> None:
        """Remove what a crash left of hours whose last file was deleted; never much: the volume may not be mounted."""
        there = {(shelf.camera_id, shelf.hour_ms) for shelf in shelves if shelf.kind is Kind.FOOTAGE}
        empty = [hour for key, hour in self._known.hours.items() if key not in there]
        if not there or not 0 < sum(sum(hour.count.values()) for hour in empty) <= BATCH:
            return
        for hour in empty:
            self._remove_rows(Shelf(hour.hour_ms, hour.camera_id, Kind.FOOTAGE))

    def _forget(self, keys: list[SegmentKey]) -> None:
        with suppress(IndexSilentError):  # a later pass finds that the files are gone
            self._known.forget(keys, tier=VOLUME)  # what was archived meanwhile is not gone


def _take(doomed: Iterator[Doomed], count: int) -> list[Doomed]:
    return list(islice(doomed, count))
