"""Deletes what is older than FARM_IDENTITIES_KEEP, a little at a time."""

from typing import Final

from sqlalchemy import Column, Engine, and_, delete, exists, select, tuple_

from contract.retention import FOREVER_MS
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

#: Rows of a table that are deleted in one transaction: some 20 ms in which nobody else writes to SQLite.
STEP_ROWS: Final = 500

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
        if self._keep_ms >= FOREVER_MS:
            return False
        before_ms = self._clock.now_ms() - self._keep_ms
        is_full = False
        for age in _AGES:
            is_full |= self._delete_older(age, before_ms) == STEP_ROWS
        return self._delete_alone(before_ms) == STEP_ROWS or is_full

    def _delete_older(self, age: Column[int], before_ms: int) -> int:
        table = age.table
        key = tuple_(*table.primary_key)
        oldest = select(*table.primary_key).where(age < before_ms).order_by(age).limit(STEP_ROWS)
        with self._engine.connect() as connection:
            if connection.execute(oldest.limit(1)).first() is None:
                return 0
        with self._engine.begin() as connection:
            lock_gallery(connection)
            found = [tuple(row) for row in connection.execute(oldest)]
            if table is identity_changes:
                numbers = [row[0] for row in found]
                connection.execute(delete(identity_change_tracks).where(identity_change_tracks.c.change.in_(numbers)))
            if found:
                connection.execute(delete(table).where(key.in_(found)))
        return len(found)

    def _delete_alone(self, before_ms: int) -> int:
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
                return 0
        with self._engine.begin() as connection:
            lock_gallery(connection)
            found = list(connection.scalars(alone.limit(STEP_ROWS)))
            connection.execute(delete(identities).where(table.identity.in_(found)))
        return len(found)
