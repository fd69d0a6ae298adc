"""The registry on SQLite and on PostgreSQL: the same behaviour, also when several processes use it."""

import multiprocessing
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import literal_column, text, update
from structlog.testing import capture_logs

from camera_ctrler.registry import (
    ORIGIN_EXTERNAL,
    CameraExistsError,
    CameraNotFoundError,
    CameraOwnedElsewhereError,
    CameraUnreadableError,
    Registry,
)
from camera_ctrler.registry.tables import CameraRow
from contract.camera_specs import CameraCreate, CameraPatch
from contract.camera_urls import join_secrets
from contract.cameras import SaveMode
from contract.errors import InvalidUrlError
from runtime.secret_box import SecretBox, SecretKeyError
from tests.support.clocks import SetClock

KEY = Fernet.generate_key().decode()
HIDDEN = "s3cr3tpw"
SIGNS = "p/w"
CONTEXT = multiprocessing.get_context("spawn")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/camfarm.sqlite3"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def clock() -> SetClock:
    """The registry's clock."""
    return SetClock()


@pytest.fixture
def registry(database_url: str, clock: SetClock) -> Any:
    """A registry with its tables."""
    made = Registry(database_url, SecretBox(KEY), clock)
    made.migrate()
    yield made
    made.close()


def opened_url(registry: Registry, camera_id: str) -> str:
    """Return the URL that a worker would open."""
    camera = registry.get(camera_id)
    return join_secrets(camera.assignment(1).url, registry.secrets_of(camera))


# --- adding, reading, changing ------------------------------------------------------------------------------------


def test_a_camera_comes_back_as_it_was_given(registry: Registry, clock: SetClock) -> None:
    """Given a camera with every field, what is read is what was written, and workers are told the same."""
    spec = CameraCreate(
        id="gate", name="Tür 🎥", url="rtsp://h/x", analyse_fps=2.5, classes=["person"], confidence=0.4,
        box_padding=0.1, save_frames=SaveMode.DETECTIONS, enabled=False,
    )  # fmt: skip
    registry.add(spec)
    view = registry.get("gate").view()
    assert view.model_dump(include=set(CameraCreate.model_fields) - {"username", "password"}) == spec.model_dump(
        exclude={"username", "password"}
    )
    assert (view.created_at_ms, view.has_credentials, view.origin) == (clock.now_ms(), False, "farm")
    assert registry.get("gate").assignment(3).settings == spec.settings()


def test_a_camera_without_an_id_gets_one(registry: Registry) -> None:
    """Given two cameras without ids, both are registered under ids of their own."""
    ids = {camera.id for camera in registry.add_many([CameraCreate(url="rtsp://h/x"), CameraCreate(url="rtsp://h/x")])}
    assert len(ids) == registry.count() == 2


@pytest.mark.parametrize("second", [["a", "a"], ["b", "taken"]])
def test_many_are_added_all_or_none(registry: Registry, second: list[str]) -> None:
    """Given a list in which one id is taken or stands twice, the error names it and none of the list is added."""
    registry.add(CameraCreate(id="taken", url="rtsp://h/x"))
    revision = registry.revision()
    with pytest.raises(CameraExistsError, match=second[1]):
        registry.add_many([CameraCreate(id=each, url="rtsp://h/x") for each in second])
    assert [camera.id for camera in registry.all()] == ["taken"]
    assert registry.revision() == revision


def test_pages_follow_one_another_by_id(registry: Registry) -> None:
    """Given five cameras, pages of two give all of them once, by id."""
    registry.add_many([CameraCreate(id=each, url="rtsp://h/x") for each in ("e", "b", "d", "a", "c")])
    seen: list[str] = []
    while page := registry.page(after=seen[-1] if seen else "", limit=2):
        seen += [camera.id for camera in page]
    assert seen == ["a", "b", "c", "d", "e"]


