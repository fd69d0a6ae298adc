"""Deletes what is older than FARM_AUDIT_KEEP, a little at a time."""

from sqlalchemy import Engine

from camera_ctrler.audit.tables import audit
from database.aging import delete_oldest, too_old_before_ms
from runtime.clock import Clock, SystemClock


class AuditCleaner:
    """Deletes entries by their age. Several may do it at once. Raises `SQLAlchemyError` while the database is away."""

    def __init__(self, engine: Engine, keep_ms: int, clock: Clock | None = None) -> None:
        """Prepare to clean.

        Args:
            engine: The database.
            keep_ms: How long entries are kept, milliseconds; 30 days at least, or the database refuses.
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
        with self._engine.begin() as connection:
            return delete_oldest(connection, audit.c.at_ms, before_ms)
