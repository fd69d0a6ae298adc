"""Whatever goes wrong, the answer has one shape, the right status and a remedy, and no traceback."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from camera_ctrler.api.app import create_app
from camera_ctrler.api.services import services_of
from tests.support.farm_state import FarmState, settings_for
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer

CAMERAS = "/api/v1/cameras"
JSON = {"Content-Type": "application/json"}


def _problem(answer: object, status: int) -> dict[str, Any]:
    problem = getattr(answer, "json", None)
    assert getattr(answer, "status_code", None) == status, getattr(answer, "text", "")
    assert getattr(answer, "content_type", None) == "application/problem+json"
    assert isinstance(problem, dict)
    assert set(problem) == {"type", "title", "status", "detail", "instance", "errors"}
    assert problem["status"] == status
    assert problem["type"].startswith("urn:camfarm:problem:")
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v2/cameras", 404),
        ("GET", f"{CAMERAS}/unknown", 404),
        ("PATCH", f"{CAMERAS}/unknown", 404),
        ("DELETE", f"{CAMERAS}/unknown", 404),
        *(
            ("GET", f"{CAMERAS}/unknown/{what}", 404)
            for what in (
                "status",
                "result",
                "snapshot.jpg",
                "snapshot-annotated.jpg",
                "live.mjpeg",
                "frames",
                "frames/1.jpg",
                "playback.mjpeg",
                "playback.mp4",
            )
        ),
        ("GET", f"{CAMERAS}/..%2Fx", 404),
        ("GET", f"{CAMERAS}/-x", 400),
        ("GET", f"{CAMERAS}/..", 400),
        ("GET", f"{CAMERAS}/a%00b", 400),
        ("GET", f"{CAMERAS}/{'a' * 65}", 400),
        ("DELETE", CAMERAS, 405),
        ("PUT", f"{CAMERAS}/x", 405),
        ("POST", "/healthz", 405),
        ("GET", f"{CAMERAS}?limit=0", 400),
        ("GET", f"{CAMERAS}?limit=1001", 400),
        ("GET", f"{CAMERAS}?limit=99999999999999999999", 400),
        ("GET", f"{CAMERAS}?limit=1_0", 400),
        ("GET", f"{CAMERAS}?limit=1&limit=2", 400),
        ("GET", f"{CAMERAS}?limit=nan", 400),
        ("GET", f"{CAMERAS}?state=great", 400),
        ("GET", f"{CAMERAS}?enabled=yes", 400),
        ("GET", f"{CAMERAS}?nmae=x", 400),
        ("GET", f"{CAMERAS}?cursor=abc", 400),
        ("GET", f"{CAMERAS}?cursor=%F0%9F%98%80", 400),
        ("GET", "/healthz?x=1", 400),
        ("GET", f"{CAMERAS}/lobby/frames?from_ms=5&to_ms=5", 400),
        ("GET", f"{CAMERAS}/lobby/frames?from_ms=9&to_ms=5", 400),
        ("GET", f"{CAMERAS}/lobby/frames?from_ms=-1", 400),
        ("GET", f"{CAMERAS}/lobby/frames?to_ms=253402300799001", 400),
        ("GET", f"{CAMERAS}/lobby/frames?from_ms=1.5", 400),
        ("GET", f"{CAMERAS}/lobby/frames?from_ms=NaN", 400),
        ("GET", f"{CAMERAS}/lobby/frames/x.jpg", 400),
        ("GET", f"{CAMERAS}/lobby/frames/1.jpg", 404),
        ("GET", f"{CAMERAS}/lobby/frames/999999999999999.jpg", 400),
        ("GET", f"{CAMERAS}/lobby/playback.mjpeg?speed=0.5", 400),
        ("GET", f"{CAMERAS}/lobby/playback.mjpeg?speed=17", 400),
        ("GET", f"{CAMERAS}/lobby/playback.mp4?speed=nan", 400),
        ("GET", f"{CAMERAS}/lobby/playback.mp4?speed=inf", 400),
        ("GET", f"{CAMERAS}/lobby/playback.mp4?from_ms=1&to_ms=21600002", 400),
        ("GET", f"{CAMERAS}/lobby/playback.mp4?from_ms=1&to_ms=5", 404),
        ("GET", f"{CAMERAS}/lobby/snapshot.jpg?size=huge", 400),
        ("GET", f"{CAMERAS}/lobby/snapshot.jpg", 404),
        ("GET", f"{CAMERAS}/lobby/result", 404),
        ("GET", "/static/../../../etc/passwd", 404),
        ("GET", "/static/nothing.js", 404),
    ],
)
def test_a_request_that_cannot_be_served_gets_a_problem(
    api: FlaskClient, farm_state: FarmState, method: str, path: str, status: int
) -> None:
    """Given a path, query or method that does not work, then a problem of the usual shape says why."""
    farm_state.camera("lobby")
    answer = api.open(path, method=method, json={} if method in {"PATCH", "PUT", "POST"} else None)
    assert _problem(answer, status)["instance"] == unquote(path.split("?", maxsplit=1)[0])
    if status == 405:
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b"", JSON, 400),
        (b"[]", JSON, 400),
        (b"null", JSON, 400),
        (b"\xff\xfe", JSON, 400),
        (b'{"url": "rtsp://192.0.2.10/", "analyse_fps": NaN}', JSON, 400),
        (b'{"url": "rtsp://192.0.2.10/", "analyse_fps": 1e999}', JSON, 400),
        (b'{"url": "rtsp://192.0.2.10/", "name": "\\ud800"}', JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b'{"url": "rtsp://192.0.2.10/"}', {"Content-Type": "text/plain"}, 415),
        (b'{"url": "rtsp://192.0.2.10/"}', {}, 415),
        (b"url=rtsp://192.0.2.10/", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b'{"name": "' + b"x" * 10_000_000 + b'"}', JSON, 413),
        (b"x" * 10_000_000, {"Content-Type": "text/plain"}, 413),
    ],
)
@pytest.mark.parametrize("method_and_path", ["POST /api/v1/cameras", "PATCH /api/v1/cameras/lobby"])
def test_a_body_that_cannot_be_read_gets_a_problem(
    api: FlaskClient, farm_state: FarmState, method_and_path: str, data: bytes, headers: dict[str, str], status: int
) -> None:
    """Given a body that is no JSON, no object, too large or of another type, then a problem says so."""
    farm_state.camera("lobby")
    method, path = method_and_path.split()
    _problem(api.open(path, method=method, data=data, headers=headers), status)


def test_an_id_that_is_taken_is_a_conflict_that_names_it(api: FlaskClient) -> None:
    """Given two cameras with one id, then the second is refused and the first stays."""
    body = {"id": "lobby", "url": "rtsp://192.0.2.10/a"}
    assert api.post(CAMERAS, json=body).status_code == 201
    problem = _problem(api.post(CAMERAS, json=body | {"url": "rtsp://192.0.2.10/b"}), 409)
    assert "'lobby'" in problem["detail"]
    kept = api.get(f"{CAMERAS}/lobby").json
    assert kept is not None
    assert kept["url"].endswith("/a")


def test_a_cursor_of_other_filters_is_refused(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a cursor, when it is used with another filter or altered, then 400 says to start again."""
    for number in range(3):
        farm_state.camera(f"cam-{number}")
    page = api.get(f"{CAMERAS}?limit=1").json
    assert page is not None
    cursor = page["next_cursor"]
    assert api.get(f"{CAMERAS}?limit=1&cursor={cursor}").status_code == 200
    for path in (f"{CAMERAS}?enabled=true&cursor={cursor}", f"{CAMERAS}?cursor={cursor[:-3]}AAA"):
        assert "start again" in _problem(api.get(path), 400)["detail"]


