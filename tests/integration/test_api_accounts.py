"""Users, sessions and tokens through the API; what is taken away takes effect at once."""

import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from camera_ctrler.accounts.principal import EVERYBODY
from camera_ctrler.accounts.tables import SessionRow, TokenRow, UserRow
from contract.accounts import Role
from tests.support.accounts import PASSWORD, GuardedFarm, quick_passwords

ME, USERS, TOKENS, SESSIONS = "/api/v1/auth/me", "/api/v1/users", "/api/v1/tokens", "/api/v1/auth/sessions"
OWN_PASSWORD = "my own long password"  # noqa: S105 - of a test


def _status(client: FlaskClient) -> int:
    return client.get(ME).status_code


def _json(client: FlaskClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_admin_adds_changes_and_removes_users(guarded: GuardedFarm) -> None:
    """Given an admin, when he adds, shows, changes and removes a user, then lists say so at each step."""
    root = guarded.logged_in("root")
    answer = root.post(USERS, json={"name": "守衛 A", "password": PASSWORD, "cameras": ["b", "a"]})
    assert answer.status_code == 201
    made = answer.json
    assert made is not None
    assert made | {"created_at_ms": 0} == {
        "name": "守衛 A",
        "role": "viewer",
        "cameras": ["a", "b"],
        "disabled": False,
        "created_at_ms": 0,
        "last_login_at_ms": None,
    }
    assert _json(root, answer.headers["Location"]) == made
    assert [user["name"] for user in _json(root, USERS)["items"]] == ["root", "守衛 A"]
    changed = root.patch(f"{USERS}/守衛 A", json={"role": "operator", "cameras": None})
    assert changed.json == made | {"role": "operator", "cameras": None}
    assert root.delete(f"{USERS}/守衛 A").status_code == 204
    assert root.get(f"{USERS}/守衛 A").status_code == 404
    assert [user["name"] for user in _json(root, USERS)["items"]] == ["root"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "a/b", "password": PASSWORD},
        {"name": "token:x", "password": PASSWORD},
        {"name": "x" * 65, "password": PASSWORD},
        {"name": "x", "password": "short"},
        {"name": "x", "password": "x" * 257},
        {"name": "x", "password": "aaaaaaaaaaaaaaa"},
        {"name": "x", "password": PASSWORD, "role": "root"},
        {"name": "x", "password": PASSWORD, "cameras": "all"},
        {"name": "x", "password": PASSWORD, "cameras": ["../x"]},
        {"name": "x", "password": PASSWORD, "disabled": True},
    ],
)
def test_users_that_cannot_be_are_refused(guarded: GuardedFarm, body: dict[str, Any]) -> None:
    """Given a user with a field that cannot be used, then 400 names the field and repeats no password."""
    root = guarded.logged_in("root")
    answer = root.post(USERS, json=body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["errors"]
    assert str(body.get("password")) not in answer.text
    assert len(_json(root, USERS)["items"]) == 1


def test_a_name_in_another_spelling_is_taken(guarded: GuardedFarm) -> None:
    """Given a user, when the same name comes in capitals or wide letters, then 409, and he can log in with any."""
    root = guarded.logged_in("root")
    guarded.user("Anna")
    for name in ("anna", "ANNA", "\uff21nna"):
        assert root.post(USERS, json={"name": name, "password": PASSWORD}).status_code == 409
        assert _json(guarded.logged_in(name), ME)["name"] == "Anna"


def test_the_last_admin_stays(guarded: GuardedFarm) -> None:
    """Given one admin, then he is neither removed, demoted nor disabled; with a second one who can log in he may be."""
    root = guarded.logged_in("root")
    guarded.user("other", Role.ADMIN)
    assert root.patch(f"{USERS}/other", json={"disabled": True}).status_code == 200
    for change in ({"role": "viewer"}, {"disabled": True}):
        assert root.patch(f"{USERS}/root", json=change).status_code == 409
    assert root.delete(f"{USERS}/root").status_code == 409
    assert _json(root, f"{USERS}/root")["role"] == "admin"
    root.patch(f"{USERS}/other", json={"disabled": False})
    assert root.delete(f"{USERS}/root").status_code == 204
    assert _status(root) == 401


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": "another long one"}, None])
def test_who_is_locked_out_is_out_at_once(guarded: GuardedFarm, change: dict[str, Any] | None) -> None:
    """Given a logged-in user, when he is disabled, given another password or removed, then his next request is 401."""
    guarded.user("guard")
    root, guard = guarded.logged_in("root"), guarded.logged_in("guard")
    assert _status(guard) == 200
    path = f"{USERS}/guard"
    assert (root.delete(path) if change is None else root.patch(path, json=change)).status_code in {200, 204}
    assert _status(guard) == 401
    assert guard.post("/api/v1/auth/refresh").status_code == 401


def test_what_somebody_may_changes_at_once(guarded: GuardedFarm) -> None:
    """Given a logged-in viewer of one camera, when an admin gives him more, then his next request knows."""
    guarded.user("guard", cameras={"a"})
    root, guard = guarded.logged_in("root"), guarded.logged_in("guard")
    assert _json(guard, ME)["cameras"] == ["a"]
    root.patch(f"{USERS}/guard", json={"role": "admin", "cameras": ["a", "b"]})
    me = _json(guard, ME)
    assert (me["role"], me["cameras"]) == ("admin", ["a", "b"])


def test_a_user_of_the_same_name_does_not_inherit_sessions(guarded: GuardedFarm) -> None:
    """Given a removed user, when another one gets his name, then the former's cookies open nothing."""
    guarded.user("guard")
    root, former = guarded.logged_in("root"), guarded.logged_in("guard")
    root.delete(f"{USERS}/guard")
    guarded.user("guard", Role.ADMIN)
    assert _status(former) == 401


def test_a_password_of_ones_own_ends_the_other_sessions_and_is_noted(guarded: GuardedFarm) -> None:
    """Given a password that an admin made, when its user chooses his own, then he stays logged in here alone."""
    root = guarded.logged_in("root")
    root.post(USERS, json={"name": "guard", "password": PASSWORD})
    here, there = guarded.logged_in("guard"), guarded.logged_in("guard")
    assert _json(here, ME)["password_given"] is True
    answer = here.post("/api/v1/auth/password", json={"current": PASSWORD, "new": OWN_PASSWORD})
    assert answer.status_code == 204
    assert _json(here, ME)["password_given"] is False
    assert _status(there) == 401
    assert guarded.anybody().post("/api/v1/auth/login", json={"user": "guard", "password": PASSWORD}).status_code == 401
    guarded.logged_in("guard", OWN_PASSWORD)
    root.patch(f"{USERS}/guard", json={"password": PASSWORD})
    assert _json(guarded.logged_in("guard"), ME)["password_given"] is True


@pytest.mark.parametrize("new", ["short", "guard-guard", "x" * 257])
def test_a_new_password_needs_the_old_one_and_obeys_the_rules(guarded: GuardedFarm, new: str) -> None:
    """Given a wrong current password, or a new one that cannot be used, then 400, and the old one stays."""
    guarded.user("guard-guard")
    guard = guarded.logged_in("guard-guard")
    path = "/api/v1/auth/password"
    assert guard.post(path, json={"current": "not this one", "new": OWN_PASSWORD}).status_code == 400
    assert guard.post(path, json={"current": PASSWORD, "new": new}).status_code == 400
    assert _status(guard) == 200
    guarded.logged_in("guard-guard")


def test_sessions_are_listed_and_ended(guarded: GuardedFarm) -> None:
    """Given two sessions, then both are listed with where they began, and the other one can be ended."""
    guarded.user("guard")
    one, two = guarded.logged_in("guard"), guarded.logged_in("guard")
    items = _json(one, SESSIONS)["items"]
    assert [(item["user"], item["address"]) for item in items] == [("guard", "127.0.0.1")] * 2
    assert [item["current"] for item in items].count(True) == 1
    assert {item["id"] for item in items} == {_json(client, ME)["session"] for client in (one, two)}
    other = next(item["id"] for item in items if not item["current"])
    assert one.delete(f"{SESSIONS}/{other}").status_code == 204
    assert one.delete(f"{SESSIONS}/{other}").status_code == 404
    assert (_status(one), _status(two)) == (200, 401)
    assert len(_json(one, SESSIONS)["items"]) == 1


def test_others_sessions_are_for_admins(guarded: GuardedFarm) -> None:
    """Given a viewer and an admin, then only the admin sees and ends what is not his."""
    guarded.user("guard")
    root, guard = guarded.logged_in("root"), guarded.logged_in("guard")
    roots = _json(root, ME)["session"]
    assert guard.get(f"{SESSIONS}?user=root").status_code == 403
    assert guard.delete(f"{SESSIONS}/{roots}").status_code == 404
    assert _status(root) == 200
    (guards,) = _json(root, f"{SESSIONS}?user=guard")["items"]
    assert root.delete(f"{SESSIONS}/{guards['id']}").status_code == 204
    assert _status(guard) == 401


def test_an_admin_of_some_cameras_is_told_nothing_of_others(guarded: GuardedFarm) -> None:
    """Given an admin who sees one camera, then others' sessions are as far from him as users are."""
    guarded.user("porter", Role.ADMIN, {"gate"})
    root, porter = guarded.logged_in("root"), guarded.logged_in("porter")
    assert porter.get(f"{SESSIONS}?user=root").status_code == porter.get("/api/v1/users").status_code == 403
    assert porter.delete(f"{SESSIONS}/{_json(root, ME)['session']}").status_code == 404
    assert _status(root) == 200
    assert len(_json(porter, f"{SESSIONS}?user=porter")["items"]) == 1


def test_many_logins_of_one_user_make_room_for_each_other(
    guarded: GuardedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given room for three sessions of a user, when he logs in a fourth time, then the oldest one ends."""
    monkeypatch.setattr("camera_ctrler.accounts.sessions.MOST_SESSIONS", 3)
    clients = []
    for _ in range(4):
        clients.append(guarded.logged_in("root"))
        time.sleep(0.002)  # which one is the oldest is told by milliseconds
    guarded.services.accounts.forget()
    assert [_status(client) for client in clients] == [401, 200, 200, 200]


def test_a_program_with_a_token_is_known_and_shown(guarded: GuardedFarm) -> None:
    """Given a token, then its program is answered as what it is, needs no CSRF value, and its use is listed."""
    root = guarded.logged_in("root")
    answer = root.post(TOKENS, json={"name": "nvr", "role": "admin"})
    assert answer.status_code == 201
    made = answer.json
    assert made is not None
    program = guarded.anybody()
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made['secret']}"
    me = _json(program, ME)
    assert (me["name"], me["role"], me["session"]) == ("token:nvr", "admin", None)
    assert program.post(USERS, json={"name": "guard", "password": PASSWORD}).status_code == 201
    (listed,) = _json(root, TOKENS)["items"]
    assert "secret" not in listed
    assert (listed["name"], listed["created_by"], listed["last_used_at_ms"]) == ("nvr", "root", None)
    guarded.services.accounts.uses.write()
    assert _json(root, TOKENS)["items"][0]["last_used_at_ms"] > made["created_at_ms"] - 1


def test_a_secret_is_nowhere_in_the_database(guarded: GuardedFarm) -> None:
    """Given a token and a user, then neither secret nor password stands in their rows."""
    made = guarded.logged_in("root").post(TOKENS, json={"name": "nvr"}).json
    assert made is not None
    with guarded.services.registry.engine.connect() as connection:
        rows = [
            str(row) for table in (TokenRow, UserRow, SessionRow) for row in connection.execute(select(table.__table__))
        ]
    assert len(rows) == 3
    assert not [row for row in rows if made["secret"].removeprefix("camfarm_") in row or PASSWORD in row]


def test_a_revoked_token_and_one_that_has_run_out_are_refused(guarded: GuardedFarm) -> None:
    """Given two tokens, when one is revoked and the other runs out, then both are refused at once, and streams end."""
    accounts = guarded.services.accounts
    root, revoked, old = guarded.logged_in("root"), guarded.program("revoked"), guarded.program("old")
    assert (_status(revoked), _status(old)) == (200, 200)
    streaming = accounts.tokens.named("revoked")
    assert streaming is not None
    assert accounts.still_valid(streaming.principal())
    token_id = next(item["id"] for item in _json(root, TOKENS)["items"] if item["name"] == "revoked")
    assert root.delete(f"{TOKENS}/{token_id}").status_code == 204
    assert root.delete(f"{TOKENS}/{token_id}").status_code == 404
    with guarded.services.registry.engine.begin() as connection:
        connection.execute(update(TokenRow).values(expires_at_ms=1))
    accounts.forget()
    assert (_status(revoked), _status(old)) == (401, 401)
    assert not accounts.still_valid(streaming.principal())


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer x", "Bearer \u00e9", "Basic cm9vdDpyb290", "x", "Bearer camfarm_x y", "Digest a=b"],
)
def test_programs_that_show_something_else_are_refused(guarded: GuardedFarm, header: str) -> None:
    """Given an Authorization header that is no token of ours, then 401, even with the cookies of somebody logged in."""
    client = guarded.logged_in("root")
    assert client.get(ME, headers={"Authorization": header}).status_code == 401
    assert _status(client) == 200


def test_a_program_has_no_password_and_no_sessions(guarded: GuardedFarm) -> None:
    """Given a program, when it changes its password or lists its sessions, then it is told that there are none."""
    program = guarded.program("nvr", Role.ADMIN)
    answer = program.post("/api/v1/auth/password", json={"current": PASSWORD, "new": OWN_PASSWORD})
    assert answer.status_code == 403
    assert _json(program, SESSIONS) == {"items": []}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_admins_change_who_may_what(guarded: GuardedFarm, role: Role) -> None:
    """Given somebody who is no admin, then users and tokens are closed to him, whatever he does with them."""
    guarded.user("guard", role)
    guard = guarded.logged_in("guard")
    for method, path in [
        *(("GET", USERS), ("POST", USERS), ("GET", f"{USERS}/root"), ("PATCH", f"{USERS}/guard")),
        *(("DELETE", f"{USERS}/root"), ("GET", TOKENS), ("POST", TOKENS), ("DELETE", f"{TOKENS}/x")),
    ]:
        assert guard.open(path, method=method, json={"role": "admin"}).status_code == 403, (method, path)


def test_an_old_hash_is_made_anew_when_its_user_logs_in(guarded: GuardedFarm) -> None:
    """Given a hash with other parameters, when its user logs in, then it is stored with those of today."""
    guarded.user("guard")
    users = guarded.services.accounts.users
    stronger = quick_passwords()
    stronger._hasher.__init__(time_cost=2, memory_cost=16, parallelism=1)  # type: ignore[misc]
    with guarded.services.registry.engine.begin() as connection:
        connection.execute(update(UserRow).where(UserRow.name == "guard").values(password_hash=stronger.hash(PASSWORD)))
    assert users.checked("guard", PASSWORD) is not None
    with guarded.services.registry.engine.connect() as connection:
        stored = connection.scalar(select(UserRow.password_hash).where(UserRow.name == "guard"))
    assert stored is not None
    assert "m=8,t=1" in stored


def test_another_process_that_revokes_is_heeded_within_a_second_or_so(guarded: GuardedFarm) -> None:
    """Given a session, when the command line disables its user, then it is refused soon, and so are its streams."""
    guarded.user("guard")
    guard = guarded.logged_in("guard")
    accounts = guarded.services.accounts
    who = accounts.of_session(_json(guard, ME)["session"])
    assert accounts.still_valid(who)
    accounts.users.change("guard", {"disabled": True})  # past what this process remembers
    began = time.monotonic()
    while _status(guard) == 200:
        assert time.monotonic() - began < 3
        time.sleep(0.05)
    assert not accounts.still_valid(who)
    assert accounts.still_valid(EVERYBODY)
