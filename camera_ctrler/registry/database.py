"""Opens the registry's database and brings it to the current schema."""

from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from contract.errors import FarmError

MIGRATIONS: Final = Path(__file__).with_name("migrations")
#: Any number will do as long as every controller uses the same: PostgreSQL lets one at a time migrate.
_MIGRATION_LOCK: Final = 4_706_120_051


class DatabaseError(FarmError):
    """The database cannot be used; the text says why and what to do."""


def open_engine(database_url: str) -> Engine:
    """Return an engine for SQLite or PostgreSQL; nothing is connected yet.

    Raises:
        DatabaseError: The URL cannot be read, or names another kind of database.
    """
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise DatabaseError(
            "FARM_DATABASE_URL is not a database URL; write sqlite:///file or postgresql://..."
        ) from error
    backend = url.get_backend_name()
    if backend == "postgresql":
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 5})
    if backend != "sqlite":
        raise DatabaseError(f"FARM_DATABASE_URL names {backend}; SQLite and PostgreSQL are supported")
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 10})
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
    except OperationalError as error:
        raise _unreachable(engine, error) from error


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


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers do not wait for a writer
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _unreachable(engine: Engine, error: Exception) -> DatabaseError:
    cause = str(getattr(error, "orig", error)).strip().splitlines()[0]
    return DatabaseError(f"the database {engine.url.render_as_string(hide_password=True)} cannot be used: {cause}")
