"""Deletes what is older than FARM_AUDIT_KEEP, a little at a time."""

from typing import Final

from sqlalchemy import Engine, delete, select

from camera_ctrler.audit.tables import audit
from contract.retention import FOREVER_MS
from runtime.clock import Clock, SystemClock

#: Rows that are deleted in one transaction: some 20 ms in which nobody else writes to SQLite.
STEP_ROWS: Final = 500


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
        if self._keep_ms >= FOREVER_MS:
            return False
        before_ms = self._clock.now_ms() - self._keep_ms
        oldest = select(audit.c.number).where(audit.c.at_ms < before_ms).order_by(audit.c.at_ms).limit(STEP_ROWS)
        with self._engine.connect() as connection:
            numbers = list(connection.scalars(oldest))
        if numbers:
            with self._engine.begin() as connection:
                connection.execute(delete(audit).where(audit.c.number.in_(numbers)))
        return len(numbers) == STEP_ROWS
