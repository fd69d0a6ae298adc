"""What Redis could not take yet, on disk: a bounded queue that outlives its process. Knows nothing of what it holds."""

import shutil
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

import structlog

from runtime.clock import Clock
from runtime.spool_lock import SpoolLock

Kind = Literal["result", "event"]

#: Which records make room when there is none, first to last.
MAKES_ROOM: Final[tuple[Kind, ...]] = ("result", "event")
#: A file that was emptied is removed when more than this waited in it, bytes: the volume gets its room back.
SHRINK_BYTES: Final = 1_000_000
#: Seconds between two tries to open a file that cannot be opened: each reads all of it.
REOPEN_SECONDS: Final = 1.0
#: Records looked at in one go when room is made.
_STEP: Final = 64
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, camera TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL,
    size INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS records_by_kind ON records (kind, id);
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewRecord:
    """Something to be delivered later: ``(camera, epoch, number)`` names it among those of its kind."""

    kind: Kind
    camera: str
    epoch: int
    number: int
    body: str

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.body.encode())


@dataclass(frozen=True, slots=True)
class SpoolRecord(NewRecord):
    """A record as it lies in the spool."""

    #: Rises with the order in which records were appended.
    id: int


class SpoolUnusableError(Exception):
    """The volume is full, read-only or gone: what cannot be written there is lost."""


