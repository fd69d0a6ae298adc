"""How far a file is that is being made: told by the thread that makes it, heard by the one that answers."""

import threading

from camera_ctrler.playback.errors import ClipInterruptedError


class Making:
    """One file that is being made. Safe to use from several threads."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._changed = threading.Condition()
        self._done = 0.0
        self._cancelled = False
        self._over = False

    def tell(self, done: float) -> None:
        """Say how much is done, in [0, 1]; to be called often.

        Raises:
            ClipInterruptedError: The server stops, or whoever asked has gone.
        """
        if self._stopping.is_set():
            raise ClipInterruptedError("the server stops; ask again in a moment")
        with self._changed:
            if self._cancelled:
                raise ClipInterruptedError("whoever asked for this file has gone")
            self._done = min(1.0, max(self._done, done))
            self._changed.notify_all()

    def cancel(self) -> None:
        """Let the next `tell` fail: nobody wants the file any more."""
        with self._changed:
            self._cancelled = True

    def end(self) -> None:
        """Say that it is over, whether or not there is a file."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def wait(self, known: float, seconds: float) -> tuple[float, bool]:
        """Return how much is done and whether it is over, as soon as more is done than `known`, or after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._done > known, seconds)
            return self._done, self._over
