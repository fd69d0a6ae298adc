"""Lets one transaction at a time write embeddings, sightings and identities, and numbers embeddings in that order."""

from typing import Final

from sqlalchemy import Connection, insert, select, text, update

from database.identities import gallery_state

#: Seconds after which PostgreSQL ends a transaction whose process has fallen silent: it holds the lock.
_SILENT_SECONDS: Final = 30


def lock_gallery(connection: Connection, numbers: int = 0) -> int:
    """Let nobody else write to the gallery until this transaction ends; take some numbers for embeddings.

    On SQLite a transaction that reads first and writes later would not wait for another writer: call it first.

    Args:
        connection: In a transaction.
        numbers: How many numbers are taken; they are given back when the transaction is rolled back, so that there is
            never a gap, and nobody ever sees a number before all smaller ones.

    Returns:
        The newest number that is given out now.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{_SILENT_SECONDS}s'"))
    state = gallery_state
    if not connection.execute(update(state).values(last_number=state.c.last_number + numbers)).rowcount:
        connection.execute(insert(state).values(id=1, last_number=numbers, writer=""))
    return int(connection.scalar(select(state.c.last_number)) or 0)
