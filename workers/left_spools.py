"""Spools that workers of this host have left behind: found, delivered and removed by one that lives."""

from collections.abc import Callable
from typing import Final

import structlog

from contract.events import Event
from runtime.clock import Clock
from runtime.spool import Spool
from runtime.spool_lock import SpoolLock
from runtime.worker_link import WorkerLink
from workers.backlog import Delivered, deliver_some

#: Seconds between two looks for spools whose worker is gone.
ADOPT_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


class LeftSpools:
    """The spools of workers that are gone which this one delivers. For one thread, apart from what it counts."""

    def __init__(self, own: Spool, clock: Clock) -> None:
        """Begin with none.

        Args:
            own: That of this worker, beside which others are looked for.
            clock: Times the looks.
        """
        self._own = own
        self._clock = clock
        self._adopted: list[Spool] = []
        self._look_at = clock.monotonic()
        self._lost = 0

    @property
    def count(self) -> int:
        """Records that wait in them."""
        return sum(spool.count for spool in self._adopted)

    @property
    def bytes(self) -> int:
        """Sum of their sizes."""
        return sum(spool.bytes for spool in self._adopted)

    @property
    def lost(self) -> int:
        """Records of them that could not be kept."""
        return self._lost + sum(spool.lost for spool in self._adopted)

    @property
    def seconds_to_look(self) -> float:
        """Seconds until `look` is due."""
        return max(0.0, self._look_at - self._clock.monotonic())

    def look(self) -> None:
        """Take those that nobody holds, if it is time to."""
        if self.seconds_to_look > 0:
            return
        self._look_at = self._clock.monotonic() + ADOPT_SECONDS
        for lock in SpoolLock.left_behind(self._own.path.parent, self._own.path):
            spool = Spool(lock, self._own.max_bytes, self._clock)
            if spool.count:
                log.info("spool_adopted", file=str(spool.path), records=spool.count)
                self._adopted.append(spool)
            else:  # empty, and removed by this; or not to be read now, and left for the next look
                self._lost += spool.lost
                spool.close()

    def deliver(self, link: WorkerLink, keep: Callable[[Event], None]) -> Delivered | None:
        """Deliver some of the first one; None: there is none. Raises and keeps as `deliver_some` does."""
        if not self._adopted:
            return None
        spool = self._adopted[0]
        delivered = deliver_some(spool, link, self._clock.now_ms, lambda _: None, keep)
        if not spool.count:
            log.info("spool_delivered", file=str(spool.path))
            self._adopted.remove(spool)
            self._lost += spool.lost
            spool.close()
        elif not delivered.count and len(self._adopted) > 1:  # one that cannot be read now keeps none of the others
            self._adopted.append(self._adopted.pop(0))
        return delivered

    def close(self) -> None:
        """Leave what is left to others."""
        for spool in self._adopted:
            spool.close()