def test_the_revision_rises_with_every_change_and_with_nothing_else(registry: Registry, clock: SetClock) -> None:
    """Given adding, changing and removing, each raises the revision; a patch that changes nothing does not."""
    seen = [registry.revision()]
    for change in (
        lambda: registry.add(CameraCreate(id="c", url="rtsp://h/x")),
        lambda: registry.update("c", CameraPatch(analyse_fps=5, save_frames=SaveMode.NONE, classes=["car"])),
        lambda: registry.remove("c"),
    ):
        change()
        seen.append(registry.revision())
    assert seen == sorted(set(seen))
    before = registry.add(CameraCreate(id="c", url="rtsp://h/x", name="n")).view()
    revision = registry.revision()
    clock.advance(5)
    assert registry.update("c", CameraPatch(name="n")).view() == before
    assert registry.revision() == revision


def test_what_does_not_exist_and_what_is_owned_elsewhere_is_named(registry: Registry) -> None:
    """Given an unknown id and a camera of the external table, changing and removing say why not."""
    registry.add(CameraCreate(id="theirs", url="rtsp://h/x"), origin=ORIGIN_EXTERNAL)
    with pytest.raises(CameraNotFoundError, match="nobody"):
        registry.get("nobody")
    with pytest.raises(CameraNotFoundError):
        registry.update("nobody", CameraPatch(name="x"))
    with pytest.raises(CameraNotFoundError):
        registry.remove("nobody")
    for patch in (CameraPatch(url="rtsp://h/y"), CameraPatch(password=HIDDEN), CameraPatch(name="x")):
        with pytest.raises(CameraOwnedElsewhereError, match="change or delete it there"):
            registry.update("theirs", patch)
    with pytest.raises(CameraOwnedElsewhereError):
        registry.remove("theirs")
    assert registry.update("theirs", CameraPatch(analyse_fps=3)).settings().analyse_fps == 3
    assert registry.update("theirs", CameraPatch(name="x"), by_origin=None).view().name == "x"
    registry.remove("theirs", by_origin=None)


#: Column, a value that somebody may write into it by hand, and whether PostgreSQL takes it.
NONSENSE = [
    ("analyse_fps", "0", True),
    ("classes", "'car, bus'", False),
    ("classes", "'\"car\"'", True),
    ("save_frames", "'sometimes'", True),
    ("url", "'http://[x'", True),
    ("confidence", "'high'", False),
]


@pytest.mark.parametrize(("column", "value", "everywhere"), NONSENSE)
def test_a_row_that_was_edited_into_nonsense_is_named_and_left_out(
    registry: Registry, column: str, value: str, everywhere: bool
) -> None:
    """Given rows that nobody can read any more, lists have all others, and the log names column and camera once."""
    if registry.engine.dialect.name == "postgresql" and not everywhere:
        pytest.skip("PostgreSQL does not store this")
    registry.add_many([CameraCreate(id=name, url=f"rtsp://u:{HIDDEN}@h/x") for name in "abcd"])
    with registry.engine.begin() as connection:
        connection.execute(
            update(CameraRow).where(CameraRow.id.in_(["b", "c"])).values({column: literal_column(value)})
        )
    with capture_logs() as logs:
        assert [camera.id for camera in registry.all()] == ["a", "d"]
        registry.all()
    assert [(line["event"], line["camera"], line["columns"]) for line in logs] == [
        ("camera_unreadable", name, [column]) for name in "bc"
    ]
    assert HIDDEN not in str(logs)
    assert [[camera.id for camera in registry.page(after=after, limit=1)] for after in ("", "a", "d")] == [
        ["a"],
        ["d"],
        [],
    ]
    assert registry.list_all().unreadable == ["b", "c"]


def test_a_row_that_was_edited_into_nonsense_can_be_mended_or_removed(registry: Registry) -> None:
    """Given an unreadable row, asking for it says which column to correct; changing that column mends it."""
    registry.add_many([CameraCreate(id=name, url="rtsp://h/x") for name in "ab"])
    with registry.engine.begin() as connection:
        connection.execute(text("UPDATE cameras SET analyse_fps = 0"))
    with pytest.raises(CameraUnreadableError, match=r"'a'.*analyse_fps"):
        registry.get("a")
    with pytest.raises(CameraUnreadableError, match="analyse_fps"):
        registry.update("a", CameraPatch(name="x"))
    assert registry.update("a", CameraPatch(analyse_fps=2)).settings().analyse_fps == 2
    registry.remove("b")
    assert [camera.id for camera in registry.all()] == ["a"]