def _broken() -> str:
    raise KeyError("secret detail")


def test_a_defect_is_a_500_with_a_reference_and_no_traceback(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    """Given a handler with a bug, then the client gets a reference, and the log has the traceback under it."""
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(),
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
    )
    app.add_url_rule("/broken", view_func=_broken)
    problem = _problem(app.test_client().get("/broken"), 500)
    assert "secret detail" not in str(problem)
    reference = problem["detail"].rstrip(".").rpartition(" ")[2]
    logged = capsys.readouterr().out
    assert reference in logged
    assert "Traceback" in logged
    structlog.reset_defaults()


def test_while_redis_is_away_the_registry_and_the_footage_can_be_used(tmp_path: Path, own_valkey: ValkeyServer) -> None:
    """Given a Redis that died, then states are a 503 that says what goes on, the rest works, and it comes back."""
    app = create_app(settings_for(tmp_path, own_valkey.url))
    services = services_of(app)
    services.registry.migrate()
    api = app.test_client()
    state = FarmState(own_valkey.client(), services.store, services)
    state.online("lobby")
    own_valkey.kill()
    for path in ("/api/v1/status", "/api/v1/workers", f"{CAMERAS}/lobby/status", f"{CAMERAS}/lobby/snapshot.jpg"):
        problem = _problem(api.get(path), 503)
        assert "Redis" in problem["detail"]
        assert "go on being analysed" in problem["detail"]
    ready = api.get("/readyz")
    assert [error["field"] for error in _problem(ready, 503)["errors"]] == ["redis"]
    assert api.get("/healthz").status_code == 200
    assert 'farm_dependency_up{name="redis"} 0.0' in api.get("/metrics").text
    assert api.get(CAMERAS).status_code == 200
    assert api.post(CAMERAS, json={"id": "new", "url": "rtsp://192.0.2.10/"}).status_code == 201
    frames = api.get(f"{CAMERAS}/lobby/frames").json
    assert frames is not None
    assert len(frames["items"]) == 1
    assert api.get(f"{CAMERAS}/lobby/playback.mp4").status_code == 200
    own_valkey.start()
    wait_until(lambda: api.get("/api/v1/status").status_code == 200, "the outage to be forgotten", 3)
    services.close()


