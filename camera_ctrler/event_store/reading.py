"""Reads the event store: pages of events and tracks, newest first, at a cost that does not grow with what is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, select, tuple_

from camera_ctrler.event_store.filters import EventFilter, TrackFilter
from camera_ctrler.event_store.stored_event import DeadLetter, event_of_row, halves
from camera_ctrler.event_store.tables import event_dead_letters, event_photos, events, tracks
from camera_ctrler.event_store.track_rollup import TrackSummary, summary_of_row
from contract.events import Event
from runtime.stream_reader import Entry, StreamPage

#: Rows that one page looks at, at most, where a filter lets few of them pass.
MAX_LOOKED_AT: Final = 10_000
#: Ids in one question: SQLite takes 32,766 parameters.
_BATCH: Final = 1_000

_ENTRY: Final = tuple_(events.c.entry_ms, events.c.entry_seq)
_WITH_PHOTO: Final = events.outerjoin(
    event_photos, and_(event_photos.c.at_ms == events.c.at_ms, event_photos.c.event_id == events.c.event_id)
)


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A dead letter, and when it was put aside."""

    letter: DeadLetter
    #: Unix ms UTC by the event writer's clock.
    kept_at_ms: int


class EventReading:
    """The reading side. Safe to use from several threads.

    Every method raises `SQLAlchemyError` while the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    def page(
        self,
        wanted: EventFilter,
        *,
        limit: int,
        since_ms: int = 0,
        before: str | None = None,
    ) -> StreamPage[Event]:
        """Return events, in the order in which Redis took them, newest first.

        Args:
            wanted: Which ones.
            limit: How many at most.
            since_ms: Only what Redis took at this time or later, Unix ms by its clock.
            before: Only what is older than the entry of this id.
        """
        with self._engine.connect() as connection:
            scope = _scope(connection, wanted, since_ms, before)
            places = select(events.c.entry_ms, events.c.entry_seq).where(*scope).order_by(*_newest_first())
            floor = connection.execute(places.offset(MAX_LOOKED_AT - 1).limit(1)).first()
            if floor is not None:
                scope.append(tuple_(floor.entry_ms, floor.entry_seq) <= _ENTRY)
            query = select(events, event_photos.c.path).select_from(_WITH_PHOTO)
            query = query.where(*scope, *wanted.conditions()).order_by(*_newest_first())
            if not wanted.text:
                query = query.limit(limit)
            found = _entries(connection.execute(query).mappings(), wanted, limit)
        if len(found) == limit:
            return StreamPage(found, found[-1].entry_id, ended=False)
        last = before if floor is None else f"{floor.entry_ms}-{floor.entry_seq}"
        return StreamPage(found, last, ended=floor is None)

    def after(self, entry_id: str, limit: int) -> list[Entry[Event]]:
        """Return what came after the entry of this id, in the order in which it came."""
        query = select(events, event_photos.c.path).select_from(_WITH_PHOTO)
        query = query.where(tuple_(*halves(entry_id)) < _ENTRY).order_by(events.c.entry_ms, events.c.entry_seq)
        with self._engine.connect() as connection:
            return _entries(connection.execute(query.limit(limit)).mappings(), EventFilter(), limit)

    def find(self, event_id: str) -> Entry[Event] | None:
        """Return one event; None: there is none of that id, or no more."""
        query = select(events, event_photos.c.path).select_from(_WITH_PHOTO).where(events.c.event_id == event_id)
        with self._engine.connect() as connection:
            found = _entries(connection.execute(query.limit(1)).mappings(), EventFilter(), 1)
        return found[0] if found else None

    def stored(self, event_ids: Iterable[str]) -> set[str]:
        """Return those of the ids that are stored."""
        names, found = sorted(set(event_ids)), set[str]()
        with self._engine.connect() as connection:
            for start in range(0, len(names), _BATCH):
                some = names[start : start + _BATCH]
                found |= set(connection.scalars(select(events.c.event_id).where(events.c.event_id.in_(some))))
        return found

    def tracks(self, wanted: TrackFilter, *, limit: int, before: tuple[int, str] | None = None) -> list[TrackSummary]:
        """Return tracks, those that began last first; `before`: older than the one that began then, of this id."""
        place = tuple_(tracks.c.first_seen_ms, tracks.c.track)
        query = select(tracks).where(*wanted.conditions())
        if before is not None:
            query = query.where(place < tuple_(*before))
        query = query.order_by(tracks.c.first_seen_ms.desc(), tracks.c.track.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [summary_of_row(row) for row in connection.execute(query).mappings()]

    def track(self, track: str) -> TrackSummary | None:
        """Return one track; None: there is none of that id, or no more."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tracks).where(tracks.c.track == track)).mappings().first()
        return None if row is None else summary_of_row(row)

    def dead_letters(self, *, limit: int, before: str | None = None) -> list[KeptLetter]:
        """Return entries of the stream that could not be stored, newest first; `before`: older than this entry."""
        columns = event_dead_letters.c
        query = select(event_dead_letters).order_by(columns.entry_ms.desc(), columns.entry_seq.desc()).limit(limit)
        if before is not None:
            query = query.where(tuple_(columns.entry_ms, columns.entry_seq) < tuple_(*halves(before)))
        with self._engine.connect() as connection:
            return [
                KeptLetter(DeadLetter(f"{row.entry_ms}-{row.entry_seq}", row.reason, row.body), row.kept_at_ms)
                for row in connection.execute(query)
            ]


def _newest_first() -> tuple[Any, Any]:
    return events.c.entry_ms.desc(), events.c.entry_seq.desc()


def _scope(connection: Connection, wanted: EventFilter, since_ms: int, before: str | None) -> list[ColumnElement[bool]]:
    """Return what says which rows are looked at, as an index has them."""
    found: list[ColumnElement[bool]] = [events.c.entry_ms >= since_ms] if since_ms else []
    if wanted.seen_cameras is not None:
        found.append(events.c.camera_id.in_(sorted(wanted.seen_cameras)))
    if before is not None:
        found.append(tuple_(*halves(before)) > _ENTRY)
    if not wanted.has_range:
        return found
    first_ms, last_ms = _taken(connection, wanted)
    return [*found, events.c.entry_ms >= first_ms, events.c.entry_ms <= last_ms]


def _taken(connection: Connection, wanted: EventFilter) -> tuple[int, int]:
    """Return the first and the last time at which Redis took what happened in a range; where there is none, no time.

    That is about when it happened, and much later after an outage: so it is looked up, in an index that has both.
    """
    happened = EventFilter(from_ms=wanted.from_ms, to_ms=wanted.to_ms).conditions()
    first_ms, last_ms = connection.execute(
        select(func.min(events.c.entry_ms), func.max(events.c.entry_ms)).where(*happened)
    ).one()
    return (1, 0) if first_ms is None else (first_ms, last_ms)


def _entries(rows: Iterable[Mapping[Any, Any]], wanted: EventFilter, limit: int) -> list[Entry[Event]]:
    found: list[Entry[Event]] = []
    for row in rows:
        item = event_of_row(row)
        if wanted.wants(item.event):
            found.append(Entry(item.entry_id, item.event))
            if len(found) == limit:
                break
    return found
