"""Makes and keeps the virtual environment: once, by one process at a time, and again if it was left unfinished.

Only the standard library may be imported here.
"""

import contextlib
import enum
import errno
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from cli.pip_progress import BootstrapError, PipRun, failure_text

__all__ = ["BootstrapError", "Group", "Venv"]

STAMP_NAME: Final = "camfarm.json"
LOCK_NAME: Final = "camfarm.lock"


class Group(enum.Enum):
    """A set of packages with its own lock file."""

    BASE = "requirements.txt"
    DEV = "requirements-dev.txt"
    TORCH = "requirements-torch.txt"
    QUANTISE = "requirements-quantise.txt"

    @property
    def free_bytes_needed(self) -> int:
        """Disk space that installing it takes at most: packages, bytecode and downloads."""
        return {
            Group.BASE: 1_800_000_000,
            Group.DEV: 800_000_000,
            Group.TORCH: 2_500_000_000,
            Group.QUANTISE: 400_000_000,
        }[self]

    def pip_arguments(self, project_dir: Path) -> list[str]:
        """Return what `pip install` is told."""
        # torch's own lock cannot be complete (its header says why), so pip resolves what it leaves open.
        rules = [] if self is Group.TORCH else ["--no-deps", "--require-hashes"]
        return [*rules, "-r", str(project_dir / self.value)]


class Venv:
    """A virtual environment at `path` for the checkout `project_dir`."""

    def __init__(self, path: Path, project_dir: Path) -> None:
        self.path = path.absolute()
        self.python = self.path / "bin" / "python"
        self._project_dir = project_dir
        self._stamp = self.path / STAMP_NAME

    def is_ready(self, groups: Sequence[Group]) -> bool:
        """Tell, without waiting for anybody, whether everything in `groups` is installed as locked now."""
        return not self._missing(self._read_stamp(), groups) and os.access(self.python, os.X_OK)

    def make_ready(self, groups: Sequence[Group]) -> None:
        """Install what is missing of `groups`; waits for another process that does the same.

        Raises:
            BootstrapError: It cannot be done; the text says why and what helps.
        """
        if self.is_ready(groups):
            return
        check_platform()
        try:
            with self._locked() as lock:
                if not self.is_ready(groups):
                    self._install(groups, lock)
        except OSError as error:
            raise BootstrapError(_os_error_text(error, self.path)) from error

    def _install(self, groups: Sequence[Group], lock: int) -> None:
        began = time.monotonic()
        stamp = self._read_stamp()
        self._check_space(self._missing(stamp, groups))
        if stamp.get("state") != "ready" or not os.access(self.python, os.X_OK):
            self._make_empty(lock)
            stamp = {"state": "ready", "path": str(self.path), "groups": {}}
        for group in self._missing(stamp, groups):
            # Marked before pip begins: killed half-way it leaves packages that look installed and are not.
            self._write_stamp({**stamp, "state": "unfinished"})
            run = PipRun(self.python, group.pip_arguments(self._project_dir), keep_open=lock)
            if run.install(self._project_dir / group.value):
                if not run.began_to_install:
                    self._write_stamp(stamp)
                raise BootstrapError(failure_text(run.last_lines, run.returncode))
            stamp["groups"][group.name] = self._digest(group)
            self._write_stamp(stamp)
        print(f"installed in {time.monotonic() - began:.0f} s: {self.path}", file=sys.stderr)

    def _make_empty(self, lock: int) -> None:
        """Make a new virtual environment in place of an unfinished one."""
        if self.path.is_symlink():
            raise BootstrapError(
                f"{self.path} is a link to {self.path.resolve()}, which may be another checkout's environment, and is "
                "left alone; remove the link, or name another place with FARM_VENV=/some/folder"
            )
        if self.path.exists() and not self._stamp.exists() and self._is_foreign():
            raise BootstrapError(
                f"{self.path} was not made by ./farm and is left alone; remove it, "
                "or name another place with FARM_VENV=/some/folder"
            )
        python = os.environ.get("FARM_PYTHON") or sys.executable
        self._write_stamp({"state": "unfinished", "path": str(self.path), "groups": {}})
        for child in self.path.iterdir():
            if child.name not in {STAMP_NAME, LOCK_NAME}:
                shutil.rmtree(child) if child.is_dir() and not child.is_symlink() else child.unlink()
        print(f"making {self.path} with {python}", file=sys.stderr)
        try:
            made = subprocess.run(
                [python, "-m", "venv", str(self.path)], capture_output=True, text=True, check=False, pass_fds=[lock]
            )
        except OSError as error:
            raise BootstrapError(f"FARM_PYTHON={python} cannot be run: {error.strerror}") from error
        if made.returncode:
            raise BootstrapError(failure_text((made.stdout + made.stderr).splitlines(), made.returncode))

    def _is_foreign(self) -> bool:
        return any(child.name not in {STAMP_NAME, LOCK_NAME} for child in self.path.iterdir())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """Hold the lock; pip and venv inherit it, so that it outlives us while an orphan of ours still works."""
        import fcntl

        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("another ./farm is installing; waiting for it", file=sys.stderr)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _check_space(self, groups: Sequence[Group]) -> None:
        free = shutil.disk_usage(self.path).free
        needed = sum(group.free_bytes_needed for group in groups)
        if free < needed:
            raise BootstrapError(
                f"{self.path} has {free / 1e9:.1f} GB free, installing CamFarm needs up to {needed / 1e9:.1f} GB; "
                "free some, or name another place with FARM_VENV=/some/folder"
            )

    def _missing(self, stamp: dict[str, Any], groups: Sequence[Group]) -> list[Group]:
        if stamp.get("state") != "ready" or stamp.get("path") != str(self.path):
            return list(groups)
        installed = stamp.get("groups", {})
        return [group for group in groups if installed.get(group.name) != self._digest(group)]

    def _digest(self, group: Group) -> str:
        return hashlib.sha256((self._project_dir / group.value).read_bytes()).hexdigest()

    def _read_stamp(self) -> dict[str, Any]:
        try:
            stamp = json.loads(self._stamp.read_text())
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) and stamp.get("path") == str(self.path) else {}

    def _write_stamp(self, stamp: dict[str, Any]) -> None:
        fresh = self._stamp.with_suffix(".new")
        fresh.write_text(json.dumps(stamp))
        fresh.replace(self._stamp)


def check_platform() -> None:
    """Raise `BootstrapError` where no virtual environment can be made."""
    if sys.platform == "win32":
        raise BootstrapError("CamFarm runs on Linux and macOS; on Windows use it inside WSL")
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing and not os.environ.get("FARM_PYTHON"):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise BootstrapError(
            f"this Python has no module {' and no '.join(missing)}; on Debian or Ubuntu run "
            f"`apt install python{version}-venv`, or name another Python with FARM_PYTHON=/path/to/python3"
        )


def _os_error_text(error: OSError, path: Path) -> str:
    if error.errno == errno.ENOSPC:
        return f"the disk of {path} is full; free some space, or name another place with FARM_VENV=/some/folder"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{error.filename or path} cannot be written; name a place of yours with FARM_VENV=/some/folder"
    return f"{path} cannot be made: {error}"