def test_while_the_database_is_away_a_503_says_so_and_pictures_of_redis_do_not_need_it(
    tmp_path: Path, valkey_server: ValkeyServer
) -> None:
    """Given a database that was never made, then every use of it is a 503 and /readyz names it."""
    app = create_app(settings_for(tmp_path, valkey_server.url))
    api = app.test_client()
    for path in (CAMERAS, "/api/v1/status", f"{CAMERAS}/lobby"):
        assert "database" in _problem(api.get(path), 503)["detail"]
    errors = _problem(api.get("/readyz"), 503)["errors"]
    assert [error["field"] for error in errors] == ["database"]
    assert 'farm_dependency_up{name="database"} 0.0' in api.get("/metrics").text
    services_of(app).close()


def test_a_frames_volume_that_cannot_be_read_is_a_503(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a camera's folder that leads in a circle, then listing it is a 503 that names the volume."""
    farm_state.camera("lobby")
    root = farm_state.store.root
    root.mkdir(parents=True, exist_ok=True)
    (root / "lobby").symlink_to(root / "lobby")
    assert "FARM_FRAMES_DIR" in _problem(api.get(f"{CAMERAS}/lobby/frames"), 503)["detail"]


@pytest.mark.parametrize("path", ["/", "/apidocs/", "/healthz", "/nothing", CAMERAS])
def test_every_answer_has_the_security_headers(api: FlaskClient, path: str) -> None:
    """Given any answer, then the browser is told not to guess types and to run nothing from elsewhere."""
    answer = api.get(path, headers={"Origin": "https://evil.example"})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self' 'unsafe-inline'" not in policy
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
