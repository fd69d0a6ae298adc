"""Which farm runs from a data folder: a lock that its supervisor holds, and a file that says how to reach it.

The lock's file has the supervisor's process id in it; the other file comes when the farm's Redis can be reached.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ValidationError

from contract.errors import FarmError

LOCK_NAME: Final = "farm.lock"
STATE_NAME: Final = "farm.json"


class AlreadyRunsError(FarmError):
    """A farm runs from this data folder."""


class NoFarmError(FarmError):
    """No farm runs from this data folder and none was named."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(f"no farm runs from {data_dir}; start one with ./farm up, or set FARM_REDIS_URL")


class StackState(BaseModel):
    """What other commands need to know of a running farm; may hold a password, so the file is its owner's alone."""

    pid: int
    #: ``up`` or ``demo``.
    command: str
    #: Unix time in milliseconds UTC.
    started_at_ms: int
    redis_url: str
    api_url: str


class StackLock:
    """Held by the one supervisor of a data folder; the kernel frees it when that process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_NAME
        self._state_path = data_dir / STATE_NAME
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock and remove what a killed farm left.

        Raises:
            AlreadyRunsError: Another process holds it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise AlreadyRunsError(self._who()) from None
            # The holder before us may have removed the file between our open and our lock: then it locks nothing.
            if _is_same_file(descriptor, self._path):
                break
            os.close(descriptor)
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._state_path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Remove state and lock."""
        self._state_path.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def write(self, state: StackState) -> None:
        """Tell the other commands how to reach this farm."""
        fresh = self._state_path.with_suffix(".new")
        fresh.touch(0o600)
        fresh.write_text(state.model_dump_json())
        fresh.replace(self._state_path)

    def _who(self) -> str:
        state = _read(self._state_path)
        if state:
            who = f"process {state.pid} (./farm {state.command}, {state.api_url})"
        else:
            pid = supervisor_pid(self._path.parent)
            who = f"process {pid}, which is still starting" if pid else "another process"
        return f"a farm runs from {self._path.parent} already: {who}; stop it with ./farm down"


def is_locked(data_dir: Path) -> bool:
    """Tell whether a supervisor of `data_dir` lives."""
    try:
        descriptor = os.open(data_dir / LOCK_NAME, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def supervisor_pid(data_dir: Path) -> int | None:
    """Return the process that holds the lock of `data_dir`, also while its farm is still starting; None: nobody."""
    if is_locked(data_dir):
        with contextlib.suppress(OSError, ValueError):
            return int((data_dir / LOCK_NAME).read_text())
    return None


def running(data_dir: Path) -> StackState | None:
    """Return the farm that runs from `data_dir`, or None; what a killed one left does not count."""
    return _read(data_dir / STATE_NAME) if is_locked(data_dir) else None


def _read(path: Path) -> StackState | None:
    with contextlib.suppress(OSError, ValidationError):
        return StackState.model_validate_json(path.read_text())
    return None


def _is_same_file(descriptor: int, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
