"""What recognisers were asked and said: lists for people, and dead letters that are replayed or deleted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Engine, delete, func, select, tuple_, update

from camera_ctrler.accounts.visibility import of_cameras
from contract.crops import Crop
from contract.recognition import RecognitionQueue, RecognitionRequest, RecognitionState
from database.recognitions import recognition_notes, recognitions

#: Rows that are changed in one transaction: some 20 ms in which nobody else writes to SQLite.
_STEP_ROWS: Final = 500
#: Rows that are counted at most; where there are more, nobody needs to know how many.
MAX_COUNTED: Final = 100_000

_C: Final = recognitions.c
_PLACE: Final = tuple_(_C.at_ms, _C.event_id, _C.recogniser)


@dataclass(frozen=True, slots=True)
class RecognitionFilter:
    """Which recognitions; what is empty or None asks for all."""

    states: frozenset[RecognitionState] = frozenset()
    recognisers: frozenset[str] = frozenset()
    cameras: frozenset[str] = frozenset()
    event_id: str | None = None
    track: str | None = None
    #: Cameras that whoever asks may see; None: all.
    visible: frozenset[str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return it as SQL has it."""
        found = of_cameras(_C.camera_id, self.cameras, self.visible)
        for column, values in ((_C.state, self.states), (_C.recogniser, self.recognisers)):
            if values:
                found.append(column.in_(sorted(values)))
        if self.event_id is not None:
            found.append(_C.event_id == self.event_id)
        if self.track is not None:
            found.append(_C.track == self.track)
        return found


@dataclass(frozen=True, slots=True)
class StoredRecognition:
    """One row, as people are shown it. Clock: that of whoever wrote it, Unix ms UTC."""

    event_id: str
    recogniser: str
    at_ms: int
    camera_id: str
    track: str
    class_name: str
    state: RecognitionState
    queue: RecognitionQueue
    attempts: int
    left_out: int
    reason: str | None
    version: str | None
    result: Any
    due_at_ms: int
    queued_at_ms: int | None
    done_at_ms: int | None
    #: Those of its request, best first; none where the request cannot be read.
    crops: tuple[Crop, ...]

    @property
    def place(self) -> tuple[int, str, str]:
        """What lists are ordered by."""
        return self.at_ms, self.event_id, self.recogniser


class Recognitions:
    """Reads rows, and changes those that are dead letters. Safe to use from several threads.

    Every method raises `SQLAlchemyError` while the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self, wanted: RecognitionFilter, *, limit: int, before: tuple[int, str, str] | None = None
    ) -> list[StoredRecognition]:
        """Return recognitions, those of the newest events first; `before`: older than the one at that place."""
        query = select(recognitions).where(*wanted.conditions())
        if before is not None:
            query = query.where(tuple_(*before) > _PLACE)
        query = query.order_by(_C.at_ms.desc(), _C.event_id.desc(), _C.recogniser.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_stored(row) for row in connection.execute(query).mappings()]

    def of_events(self, event_ids: Iterable[str]) -> dict[str, list[StoredRecognition]]:
        """Return the recognitions of each of some events, up to a thousand."""
        names = sorted(set(event_ids))
        found: dict[str, list[StoredRecognition]] = {}
        if not names:
            return found
        query = select(recognitions).where(_C.event_id.in_(names)).order_by(_C.event_id, _C.recogniser)
        with self._engine.connect() as connection:
            for row in connection.execute(query).mappings():
                found.setdefault(row["event_id"], []).append(_stored(row))
        return found

    def counts(self, visible: frozenset[str] | None = None) -> dict[RecognitionState, int]:
        """Return how many are not done, by state; as notes, those that nobody has looked at count as waiting.

        Args:
            visible: Cameras whose recognitions count; None: all. Notes, which do not say their camera, are left out
                where it is given.
        """
        counted = {}
        seen = of_cameras(_C.camera_id, (), visible)
        with self._engine.connect() as connection:
            for state in (RecognitionState.WAITING, RecognitionState.QUEUED, RecognitionState.DEAD):
                some = select(_C.event_id).where(_C.state == state, *seen).limit(MAX_COUNTED)
                counted[state] = connection.scalar(select(func.count()).select_from(some.subquery())) or 0
            if visible is not None:
                return counted
            notes = select(recognition_notes.c.number).limit(MAX_COUNTED)
            counted[RecognitionState.WAITING] += (
                connection.scalar(select(func.count()).select_from(notes.subquery())) or 0
            )
        return counted

    def oldest_ms(self, visible: frozenset[str] | None = None) -> dict[RecognitionState, int]:
        """Return when the oldest event happened of those that wait or are queued, by state; none: there are none.

        Args:
            visible: Cameras whose recognitions count, and no notes, as in `counts`; None: all.
        """
        seen = of_cameras(_C.camera_id, (), visible)
        found: dict[RecognitionState, int] = {}
        with self._engine.connect() as connection:
            for state in (RecognitionState.WAITING, RecognitionState.QUEUED):
                at_ms = connection.scalar(select(func.min(_C.at_ms)).where(_C.state == state, *seen))
                if at_ms is not None:
                    found[state] = at_ms
            noted = None if visible is not None else connection.scalar(select(func.min(recognition_notes.c.at_ms)))
        if noted is not None:
            found[RecognitionState.WAITING] = min(noted, found.get(RecognitionState.WAITING, noted))
        return found

    def replay(self, wanted: RecognitionFilter) -> int:
        """Let dead letters be tried again, before all else and with all their crops; return how many."""
        fresh = {
            "state": RecognitionState.WAITING,
            "queue": RecognitionQueue.HIGH,
            "attempts": 0,
            "left_out": 0,
            "due_at_ms": 0,
            "done_at_ms": None,
        }
        return self._change(wanted, fresh)

    def delete(self, wanted: RecognitionFilter) -> int:
        """Forget dead letters; return how many. Their events stay."""
        return self._change(wanted, None)

    def _change(self, wanted: RecognitionFilter, values: dict[str, Any] | None) -> int:
        is_dead = _C.state == RecognitionState.DEAD
        some = select(_C.event_id, _C.recogniser).where(is_dead, *wanted.conditions()).limit(_STEP_ROWS)
        key = tuple_(_C.event_id, _C.recogniser)
        changed = 0
        while True:
            with self._engine.begin() as connection:
                keys = [tuple(row) for row in connection.execute(some)]
                if not keys:
                    return changed
                is_it = key.in_(keys) & is_dead
                change = delete(recognitions) if values is None else update(recognitions).values(values)
                changed += connection.execute(change.where(is_it)).rowcount


def _stored(row: Mapping[Any, Any]) -> StoredRecognition:
    try:
        crops = tuple(RecognitionRequest.model_validate(row["request"]).crops)
    except ValidationError:  # of another version, or edited by somebody
        crops = ()
    values = {name: row[name] for name in StoredRecognition.__slots__ if name not in {"crops", "state", "queue"}}
    state, queue = RecognitionState(row["state"]), RecognitionQueue(row["queue"])
    return StoredRecognition(**values, state=state, queue=queue, crops=crops)
