"""Logging in: cookies, the value against CSRF, tokens that are forged or old, and everything closed without it."""

import base64
import json
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from flask_jwt_extended import create_access_token
from sqlalchemy import delete

from camera_ctrler.accounts import sessions
from camera_ctrler.accounts.tables import UserRow
from camera_ctrler.api.app import all_operations, create_app
from camera_ctrler.api.cookies import ACCESS_COOKIE, CSRF_COOKIE, CSRF_HEADER, REFRESH_COOKIE, REFRESH_PATH
from camera_ctrler.api.documented import PATH_PARAMETERS
from camera_ctrler.api.proxies import TrustedProxies
from contract.accounts import Role
from tests.support.accounts import PASSWORD, GuardedFarm, guarded_settings, quick_passwords, send_csrf_value
from tests.support.valkey_server import ValkeyServer

LOGIN, REFRESH, LOGOUT, ME = (f"/api/v1/auth/{name}" for name in ("login", "refresh", "logout", "me"))
CAMERA = {"id": "gate", "url": "rtsp://192.0.2.1/stream"}


def _status(client: FlaskClient, path: str = ME) -> int:
    return client.get(path).status_code


def _cookie(client: FlaskClient, name: str, path: str = "/") -> Any:
    cookie = client.get_cookie(name, path=path)
    assert cookie is not None
    return cookie


