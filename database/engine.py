"""Opens the registry's database and brings it to the current schema."""

import json
import sqlite3
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from contract.errors import FarmError

MIGRATIONS: Final = Path(__file__).with_name("migrations")
#: Any number will do as long as every controller uses the same: PostgreSQL lets one at a time migrate.
_MIGRATION_LOCK: Final = 4_706_120_051
#: A server whose host is gone answers nothing, not even with an error: the connection is given up after some 10 s,
#: or a manager would wait for it for ever while it goes on to hold the lead.
_POSTGRESQL_OPTIONS: Final = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}


class DatabaseError(FarmError):
    """The database cannot be used; the text says why and what to do."""


def open_engine(database_url: str, *, setting: str = "FARM_DATABASE_URL", read_only: bool = False) -> Engine:
    """Return an engine for SQLite or PostgreSQL; nothing is connected yet.

    Args:
        database_url: SQLAlchemy URL.
        setting: Where the URL comes from, for errors.
        read_only: The database is somebody else's: nothing of it is made or changed.

    Raises:
        DatabaseError: The URL cannot be read, or names another kind of database.
    """
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise DatabaseError(
            f"{setting} is not a database URL; write sqlite:///file or postgresql://user:password@host/database"
        ) from error
    backend = url.get_backend_name()
    if backend == "postgresql":
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        return create_engine(url, pool_pre_ping=True, connect_args=_POSTGRESQL_OPTIONS)
    if backend != "sqlite":
        raise DatabaseError(f"{setting} names {backend}; SQLite and PostgreSQL are supported")
    if read_only:
        file = f"file:{quote(str(Path(url.database or '').absolute()))}?mode=ro"
        return create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(file, uri=True, timeout=10), poolclass=NullPool
        )
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(f"{setting}: the folder of the database cannot be made: {error}") from error
    engine = create_engine(url, connect_args={"timeout": 10}, json_deserializer=_json_or_text)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema; a second process that does it at once waits."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.connect() as connection:
            _lock_migrations(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except SQLAlchemyError as error:
        raise _unreachable(engine, error) from error
    except CommandError as error:
        raise DatabaseError(
            f"the database has a schema that this version does not know ({error}); use the version that made it"
        ) from error


def check_schema(engine: Engine) -> None:
    """Raise `DatabaseError` unless the database answers and has the newest schema."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        raise _unreachable(engine, error) from error
    wanted = ScriptDirectory.from_config(config).get_current_head()
    if found != wanted:
        raise DatabaseError(f"the database has schema {found}, this version needs {wanted}; restart the controller")


def _lock_migrations(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _json_or_text(value: str) -> Any:
    """Return what JSON in a column says, or, where it is none, the text: SQLite stores whatever somebody types.

    The reader of that row finds that it cannot be used; raised here, the error would hide all rows after it.
    """
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=10000")
    try:
        cursor.execute("PRAGMA journal_mode=WAL")  # readers do not wait for a writer
    except sqlite3.OperationalError as error:
        # For this one SQLite does not wait. The mode stays with the file: who is in the way sets it, or has set it.
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _unreachable(engine: Engine, error: Exception) -> DatabaseError:
    cause = str(getattr(error, "orig", error)).strip().splitlines()[0]
    return DatabaseError(f"the database {engine.url.render_as_string(hide_password=True)} cannot be used: {cause}")
