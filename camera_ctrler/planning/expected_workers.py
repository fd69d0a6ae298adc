"""Workers that are about to come back after an outage of Redis.

While Redis is away no lease can be renewed: when it is back, all have run out, and that says nothing of any worker.
Those that hold cameras are waited for, each for so long and no longer, and only once: what keeps failing must not keep
a dead worker's cameras waiting.
"""

from collections.abc import Collection, Iterable

from runtime.clock import Clock
from runtime.farm_reader import WorkerView


class ExpectedWorkers:
    """Who is waited for."""

    def __init__(self, clock: Clock, patience_seconds: float) -> None:
        self._clock = clock
        self._patience_seconds = patience_seconds
        #: Monotonic seconds until when holders of cameras are waited for that are missing at the next look.
        self._outage_until = float("-inf")
        #: Worker id -> monotonic seconds until when it is waited for.
        self._until: dict[str, float] = {}
        #: Workers that did not come back, until they are seen again.
        self._given_up: set[str] = set()

    @property
    def waiting(self) -> set[str]:
        """Workers that count as alive although their leases have run out."""
        return set(self._until)

    def leases_ran_out(self, seconds_ago: float = 0.0) -> None:
        """Take note that Redis was away: at the next look, missing workers may be about to come back."""
        self._outage_until = self._clock.monotonic() - seconds_ago + self._patience_seconds

    def look(self, workers: Iterable[WorkerView], holders: Collection[str]) -> bool:
        """Find out who is back, who is missing and who is given up.

        Args:
            workers: As Redis shows them now.
            holders: Workers that have cameras.

        Returns:
            Whether anything changed.
        """
        now, before = self._clock.monotonic(), set(self._until)
        back = {worker.worker_id for worker in workers if worker.alive and worker.status is not None}
        self._given_up -= back
        for worker_id, until in list(self._until.items()):
            if worker_id in back:
                del self._until[worker_id]
            elif now >= until:
                del self._until[worker_id]
                self._given_up.add(worker_id)
        missing = set(holders) - back - self._given_up - self._until.keys()
        if now < self._outage_until:
            self._until |= dict.fromkeys(missing, self._outage_until)
        else:  # missing without an outage: dead, and nobody to be waited for in the next one
            self._given_up |= missing
        self._outage_until = float("-inf")
        self._given_up &= set(holders)
        return set(self._until) != before