def test_who_logs_in_is_known_from_then_on(guarded: GuardedFarm) -> None:
    """Given a user, when he logs in, then he is told who he is, and later requests of his are answered."""
    guarded.user("guard", Role.OPERATOR, {"lobby"})
    client = guarded.anybody()
    assert _status(client) == 401
    answer = client.post(LOGIN, json={"user": "guard", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json == client.get(ME).json
    assert answer.json is not None
    assert answer.json | {"session": None} == {
        "name": "guard",
        "role": "operator",
        "cameras": ["lobby"],
        "auth": True,
        "password_given": False,
        "session": None,
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_script_can_read_what_logs_in_and_no_other_site_sends_it(guarded: GuardedFarm) -> None:
    """Given a login, then the two tokens are HttpOnly, all three cookies are SameSite=Strict, and none says Secure."""
    client = guarded.logged_in("root")
    access, csrf = _cookie(client, ACCESS_COOKIE), _cookie(client, CSRF_COOKIE)
    refresh = _cookie(client, REFRESH_COOKIE, REFRESH_PATH)
    assert (access.http_only, refresh.http_only, csrf.http_only) == (True, True, False)
    assert {each.same_site for each in (access, refresh, csrf)} == {"Strict"}
    assert (access.path, refresh.path, csrf.path) == ("/", REFRESH_PATH, "/")
    assert not access.secure


def test_cookies_over_tls_are_sent_over_nothing_else(guarded: GuardedFarm) -> None:
    """Given a login over https, then all cookies say Secure."""
    client = guarded.anybody()
    client.post(LOGIN, json={"user": "root", "password": PASSWORD}, base_url="https://localhost")
    cookies = [
        _cookie(client, ACCESS_COOKIE),
        _cookie(client, CSRF_COOKIE),
        _cookie(client, REFRESH_COOKIE, REFRESH_PATH),
    ]
    assert all(cookie.secure for cookie in cookies)


@pytest.mark.parametrize(
    ("user", "password"),
    [("root", "wrong password"), ("nobody", PASSWORD), ("root", PASSWORD + " "), ("ro\u0000ot", PASSWORD), ("/", "x")],
)
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(guarded: GuardedFarm, user: str, password: str) -> None:
    """Given a name or a password that is wrong, then 401 says the same of both, and nothing is given."""
    client = guarded.anybody()
    answer = client.post(LOGIN, json={"user": user, "password": password})
    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["detail"].startswith("user name or password is wrong")
    assert "Set-Cookie" not in answer.headers
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"root"',
        b"null",
        b'{"user": "root"}',
        b'{"user": "root", "password": null}',
        b'{"user": ["root"], "password": "x"}',
        b'{"user": "root", "password": 1234567890}',
        b'{"user": "root", "password": "x", "role": "admin"}',
        b'{"user": "\\ud800", "password": "x"}',
        b'{"user": "root", "password": "\\ud800"}',
        b'{"user": "root", "password": "%s"}' % (b"x" * 1_001),
        b"\xff\xfe",
    ],
)
def test_a_login_that_is_no_login_is_refused_with_the_reason(guarded: GuardedFarm, body: bytes) -> None:
    """Given JSON that is wrong, too long or none, then 400, and what was sent is not repeated."""
    answer = guarded.anybody().post(LOGIN, data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["errors"]
    assert "1234567890" not in answer.text


def test_a_form_of_another_site_cannot_log_anybody_in(guarded: GuardedFarm) -> None:
    """Given a login sent as a form, as a page of another site can, then 415."""
    answer = guarded.anybody().post(LOGIN, data={"user": "root", "password": PASSWORD})
    assert answer.status_code == 415


def test_without_login_nothing_but_what_says_so_is_answered(guarded: GuardedFarm) -> None:
    """Given every route of the app, when nobody has logged in, then it is 401 unless it is meant for everybody."""
    client = guarded.anybody()
    found = set()
    for rule in guarded.app.url_map.iter_rules():
        path = rule.rule
        for name, parameter in PATH_PARAMETERS.items():
            for converter in ("", "path:", "string:"):
                path = path.replace(f"<{converter}{name}>", parameter.example)
        path = path.replace("<path:filename>", "favicon.svg")
        for method in (rule.methods or set()) - {"HEAD"}:
            if client.open(path, method=method).status_code != 401:
                found.add((method, rule.rule))
    asked = {rule for method, rule in found if method == "OPTIONS"}
    found = {(method, rule) for method, rule in found if method != "OPTIONS"}
    # Asking which methods there are opens nothing else; refreshing is public, and wants its cookie.
    assert asked == {rule for _, rule in found} | {REFRESH}
    # The web UI's own page and files, which hold nothing of the farm's.
    ui = {("GET", rule.rule) for rule in guarded.app.url_map.iter_rules() if rule.endpoint.startswith("web_ui.")}
    assert not [rule for _, rule in ui if rule.startswith("/api/")]
    assert found == ui | {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/static/<path:filename>"),
        ("GET", "/flasgger_static/<path:filename>"),
        ("GET", "/apidocs/"),
        ("GET", "/apidocs/index.html"),
        ("GET", "/oauth2-redirect.html"),
        ("POST", LOGIN),  # 415: it has no body here
        ("POST", LOGOUT),
        ("GET", "/api/v1/links/<token>/<path:address>"),  # signed for those who have no account
    }


def test_a_refused_request_says_how_to_log_in(guarded: GuardedFarm) -> None:
    """Given no login, then the answer is a problem with a remedy, and names the scheme of programs."""
    answer = guarded.anybody().get("/api/v1/cameras")
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json is not None
    assert answer.json["detail"] == "Log in first"


def test_what_changes_something_needs_the_value_against_csrf(guarded: GuardedFarm) -> None:
    """Given a session, when a change comes without the header, with a wrong one or nonsense, then 403 each time."""
    client = guarded.logged_in("root")
    right = client.environ_base.pop("HTTP_X_CSRF_TOKEN")
    for wrong in (None, "", "nonsense", right[:-1], right.upper() + "x", "\u00e9\u00e9"):
        headers = {} if wrong is None else {CSRF_HEADER: wrong}
        answer = client.post("/api/v1/cameras", json=CAMERA, headers=headers)
        assert answer.status_code == 403, wrong
        assert "urn:camfarm:problem:csrf" in answer.text
    assert list(guarded.services.registry.all()) == []
    assert client.post("/api/v1/cameras", json=CAMERA, headers={CSRF_HEADER: right}).status_code == 201
    assert _status(client) == 200  # reading needs none


def test_the_csrf_value_of_another_session_does_not_do(guarded: GuardedFarm) -> None:
    """Given two sessions of the same user, then the value of one is refused with the cookie of the other."""
    one, two = guarded.logged_in("root"), guarded.logged_in("root")
    one.environ_base["HTTP_X_CSRF_TOKEN"] = two.environ_base["HTTP_X_CSRF_TOKEN"]
    assert one.post("/api/v1/cameras", json=CAMERA).status_code == 403


def _claims(client: FlaskClient) -> dict[str, Any]:
    part = _cookie(client, ACCESS_COOKIE).value.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return claims


def _unsigned(claims: dict[str, Any], algorithm: str) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}."


def test_tokens_that_we_did_not_sign_as_we_sign_are_refused(guarded: GuardedFarm) -> None:
    """Given true claims under alg=none, another key, another algorithm, or changed ones, then 401 each time."""
    client = guarded.logged_in("root")
    claims = _claims(client)
    true = _cookie(client, ACCESS_COOKIE).value
    header, payload, signature = true.split(".")
    key = guarded.app.config["JWT_SECRET_KEY"]
    forged = [
        *(_unsigned(claims, name) for name in ("none", "None", "NONE", "nOnE", "HS256", "")),
        jwt.encode(claims, b"k" * 32, "HS256"),
        jwt.encode(claims, key[::-1], "HS256"),
        jwt.encode(claims, key + key, "HS512"),
        jwt.encode(claims | {"iss": "somebody"}, key, "HS256"),
        jwt.encode({name: value for name, value in claims.items() if name != "iss"}, key, "HS256"),
        f"{header}.{payload}.{signature[:-2]}",
        f"{header}.{payload[:-2]}.{signature}",
        true[:-1],
        "..",
        "x",
        "\u00e9.\u00e9.\u00e9",
    ]
    for token in forged:
        stranger = guarded.anybody()
        stranger.set_cookie(ACCESS_COOKIE, token, domain="localhost")
        assert _status(stranger) == 401, token
    # The true one is taken: it is not some other thing that is refused.
    known = guarded.anybody()
    known.set_cookie(ACCESS_COOKIE, true, domain="localhost")
    assert _status(known) == 200


def test_a_token_that_has_run_out_is_refused(guarded: GuardedFarm) -> None:
    """Given an access token that was good until a second ago, then 401, and the refresh token still is."""
    client = guarded.logged_in("root")
    claims = _claims(client)
    with guarded.app.app_context():
        old = create_access_token(
            claims["sub"], expires_delta=timedelta(seconds=-1), additional_claims={"csrf": claims["csrf"]}
        )
    client.set_cookie(ACCESS_COOKIE, old, domain="localhost")
    assert _status(client) == 401
    assert client.post(REFRESH).status_code == 200
    assert _status(client) == 200


def test_a_refresh_token_is_no_access_token_and_the_other_way_round(guarded: GuardedFarm) -> None:
    """Given both tokens in each other's cookies, then neither is taken."""
    client = guarded.logged_in("root")
    access = _cookie(client, ACCESS_COOKIE).value
    refresh = _cookie(client, REFRESH_COOKIE, REFRESH_PATH).value
    client.set_cookie(ACCESS_COOKIE, refresh, domain="localhost")
    client.set_cookie(REFRESH_COOKIE, access, domain="localhost", path=REFRESH_PATH)
    assert _status(client) == 401
    assert client.post(REFRESH).status_code == 401


def test_a_key_of_another_farm_signs_nothing_here(guarded: GuardedFarm, valkey_server: ValkeyServer) -> None:
    """Given another farm with another secret key on the same database, then its cookies are not taken here."""
    other = GuardedFarm(
        create_app(guarded_settings(guarded.services.settings.data_dir.parent, valkey_server.url), quick_passwords())
    )
    try:
        cookie = _cookie(other.logged_in("root"), ACCESS_COOKIE).value
    finally:
        other.services.close()
    client = guarded.anybody()
    client.set_cookie(ACCESS_COOKIE, cookie, domain="localhost")
    assert _status(client) == 401


def test_a_refresh_token_is_good_once_and_a_copy_ends_the_session(
    guarded: GuardedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a used refresh token, when it is used again later, then the session ends for thief and owner alike."""
    client = guarded.logged_in("root")
    stolen = _cookie(client, REFRESH_COOKIE, REFRESH_PATH).value
    assert client.post(REFRESH).status_code == 200
    send_csrf_value(client)
    thief = guarded.anybody()
    thief.environ_base["HTTP_X_CSRF_TOKEN"] = client.environ_base["HTTP_X_CSRF_TOKEN"]
    thief.set_cookie(REFRESH_COOKIE, stolen, domain="localhost", path=REFRESH_PATH)
    monkeypatch.setattr(sessions, "SAME_REFRESH_MS", -1)
    assert thief.post(REFRESH).status_code == 401
    assert _status(client) == 401
    assert client.post(REFRESH).status_code == 401


def test_two_windows_that_refresh_at_once_both_go_on(guarded: GuardedFarm) -> None:
    """Given a refresh token used twice within seconds, then both get tokens, and the next ones are good."""
    one = guarded.logged_in("root")
    two = guarded.anybody()
    two.environ_base["HTTP_X_CSRF_TOKEN"] = one.environ_base["HTTP_X_CSRF_TOKEN"]
    two.set_cookie(
        REFRESH_COOKIE, _cookie(one, REFRESH_COOKIE, REFRESH_PATH).value, domain="localhost", path=REFRESH_PATH
    )
    assert [client.post(REFRESH).status_code for client in (one, two, two, one)] == [200, 200, 200, 200]
    assert (_status(one), _status(two)) == (200, 200)


def test_refreshing_needs_the_value_against_csrf(guarded: GuardedFarm) -> None:
    """Given a session, when it is refreshed without the header, then 403, and the token is still good."""
    client = guarded.logged_in("root")
    right = client.environ_base.pop("HTTP_X_CSRF_TOKEN")
    assert client.post(REFRESH).status_code == 403
    assert client.post(REFRESH, headers={CSRF_HEADER: right}).status_code == 200


def test_logging_out_ends_the_session_and_not_only_the_cookies(guarded: GuardedFarm) -> None:
    """Given a copy of somebody's cookies, when he logs out, then the copy is refused at once."""
    client = guarded.logged_in("root")
    copy = guarded.anybody()
    copy.set_cookie(ACCESS_COOKIE, _cookie(client, ACCESS_COOKIE).value, domain="localhost")
    assert _status(copy) == 200
    assert client.post(LOGOUT, headers={CSRF_HEADER: ""}).status_code == 403
    assert client.post(LOGOUT).status_code == 204
    assert client.get_cookie(ACCESS_COOKIE) is None
    assert client.get_cookie(REFRESH_COOKIE, path=REFRESH_PATH) is None
    assert (_status(client), _status(copy)) == (401, 401)
    assert client.post(LOGOUT).status_code == 204  # once more does no harm


def test_who_logs_out_of_a_session_that_was_ended_elsewhere_is_rid_of_its_cookies(guarded: GuardedFarm) -> None:
    """Given a session that an admin has ended, when its user logs out, then that is done, and the cookies are gone."""
    client = guarded.logged_in("root")
    session = client.get(ME).json
    assert session is not None
    guarded.services.accounts.revoke_session(session["session"], of=None)
    assert client.post(LOGOUT).status_code == 204
    assert client.get_cookie(ACCESS_COOKIE) is None


def test_who_can_only_refresh_can_log_out(guarded: GuardedFarm) -> None:
    """Given an access token that has run out, when he logs out, then the session ends."""
    client = guarded.logged_in("root")
    session = client.get(ME).json
    client.delete_cookie(ACCESS_COOKIE)
    assert client.post(LOGOUT).status_code == 204
    assert session is not None
    assert guarded.services.accounts.sessions.who(session["session"]) is None


def test_a_farm_that_started_without_its_database_makes_its_admin_at_the_first_login(guarded: GuardedFarm) -> None:
    """Given a database without users under a running API, when somebody tries to log in, then the admin is made."""
    with guarded.services.registry.engine.begin() as connection:
        connection.execute(delete(UserRow))
    answer = guarded.anybody().post(LOGIN, json={"user": "admin", "password": PASSWORD})
    assert answer.status_code == 401
    (made,) = guarded.services.accounts.users.all()
    assert (made.name, made.role, made.password_given) == ("admin", Role.ADMIN, True)


def test_a_trusted_proxy_says_who_comes_and_that_he_came_by_tls(
    guarded: GuardedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a proxy in FARM_TRUSTED_PROXIES, then cookies are Secure and the session is of the browser's address."""
    behind = TrustedProxies(guarded.app.wsgi_app, (ip_network("127.0.0.1"),))
    monkeypatch.setattr(guarded.app, "wsgi_app", behind)
    said = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}
    trusted, stranger = guarded.anybody(), guarded.anybody()
    login = {"user": "root", "password": PASSWORD}
    trusted.post(LOGIN, json=login, headers=said)
    stranger.post(LOGIN, json=login, headers=said, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert _cookie(trusted, ACCESS_COOKIE).secure
    assert not _cookie(stranger, ACCESS_COOKIE).secure
    sessions_of = guarded.services.accounts.sessions.all(guarded.services.accounts.users.get("root"))
    assert {each.address for each in sessions_of} == {"198.51.100.7", "192.0.2.1"}


def test_every_operation_with_a_role_belongs_to_an_endpoint(guarded: GuardedFarm) -> None:
    """Given all operations, then the names by which the public ones are let through are those of Flask."""
    named = {operation.endpoint for operation in all_operations()}
    assert named <= set(guarded.app.view_functions)
