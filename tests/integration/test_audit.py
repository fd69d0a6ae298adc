"""The audit: what is in it, that it is there with the change that it is about, and that nobody changes it."""

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, Executable, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from camera_ctrler.audit.cleaner import AuditCleaner
from camera_ctrler.audit.entry import AuditEntry
from camera_ctrler.audit.log import SAME_FILE_SECONDS, AuditLog
from camera_ctrler.audit.noting import row_of
from camera_ctrler.audit.tables import audit
from contract.accounts import Role
from runtime.clock import SystemClock
from tests.support.accounts import PASSWORD, GuardedFarm
from tests.support.clocks import SetClock
from tests.support.commands import Call
from tests.support.farm_state import now_ms
from tests.support.segment_index import DATABASES, engine_of

DAY_MS = 86_400_000


@pytest.fixture(scope="module", params=DATABASES)
def audit_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database of each kind, for all tests of this file."""
    with engine_of(request, tmp_path_factory.mktemp("audit"), "audit") as engine:
        yield engine


@dataclass(frozen=True)
class Noted:
    """The API where people log in, and what its audit has noted in this test: it keeps what was before, too."""

    farm: GuardedFarm
    since: int

    def entries(self, **filters: str) -> list[dict[str, Any]]:
        """Return what an admin is shown, the oldest first; without a filter no logins of the tests' own clients."""
        auditor = self.farm.program(f"auditor{time.monotonic_ns()}", Role.ADMIN)
        answer = auditor.get("/api/v1/audit", query_string={"limit": "200", **filters})
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        found = [each for each in reversed(answer.json["items"]) if each["number"] > self.since]
        return [each for each in found if filters or each["action"] != "log_in"]


@pytest.fixture
def noted(guarded: GuardedFarm) -> Noted:
    """An audit to look at."""
    newest = guarded.services.audit.page(limit=1)
    return Noted(guarded, newest[0].number if newest else 0)


# --- the table -------------------------------------------------------------------------------------------------------


def test_nobody_changes_or_shortens_it(audit_engine: Engine) -> None:
    """Given an entry of yesterday, when somebody updates, replaces or deletes it in SQL, then the database refuses."""
    entry = AuditEntry("anna", "delete_camera", "lobby")
    with audit_engine.begin() as connection:
        connection.execute(insert(audit).values(**row_of(entry, now_ms() - DAY_MS)))
    forbidden: list[Executable] = [update(audit).values(actor="nobody"), delete(audit)]
    if audit_engine.dialect.name == "sqlite":
        forbidden.append(insert(audit).prefix_with("OR REPLACE").values(number=1, **row_of(entry, 1)))
    else:
        forbidden.append(text("TRUNCATE audit"))
    for statement in forbidden:
        with pytest.raises(DatabaseError, match="append-only"), audit_engine.begin() as connection:
            connection.execute(statement)
    (kept,) = AuditLog(audit_engine, SystemClock()).page(limit=10)
    assert kept.number == 1
    assert (kept.actor, kept.action, kept.what) == ("anna", "delete_camera", "lobby")


def test_what_is_older_than_it_is_kept_goes(audit_engine: Engine) -> None:
    """Given entries of 400 and 300 days ago, when those of more than a year are deleted, then the others stay."""
    with audit_engine.begin() as connection:
        for days in (400, 300):
            connection.execute(
                insert(audit).values(**row_of(AuditEntry("anna", f"{days} days"), now_ms() - days * DAY_MS))
            )
    assert not AuditCleaner(audit_engine, 365 * DAY_MS).step()
    found = [each.action for each in AuditLog(audit_engine, SystemClock()).page(limit=10)]
    assert "300 days" in found
    assert "400 days" not in found


def test_a_file_that_is_sent_in_pieces_is_noted_once(audit_engine: Engine) -> None:
    """Given a player that asks again and again, then one entry, another for another range, one more after a while."""
    clock = SetClock(now_ms())
    log = AuditLog(audit_engine, clock)
    for _ in range(3):
        log.append_once(AuditEntry("bert", "clip_mp4", "lobby", {"from_ms": 1}))
    log.append_once(AuditEntry("bert", "clip_mp4", "lobby", {"from_ms": 2}))
    clock.advance(SAME_FILE_SECONDS + 1)
    log.append_once(AuditEntry("bert", "clip_mp4", "lobby", {"from_ms": 1}))
    assert [each.detail["from_ms"] for each in log.page(limit=10, actor="bert")] == [1, 2, 1]


