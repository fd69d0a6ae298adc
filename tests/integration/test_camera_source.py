"""Following somebody else's table of cameras, in PostgreSQL and in SQLite."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, create_engine, make_url, text

from camera_ctrler.audit.log import AuditLog
from camera_ctrler.camera_source import CameraSource, CameraSourceError, SourceFollower, SourceRow, summary_of
from camera_ctrler.registry import Registry
from contract.camera_specs import CameraCreate, CameraPatch
from contract.camera_urls import join_secrets
from database.engine import DatabaseError
from runtime.clock import SystemClock
from runtime.secret_box import SecretBox
from runtime.settings import ControllerSettings

HIDDEN = "s3cr3tpw"


class Theirs:
    """The database of somebody else, with its owner's rights."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg") if "post" in url else url
        )

    def run(self, statement: str, **values: Any) -> None:
        """Carry out one statement."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def put(self, camera_id: object, url: str | None, name: str | None = None) -> None:
        """Insert one row."""
        self.run("INSERT INTO cams (id, camera_url, label) VALUES (:i, :u, :n)", i=camera_id, u=url, n=name)

    def source(self, **settings: Any) -> CameraSource:
        """Return the farm's view of it."""
        values: dict[str, Any] = {"camera_source_table": "cams", "camera_source_name_column": "label"} | settings
        return CameraSource(ControllerSettings(camera_source_url=self.url, **values))


@pytest.fixture(params=["sqlite", "postgresql"])
def theirs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Theirs]:
    """A table ``cams`` with id, camera_url and label, that allows anything."""
    if request.param == "sqlite":
        made = Theirs(f"sqlite:///{tmp_path}/theirs.sqlite3")
    else:
        made = Theirs(request.getfixturevalue("postgres_url"))
    made.run("CREATE TABLE cams (id VARCHAR(2000), camera_url TEXT, label TEXT)")
    yield made
    made.engine.dispose()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An empty registry."""
    made = Registry(f"sqlite:///{tmp_path}/farm.sqlite3", SecretBox(Fernet.generate_key().decode()))
    made.migrate()
    yield made
    made.close()


def urls(registry: Registry) -> dict[str, str]:
    """Return the URL that workers would open, by camera id."""
    return {camera.id: join_secrets(camera.assignment(1).url, registry.secrets_of(camera)) for camera in registry.all()}


def test_rows_that_are_inserted_changed_and_deleted_are_followed(theirs: Theirs, registry: Registry) -> None:
    """Given a table that changes, after each look the registry has exactly its rows, credentials included."""
    source, follower = theirs.source(), SourceFollower(registry)
    theirs.put("gate", f"rtsp://u:{HIDDEN}@h/1", "Gate")
    theirs.put("yard", "rtsp://h/2")
    assert follower.reconcile(source.rows()) == []
    assert urls(registry) == {"gate": f"rtsp://u:{HIDDEN}@h/1", "yard": "rtsp://h/2"}
    assert (registry.get("gate").view().name, registry.get("gate").origin) == ("Gate", "external")

    theirs.run("UPDATE cams SET camera_url = 'rtsp://u:new@h/1', label = 'South gate' WHERE id = 'gate'")
    theirs.run("DELETE FROM cams WHERE id = 'yard'")
    assert follower.reconcile(source.rows()) == []
    assert urls(registry) == {"gate": "rtsp://u:new@h/1"}
    assert registry.get("gate").view().name == "South gate"
    source.close()


def test_rows_that_did_not_change_change_nothing_also_after_a_restart(theirs: Theirs, registry: Registry) -> None:
    """Given rows that were taken over, looking again, also by a new process, leaves the registry's revision alone."""
    source = theirs.source()
    theirs.put("gate", f"rtsp://u:{HIDDEN}@h/1?token=a", "Gate")
    SourceFollower(registry).reconcile(source.rows())
    registry.update("gate", CameraPatch(analyse_fps=4))
    revision = registry.revision()
    for follower in (SourceFollower(registry), SourceFollower(registry)):
        follower.reconcile(source.rows())
        follower.reconcile(source.rows())
    assert registry.revision() == revision
    assert registry.get("gate").settings().analyse_fps == 4
    (noted,) = AuditLog(registry.engine, SystemClock()).page(limit=10)
    assert (noted.actor, noted.action, noted.what) == ("external table", "create_camera", "gate")
    assert HIDDEN not in str(noted)


def test_numbers_as_ids_are_ids(tmp_path: Path, registry: Registry) -> None:
    """Given a table whose ids are numbers, the cameras have them as text."""
    theirs = Theirs(f"sqlite:///{tmp_path}/n.sqlite3")
    theirs.run("CREATE TABLE cams (id INTEGER, camera_url TEXT, label TEXT)")
    theirs.put(7, "rtsp://h/7")
    SourceFollower(registry).reconcile(theirs.source().rows())
    assert urls(registry) == {"7": "rtsp://h/7"}


