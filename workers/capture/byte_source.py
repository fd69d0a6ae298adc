"""A file as libav reads it, where every read hears the stop request and the deadline."""

import io
import os
from typing import Final, Protocol

from workers.capture.failures import CaptureError, CaptureStoppedError
from workers.capture.watch import Watch


class Body(Protocol):
    """What bytes come from: a local file, or the body of an HTTP answer."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...

    def seekable(self) -> bool:
        """Tell whether `seek` works."""
        ...

    def seek(self, offset: int, whence: int = ..., /) -> int:
        """Go on reading elsewhere."""
        ...

    def tell(self) -> int:
        """Return the position."""
        ...

    def close(self) -> None:
        """Free it."""


class ByteSource:
    """The file object given to libav.

    After the first failure it is at its end: libav asks on where we cannot answer, and PyAV raises only one error.
    """

    def __init__(self, body: Body, watch: Watch, name: str) -> None:
        self._body = body
        self._watch = watch
        self._failed = False
        #: libav resolves relative addresses in playlists against this.
        self.name: Final = name

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes; none at the end."""
        if self._failed:
            return b""
        try:
            self._watch.check()
            return self._body.read(size)
        except (CaptureError, CaptureStoppedError, OSError):
            self._failed = True
            raise

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell whether `seek` works."""
        return self._body.seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go on reading elsewhere."""
        if self._failed:
            return self._body.tell()
        try:
            self._watch.check()
            return self._body.seek(offset, whence)
        except (CaptureError, CaptureStoppedError, OSError):
            self._failed = True
            raise

    def tell(self) -> int:
        """Return the position."""
        return self._body.tell()

    def close(self) -> None:
        """Free the body."""
        self._body.close()


def nothing() -> io.BytesIO:
    """Return a file without content, for what libav asks after a failure."""
    return io.BytesIO()