# --- secrets ------------------------------------------------------------------------------------------------------


def test_secrets_are_stored_encrypted_and_shown_nowhere(registry: Registry) -> None:
    """Given secrets in every place a URL can have them, no view, message, repr or database row contains them."""
    camera = registry.add(CameraCreate(id="c", url=f"rtsp://admin:{HIDDEN}@h/x?token={HIDDEN}&a=1"))
    with registry.engine.connect() as connection:
        row = str(connection.execute(text("SELECT * FROM cameras")).all())
    shown = [repr(camera), repr(camera.view()), camera.assignment(1).model_dump_json(), camera.fingerprint, row]
    assert not any(HIDDEN in each for each in shown)
    assert camera.view().url == "rtsp://***@h/x?token=***&a=1"
    assert opened_url(registry, "c") == f"rtsp://admin:{HIDDEN}@h/x?token={HIDDEN}&a=1"


def test_credentials_in_fields_win_over_those_in_the_url(registry: Registry) -> None:
    """Given credentials in the URL and in fields, the fields count; a password may stand alone."""
    registry.add(CameraCreate(id="both", url="rtsp://old:older@h/x", username="new", password=SIGNS))
    registry.add(CameraCreate(id="alone", url="rtsp://h/x", password=SIGNS))
    assert opened_url(registry, "both") == "rtsp://new:p%2Fw@h/x"
    assert opened_url(registry, "alone") == "rtsp://:p%2Fw@h/x"


@pytest.mark.parametrize(
    ("patch", "opened"),
    [
        ({"url": "rtsp://***@h/other?token=***"}, "rtsp://admin:pw@h/other?token=t%2B"),
        ({"url": "rtsp://***@h/x?token=new"}, "rtsp://admin:pw@h/x?token=new"),
        ({"url": "rtsp://admin:***@h/x?token=***"}, "rtsp://admin:pw@h/x?token=t%2B"),
        ({"url": "rtsp://***:new@h/x"}, "rtsp://admin:new@h/x"),
        ({"url": "rtsp://h/x"}, "rtsp://h/x"),
        ({"password": "new"}, "rtsp://admin:new@h/x?token=t%2B"),
        ({"username": "root"}, "rtsp://root:pw@h/x?token=t%2B"),
        ({"username": None, "password": None}, "rtsp://h/x?token=t%2B"),
        ({"username": None}, "rtsp://:pw@h/x?token=t%2B"),
        ({"url": "rtsp://other/x", "username": "u", "password": "p"}, "rtsp://u:p@other/x"),
    ],
)
def test_a_url_given_back_as_it_was_shown_keeps_its_secrets(
    registry: Registry, patch: dict[str, Any], opened: str
) -> None:
    """Given stored secrets, a patch changes exactly what it says of them."""
    registry.add(CameraCreate(id="c", url="rtsp://admin:pw@h/x?token=t%2B"))
    registry.update("c", CameraPatch.model_validate(patch))
    assert opened_url(registry, "c") == opened


@pytest.mark.parametrize(
    "url",
    [
        f"rtsp://h/user=admin_password={HIDDEN}_channel=1_stream=0.sdp?real_stream",
        f"http://u:{HIDDEN}@h/v.cgi?loginuse=a&loginpas={HIDDEN};pwd={HIDDEN}#key={HIDDEN}",
        f"http://u:{HIDDEN}@h/v?",
    ],
)
def test_a_url_sent_back_as_it_is_shown_changes_nothing(registry: Registry, url: str) -> None:
    """Given secrets in any part of a URL, what is shown has none, and sending it back leaves every byte as it was."""
    shown = registry.add(CameraCreate(id="c", url=url)).view().url
    assert HIDDEN not in shown
    registry.update("c", CameraPatch(url=shown))
    assert opened_url(registry, "c") == url
    assert registry.get("c").view().url == shown


def test_a_password_set_on_a_camera_without_user_name_is_used(registry: Registry) -> None:
    """Given a camera without credentials, when only a password is set, then the worker opens the URL with it."""
    registry.add(CameraCreate(id="c", url="rtsp://h/x"))
    registry.update("c", CameraPatch(password=SIGNS))
    assert opened_url(registry, "c") == "rtsp://:p%2Fw@h/x"


