"""How many cameras of one camera host may be connected to at this moment, so that no NVR is stormed."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from runtime.clock import Clock

WINDOW_SECONDS: Final = 1.0


class ConnectBudget:
    """Counts connections of the last second for each camera host."""

    def __init__(self, clock: Clock, per_second: int) -> None:
        self._clock = clock
        self._per_second = per_second
        self._made: dict[str, deque[float]] = {}

    def left(self, hosts: Iterable[str]) -> dict[str, int]:
        """Return how many more connections each of `hosts` may see now; cameras without a host are not limited."""
        since = self._clock.monotonic() - WINDOW_SECONDS
        for host, times in list(self._made.items()):
            while times and times[0] <= since:
                times.popleft()
            if not times:
                del self._made[host]
        return {host: self._per_second - len(self._made.get(host, ())) for host in set(hosts) - {""}}

    def spend(self, host: str) -> None:
        """Take note of one connection."""
        if host:
            self._made.setdefault(host, deque()).append(self._clock.monotonic())