def test_a_link_that_is_used_from_two_places_is_noted_of_both(audit_engine: Engine) -> None:
    """Given a link that was passed on, when it is used from another address at once, then that is noted as well."""
    log = AuditLog(audit_engine, SetClock(now_ms()))
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        log.append_once(AuditEntry("link of carla", "clip_mp4", "lobby", address=address))
    assert [each.address for each in log.page(limit=10, actor="link of carla")] == ["192.0.2.2", "192.0.2.1"]


# --- through the API -------------------------------------------------------------------------------------------------


def test_a_change_is_noted_with_who_what_and_whence_and_without_secrets(noted: Noted) -> None:
    """Given an admin who adds, changes and removes a camera, then three entries say so, and no password is in them."""
    root = noted.farm.logged_in("root")
    secret = "hunter2-in-clear"  # noqa: S105 - looked for in the audit
    camera = {
        "id": "gate",
        "url": f"rtsp://anna:{secret}@192.0.2.9/live?token={secret}",
        "main_url": f"rtsp://anna:{secret}@192.0.2.9/main",
    }
    assert root.post("/api/v1/cameras", json=camera).status_code == 201
    assert root.patch("/api/v1/cameras/gate", json={"username": "anna", "password": secret}).status_code == 200
    user = {"name": "bert", "password": secret, "role": "viewer", "cameras": ["gate"]}
    assert root.post("/api/v1/users", json=user).status_code == 201
    assert root.post("/api/v1/tokens", json={"name": "robot", "role": "viewer"}).status_code == 201
    assert root.delete("/api/v1/cameras/gate").status_code == 204
    told = noted.entries(actor="root")
    done = [(each["action"], each["what"]) for each in told if each["action"] != "log_in"]
    assert done == [
        ("create_camera", "gate"),
        ("update_camera", "gate"),
        ("create_user", "bert"),
        ("create_token", "robot"),
        ("delete_camera", "gate"),
    ]
    assert {each["address"] for each in told} == {"127.0.0.1"}
    assert all(abs(each["at_ms"] - now_ms()) < 60_000 for each in told)
    assert next(each for each in told if each["what"] == "bert")["detail"]["cameras"] == ["gate"]
    with noted.farm.services.registry.engine.connect() as connection:
        assert secret not in json.dumps([dict(row) for row in connection.execute(select(audit)).mappings()])


def test_a_change_whose_entry_cannot_be_written_is_not_made(noted: Noted) -> None:
    """Given a database that takes no entry, when somebody changes, shares or exports something, then it is refused."""
    root = noted.farm.logged_in("root")
    camera = {"id": "gate", "url": "rtsp://192.0.2.9/live", "name": "Before"}
    assert root.post("/api/v1/cameras", json=camera).status_code == 201
    engine = noted.farm.services.registry.engine
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO elsewhere"))
    assert root.patch("/api/v1/cameras/gate", json={"name": "After"}).status_code == 503
    assert root.get("/api/v1/events/export?format=csv").status_code == 503
    link = {"path": "/api/v1/cameras/gate/recorded.jpg?at_ms=1", "expires_seconds": 60}
    assert root.post("/api/v1/links", json=link).status_code == 503
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO audit"))
    assert noted.farm.services.registry.get("gate").view().name == "Before"
    assert root.patch("/api/v1/cameras/gate", json={"name": "After"}).status_code == 200


def test_what_was_refused_is_not_noted_as_done(noted: Noted) -> None:
    """Given changes that are forbidden, wrong or of nothing, then the audit has none of them."""
    noted.farm.user("guard", Role.VIEWER)
    root, guard = noted.farm.logged_in("root"), noted.farm.logged_in("guard")
    assert guard.post("/api/v1/cameras", json={"url": "rtsp://192.0.2.9/live"}).status_code == 403
    assert root.post("/api/v1/cameras", json={"url": "no url"}).status_code == 400
    assert root.delete("/api/v1/cameras/nobody").status_code == 404
    assert root.post("/api/v1/workers/nobody/drain").status_code == 404
    assert noted.entries() == []


