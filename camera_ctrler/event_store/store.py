"""Writes events to the database: each once, with its photo, what it tells of its track, and a note for recognisers.

What is no event is kept as a dead letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, select, text, update

from camera_ctrler.event_store.partitions import make_partitions
from camera_ctrler.event_store.stored_event import (
    DeadLetter,
    StreamEvent,
    event_row,
    halves,
    note_row,
    photo_row,
)
from camera_ctrler.event_store.tables import event_dead_letters, event_photos, event_store_state, events, tracks
from camera_ctrler.event_store.track_rollup import TrackSummary, rolled_up, summary_of_row, track_of
from camera_ctrler.recordings.bulk_writing import insert_rows, update_rows
from contract.events import Event
from database.recognitions import recognition_notes
from runtime.clock import Clock, SystemClock

#: Seconds after which PostgreSQL ends a transaction whose writer has fallen silent: it holds the lock.
_SILENT_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Totals:
    """What was written since the tables were made."""

    stored: int = 0
    #: Events that came again after they had been stored.
    repeated: int = 0
    dead_letters: int = 0


class EventStore:
    """The writing side. Safe to use from several threads and processes: one of them writes at a time.

    Every method raises `SQLAlchemyError` while the database is away.
    """

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()

    def prepare(self) -> None:
        """Make room for the events of the next weeks."""
        make_partitions(self._engine, self._clock.now_ms())

    def add(self, found: Sequence[StreamEvent], dead: Sequence[DeadLetter] = ()) -> Totals:
        """Store events that are not stored yet, and keep dead letters aside; all of it, or nothing.

        Returns:
            How many of them were new, were there before, and are dead letters.
        """
        with self._engine.begin() as connection:
            _lock(connection)
            new = _unknown(connection, found)
            insert_rows(connection, events, [event_row(each) for each in new])
            photos = (photo_row(each.event) for each in new)
            insert_rows(connection, event_photos, [photo for photo in photos if photo is not None])
            notes = (note_row(each.event) for each in new)
            insert_rows(connection, recognition_notes, [note for note in notes if note is not None])
            _roll_up(connection, [each.event for each in new])
            added = Totals(len(new), len(found) - len(new), _keep_aside(connection, dead, self._clock.now_ms()))
            _count(connection, added)
        return added

    def totals(self) -> Totals:
        """Return what was written since the tables were made."""
        state = event_store_state.c
        with self._engine.connect() as connection:
            row = connection.execute(select(state.stored, state.repeated, state.dead_letters)).first()
        return Totals() if row is None else Totals(*row)


def _lock(connection: Connection) -> None:
    """Let nobody else write events until this transaction ends.

    On SQLite a transaction that reads first and writes later would not wait for another writer; this one writes first.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{_SILENT_SECONDS}s'"))
    state = event_store_state
    if not connection.execute(update(state).values(stored=state.c.stored)).rowcount:
        connection.execute(insert(state).values(id=1, stored=0, repeated=0, dead_letters=0))


def _count(connection: Connection, added: Totals) -> None:
    state = event_store_state
    connection.execute(
        update(state).values(
            stored=state.c.stored + added.stored,
            repeated=state.c.repeated + added.repeated,
            dead_letters=state.c.dead_letters + added.dead_letters,
        )
    )


def _unknown(connection: Connection, found: Sequence[StreamEvent]) -> list[StreamEvent]:
    """Return the events that are not stored yet, each once."""
    by_id: dict[str, StreamEvent] = {}
    for each in found:
        by_id.setdefault(each.event.event_id, each)
    if not by_id:
        return []
    query = select(events.c.event_id).where(events.c.event_id.in_(list(by_id)))
    known = set(connection.scalars(query))
    return [each for name, each in by_id.items() if name not in known]


def _roll_up(connection: Connection, new: Sequence[Event]) -> None:
    names = sorted({track_of(event) for event in new if event.track_id is not None})
    if not names:
        return
    rows = connection.execute(select(tracks).where(tracks.c.track.in_(names))).mappings()
    known = {row["track"]: summary_of_row(row) for row in rows}
    after = rolled_up(new, known)
    insert_rows(connection, tracks, [_track_row(each) for name, each in after.items() if name not in known])
    changed = [each for name, each in after.items() if name in known and each != known[name]]
    update_rows(connection, tracks, [_track_row(each) for each in changed])


def _track_row(track: TrackSummary) -> dict[str, Any]:
    return {column.name: getattr(track, column.name) for column in tracks.c}


def _keep_aside(connection: Connection, dead: Sequence[DeadLetter], now_ms: int) -> int:
    """Write dead letters that are not there yet; return how many."""
    table, kept = event_dead_letters, 0
    for letter in dead:
        entry_ms, entry_seq = halves(letter.entry_id)
        is_it = (table.c.entry_ms == entry_ms) & (table.c.entry_seq == entry_seq)
        if connection.execute(select(table.c.entry_ms).where(is_it)).first() is None:
            values = {"kept_at_ms": now_ms, "reason": letter.reason, "body": letter.body}
            connection.execute(insert(table).values(entry_ms=entry_ms, entry_seq=entry_seq, **values))
            kept += 1
    return kept
