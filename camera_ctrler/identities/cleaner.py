"""Deletes what is older than FARM_IDENTITIES_KEEP, a little at a time."""

from typing import Final

from sqlalchemy import Column, Engine, and_, delete, exists, select

from database.aging import STEP_ROWS, delete_oldest, oldest, too_old_before_ms
from database.gallery_lock import lock_gallery
from database.identities import (
    embeddings,
    erased_tracks,
    identities,
    identity_change_tracks,
    identity_changes,
    sightings,
    watch_hits,
    watch_list,
)
from runtime.clock import Clock, SystemClock

#: What of each table says how old a row is.
_AGES: Final[tuple[Column[int], ...]] = (
    embeddings.c.at_ms,
    sightings.c.last_ms,
    watch_hits.c.at_ms,
    identity_changes.c.at_ms,
    erased_tracks.c.at_ms,
)


class IdentityCleaner:
    """Deletes embeddings, sightings and identities by their age; names and what is watched for stay.

    ReID processes take what was deleted out of their memory and off their disks within the hour. Several may do it at
    once. Every method raises `SQLAlchemyError` while the database is away.
    """

    def __init__(self, engine: Engine, keep_ms: int, clock: Clock | None = None) -> None:
        """Prepare to clean.

        Args:
            engine: The database.
            keep_ms: How long everything is kept, milliseconds.
            clock: Of this machine.
        """
        self._engine = engine
        self._keep_ms = keep_ms
        self._clock = clock or SystemClock()

    def step(self) -> bool:
        """Delete some of what is too old; return whether there is more."""
        before_ms = too_old_before_ms(self._keep_ms, self._clock)
        if before_ms is None:
            return False
        has_more = [self._delete_older(age, before_ms) for age in _AGES]
        return self._delete_alone(before_ms) or any(has_more)

    def _delete_older(self, age: Column[int], before_ms: int) -> bool:
        with self._engine.connect() as connection:
            if connection.execute(oldest(age, before_ms).limit(1)).first() is None:
                return False
        with self._engine.begin() as connection:
            lock_gallery(connection)
            if age.table is identity_changes:
                numbers = list(connection.scalars(oldest(age, before_ms)))
                connection.execute(delete(identity_change_tracks).where(identity_change_tracks.c.change.in_(numbers)))
            return delete_oldest(connection, age, before_ms)

    def _delete_alone(self, before_ms: int) -> bool:
        """Forget identities that nobody has named or watches for and whose last sighting is gone."""
        table = identities.c
        merged = identities.alias()
        used = (
            exists().where(sightings.c.identity == table.identity),
            exists().where(watch_list.c.identity == table.identity),
            exists().where(merged.c.merged_into == table.identity),
            exists().where(identity_changes.c.other == table.identity),
            exists().where(identity_changes.c.identity == table.identity),
        )
        alone = select(table.identity).where(
            table.created_at_ms < before_ms, table.name.is_(None), and_(*(~each for each in used))
        )
        with self._engine.connect() as connection:
            if connection.execute(alone.limit(1)).first() is None:
                return False
        with self._engine.begin() as connection:
            lock_gallery(connection)
            found = list(connection.scalars(alone.limit(STEP_ROWS)))
            connection.execute(delete(identities).where(table.identity.in_(found)))
        return len(found) == STEP_ROWS
