"""Who may deliver from a spool's file: one process at a time, and when that one is gone, any other."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

SUFFIX: Final = ".sqlite3"


class SpoolLock:
    """The lock of one spool's file. The kernel lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Name the lock of the database at `path`; nothing is taken yet."""
        self.path: Final = path
        self._lock_path: Final = path.with_suffix(".lock")
        self._descriptor: int | None = None
        #: Why it could not be taken last.
        self.problem = ""

    @classmethod
    def own(cls, folder: Path, worker_id: str) -> Self:
        """Return the lock of a worker's own file.

        Where another process holds it (one of the same id that is frozen and was given up), another file is chosen.
        """
        lock = cls(folder / f"{worker_id}{SUFFIX}")
        if lock.take() or not lock.is_anothers:
            return lock
        return cls(folder / f"{worker_id}.{os.getpid()}{SUFFIX}")

    @classmethod
    def left_behind(cls, folder: Path, held: Path) -> Iterator[Self]:
        """Yield the locks, taken, of files that nobody holds; not that of `held`, which is the caller's own."""
        try:
            found = sorted(folder.glob(f"*{SUFFIX}"))
        except OSError:
            return
        for path in found:
            lock = cls(path)
            if path != held and lock.take():
                yield lock

    @property
    def is_anothers(self) -> bool:
        """Whether a live process holds it."""
        return self._descriptor is None and self.problem == "held by another process"

    def take(self) -> bool:
        """Try to take it; True if it is ours. `problem` says why it is not."""
        if self._descriptor is not None:
            return True
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self.problem = str(error)
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have removed the file meanwhile: then this is the lock of nothing.
            if self._lock_path.stat().st_ino != os.fstat(descriptor).st_ino:
                raise FileNotFoundError(f"{self._lock_path} was removed")
        except BlockingIOError:
            self.problem = "held by another process"
        except OSError as error:
            self.problem = str(error)
        else:
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return False

    def remove_database(self) -> None:
        """Delete the database; only while the lock is held.

        Raises:
            OSError: The volume does not let it be deleted.
        """
        if self._descriptor is not None:
            for ending in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    def remove_files(self) -> None:
        """Delete the database and the lock, where the volume lets us; only while the lock is held."""
        if self._descriptor is None:
            return
        with suppress(OSError):
            self.remove_database()
            self._lock_path.unlink(missing_ok=True)

    def release(self) -> None:
        """Let others have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
