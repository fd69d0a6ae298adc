"""Deletes rows by their age, a little at a time: what all tables have in common that keep things for a while."""

from typing import Final

from sqlalchemy import Column, Connection, Select, delete, select, tuple_

from contract.retention import FOREVER_MS
from runtime.clock import Clock

#: Rows of a table that are deleted in one transaction: some 20 ms in which nobody else writes to SQLite.
STEP_ROWS: Final = 500


def too_old_before_ms(keep_ms: int, clock: Clock) -> int | None:
    """Return the time before which things are too old, Unix ms UTC; None: they are kept for ever.

    Args:
        keep_ms: How long they are kept, milliseconds.
        clock: Of this machine.
    """
    return None if keep_ms >= FOREVER_MS else clock.now_ms() - keep_ms


def oldest(age: Column[int], before_ms: int) -> Select[tuple[object, ...]]:
    """Return what asks for the keys of the rows that one step deletes: the oldest ones of those that are too old.

    Args:
        age: What of the table says how old a row is, Unix ms UTC.
        before_ms: Before this time they are too old.
    """
    return select(*age.table.primary_key).where(age < before_ms).order_by(age).limit(STEP_ROWS)


def delete_oldest(connection: Connection, age: Column[int], before_ms: int) -> bool:
    """Delete these rows; return whether there may be more."""
    table = age.table
    found = [tuple(row) for row in connection.execute(oldest(age, before_ms))]
    if found:
        connection.execute(delete(table).where(tuple_(*table.primary_key).in_(found)))
    return len(found) == STEP_ROWS