def test_the_main_stream_has_secrets_of_its_own_that_are_shown_nowhere(registry: Registry) -> None:
    """Given a second URL with a password, it is masked, kept when it is given back so, and removed by null."""
    spec = CameraCreate(id="c", url="rtsp://192.0.2.1/sub", main_url="rtsp://u:hunter2@192.0.2.1/main?token=t0p")
    registry.add(spec)
    shown = registry.get("c").view()
    assert shown.main_url == "rtsp://***@192.0.2.1/main?token=***"
    assert shown.has_credentials
    assigned = registry.get("c").assignment(epoch=1)
    assert assigned.main_secrets is not None
    assert "hunter2" not in assigned.model_dump_json()
    registry.update("c", CameraPatch(main_url=shown.main_url.replace("/main", "/main2")))
    again = registry.get("c").assignment(epoch=1)
    assert again.main_url == "rtsp://192.0.2.1/main2?token=***"
    assert again.main_secrets is not None
    with pytest.raises(InvalidUrlError, match="another host"):
        registry.update("c", CameraPatch(main_url="rtsp://***@192.0.2.2/main"))
    with pytest.raises(InvalidUrlError, match="hidden secret"):
        registry.add(CameraCreate(id="d", url="rtsp://192.0.2.1/sub", main_url="rtsp://***@192.0.2.1/main"))
    registry.update("c", CameraPatch(main_url=None))
    bare = registry.get("c").assignment(epoch=1)
    assert (bare.main_url, bare.main_secrets) == (None, None)


@pytest.mark.parametrize("url", ["rtsp://***@evil/x", "rtsp://***@h:8554/x?token=***", "rtsp://evil/x?token=***"])
def test_hidden_secrets_are_not_carried_to_another_host(registry: Registry, url: str) -> None:
    """Given stored secrets, a URL that hides them and names another host or port is refused; nothing changes."""
    registry.add(CameraCreate(id="c", url=f"rtsp://admin:{HIDDEN}@h/x?token={HIDDEN}"))
    with pytest.raises(InvalidUrlError, match="another host"):
        registry.update("c", CameraPatch(url=url))
    assert opened_url(registry, "c") == f"rtsp://admin:{HIDDEN}@h/x?token={HIDDEN}"


def test_hidden_secrets_that_are_not_stored_are_refused(registry: Registry) -> None:
    """Given `***` where nothing is stored, adding and changing say so rather than store stars."""
    with pytest.raises(InvalidUrlError, match="hidden secret"):
        registry.add(CameraCreate(id="c", url="rtsp://***@h/x"))
    registry.add(CameraCreate(id="c", url="rtsp://h/x"))
    for url in ("rtsp://***@h/x", "rtsp://h/x?token=***"):
        with pytest.raises(InvalidUrlError, match="not stored"):
            registry.update("c", CameraPatch(url=url))


def test_with_another_key_secrets_are_an_error_until_the_url_is_given_again(
    registry: Registry, database_url: str
) -> None:
    """Given a registry opened with another key, reading secrets says so, and the whole URL can be set anew."""
    registry.add(CameraCreate(id="c", url=f"rtsp://admin:{HIDDEN}@h/x"))
    other = Registry(database_url, SecretBox(Fernet.generate_key().decode()))
    with pytest.raises(SecretKeyError, match="whole URL"):
        other.secrets_of(other.get("c"))
    with pytest.raises(SecretKeyError):
        other.update("c", CameraPatch(password=SIGNS))
    assert other.get("c").view().url == "rtsp://***@h/x"
    other.update("c", CameraPatch(url="rtsp://admin:new@h/x"))
    assert opened_url(other, "c") == "rtsp://admin:new@h/x"
    other.close()


# --- epochs -------------------------------------------------------------------------------------------------------


