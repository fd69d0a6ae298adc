"""Deletes what is older than FARM_EVENTS_KEEP, a little at a time."""

from typing import Final, Protocol

from sqlalchemy import Column, Engine, select

from camera_ctrler.event_store.partitions import drop_expired
from camera_ctrler.event_store.tables import event_dead_letters, event_photos, events, tracks
from database.aging import delete_oldest, too_old_before_ms
from database.recognitions import recognition_notes, recognitions
from runtime.clock import Clock, SystemClock

#: Dead letters that are kept at most, the newest: a worker that writes nothing else must not fill the disk.
MAX_DEAD_LETTERS: Final = 10_000

#: What of each table says how old a row is.
_AGES: Final[tuple[Column[int], ...]] = (
    event_photos.c.at_ms,
    events.c.at_ms,
    recognition_notes.c.at_ms,
    recognitions.c.at_ms,
    tracks.c.last_seen_ms,
    event_dead_letters.c.kept_at_ms,
)


class Cleaner(Protocol):
    """What deletes something that is too old."""

    def step(self) -> bool:
        """Delete some of it; return whether there is more."""


class Cleaners:
    """Several cleaners as one."""

    def __init__(self, *cleaners: Cleaner) -> None:
        self._cleaners = cleaners

    def step(self) -> bool:
        """Let each delete some; return whether any has more."""
        has_more = [each.step() for each in self._cleaners]
        return any(has_more)


class EventCleaner:
    """Deletes events, photos, recognitions, tracks and dead letters by their age.

    Saved frames have a retention of their own. Several may do it at once. Every method raises `SQLAlchemyError` while
    the database is away.
    """

    def __init__(self, engine: Engine, keep_ms: int, clock: Clock | None = None) -> None:
        """Prepare to clean.

        Args:
            engine: Where events are stored.
            keep_ms: How long they are kept, milliseconds.
            clock: Of this machine.
        """
        self._engine = engine
        self._keep_ms = keep_ms
        self._clock = clock or SystemClock()

    def step(self) -> bool:
        """Delete some of what is too old; return whether there is more."""
        has_more = [self._thin_dead_letters()]
        before_ms = too_old_before_ms(self._keep_ms, self._clock)
        if before_ms is not None:
            drop_expired(self._engine, before_ms)
            has_more += [self._delete_older(age, before_ms) for age in _AGES]
        return any(has_more)

    def _delete_older(self, age: Column[int], before_ms: int) -> bool:
        with self._engine.begin() as connection:
            return delete_oldest(connection, age, before_ms)

    def _thin_dead_letters(self) -> bool:
        kept_at = event_dead_letters.c.kept_at_ms
        with self._engine.connect() as connection:
            newest = select(kept_at).order_by(kept_at.desc()).offset(MAX_DEAD_LETTERS).limit(1)
            before_ms = connection.scalar(newest)
        return before_ms is not None and self._delete_older(kept_at, before_ms + 1)
