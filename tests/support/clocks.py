"""A clock that tests set."""


class SetClock:
    """Both clocks of `runtime.clock.Clock`; they move only when told."""

    def __init__(self, now_ms: int = 1_700_000_000_000, monotonic: float = 1_000.0) -> None:
        self._now_ms = now_ms
        self._monotonic = monotonic

    def now_ms(self) -> int:
        """Return Unix time in milliseconds UTC."""
        return self._now_ms

    def monotonic(self) -> float:
        """Return seconds."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks on."""
        self._monotonic += seconds
        self._now_ms += round(seconds * 1000)