def test_epochs_only_rise_also_for_deleted_cameras_and_restored_registries(registry: Registry) -> None:
    """Given epochs given out before, or seen in use, the next one is greater than all of them."""
    registry.add(CameraCreate(id="c", url="rtsp://h/x"))
    assert registry.next_epochs(["c", "d"]) == {"c": 1, "d": 1}
    registry.remove("c")
    registry.add(CameraCreate(id="c", url="rtsp://h/x"))
    assert registry.next_epochs(["c"]) == {"c": 2}
    assert registry.next_epochs(["c", "d"], above={"c": 40}) == {"c": 41, "d": 2}
    assert registry.next_epochs([]) == {}


def test_epochs_of_ten_thousand_cameras_are_given_out_at_once(registry: Registry) -> None:
    """Given more cameras than a statement may name, all of them get epochs, twice."""
    ids = [f"c{number}" for number in range(10_001)]
    assert set(registry.next_epochs(ids).values()) == {1}
    assert set(registry.next_epochs(ids).values()) == {2}


def test_no_epoch_is_given_out_twice(database_url: str, registry: Registry) -> None:
    """Given four managers that ask at the same time, each gets epochs that nobody else got."""
    registries = [Registry(database_url, SecretBox(KEY)) for _ in range(4)]
    gate = threading.Barrier(4)

    def ask(one: Registry) -> list[int]:
        gate.wait(10)
        return [one.next_epochs(["old", f"new{number}"])["old"] for number in range(15)]

    registry.next_epochs(["old"])
    with ThreadPoolExecutor(4) as threads:
        given = [epoch for epochs in threads.map(ask, registries) for epoch in epochs]
    assert sorted(given) == list(range(2, 62))
    for one in registries:
        one.close()


# --- several processes --------------------------------------------------------------------------------------------


def _add_in_a_process(url: str, gate: Any, answers: Any) -> None:
    registry = Registry(url, SecretBox(KEY))
    gate.wait(30)
    try:
        registry.migrate()
        registry.add(CameraCreate(id="same", url="rtsp://h/x"))
        answers.put("added")
    except CameraExistsError:
        answers.put("exists")
    except Exception as error:  # whatever it is, the test shall show it
        answers.put(repr(error))
    finally:
        registry.close()


def test_processes_that_migrate_and_add_the_same_id_at_once(database_url: str) -> None:
    """Given an empty database, when two processes migrate it and add one id at once, one adds and the other is told."""
    gate, answers = CONTEXT.Barrier(2), CONTEXT.Queue()
    children = [CONTEXT.Process(target=_add_in_a_process, args=(database_url, gate, answers)) for _ in range(2)]
    for child in children:
        child.start()
    said = sorted(answers.get(timeout=60) for _ in children)
    for child in children:
        child.join(30)
    assert said == ["added", "exists"]


def test_a_camera_that_is_removed_while_it_is_changed_is_not_found(registry: Registry, database_url: str) -> None:
    """Given two processes that change and remove cameras at once, each is told a fact and never a database error."""
    other = Registry(database_url, SecretBox(KEY))
    gate = threading.Barrier(2)
    ids = [f"c{number}" for number in range(25)]
    registry.add_many([CameraCreate(id=each, url="rtsp://h/x") for each in ids])

    def each_of(act: Any) -> int:
        gate.wait(10)
        missing = 0
        for camera_id in ids:
            try:
                act(camera_id)
            except CameraNotFoundError:
                missing += 1
        return missing

    with ThreadPoolExecutor(2) as threads:
        removing = [threads.submit(each_of, one.remove) for one in (registry, other)]
        assert sum(each.result() for each in removing) == len(ids)
        registry.add_many([CameraCreate(id=each, url="rtsp://h/x") for each in ids])
        changed = threads.submit(each_of, lambda name: registry.update(name, CameraPatch(name="new")))
        removed = threads.submit(each_of, other.remove)
        assert removed.result() == 0
        assert 0 <= changed.result() <= len(ids)
    assert registry.count() == 0
    other.close()


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    """Given SQLite and a writer in the middle of its transaction, reading goes on."""
    registry = Registry(f"sqlite:///{tmp_path}/r.sqlite3", SecretBox(KEY))
    registry.migrate()
    registry.add(CameraCreate(id="c", url="rtsp://h/x"))
    writer = sqlite3.connect(tmp_path / "r.sqlite3", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM cameras")
    assert registry.get("c").id == "c"
    writer.execute("ROLLBACK")
    writer.close()
    registry.close()
