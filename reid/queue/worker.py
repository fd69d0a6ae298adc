"""Does what is on the queues: takes a batch, has it recognised, writes results, and only then lets go of the jobs."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import redis
import structlog

from reid.crop_files import VolumeAwayError
from reid.queue.answering import Answer, AnsweringRows, Asked, Failure, Keep, UnkeepableError, Written
from reid.queue.failing import Again
from reid.queue.jobs import RecognitionQueues
from reid.queue.recognising import Recognising
from reid.queue.ticket import Ticket
from runtime.clock import Clock, SystemClock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who takes jobs: a ReID worker's id, and the token of its lease."""

    worker_id: str
    token: str


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much is taken at once, and how often something is tried again."""

    batch: int
    retries: int


class BatchWorker:
    """Does what is on the queues. One thread uses it; its counts may be read by others.

    What it has taken is in its hands until the database has all results and the queues have let go: while one of them
    is away, `step` raises and goes on with the same batch when it is called again.
    """

    def __init__(
        self,
        holder: Holder,
        queues: RecognitionQueues,
        rows: AnsweringRows,
        recognising: Recognising,
        keep: dict[str, Keep],
        limits: BatchLimits,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._worker_id = holder.worker_id
        self._token = holder.token
        self._queues = queues
        self._rows = rows
        self._recognising = recognising
        self._keep = keep
        self._limits = limits
        self._clock = clock or SystemClock()
        self._chance = chance
        self._taken: list[Ticket] = []
        #: Whether what was taken is asked for and not written yet; found answers wait here while SQL is away.
        self._asked: list[Asked] | None = None
        self._answers: list[Answer] = []
        self._failures: list[Failure] = []
        self._written: Written | None = None
        self.done: Final[Counter[str]] = Counter()
        self.failed: Final[Counter[str]] = Counter()
        self.dead: Final[Counter[str]] = Counter()
        self.batches = 0
        self.busy_seconds = 0.0

    @property
    def in_hand(self) -> int:
        """How many jobs it has."""
        return len(self._taken)

    def step(self) -> bool:
        """Take a batch, if none is in hand, and do it; return whether there was one.

        Raises:
            redis.RedisError: Redis is away.
            LeaseGoneError: Its jobs are others' now.
            SQLAlchemyError: The database is away.
            VolumeAwayError: The frames volume is away.
        """
        if not self._taken:
            self._taken = self._queues.take(self._worker_id, self._token, self._limits.batch)
            if not self._taken:
                return False
        if self._asked is None:
            self._asked = self._rows.asked(self._taken)
            self._recognise(self._asked)
        if self._written is None:
            self._written = self._write()
            self._count(self._written)
        self._let_go(self._written)
        return True

    def give_back(self) -> None:
        """Put back what is in hand and has no results in the database, so that another worker takes it next."""
        if self._taken and self._written is None:
            try:
                self._queues.finish(self._worker_id, self._taken, back=True)
            except redis.RedisError as error:
                log.warning("jobs_not_given_back", count=len(self._taken), error=str(error))
        self._forget()

    def _recognise(self, asked: Sequence[Asked]) -> None:
        began = self._clock.monotonic()
        try:
            self._answers, self._failures = self._recognising.recognise(asked)
        except VolumeAwayError:
            self._asked = None
            raise
        finally:
            self.busy_seconds += self._clock.monotonic() - began
        self.batches += 1

    def _write(self) -> Written:
        while True:
            again = Again(self._limits.retries, self._clock.now_ms(), self._chance())
            try:
                return self._rows.write(self._answers, self._failures, self._keep, again)
            except UnkeepableError as error:
                log.exception("result_unkeepable", event_id=error.answer.asked.ticket.event_id)
                self._answers = [each for each in self._answers if each is not error.answer]
                self._failures = [*self._failures, Failure(error.answer.asked, str(error), is_passing=True)]

    def _count(self, written: Written) -> None:
        self.done.update(ticket.recogniser for ticket in written.done)
        self.failed.update(failure.asked.ticket.recogniser for failure in self._failures)
        self.dead.update(ticket.recogniser for ticket, _ in written.dead)
        for ticket, reason in written.dead:
            log.error("recognition_dead", event_id=ticket.event_id, recogniser=ticket.recogniser, reason=reason)

    def _let_go(self, written: Written) -> None:
        dead = {ticket for ticket, _ in written.dead}
        for ticket, reason in written.dead:
            self._queues.bury(self._worker_id, ticket, reason)
        self._queues.finish(self._worker_id, [ticket for ticket in self._taken if ticket not in dead])
        self._forget()

    def _forget(self) -> None:
        self._taken, self._asked, self._written = [], None, None
        self._answers, self._failures = [], []
