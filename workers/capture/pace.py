"""Plays recorded files at the pace at which they were filmed."""

import threading
from typing import Any, Final

from runtime.clock import Clock


class Pace:
    """Waits until a packet is due to be shown."""

    def __init__(self, clock: Clock, stop: threading.Event, *, longest_wait: float) -> None:
        self._clock = clock
        self._stop = stop
        #: A file whose timestamps jump ahead is not waited for longer than a stream may stall.
        self._longest_wait: Final = longest_wait
        self._offset: float | None = None

    def restart(self) -> None:
        """The file begins anew."""
        self._offset = None

    def wait_for(self, packet: "Any") -> None:
        """Sleep until `packet` is due; hears `stop`."""
        if packet.dts is None or packet.time_base is None:
            return
        position = float(packet.dts * packet.time_base)
        now = self._clock.monotonic()
        if self._offset is None:
            self._offset = now - position
        ahead = self._offset + position - now
        if ahead > self._longest_wait:
            self._offset -= ahead
        elif ahead > 0:
            self._stop.wait(ahead)
