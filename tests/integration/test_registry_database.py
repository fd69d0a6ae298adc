"""Opening the registry's database: migrations and what is said when it cannot be used."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import OperationalError

from camera_ctrler.registry import Registry
from contract.camera_specs import CameraCreate
from database.base import Base
from database.engine import DatabaseError, open_engine
from runtime.secret_box import SecretBox

BOX = SecretBox(Fernet.generate_key().decode())


def columns(registry: Registry) -> dict[str, dict[str, tuple[str, bool]]]:
    """Return table -> column -> (type, may be null) of a database."""
    found = inspect(registry.engine)
    return {
        table: {each["name"]: (str(each["type"]), each["nullable"]) for each in found.get_columns(table)}
        for table in found.get_table_names()
        if table != "alembic_version" and not table.endswith("_default")  # a partition is no table of the code
    }


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrations_make_exactly_the_tables_of_the_code_and_may_run_again(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Given an empty database, migrated twice, it has the tables the code describes; data survives."""
    url = f"sqlite:///{tmp_path}/a" if kind == "sqlite" else str(request.getfixturevalue("postgres_url"))
    registry = Registry(url, BOX)
    with pytest.raises(DatabaseError, match="schema None"):
        registry.check()
    registry.migrate()
    registry.add(CameraCreate(id="c", url="rtsp://h/x"))
    registry.migrate()
    registry.check()
    assert registry.count() == 1
    migrated = columns(registry)
    with registry.engine.begin() as connection:
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
    assert migrated == columns(registry)
    registry.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("not a url", "FARM_DATABASE_URL is not a database URL"),
        ("mysql://h/x", "mysql"),
        ("postgresql://farm:s3cr3tpw@127.0.0.1:1/x", "cannot be used"),
        ("sqlite:////proc/nothing/x.db", "FARM_DATABASE_URL"),
        ("sqlite:////", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(url: str, says: str) -> None:
    """Given URLs of no, an unknown or an absent database, the error says so and shows no password."""
    with pytest.raises(DatabaseError, match=says) as caught:
        Registry(url, BOX).migrate()
    assert "s3cr3tpw" not in str(caught.value)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """Given a text file where the database should be, the error says so."""
    (tmp_path / "x.sqlite3").write_text("this is not a database, and long enough to be looked at " * 50)
    registry = Registry(f"sqlite:///{tmp_path}/x.sqlite3", BOX)
    with pytest.raises(DatabaseError, match="not a database"):
        registry.migrate()
    with pytest.raises(DatabaseError, match="not a database"):
        registry.check()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """Given a schema revision that this version does not know, migrating refuses and changes nothing."""
    registry = Registry(f"sqlite:///{tmp_path}/x.sqlite3", BOX)
    registry.migrate()
    with registry.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="does not know"):
        registry.migrate()
    with pytest.raises(DatabaseError, match="schema 9999"):
        registry.check()


def test_a_wrong_postgresql_database_name_is_named(postgres_url: str) -> None:
    """Given a server without that database, the error names it."""
    url = make_url(postgres_url).set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(DatabaseError, match="nowhere"):
        Registry(url, BOX).migrate()


def test_somebody_elses_sqlite_file_is_not_made(tmp_path: Path) -> None:
    """Given a read-only engine, neither a missing file nor its folder is made."""
    missing = open_engine(f"sqlite:///{tmp_path}/no/x.db", read_only=True)
    with pytest.raises(OperationalError, match="unable to open"), missing.connect():
        pass
    assert list(tmp_path.iterdir()) == []
