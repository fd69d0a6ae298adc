"""The weeks that PostgreSQL keeps events in; on SQLite there is nothing to do."""

import re
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

WEEK_MS: Final = 7 * 24 * 3_600_000
#: Weeks that are there before anything happens in them: this one, and two for workers whose clocks are ahead.
_AHEAD: Final = 3
#: Tables that are partitioned by the time of the event.
PARTITIONED: Final = ("events", "event_photos")
_NAME: Final = re.compile(r"_w(\d{1,15})$")
#: Any number will do as long as all event writers use the same: one at a time makes or drops partitions.
_LOCK: Final = 4_706_120_052

log = structlog.get_logger(__name__)


def make_partitions(engine: Engine, now_ms: int) -> None:
    """Make the partitions of this week and of the next ones, unless they are there."""
    if engine.dialect.name != "postgresql":
        return
    first = now_ms // WEEK_MS
    for week in range(first, first + _AHEAD):
        for table in PARTITIONED:
            try:
                with engine.begin() as connection:
                    _lock(connection)
                    _make(connection, table, week)
            except OperationalError:
                raise
            except DBAPIError as error:
                # The default partition has events of that week, from before it was made: they stay there.
                log.warning("partition_not_made", table=table, week=week, error=str(error.orig).splitlines()[0])


def drop_expired(engine: Engine, before_ms: int) -> int:
    """Drop the partitions in which everything happened before `before_ms`; return how many."""
    if engine.dialect.name != "postgresql":
        return 0
    dropped = 0
    with engine.begin() as connection:
        _lock(connection)
        for table in PARTITIONED:
            for name in _partitions_of(connection, table):
                match = _NAME.search(name)
                if match is not None and (int(match[1]) + 1) * WEEK_MS <= before_ms:
                    connection.execute(text(f"DROP TABLE {name}"))
                    dropped += 1
    return dropped


def _lock(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _make(connection: Connection, table: str, week: int) -> None:
    begin, end = week * WEEK_MS, (week + 1) * WEEK_MS
    name = f"{table}_w{week}"
    if name not in _partitions_of(connection, table):
        connection.execute(text(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ({begin}) TO ({end})"))


def _partitions_of(connection: Connection, table: str) -> list[str]:
    query = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:name AS regclass)")
    return list(connection.scalars(query, {"name": table}))
