"""Keeps small files that can be made anew, in one folder, for a while and of bounded size."""

import os
import re
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from runtime.clock import Clock

#: Bytes of the folder; beyond them the oldest files are deleted, down to three quarters.
MAX_BYTES: Final = 200_000_000
#: Seconds that a file is kept: footage that was deleted shall not be seen here for long.
LIFETIME_SECONDS: Final = 3_600
_NAME: Final = re.compile(r"[0-9a-z-]{1,80}\.[a-z]{3,4}")

log = structlog.get_logger(__name__)


class PictureCache:
    """Files by name. Safe to use from several threads and processes.

    A volume that is full or gone costs speed, nothing else.
    """

    def __init__(self, folder: Path, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._clock = clock
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        #: Bytes in the folder, about; more than may be: it was not looked at yet.
        self._bytes = max_bytes + 1
        self._tidy_at_ms = 0

    def get(self, name: str) -> bytes | None:
        """Return what was kept under a name, or None."""
        file = self._file(name)
        try:
            if file.stat().st_mtime * 1000 < self._clock.now_ms() - LIFETIME_SECONDS * 1000:
                file.unlink(missing_ok=True)
                return None
            return file.read_bytes()
        except OSError:
            return None

    def put(self, name: str, data: bytes) -> None:
        """Keep something; readers find all of it or nothing."""
        try:
            self._write(self._file(name), data)
            with self._lock:
                self._bytes += len(data)
                if self._bytes > self._max_bytes or self._clock.now_ms() >= self._tidy_at_ms:
                    self._make_room()
        except OSError as error:
            log.warning("picture_not_kept", folder=str(self._folder), error=str(error))

    def _file(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} is no name for a kept picture")
        return self._folder / name

    def _write(self, file: Path, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as target:
                target.write(data)
            Path(part).replace(file)
        except OSError:
            Path(part).unlink(missing_ok=True)
            raise

    def _make_room(self) -> None:
        """Delete what is too old, and of the rest the oldest until enough room is left."""
        now_ms = self._clock.now_ms()
        oldest = now_ms / 1000 - LIFETIME_SECONDS
        listed = sorted(self._listed())
        left = sum(size for _, size, _ in listed)
        wanted = self._max_bytes if left <= self._max_bytes else self._max_bytes * 3 // 4
        for changed_at, size, path in listed:
            if changed_at >= oldest and left <= wanted:
                break
            Path(path).unlink(missing_ok=True)
            left -= size
        self._bytes = left
        self._tidy_at_ms = now_ms + LIFETIME_SECONDS * 1000 // 4

    def _listed(self) -> list[tuple[float, int, str]]:
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another process was quicker
                    stat = entry.stat(follow_symlinks=False)
                    found.append((stat.st_mtime, stat.st_size, entry.path))
        return found