def test_logins_and_failed_ones_are_noted(noted: Noted) -> None:
    """Given logins, wrong ones, and a password typed for a name, then that is there, but not the password."""
    client = noted.farm.logged_in("root")
    for name in ("root", "my secret password"):
        answer = noted.farm.anybody().post("/api/v1/auth/login", json={"user": name, "password": "not it at all"})
        assert answer.status_code == 401
    assert client.post("/api/v1/auth/logout").status_code == 204
    assert noted.farm.anybody().post("/api/v1/auth/logout", headers={"X-CSRF-Token": "x"}).status_code in {204, 403}
    told = [(each["actor"], each["action"]) for each in noted.entries()]
    assert told == [("root", "log_in_failed"), ("(unknown)", "log_in_failed"), ("root", "log_out")]
    assert [each["actor"] for each in noted.entries(action="log_in")] == ["root"]
    assert PASSWORD not in json.dumps(noted.entries(actor="root"))


def test_an_export_is_noted_before_it_is_sent(noted: Noted) -> None:
    """Given an operator's export, also in pieces, then one entry with what was asked for."""
    operator = noted.farm.program("robot", Role.OPERATOR)
    for _ in range(2):
        assert operator.get("/api/v1/events/export?format=csv&camera=gate").status_code == 200
    (entry,) = noted.entries()
    assert (entry["actor"], entry["action"]) == ("token:robot", "export_events")
    assert entry["detail"] == {"format": "csv", "camera": ["gate"]}


def test_the_list_comes_in_pages_newest_first(noted: Noted) -> None:
    """Given five entries, when they are asked for two at a time, then each is there once, and filters hold."""
    for number in range(5):
        noted.farm.services.audit.append(
            AuditEntry("anna" if number % 2 else "bert", "drain_worker", f"worker-{number}")
        )
    admin, found = noted.farm.program("auditor", Role.ADMIN), list[str]()
    path = "/api/v1/audit?limit=2"
    while path and len(found) < 5:
        answer = admin.get(path)
        assert answer.json is not None
        found += [each["what"] for each in answer.json["items"]]
        cursor = answer.json["next_cursor"]
        path = f"/api/v1/audit?limit=2&cursor={cursor}" if cursor else ""
    assert found[:5] == [f"worker-{number}" for number in (4, 3, 2, 1, 0)]
    assert [each["what"] for each in noted.entries(actor="anna")] == ["worker-1", "worker-3"]


def test_the_audit_is_given_as_a_file_and_that_is_noted(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given more entries than a page, one with a formula, then a CSV file has each once, as text, and nobody else's."""
    monkeypatch.setattr("camera_ctrler.api.resources.audit._EXPORT_PAGE", 2)
    for number in range(5):
        noted.farm.services.audit.append(AuditEntry("eve", "update_camera", f"={number}+1", {"name": "Gate, north"}))
    noted.farm.services.audit.append(AuditEntry("anna", "update_camera", "gate"))
    answer = noted.farm.program("auditor", Role.ADMIN).get("/api/v1/audit/export?actor=eve")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["what"] for row in rows] == [f"'={number}+1" for number in (4, 3, 2, 1, 0)]
    assert json.loads(rows[0]["detail"]) == {"name": "Gate, north"}
    (entry,) = noted.entries(action="export_audit")
    assert (entry["actor"], entry["detail"]) == ("token:auditor", {"actor": "eve"})


# --- on the command line ---------------------------------------------------------------------------------------------


def test_the_command_line_notes_what_it_changes_and_shows_it(call: Call) -> None:
    """Given a camera and a user that are added by command, then `./farm audit` says by whom, without secrets."""
    assert call("cameras", "add", "rtsp://anna:hunter2@192.0.2.9/live", "--id", "gate").returncode == 0
    assert call("users", "add", "bert", "--role", "operator", "--ask", stdin="long enough hunter2\n").returncode == 0
    answer = call("audit", "--json")
    assert answer.returncode == 0
    told = json.loads(answer.stdout)
    assert [(each["action"], each["what"]) for each in told] == [("create_user", "bert"), ("create_camera", "gate")]
    assert all(each["actor"].startswith("cli:") for each in told)
    assert "hunter2" not in answer.stdout
    assert "create_camera" in call("audit", "--action", "create_camera").stdout
