"""The rows of recognitions as the dispatcher sees them: made of notes, given places on the queues, taken back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, Engine, Select, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from contract.events import Event
from contract.recognition import RecognitionQueue, RecognitionRequest, RecognitionState
from database.recognitions import recognition_notes, recognitions
from reid.queue.failing import Again, note_failure
from reid.queue.placing import FRESH_MS, crops_left_out, queue_of
from reid.queue.ticket import Ticket

#: Notes that become recognitions in one transaction: some 50 ms in which nobody else writes to SQLite.
NOTES: Final = 200
#: Recognitions that are given places in one transaction.
PLACES: Final = 200
#: Recognitions named in one question: SQLite takes 32,766 parameters.
_BATCH: Final = 1_000

#: Why a recognition is tried again that a dead worker had.
ENDED: Final = "the ReID worker that had it ended in the middle of it"

#: Tells whether one recogniser wants an event.
Wants = Callable[[Event], bool]
_KEY: Final = tuple_(recognitions.c.event_id, recognitions.c.recogniser)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Placed:
    """What was given a place on the queues."""

    tickets: list[Ticket]
    crops_left_out: int


class AskingRows:
    """What the dispatcher reads and writes. It may be done twice at the same time, and is then done once.

    Every method raises `SQLAlchemyError` while the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, wants: Mapping[str, Wants], now_ms: int) -> tuple[int, int]:
        """Make recognitions of the oldest notes, one for each recogniser that wants the event.

        Args:
            wants: By the recogniser's name.
            now_ms: Unix ms UTC.

        Returns:
            How many notes were read, and how many recognitions were made of them.
        """
        with self._engine.connect() as connection:
            notes = connection.execute(
                select(recognition_notes).order_by(recognition_notes.c.number).limit(NOTES)
            ).all()
        if not notes:
            return 0, 0
        rows = [row for note in notes for row in _rows_of(note.event, wants, now_ms)]
        with self._engine.begin() as connection:
            made = _insert_new(connection, rows)
            numbers = [note.number for note in notes]
            connection.execute(delete(recognition_notes).where(recognition_notes.c.number.in_(numbers)))
        return len(notes), made

    def queued(self) -> dict[RecognitionQueue, int]:
        """Return how many recognitions each queue has, those being done among them."""
        c = recognitions.c
        query = select(c.queue, func.count()).where(c.state == RecognitionState.QUEUED).group_by(c.queue)
        with self._engine.connect() as connection:
            counted = {RecognitionQueue(name): int(count) for name, count in connection.execute(query)}
        return {name: counted.get(name, 0) for name in RecognitionQueue}

    def waiting(self, at_most: int) -> int:
        """Count recognitions that have no place yet; more than `at_most` are not counted."""
        some = select(recognitions.c.event_id).where(recognitions.c.state == RecognitionState.WAITING).limit(at_most)
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(some.subquery())) or 0

    def place(self, room: Mapping[RecognitionQueue, int], waiting: int, bound: int, now_ms: int) -> Placed:
        """Give places to recognitions that wait, the oldest of each queue first, as far as there is room.

        They count as queued from then on; the caller puts them on the queues.

        Args:
            room: How many each queue takes.
            waiting: How many wait, which says how many of their crops are left out.
            bound: How many may wait without any being left out.
            now_ms: Unix ms UTC.
        """
        tickets: list[Ticket] = []
        changes: list[dict[str, Any]] = []
        with self._engine.connect() as connection:
            for queue in RecognitionQueue:
                for row in connection.execute(_waiting_for(queue, now_ms).limit(min(room[queue], PLACES))):
                    left_out = crops_left_out(_crops_of(row.request), waiting, bound)
                    tickets.append(Ticket(row.event_id, row.recogniser, queue))
                    changes.append({"event": row.event_id, "by": row.recogniser, "on": queue, "leaves_out": left_out})
        if not changes:
            return Placed([], 0)
        is_it = (recognitions.c.event_id == bindparam("event")) & (recognitions.c.recogniser == bindparam("by"))
        with self._engine.begin() as connection:
            connection.execute(
                update(recognitions)
                .where(is_it, recognitions.c.state == RecognitionState.WAITING)
                .values(
                    state=RecognitionState.QUEUED,
                    queue=bindparam("on"),
                    left_out=bindparam("leaves_out"),
                    queued_at_ms=now_ms,
                ),
                changes,
            )
        return Placed(tickets, sum(change["leaves_out"] for change in changes))

    def queued_tickets(self, queued_before_ms: int) -> list[Ticket]:
        """Return what should be on the queues since then; there is never more of it than the queues' bounds."""
        c = recognitions.c
        query = select(c.event_id, c.recogniser, c.queue).where(c.state == RecognitionState.QUEUED)
        with self._engine.connect() as connection:
            found = connection.execute(query.where(c.queued_at_ms < queued_before_ms)).all()
        return [Ticket(row.event_id, row.recogniser, RecognitionQueue(row.queue)) for row in found]

    def still_queued(self, tickets: Sequence[Ticket]) -> list[Ticket]:
        """Return those that the database still says are on the queues."""
        found: set[tuple[str, str]] = set()
        with self._engine.connect() as connection:
            for start in range(0, len(tickets), _BATCH):
                some = [ticket.key for ticket in tickets[start : start + _BATCH]]
                query = select(recognitions.c.event_id, recognitions.c.recogniser)
                query = query.where(_KEY.in_(some), recognitions.c.state == RecognitionState.QUEUED)
                found |= {(row.event_id, row.recogniser) for row in connection.execute(query)}
        return [ticket for ticket in tickets if ticket.key in found]

    def take_back(self, tickets: Iterable[Ticket], again: Again) -> int:
        """Let recognitions wait again that a ReID worker had when it ended; one that has ended many is a dead letter.

        Returns:
            How many are tried again.
        """
        with self._engine.begin() as connection:
            states = [note_failure(connection, ticket.key, ENDED, again) for ticket in sorted(tickets)]
        return states.count(RecognitionState.WAITING)

    def wait_again(self, tickets: Iterable[Ticket]) -> None:
        """Let recognitions wait for a place that have none on the queues although they should."""
        c = recognitions.c
        with self._engine.begin() as connection:
            for ticket in sorted(tickets):
                is_it = (c.event_id == ticket.event_id) & (c.recogniser == ticket.recogniser)
                is_queued = c.state == RecognitionState.QUEUED
                connection.execute(update(recognitions).where(is_it, is_queued).values(state=RecognitionState.WAITING))


