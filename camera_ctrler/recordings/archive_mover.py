"""Moves footage that is old enough from the frames volume into the archive, in the background.

A file is copied, what arrived is checked, the index is told, and only then the local file goes. A crash on the way
leaves the local file, and in the archive either nothing or a whole file that is written again.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import structlog

from camera_ctrler.recordings.archive import Archive, ArchiveError
from camera_ctrler.recordings.cleaner import Cleaner
from camera_ctrler.recordings.index import ARCHIVE, VOLUME, IndexedSegment
from camera_ctrler.recordings.known_footage import IndexSilentError, KnownFootage
from camera_ctrler.recordings.retention import NEWEST_MS
from contract.recording_paths import HOUR_MS
from contract.recordings import KeptFor
from contract.retention import KeepRules
from runtime.clock import Clock
from runtime.recording_store import RecordingStore

#: Files in one step, and how many of them are sent at once: storage far away takes its time for each.
BATCH: Final = 16
_AT_ONCE: Final = 4
#: Seconds to wait after a failure: doubled with each up to the longest.
FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 120.0
#: Seconds for which a list of what is to move is used.
_WALK_SECONDS: Final = 60.0
#: Seconds for which a file is left alone that cannot be read.
_UNREADABLE_SECONDS: Final = 300.0
#: Seconds between two looks when there is nothing to move.
IDLE_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MoveSettings:
    """What moves, and how fast."""

    #: Milliseconds after its end.
    after_ms: int
    #: 0: as fast as it goes.
    bytes_per_second: int = 0


class ArchiveMover:
    """Moves from one volume to one archive. Not thread-safe: one thread calls `step`."""

    def __init__(
        self,
        archive: Archive,
        store: RecordingStore,
        known: KnownFootage,
        cleaner: Cleaner,
        keep: KeepRules,
        settings: MoveSettings,
        clock: Clock,
    ) -> None:
        self._archive = archive
        self._store = store
        self._known = known
        self._cleaner = cleaner
        self._keep = keep
        self._settings = settings
        self._clock = clock
        #: What comes next, since when, and whether it was chosen under pressure.
        self._walk: Iterator[IndexedSegment] | None = None
        self._walk_made_at = 0.0
        self._walk_is_pressed = False
        #: Path -> monotonic seconds until which it is left alone.
        self._unreadable: dict[str, float] = {}
        self._failures = 0
        self._is_checked = False
        #: What is wrong with the archive; empty: nothing.
        self.trouble = ""
        #: Whether the volume is short of room: then also younger footage moves, what would be deleted first.
        self.is_pressed = False

    def step(self) -> float:
        """Move some files; returns the seconds after which to come again."""
        try:
            if not self._is_checked or self.trouble:
                self._archive.check(expects_footage=self._holds_footage())
                self._is_checked = True
            batch = self._next_batch()
            moved_bytes = self._move(batch) if batch else 0
        except ArchiveError as error:
            return self._note_failure(str(error))
        except IndexSilentError:  # what moves must be written down there; it is away for the cleaner, too
            return IDLE_SECONDS
        if self.trouble:
            log.info("archive_is_back")
        self._failures, self.trouble = 0, ""
        if not batch:
            return IDLE_SECONDS
        rate = self._settings.bytes_per_second
        return moved_bytes / rate if rate else 0.0

    def _holds_footage(self) -> bool:
        return self._known.ask(lambda index: next(iter(index.hours(tier=ARCHIVE)), None)) is not None

    def _next_batch(self) -> list[IndexedSegment]:
        now = self._clock.monotonic()
        if self._walk is None or now - self._walk_made_at > _WALK_SECONDS or self._walk_is_pressed != self.is_pressed:
            self._walk, self._walk_made_at, self._walk_is_pressed = self._candidates(), now, self.is_pressed
        walk, self._walk = self._walk, None  # one that fails is not asked again
        batch = list(islice(walk, BATCH))
        if batch:
            self._walk = walk
        return batch

    def _candidates(self) -> Iterator[IndexedSegment]:
        """Yield what should be in the archive, oldest first; under pressure first what would be deleted first."""
        now_ms = self._clock.now_ms()
        yield from self._until(now_ms - self._settings.after_ms, frozenset(KeptFor))
        if self.is_pressed:
            for kept_for in KeptFor:
                yield from self._until(now_ms - NEWEST_MS, frozenset({kept_for}))

    def _until(self, end_ms: int, wanted: frozenset[KeptFor]) -> Iterator[IndexedSegment]:
        """Yield files on the volume that ended by a time and are kept for what is wanted, oldest first."""
        for hour in sorted(self._known.hours.values(), key=lambda hour: hour.hour_ms):
            if hour.hour_ms >= end_ms:
                return
            if not any(hour.count[kept_for] for kept_for in wanted):
                continue
            for each in self._of_hour(hour.camera_id, hour.hour_ms):
                segment = each.segment
                is_wanted = each.tier == VOLUME and segment.end_ms <= end_ms and segment.kept_for in wanted
                if is_wanted and not self._is_pointless(each):
                    yield each

    def _of_hour(self, camera_id: str, hour_ms: int) -> list[IndexedSegment]:
        return self._known.ask(lambda index: index.segments_of_hour(camera_id, hour_ms))

    def _is_pointless(self, each: IndexedSegment) -> bool:
        """Tell whether a file is about to be deleted for its age, or could not be read a moment ago."""
        if self._clock.monotonic() < self._unreadable.get(each.path, 0.0):
            return True
        return self._keep.expires_ms(each.segment) <= self._clock.now_ms()

    def _move(self, batch: list[IndexedSegment]) -> int:
        """Copy files, write it down, delete them here; returns the bytes sent."""
        with self._cleaner.left_alone(each.path for each in batch):
            outcomes = self._copy_all(batch)
            arrived = [each for each, outcome in zip(batch, outcomes, strict=True) if outcome is None]
            if arrived:
                keys = [each.key for each in arrived]
                self._known.ask(lambda index: index.moved(keys, ARCHIVE))
                self._delete_forgotten(arrived)
                self._cleaner.delete_moved(arrived)
        failed = [outcome for outcome in outcomes if isinstance(outcome, ArchiveError)]
        if failed:
            raise failed[0]
        return sum(each.segment.size_bytes for each in arrived)

    def _delete_forgotten(self, arrived: list[IndexedSegment]) -> None:
        """Delete from the archive what the index knows no more: another manager has deleted it meanwhile."""
        hours = {(each.segment.camera_id, each.segment.start_ms // HOUR_MS * HOUR_MS) for each in arrived}
        known = {each.key for hour in hours for each in self._of_hour(*hour)}
        for each in arrived:
            if each.key not in known:
                self._archive.delete(each.path)

    def _copy_all(self, batch: list[IndexedSegment]) -> list[OSError | None]:
        """Copy files, some at once; returns for each why it did not arrive. After one failure no other is begun."""
        outcomes: list[OSError | None] = [None] * len(batch)

        def copy_some(first: int) -> None:
            for number in range(first, len(batch), _AT_ONCE):
                failed = next((outcome for outcome in outcomes if isinstance(outcome, ArchiveError)), None)
                outcomes[number] = failed or self._copy(batch[number])

        # Daemon threads: a storage that hangs must not keep the process alive.
        threads = [
            threading.Thread(target=copy_some, args=(first,), name=f"archive-{first}", daemon=True)
            for first in range(min(_AT_ONCE, len(batch)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes

    def _copy(self, each: IndexedSegment) -> OSError | None:
        """Copy one file; returns why it did not arrive."""
        try:
            self._archive.store(each.path, self._store.file(each.path))
        except OSError as error:  # an `ArchiveError`, or the file is gone or cannot be read: then the cleaner sees it
            if not isinstance(error, ArchiveError):
                self._unreadable[each.path] = self._clock.monotonic() + _UNREADABLE_SECONDS
                log.warning("footage_not_read", path=each.path, error=str(error))
            return error
        return None

    def _note_failure(self, trouble: str) -> float:
        if not self.trouble:
            log.warning("archive_away", error=trouble)
        self.trouble = trouble
        self._walk = None  # what did not arrive is the oldest again
        self._failures += 1
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10))
