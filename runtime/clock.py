"""Time, passed in so that tests can set it."""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall clock and monotonic clock of one machine."""

    def now_ms(self) -> int:
        """Return Unix time in milliseconds UTC; may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; the zero point means nothing."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Return Unix time in milliseconds UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()