def _crops_of(request: Any) -> int:
    """Return how many crops a request has; one that was edited into nonsense has none, and its ReID worker says so."""
    crops = request.get("crops") if isinstance(request, dict) else None
    return len(crops) if isinstance(crops, list) else 0


def _rows_of(told: Any, wants: Mapping[str, Wants], now_ms: int) -> list[dict[str, Any]]:
    """Return the recognitions of a note."""
    try:
        event = Event.model_validate(told)
    except ValidationError as error:  # event writers check them; somebody has edited this one
        log.error("note_unusable", error=str(error).splitlines()[0])
        return []
    return [_row(event, name, now_ms) for name, wanted in wants.items() if wanted(event)]


def _row(event: Event, recogniser: str, now_ms: int) -> dict[str, Any]:
    request = RecognitionRequest(
        event_id=event.event_id,
        recogniser=recogniser,
        kind=event.kind,
        at_ms=event.at_ms,
        camera_id=event.camera_id,
        track=event.track or f"{event.camera_id}:{event.epoch}:track-{event.track_id}",
        started_at_ms=event.at_ms if event.started_at_ms is None else event.started_at_ms,
        class_name=event.class_name or "",
        crops=event.crops,
    )
    shared = request.model_dump(include={"event_id", "recogniser", "at_ms", "camera_id", "track", "class_name"})
    return shared | {
        "request": request.model_dump(mode="json"),
        "state": RecognitionState.WAITING,
        "queue": queue_of(event.at_ms, now_ms),
        "attempts": 0,
        "left_out": 0,
        "due_at_ms": 0,
    }


def _insert_new(connection: Connection, rows: list[dict[str, Any]]) -> int:
    """Insert rows that are not there yet; return how many there were to insert."""
    if not rows:
        return 0
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(recognitions).on_conflict_do_nothing(), rows)
    return len(rows)


def _waiting_for(queue: RecognitionQueue, now_ms: int) -> Select[Any]:
    """Return what asks for recognitions that wait for a queue, oldest first.

    What waited for the default queue until it was not fresh any more is for the last one.
    """
    c = recognitions.c
    query = select(c.event_id, c.recogniser, c.request).where(
        c.state == RecognitionState.WAITING, c.due_at_ms <= now_ms
    )
    fresh_ms = now_ms - FRESH_MS
    if queue is RecognitionQueue.HIGH:
        query = query.where(c.queue == RecognitionQueue.HIGH)
    elif queue is RecognitionQueue.DEFAULT:
        query = query.where(c.queue == RecognitionQueue.DEFAULT, c.at_ms >= fresh_ms)
    else:
        query = query.where(
            c.queue.in_([RecognitionQueue.DEFAULT, RecognitionQueue.LOW]),
            (c.queue == RecognitionQueue.LOW) | (c.at_ms < fresh_ms),
        )
    return query.order_by(c.at_ms)
