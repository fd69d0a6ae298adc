"""Keeps finished clips for a while: a player asks for one clip many times, a piece at a time."""

import hashlib
import io
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from contract.errors import FarmError
from runtime.clock import Clock

#: Clips kept at once, in number and bytes; beyond either the one not asked for longest is dropped.
MAX_CLIPS: Final = 8
MAX_BYTES: Final = 1_000_000_000
#: Seconds after which a clip is made anew: frames of its range may have come or gone.
LIFETIME_SECONDS: Final = 300.0
#: Clips made at the same time; each takes a core.
MAX_MAKING: Final = 2
#: Seconds to wait for one's turn.
PATIENCE_SECONDS: Final = 20.0


class TooManyClipsError(FarmError):
    """As many clips as may be are being made."""


#: What is to be said of a clip.
Figures = TypeVar("Figures")


class ClipFile(io.RawIOBase, Generic[Figures]):
    """A finished clip, open for reading at a place of its own."""

    def __init__(self, descriptor: int, size: int, sha256: str, figures: Figures) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._place = 0
        #: Bytes of the whole clip.
        self.size: Final = size
        #: Of the whole clip, in hexadecimal digits.
        self.sha256: Final = sha256
        self.figures: Final = figures

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes from here on; empty at the end."""
        data = os.pread(self._descriptor, self.size if size < 0 else size, self._place)
        self._place += len(data)
        return data

    def close(self) -> None:
        """Give the file back."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Figures]):
    descriptor: int
    size: int
    sha256: str
    figures: Figures
    made_at: float


#: Writes a clip to the path it is given.
Make = Callable[[Path], Figures]
#: What names a clip; whose it is comes first.
Key = tuple[str | int | float, ...]


class ClipStore(Generic[Figures]):
    """Clips in temporary files without a name, so that nothing of them outlives this process.

    Safe to use from several threads.
    """

    def __init__(self, clock: Clock, *, max_bytes: int = MAX_BYTES) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._clips: OrderedDict[Key, _Kept[Figures]] = OrderedDict()
        self._making: dict[Key, threading.Lock] = {}
        self._turns = threading.BoundedSemaphore(MAX_MAKING)

    def open(self, key: Key, make: Make[Figures]) -> ClipFile[Figures]:
        """Return the clip of `key`, made by `make` unless there is one; who asks meanwhile waits for that one.

        Raises:
            TooManyClipsError: No turn came in `PATIENCE_SECONDS`.
            FarmError, OSError: What `make` raises.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        if not making.acquire(timeout=PATIENCE_SECONDS):
            raise TooManyClipsError("this clip is being made already; ask again in a moment")
        try:
            return self._find(key) or self._make(key, make)
        finally:
            making.release()
            with self._lock:
                if not making.locked():
                    self._making.pop(key, None)

    def made(self, camera_id: str, sha256: str) -> ClipFile[Figures] | None:
        """Return a camera's clip with this digest if it is still kept, however old: these bytes are what is wanted."""
        with self._lock:
            for key, kept in self._clips.items():
                if key[0] == camera_id and kept.sha256 == sha256:
                    self._clips.move_to_end(key)
                    return _opened(kept)
        return None

    def _find(self, key: Key) -> ClipFile[Figures] | None:
        with self._lock:
            kept = self._clips.get(key)
            if kept is None or self._clock.monotonic() - kept.made_at > LIFETIME_SECONDS:
                return None
            self._clips.move_to_end(key)
            return _opened(kept)

    def _make(self, key: Key, make: Make[Figures]) -> ClipFile[Figures]:
        if not self._turns.acquire(timeout=PATIENCE_SECONDS):
            raise TooManyClipsError(f"{MAX_MAKING} clips are being made already; ask again in a moment")
        try:
            with tempfile.TemporaryDirectory(prefix="camfarm-clip-") as folder:
                path = Path(folder, "clip.mp4")
                figures = make(path)
                with path.open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                descriptor = os.open(path, os.O_RDONLY)
        finally:
            self._turns.release()
        kept = _Kept(descriptor, os.fstat(descriptor).st_size, sha256, figures, self._clock.monotonic())
        with self._lock:
            self._drop(key)
            self._clips[key] = kept
            opened = _opened(kept)
            while len(self._clips) > 1 and self._too_much():  # the newest is wanted piece by piece, however large
                self._drop(next(iter(self._clips)))
        return opened

    def _too_much(self) -> bool:
        return len(self._clips) > MAX_CLIPS or sum(kept.size for kept in self._clips.values()) > self._max_bytes

    def _drop(self, key: Key) -> None:
        kept = self._clips.pop(key, None)
        if kept is not None:
            os.close(kept.descriptor)

    def close(self) -> None:
        """Drop all clips; those that are being read can be read to their end."""
        with self._lock:
            for key in list(self._clips):
                self._drop(key)


def _opened(kept: _Kept[Figures]) -> ClipFile[Figures]:
    return ClipFile(os.dup(kept.descriptor), kept.size, kept.sha256, kept.figures)
