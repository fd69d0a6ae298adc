"""The rows of recognitions as a ReID worker sees them: what it is asked, and what it has to say."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, select, tuple_, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from contract.recognition import RecognitionRequest, RecognitionState
from database.recognitions import recognitions
from reid.queue.failing import Again, note_failure
from reid.queue.ticket import Ticket
from reid.recognisers.recogniser import Recognition

_KEY: Final = tuple_(recognitions.c.event_id, recognitions.c.recogniser)
#: Characters of a reason that are kept.
_MAX_REASON: Final = 1_000

#: Writes what a recogniser keeps beside its result, in the transaction that keeps the result.
Keep = Callable[[Connection, RecognitionRequest, Recognition], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One recognition that a worker has in its hands."""

    ticket: Ticket
    #: With the crops that are looked at; None: the row has none that can be read.
    request: RecognitionRequest | None
    #: Tries in vain before this one.
    attempts: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A result."""

    asked: Asked
    recognition: Recognition
    #: Of the recogniser.
    version: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is none."""

    asked: Asked
    reason: str
    #: Whether another try may go better.
    is_passing: bool


@dataclass(slots=True)
class Written:
    """What was written."""

    done: list[Ticket]
    waiting: list[Ticket]
    #: Dead letters, with their reasons.
    dead: list[tuple[Ticket, str]]


class UnkeepableError(Exception):
    """One answer cannot be written, whatever state the database is in."""

    def __init__(self, answer: Answer, cause: Exception) -> None:
        super().__init__(f"its result cannot be kept: {_first_line(cause)}")
        self.answer = answer


class AnsweringRows:
    """What a worker reads and writes.

    Every method raises `SQLAlchemyError` while the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def asked(self, tickets: Sequence[Ticket]) -> list[Asked]:
        """Return what is asked under those tickets and not done yet, in their order."""
        c = recognitions.c
        query = select(c.event_id, c.recogniser, c.request, c.attempts, c.left_out)
        query = query.where(_KEY.in_([ticket.key for ticket in tickets]), c.state == RecognitionState.QUEUED)
        with self._engine.connect() as connection:
            rows = {(row.event_id, row.recogniser): row for row in connection.execute(query)}
        found = ((ticket, rows[ticket.key]) for ticket in tickets if ticket.key in rows)
        return [Asked(ticket, _request(row.request, row.left_out), row.attempts) for ticket, row in found]

    def write(
        self, answers: Sequence[Answer], failures: Sequence[Failure], keep: dict[str, Keep], again: Again
    ) -> Written:
        """Write results and failures, all or nothing; each result once, however many workers come with it.

        Args:
            answers: What there is to say.
            failures: Of what there is nothing to say.
            keep: By the recogniser's name.
            again: When what failed in passing is tried again.

        Raises:
            UnkeepableError: One answer is the reason that nothing was written.
        """
        written = Written([], [], [])
        never = Again(0, again.now_ms, again.chance)
        with self._engine.begin() as connection:
            # In the order of their keys, so that two workers with the same rows do not wait for each other for ever.
            for answer in sorted(answers, key=lambda each: each.asked.ticket):
                if _write_answer(connection, answer, keep[answer.asked.ticket.recogniser], again.now_ms):
                    written.done.append(answer.asked.ticket)
            for failure in sorted(failures, key=lambda each: each.asked.ticket):
                ticket, reason = failure.asked.ticket, failure.reason[:_MAX_REASON].replace("\0", "")
                when = again if failure.is_passing else never
                state = note_failure(connection, ticket.key, reason, when, failure.asked.attempts)
                if state is RecognitionState.DEAD:
                    written.dead.append((ticket, reason))
                elif state is RecognitionState.WAITING:
                    written.waiting.append(ticket)
        return written


def _write_answer(connection: Connection, answer: Answer, keep: Keep, now_ms: int) -> bool:
    """Write one result, unless it is there; return whether it was written."""
    c = recognitions.c
    event_id, recogniser = answer.asked.ticket.key
    # One that was taken back, because Redis was away and the lease seemed gone, is answered as well.
    is_open = c.state.in_([RecognitionState.QUEUED, RecognitionState.WAITING])
    is_it = (c.event_id == event_id) & (c.recogniser == recogniser) & is_open
    try:
        values = {
            "state": RecognitionState.DONE,
            "result": _as_json(answer.recognition.result),
            "version": answer.version,
            "reason": None,
            "done_at_ms": now_ms,
        }
        if not connection.execute(update(recognitions).where(is_it).values(values)).rowcount:
            return False
        assert answer.asked.request is not None
        keep(connection, answer.asked.request, answer.recognition)
    except (DataError, IntegrityError) as error:
        raise UnkeepableError(answer, error) from error
    except DBAPIError:
        raise
    except (StatementError, ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise UnkeepableError(answer, error) from error
    return True


def _as_json(result: Any) -> Any:
    """Return a result as what JSON can say; numbers that are none are refused, for databases and browsers do."""
    return json.loads(json.dumps(dict(result), allow_nan=False))


def _request(stored: Any, left_out: int) -> RecognitionRequest | None:
    try:
        request = RecognitionRequest.model_validate(stored)
    except ValidationError:
        return None
    return request.model_copy(update={"crops": request.crops[: len(request.crops) - left_out]})


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]


def reasons_of(failures: Iterable[Failure]) -> list[str]:
    """Return why they failed, each reason once."""
    return sorted({failure.reason for failure in failures})