class Spool:
    """A queue in one SQLite file, bounded by the sum of its records' sizes.

    No method raises because of the volume: what cannot be kept is counted in `lost`, and the log says so once for
    each time of trouble. A damaged file is set aside. Safe to use from several threads.
    """

    def __init__(self, lock: SpoolLock, max_bytes: int, clock: Clock) -> None:
        """Open the file of `lock`.

        Args:
            lock: Taken where it was not yet, released by `close`.
            max_bytes: Sum of the bodies' sizes that is kept; the oldest results, then the oldest events make room.
            clock: Times the pauses between two tries to open the file.
        """
        self._clock = clock
        self._open_again_at = float("-inf")
        self._checked = self._removed = False
        self._lock = lock
        self._path = lock.path
        #: Sum of the bodies' sizes that is kept.
        self.max_bytes: Final = max_bytes
        self._guard = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._in_trouble = self._told_full = False
        #: Ids that were delivered but could not be deleted: what the volume does not let us write, we remember.
        self._undeleted: set[int] = set()
        self._count = self._bytes = self._peak_bytes = 0
        #: Records that could not be kept.
        self.lost = 0
        #: Files that were set aside.
        self.damaged = 0
        self._try_open()

    @classmethod
    def own(cls, folder: Path, worker_id: str, max_bytes: int, clock: Clock) -> Self:
        """Open the spool of a worker, with what a former process of the same id left in it."""
        return cls(SpoolLock.own(folder, worker_id), max_bytes, clock)

    # --- reading -------------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def count(self) -> int:
        """Records that wait."""
        return self._count

    @property
    def bytes(self) -> int:
        """Sum of the sizes of their bodies."""
        return self._bytes

    def oldest(self, limit: int) -> list[SpoolRecord]:
        """Return at most `limit` records, in the order in which they were appended."""
        found: list[SpoolRecord] = []
        with self._guard:
            if not self._count:
                return found
            try:
                rows = self._open().execute(
                    "SELECT kind, camera, epoch, number, body, id FROM records ORDER BY id LIMIT ?",
                    (limit + len(self._undeleted),),
                )
                found = [SpoolRecord(*row) for row in rows]
            except (sqlite3.Error, SpoolUnusableError) as error:
                self._trouble(error)
        return [record for record in found if record.id not in self._undeleted][:limit]

    def newest_numbers(self) -> dict[tuple[Kind, str, int], int]:
        """Return the largest number that waits, by kind, camera and epoch."""
        with self._guard:
            try:
                rows = self._open().execute("SELECT kind, camera, epoch, MAX(number) FROM records GROUP BY 1, 2, 3")
                return {(kind, camera, epoch): number for kind, camera, epoch, number in rows}
            except (sqlite3.Error, SpoolUnusableError) as error:
                self._trouble(error)
        return {}

    # --- writing -------------------------------------------------------------------------------------------------

    def append(self, records: Sequence[NewRecord]) -> None:
        """Keep `records` behind what waits; all of them or, where the volume does not let us, none."""
        with self._guard:
            try:
                self._append(records)
            except (sqlite3.Error, SpoolUnusableError) as error:
                self._trouble(error)
                self.lost += len(records)

    def _append(self, records: Sequence[NewRecord]) -> None:
        fitting = [record for record in records if record.size <= self.max_bytes]
        db = self._open()
        count, size = len(fitting), sum(record.size for record in fitting)
        with db:
            db.execute("BEGIN IMMEDIATE")
            self._delete(db, self._undeleted)
            db.executemany(
                "INSERT INTO records (kind, camera, epoch, number, size, body) VALUES (?, ?, ?, ?, ?, ?)",
                [(each.kind, each.camera, each.epoch, each.number, each.size, each.body) for each in fitting],
            )
            evicted, freed = self._make_room(db, self._bytes + size - self.max_bytes)
        # Counted only now: until the transaction has ended nothing has happened.
        self._undeleted.clear()
        self._count += count - evicted
        self._bytes += size - freed
        self._peak_bytes = max(self._peak_bytes, self._bytes)
        self.lost += evicted + len(records) - count
        self._well()
        if evicted and not self._told_full:
            log.warning("spool_full", file=str(self._path), max_bytes=self.max_bytes, remedy="FARM_SPOOL_MAX_BYTES")
            self._told_full = True

    @staticmethod
    def _make_room(db: sqlite3.Connection, too_many_bytes: int) -> tuple[int, int]:
        """Delete the oldest records until so many bytes are free; return how many records and bytes that were."""
        evicted = freed = 0
        for kind in MAKES_ROOM:
            while freed < too_many_bytes:
                rows = db.execute(
                    "SELECT id, size FROM records WHERE kind = ? ORDER BY id LIMIT ?", (kind, _STEP)
                ).fetchall()
                if not rows:
                    break
                gone = []
                for record_id, size in rows:
                    if freed >= too_many_bytes:
                        break
                    gone.append((record_id,))
                    freed += size
                db.executemany("DELETE FROM records WHERE id = ?", gone)
                evicted += len(gone)
        return evicted, freed

    def delete(self, records: Iterable[SpoolRecord]) -> None:
        """Forget records that were delivered; also where the volume does not let them be deleted now."""
        with self._guard:
            gone = {record.id: record for record in records if record.id not in self._undeleted}
            self._undeleted.update(gone)
            self._count -= len(gone)
            self._bytes -= sum(record.size for record in gone.values())
            try:
                db = self._open()
                with db:
                    db.execute("BEGIN IMMEDIATE")
                    self._delete(db, self._undeleted)
                self._undeleted.clear()
                self._well()
            except (sqlite3.Error, SpoolUnusableError) as error:
                self._trouble(error)
            self._told_full = self._told_full and self._count > 0
            if not self._count and (self._undeleted or self._peak_bytes > SHRINK_BYTES):
                self._start_anew()

    @staticmethod
    def _delete(db: sqlite3.Connection, ids: Iterable[int]) -> None:
        db.executemany("DELETE FROM records WHERE id = ?", [(each,) for each in ids])

    def _start_anew(self) -> None:
        """Remove the file, in which nothing waits: that gives its room back even on a volume that is full."""
        self._close()
        try:
            self._lock.remove_database()
        except OSError as error:
            self._trouble(error)
            return
        self._undeleted.clear()
        self._peak_bytes = 0
        self._removed = True
        self._open_again_at = float("-inf")

    def close(self) -> None:
        """Let others deliver what is left; the files of an empty spool are removed."""
        with self._guard:
            # Known to be empty, which a file that could not be opened is not.
            is_empty = self._count == 0 and (self._db is not None or self._removed)
            self._close()
            if is_empty:
                self._lock.remove_files()
            self._lock.release()

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    # --- the file ------------------------------------------------------------------------------------------------

    def _try_open(self) -> None:
        try:
            self._open()
        except (sqlite3.Error, SpoolUnusableError) as error:
            self._trouble(error)

    def _open(self) -> sqlite3.Connection:
        """Return the open database, opened again after trouble.

        Raises:
            SpoolUnusableError: The lock, and so the folder, cannot be had.
            sqlite3.Error: As SQLite says.
        """
        if self._db is not None:
            return self._db
        now = self._clock.monotonic()
        if now < self._open_again_at:
            raise SpoolUnusableError("it could not be opened a moment ago")
        self._open_again_at = now + REOPEN_SECONDS
        if not self._lock.take():
            raise SpoolUnusableError(self._lock.problem)
        db = sqlite3.connect(self._path, timeout=5, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL").fetchall()
            # A process that is killed loses nothing; a machine that loses its power may lose the last moments.
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA journal_size_limit = 1000000").fetchall()
            if not self._checked and (verdict := db.execute("PRAGMA quick_check(1)").fetchone()) != ("ok",):
                raise _damage(str(verdict[0]) if verdict else "quick_check gave no answer")
            db.executescript(_SCHEMA)
            count, size = db.execute("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM records").fetchone()
        except sqlite3.Error:
            db.close()
            raise
        self._count, self._bytes = count - len(self._undeleted), int(size)
        self._peak_bytes = self._bytes
        self._db, self._checked, self._removed = db, True, False
        return db

    def _trouble(self, error: Exception) -> None:
        """Take note of what the volume does; a damaged file is set aside, and the next call opens a new one."""
        if not self._in_trouble:
            log.error("spool_unusable", file=str(self._path), error=str(error), remedy="free or mend the volume")
            self._in_trouble = True
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
        if code != sqlite3.SQLITE_FULL:  # room may come: the open file will do then
            self._close()
        if code in _DAMAGED and self._set_aside():
            self.damaged += 1
            self.lost += self._count
            self._count = self._bytes = 0
            self._undeleted.clear()
            self._in_trouble = self._checked = False
            self._open_again_at = float("-inf")

    def _set_aside(self) -> bool:
        target = self._path.with_suffix(".damaged")
        number = 1
        while target.exists():
            number += 1
            target = self._path.with_suffix(f".{number}.damaged")
        try:
            shutil.move(self._path, target)
            for ending in ("-wal", "-shm"):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        except OSError as error:
            log.error("spool_not_set_aside", file=str(self._path), error=str(error))
            return False
        log.error("spool_damaged", file=str(self._path), set_aside=str(target), records_lost=self._count)
        return True

    def _well(self) -> None:
        if self._in_trouble:
            log.warning("spool_usable_again", file=str(self._path), lost=self.lost)
            self._in_trouble = False


def _damage(verdict: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(verdict)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