def test_a_row_that_cannot_be_used_is_named_and_harms_no_other(theirs: Theirs, registry: Registry) -> None:
    """Given rows with every kind of fault, each is named once, none shows a secret, and the good row is watched."""
    faults = {
        "../etc": ("rtsp://h/1", "id"),
        "no-url": (None, "url"),
        "ftp": (f"ftp://u:{HIDDEN}@h/x", "rtsp://"),
        "slash": (f"rtsp://u:{HIDDEN}/x@h/x", "percent-encoded"),
        "x" * 1500: ("rtsp://h/1", "id"),
    }
    for camera_id, (url, _) in faults.items():
        theirs.put(camera_id, url)
    theirs.put(None, "rtsp://h/1")
    theirs.put("good", "rtsp://h/1")
    theirs.put("good", "rtsp://h/2")
    problems = SourceFollower(registry).reconcile(theirs.source().rows())
    assert urls(registry) == {"good": "rtsp://h/1"}
    assert len(problems) == len(faults) + 2
    said = "\n".join(problems)
    assert HIDDEN not in said
    assert len(said) < 2000
    for camera_id, (_, says) in faults.items():
        assert any(camera_id[:60] in problem and says in problem for problem in problems)
    assert any("twice" in problem for problem in problems)


@pytest.mark.parametrize("left", [[], ["a"]])
def test_a_table_that_is_suddenly_empty_or_small_is_believed_only_the_third_time(
    theirs: Theirs, registry: Registry, left: list[str]
) -> None:
    """Given a table that loses more than half its rows, two looks only report it; the third removes the cameras."""
    source, follower = theirs.source(), SourceFollower(registry)
    for camera_id in ("a", "b", "c"):
        theirs.put(camera_id, "rtsp://h/1")
    follower.reconcile(source.rows())
    theirs.run("DELETE FROM cams")
    for camera_id in left:
        theirs.put(camera_id, "rtsp://h/1")
    for _ in range(2):
        (problem,) = follower.reconcile(source.rows())
        assert f"{3 - len(left)} of 3 cameras" in problem
        assert urls(registry).keys() == {"a", "b", "c"}
    assert follower.reconcile(source.rows()) == []
    assert urls(registry).keys() == set(left)


def test_a_table_that_is_emptied_and_filled_again_keeps_its_cameras(theirs: Theirs, registry: Registry) -> None:
    """Given a table that is reloaded now and then, its cameras keep their settings and follow their rows."""
    source, follower = theirs.source(), SourceFollower(registry)
    theirs.put("gate", "rtsp://h/1")
    follower.reconcile(source.rows())
    registry.update("gate", CameraPatch(analyse_fps=4))
    for number in range(3):
        theirs.run("DELETE FROM cams")
        for _ in range(2):
            assert follower.reconcile(source.rows()) != []
        theirs.put("gate", f"rtsp://h/{number}")
        assert follower.reconcile(source.rows()) == []
        assert urls(registry) == {"gate": f"rtsp://h/{number}"}
    assert registry.get("gate").settings().analyse_fps == 4


def test_a_row_that_becomes_bad_leaves_its_camera_as_it_was(theirs: Theirs, registry: Registry) -> None:
    """Given a followed camera, when its row cannot be used any more, it is watched as before until the row is right."""
    source, follower = theirs.source(), SourceFollower(registry)
    theirs.put("gate", "rtsp://h/1")
    follower.reconcile(source.rows())
    theirs.run("UPDATE cams SET camera_url = 'nonsense'")
    for _ in range(2):
        (problem,) = follower.reconcile(source.rows())
        assert "gate" in problem
    assert urls(registry) == {"gate": "rtsp://h/1"}
    theirs.run("UPDATE cams SET camera_url = 'rtsp://h/2'")
    assert follower.reconcile(source.rows()) == []
    assert urls(registry) == {"gate": "rtsp://h/2"}


def test_a_camera_of_our_own_with_the_same_id_is_never_touched(theirs: Theirs, registry: Registry) -> None:
    """Given a camera registered here and a row with its id, the clash is named and our camera stays."""
    registry.add(CameraCreate(id="gate", url="rtsp://ours/1"))
    theirs.put("gate", "rtsp://theirs/1")
    source, follower = theirs.source(), SourceFollower(registry)
    (problem,) = follower.reconcile(source.rows())
    assert "rename one of them" in problem
    theirs.run("DELETE FROM cams")
    assert follower.reconcile(source.rows()) == []
    assert urls(registry) == {"gate": "rtsp://ours/1"}


