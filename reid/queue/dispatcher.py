"""The dispatcher: what events ask of recognisers becomes rows, and those that there is room for go on the queues."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import redis
import structlog

from contract import keys
from contract.recognition import RecognitionQueue
from contract.reid_workers import DispatcherFigures
from reid.queue.asking import PLACES, AskingRows, Wants
from reid.queue.failing import Again
from reid.queue.jobs import RecognitionQueues
from reid.queue.ticket import Ticket
from runtime.clock import Clock, SystemClock

#: Seconds between two looks for jobs that dead ReID workers had.
TAKE_BACK_SECONDS: Final = 1.0
#: Seconds in which leases that ran out while Redis was away are taken anew: until then they say nothing of anybody.
RESTLESS_SECONDS: Final = 2.0
#: An answer of Redis that takes longer says that it hung: leases may have run out meanwhile.
SLOW_SECONDS: Final = 0.5
#: Seconds between two looks for recognitions that should be on a queue and are not.
CHECK_SECONDS: Final = 5.0
#: Milliseconds that putting a recognition on its queue may take: before that it is not missed.
PUTTING_MS: Final = 2_000
#: How far what waits is counted, in bounds: fewer crops than one of thirty-two are not looked at anyway.
COUNTED_BOUNDS: Final = 32

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be on the queues, and how often something is tried."""

    #: Recognitions on each queue, those being done among them.
    bound: int
    retries: int


class Dispatcher:
    """Keeps the queues filled. One thread of the farm at a time; where there are two for a moment, all is done once.

    `figures` may be read by other threads.
    """

    def __init__(
        self,
        client: redis.Redis,
        queues: RecognitionQueues,
        rows: AskingRows,
        wants: Mapping[str, Wants],
        limits: Limits,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._queues = queues
        self._rows = rows
        self._wants = wants
        self._limits = limits
        self._clock = clock or SystemClock()
        self._chance = chance
        self._check_at = float("-inf")
        self._take_back_at = self._clock.monotonic() + RESTLESS_SECONDS
        #: Given a place in the database and not put on their queues yet, because Redis was away.
        self._unput: list[Ticket] = []
        self._asked = self._left_out = self._requeued = self._taken_back = 0
        self.figures = DispatcherFigures()

    def step(self) -> bool:
        """Do one small piece of work; return whether there is more to be done at once.

        Raises:
            redis.RedisError: Redis is away.
            SQLAlchemyError: The database is away.
        """
        try:
            return self._step()
        except redis.RedisError:
            self._take_back_at = self._clock.monotonic() + RESTLESS_SECONDS
            raise

    def _step(self) -> bool:
        is_more = self._ask()
        self._put()
        self._take_back()
        self._check()
        return self._fill() or is_more

    def _ask(self) -> bool:
        notes, made = self._rows.ask(self._wants, self._clock.now_ms())
        self._asked += made
        return notes > 0

    def _fill(self) -> bool:
        """Give places as far as there is room; return whether a queue has room left and something for it."""
        bound = self._limits.bound
        queued = self._rows.queued()
        waiting = self._rows.waiting(bound * COUNTED_BOUNDS)
        self.figures = DispatcherFigures(
            waiting=waiting,
            queued={name.value: count for name, count in queued.items()},
            asked=self._asked,
            crops_left_out=self._left_out,
            requeued=self._requeued,
            taken_back=self._taken_back,
        )
        if not waiting:
            return False
        room = {name: max(0, bound - queued[name]) for name in RecognitionQueue}
        placed = self._rows.place(room, waiting, bound, self._clock.now_ms())
        self._left_out += placed.crops_left_out
        self._unput += placed.tickets
        self._put()
        return any(room[name] > PLACES for name in {ticket.queue for ticket in placed.tickets})

    def _put(self) -> None:
        while self._unput:
            began = self._clock.monotonic()
            self._queues.put(self._unput[0])
            del self._unput[0]
            self._note_a_hang(began)

    def _note_a_hang(self, since: float) -> bool:
        """Take note of a server that hung and answered all the same; return whether it did."""
        now = self._clock.monotonic()
        if now - since <= SLOW_SECONDS:
            return False
        self._take_back_at = now + RESTLESS_SECONDS
        return True

    def _take_back(self) -> None:
        """Let what dead ReID workers had in their hands be done by others."""
        now = self._clock.monotonic()
        if now < self._take_back_at:
            return
        self._take_back_at = now + TAKE_BACK_SECONDS
        held = self._queues.held()
        gone = self._gone({each.worker_id for each in held} | self._known_workers())
        if self._note_a_hang(now):
            return
        for worker_id in sorted(gone):
            tickets = [each.ticket for each in held if each.worker_id == worker_id]
            again = Again(self._limits.retries, self._clock.now_ms(), self._chance())
            count = self._rows.take_back(tickets, again)
            # Afterwards: whoever is interrupted here finds them held by the dead once more, and not queued any more.
            self._queues.finish(worker_id, tickets)
            self._client.srem(keys.reid_workers(), worker_id)
            self._taken_back += count
            log.warning("reid_worker_gone", worker=worker_id, jobs=len(tickets), tried_again=count)

    def _known_workers(self) -> set[str]:
        return {name.decode() for name in cast("set[bytes]", self._client.smembers(keys.reid_workers()))}

    def _gone(self, worker_ids: set[str]) -> set[str]:
        names = sorted(worker_ids)
        if not names:
            return set()
        leases = cast("Sequence[bytes | None]", self._client.mget([keys.reid_worker_lease(name) for name in names]))
        return {name for name, lease in zip(names, leases, strict=True) if lease is None}

    def _check(self) -> None:
        """Find what the database says is on the queues and is not: Redis was emptied, or somebody was interrupted."""
        now = self._clock.monotonic()
        if now < self._check_at:
            return
        self._check_at = now + CHECK_SECONDS
        absent = self._queues.absent(self._rows.queued_tickets(self._clock.now_ms() - PUTTING_MS))
        # What was done between the two questions is absent, too.
        lost = self._rows.still_queued(absent)
        if lost:
            log.warning("recognitions_requeued", count=len(lost))
            self._requeued += len(lost)
            self._unput += lost
            self._put()
