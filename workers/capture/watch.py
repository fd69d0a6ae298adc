"""Lets one thread wait for a camera, and every wait end: when asked to stop, or when its time is up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from contract.errors import StatusReason
from runtime.clock import Clock
from workers.capture.failures import CaptureStoppedError, failed


class Watch:
    """The stop request and the deadline of one capture.

    `stop` may be called from any thread; the rest belongs to the capture's thread. libav cannot be interrupted inside
    a read of its own sockets (RTSP): there its time-out bounds the wait. All other input is read through `check`.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._cut: Callable[[], None] | None = None
        self._deadline = float("inf")
        self._reason = StatusReason.TIMEOUT

    @property
    def stopped(self) -> bool:
        """Whether the capture shall end."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Ask the capture to end, and cut what it reads from; returns at once."""
        self._stopped.set()
        with self._lock:
            if self._cut is not None:
                self._cut()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            CaptureStoppedError: Asked to stop meanwhile.
        """
        if self._stopped.wait(seconds):
            raise CaptureStoppedError

    def expect(self, seconds: float, otherwise: StatusReason) -> None:
        """Let `check` raise `otherwise` once `seconds` have gone by without another call of this."""
        self._deadline = self._clock.monotonic() + seconds
        self._reason = otherwise

    @property
    def is_overdue(self) -> bool:
        """Whether what was expected has not come in time."""
        return self._clock.monotonic() > self._deadline

    def check(self) -> None:
        """Raise if there is no use in reading on.

        Raises:
            CaptureStoppedError: Asked to stop.
            CaptureError: What was expected did not come in time.
        """
        if self.stopped:
            raise CaptureStoppedError
        if self.is_overdue:
            raise failed(self._reason, self._url)

    @contextmanager
    def cutting(self, cut: Callable[[], None]) -> Iterator[None]:
        """While inside, `stop` calls `cut`, which must not block, to end a blocked read."""
        with self._lock:
            before, self._cut = self._cut, cut
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._cut = before
