"""The rows of recognitions as a ReID worker sees them: what it is asked, and what it has to say."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, bindparam, select, tuple_, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from contract.recognition import RecognitionRequest, RecognitionState
from database.recognitions import recognitions
from reid.queue.failing import Again, note_failure
from reid.queue.ticket import Ticket
from reid.recognisers.recogniser import Answered, Recognition

_KEY: Final = tuple_(recognitions.c.event_id, recognitions.c.recogniser)
#: Characters of a reason that are kept.
_MAX_REASON: Final = 1_000

#: Writes what a recogniser keeps beside its result, in the transaction that keeps the result.
Keep = Callable[[Connection, Sequence[Answered]], None]


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


class _SomeUnkeepableError(Exception):
    """One answer of several cannot be written, and nobody says which."""


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
        self, answers: Sequence[Answer], failures: Sequence[Failure], keep: Mapping[str, Keep], again: Again
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
        try:
            return self._write(answers, failures, keep, again, at_once=len(answers))
        except _SomeUnkeepableError:
            return self._write(answers, failures, keep, again, at_once=1)

    def _write(
        self,
        answers: Sequence[Answer],
        failures: Sequence[Failure],
        keep: Mapping[str, Keep],
        again: Again,
        *,
        at_once: int,
    ) -> Written:
        written = Written([], [], [])
        never = Again(0, again.now_ms, again.chance)
        with self._engine.begin() as connection:
            written.done += _write_answers(connection, answers, keep, again.now_ms, at_once)
            # In the order of their keys, so that two workers with the same rows do not wait for each other for ever.
            for failure in sorted(failures, key=lambda each: each.asked.ticket):
                ticket, reason = failure.asked.ticket, failure.reason[:_MAX_REASON].replace("\0", "")
                when = again if failure.is_passing else never
                state = note_failure(connection, ticket.key, reason, when, failure.asked.attempts)
                if state is RecognitionState.DEAD:
                    written.dead.append((ticket, reason))
                elif state is RecognitionState.WAITING:
                    written.waiting.append(ticket)
        return written


def _write_answers(
    connection: Connection, answers: Sequence[Answer], keep: Mapping[str, Keep], now_ms: int, at_once: int
) -> list[Ticket]:
    """Write results, unless they are there; return which were written.

    Args:
        connection: In a transaction.
        answers: What there is to say.
        keep: By the recogniser's name.
        now_ms: Unix ms UTC.
        at_once: How many are kept together, at most.
    """
    results = {answer.asked.ticket.key: (answer, _result(answer)) for answer in answers}
    if not results:
        return []
    c = recognitions.c
    # One that was taken back, because Redis was away and the lease seemed gone, is answered as well.
    is_open = c.state.in_([RecognitionState.QUEUED, RecognitionState.WAITING])
    # Written first of all: until the end of the transaction the rows are ours, and who comes second finds them done.
    ours = update(recognitions).where(_KEY.in_(sorted(results)), is_open)
    ours = ours.values(state=RecognitionState.DONE, reason=None, done_at_ms=now_ms)
    found = sorted(
        (row.event_id, row.recogniser) for row in connection.execute(ours.returning(c.event_id, c.recogniser))
    )
    if not found:
        return []
    is_it = (c.event_id == bindparam("its_event")) & (c.recogniser == bindparam("by"))
    changes = [
        {"its_event": key[0], "by": key[1], "says": results[key][1], "as_version": results[key][0].version[:64]}
        for key in found
    ]
    answered = (
        update(recognitions)
        .where(is_it)
        .values(result=bindparam("says", type_=c.result.type), version=bindparam("as_version"))
    )
    connection.execute(answered, changes)
    ours_by: dict[str, list[Answer]] = {}
    for key in found:
        ours_by.setdefault(key[1], []).append(results[key][0])
    for recogniser, its in ours_by.items():
        for start in range(0, len(its), at_once):
            _keep(connection, its[start : start + at_once], keep[recogniser])
    return [results[key][0].asked.ticket for key in found]


def _keep(connection: Connection, some: Sequence[Answer], keep: Keep) -> None:
    """Let a recogniser write what else there is to keep.

    Raises:
        UnkeepableError: It cannot, of the only one.
        _SomeUnkeepableError: It cannot, of one of several.
    """
    answered = [Answered(each.asked.request, each.recognition) for each in some if each.asked.request is not None]
    try:
        keep(connection, answered)
    except (DataError, IntegrityError) as error:
        raise _unkeepable(some, error) from error
    except DBAPIError:
        raise
    except (StatementError, ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise _unkeepable(some, error) from error


def _unkeepable(some: Sequence[Answer], cause: Exception) -> Exception:
    return UnkeepableError(some[0], cause) if len(some) == 1 else _SomeUnkeepableError()


def _result(answer: Answer) -> Any:
    """Return a result as what JSON can say; numbers that are none are refused, for databases and browsers do.

    Raises:
        UnkeepableError: It cannot be said in JSON.
    """
    try:
        text = json.dumps(dict(answer.recognition.result), allow_nan=False)
    except (ValueError, TypeError) as error:
        raise UnkeepableError(answer, error) from error
    return json.loads(text)


def _request(stored: Any, left_out: int) -> RecognitionRequest | None:
    try:
        request = RecognitionRequest.model_validate(stored)
    except ValidationError:
        return None
    return request.model_copy(update={"crops": request.crops[: len(request.crops) - left_out]})


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]