def test_a_camera_that_another_manager_removed_at_the_same_moment_is_no_error(
    theirs: Theirs, registry: Registry
) -> None:
    """Given a row that was deleted, when the camera is gone before we remove it, then the others are still followed."""
    source, follower = theirs.source(), SourceFollower(registry)
    for camera_id in ("a", "b", "c", "d"):
        theirs.put(camera_id, "rtsp://h/1")
    follower.reconcile(source.rows())
    theirs.run("DELETE FROM cams WHERE id IN ('a', 'b')")

    class Quicker(Registry):
        """A registry whose list is a moment old."""

        def all(self) -> list[Any]:
            listed = registry.all()
            registry.remove("a", by_origin="external")
            return listed

    url = str(registry.engine.url)
    assert SourceFollower(Quicker(url, SecretBox(Fernet.generate_key().decode()))).reconcile(source.rows()) == []
    assert urls(registry).keys() == {"c", "d"}


@pytest.mark.parametrize("settings", [{"camera_source_table": "nowhere"}, {"camera_source_url_column": "nothing"}])
def test_a_missing_table_or_column_is_named_and_cameras_stay(
    theirs: Theirs, registry: Registry, settings: dict[str, str]
) -> None:
    """Given a table or column that does not exist, the error names it in one line, and nothing is removed."""
    theirs.put("gate", "rtsp://h/1")
    SourceFollower(registry).reconcile(theirs.source().rows())
    with pytest.raises(CameraSourceError, match=next(iter(settings.values()))) as caught:
        theirs.source(**settings).rows()
    assert "cameras stay as they are" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert urls(registry) == {"gate": "rtsp://h/1"}


def test_a_table_in_a_schema_is_found(postgres_url: str) -> None:
    """Given a table in another schema of PostgreSQL, `schema.table` names it."""
    theirs = Theirs(postgres_url)
    theirs.run("CREATE SCHEMA site")
    theirs.run("CREATE TABLE site.cams (id TEXT, camera_url TEXT, label TEXT)")
    theirs.run("INSERT INTO site.cams VALUES ('gate', 'rtsp://h/1', 'Gate')")
    assert theirs.source(camera_source_table="site.cams").rows() == [SourceRow("gate", "rtsp://h/1", "Gate")]
    theirs.engine.dispose()


def test_a_database_that_is_away_is_an_error_of_one_line_without_the_password() -> None:
    """Given a server that does not answer, the error comes soon and shows no password."""
    theirs = Theirs(f"postgresql://u:{HIDDEN}@127.0.0.1:1/x")
    before = time.monotonic()
    with pytest.raises(CameraSourceError) as caught:
        theirs.source().rows()
    assert time.monotonic() - before < 6
    assert HIDDEN not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_connections_that_the_database_ended_are_opened_again(postgres_url: str) -> None:
    """Given a database that ends all connections, the next look works."""
    theirs = Theirs(postgres_url)
    theirs.run("CREATE TABLE cams (id TEXT, camera_url TEXT, label TEXT)")
    source = theirs.source()
    source.rows()
    theirs.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    assert source.rows() == []
    source.close()
    theirs.engine.dispose()


def test_somebody_elses_sqlite_file_is_neither_made_nor_changed(tmp_path: Path) -> None:
    """Given a missing file it is not made; given one in use it is read as it is, byte for byte the same afterwards."""
    file = tmp_path / "theirs.sqlite3"
    theirs = Theirs(f"sqlite:///{file}")
    with pytest.raises(CameraSourceError, match="unable to open"):
        theirs.source().rows()
    assert not file.exists()
    theirs.run("CREATE TABLE cams (id TEXT, camera_url TEXT, label TEXT)")
    theirs.put("gate", "rtsp://h/1")
    before = file.read_bytes()
    assert len(theirs.source().rows()) == 1
    theirs.engine.dispose()
    assert file.read_bytes() == before
    theirs.run("PRAGMA journal_mode=WAL")
    theirs.engine.dispose()
    assert len(theirs.source().rows()) == 1
    assert sorted(entry.name.split(".")[0] for entry in tmp_path.iterdir()) >= ["theirs"]


def test_a_url_that_names_no_database_says_which_setting_it_is() -> None:
    """Given a URL of another kind, the error names FARM_CAMERA_SOURCE_URL and not the registry's setting."""
    for url in ("nonsense", "mysql://h/x"):
        with pytest.raises(DatabaseError, match="FARM_CAMERA_SOURCE_URL"):
            CameraSource(ControllerSettings(camera_source_url=url))


def test_a_long_list_of_problems_is_cut_and_counted() -> None:
    """Given eight problems, five are named and three counted; none gives an empty text."""
    assert summary_of([f"row {number}" for number in range(8)]).endswith("row 4; and 3 more")
    assert summary_of([]) == ""
