"""Cameras over the API: register, list, change, remove."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import literal_column, update

from camera_ctrler.api.app import create_app
from camera_ctrler.api.services import services_of
from camera_ctrler.camera_source import SourceFollower, SourceRow
from camera_ctrler.registry.tables import CameraRow
from contract.cameras import CameraState
from contract.errors import StatusReason
from runtime.settings import ControllerSettings
from tests.support.farm_state import FarmState

CAMERAS = "/api/v1/cameras"
URL = "rtsp://192.0.2.10:554/stream1"


def test_a_registered_camera_is_found_where_its_answer_says(api: FlaskClient) -> None:
    """Given a new camera, then 201 names its place, and there it is with every default."""
    answer = api.post(CAMERAS, json={"id": "lobby", "name": "Lobby", "url": URL})
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{CAMERAS}/lobby"
    found = api.get(answer.headers["Location"]).json
    assert found == answer.json
    assert found is not None
    assert (found["analyse_fps"], found["enabled"], found["save_frames"]) == (1.0, True, "all")


def test_a_camera_without_an_id_gets_one(api: FlaskClient) -> None:
    """Given no id, then the farm makes one, and two cameras get two."""
    first, second = (api.post(CAMERAS, json={"url": URL}).json for _ in range(2))
    assert first is not None
    assert second is not None
    assert first["id"] != second["id"]
    assert api.get(f"{CAMERAS}/{first['id']}").status_code == 200


def test_secrets_are_shown_nowhere_and_stored_in_clear_nowhere(
    api: FlaskClient, controller_settings: ControllerSettings
) -> None:
    """Given credentials in URL, fields and query, then no answer and no byte of the database has them."""
    bodies: list[dict[str, Any]] = [
        {"id": "a", "url": "rtsp://viewer:topsecret1@192.0.2.10/s"},
        {"id": "b", "url": URL, "username": "viewer", "password": "topsecret1"},
        {"id": "c", "url": "http://192.0.2.10/snap.cgi?user=viewer&pwd=topsecret1"},
    ]
    answers = [api.post(CAMERAS, json=body).text for body in bodies]
    answers += [api.get(f"{CAMERAS}/{body['id']}").text for body in bodies]
    answers += [api.get(CAMERAS).text, api.get("/api/v1/status").text, api.get("/metrics").text]
    assert not any("topsecret1" in answer for answer in answers)
    assert '"has_credentials":true' in answers[0]
    path = Path(controller_settings.database.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as database:
        dump = "\n".join(database.iterdump())
    assert "192.0.2.10" in dump
    assert "topsecret1" not in dump


def test_pages_bring_every_camera_once(api: FlaskClient, farm_state: FarmState) -> None:
    """Given seven cameras in pages of three, then all come, in order, and the last page says that it is the last."""
    names = [farm_state.camera(f"cam-{number}") for number in range(7)]
    found, sizes = _all_pages(api, f"{CAMERAS}?limit=3")
    assert found == names
    assert sizes == [3, 3, 1]


def test_a_page_that_is_exactly_full_is_the_last_one(api: FlaskClient, farm_state: FarmState) -> None:
    """Given as many cameras as the limit, then there is no empty page after it."""
    for number in range(3):
        farm_state.camera(f"cam-{number}")
    assert _all_pages(api, f"{CAMERAS}?limit=3")[1] == [3]


def _all_pages(api: FlaskClient, first: str) -> tuple[list[str], list[int]]:
    found: list[str] = []
    sizes: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(first + (f"&cursor={cursor}" if cursor else "")).json
        assert page is not None
        found += [item["id"] for item in page["items"]]
        sizes.append(len(page["items"]))
        cursor = page["next_cursor"]
    return found, sizes


def test_cameras_are_filtered_by_state_and_by_being_enabled(api: FlaskClient, farm_state: FarmState) -> None:
    """Given cameras in different states, then each filter brings its own, also over pages."""
    farm_state.plan()
    farm_state.worker()
    for name in ("a", "c"):
        farm_state.online(name)
    farm_state.camera("b")
    farm_state.status("b", CameraState.OFFLINE, StatusReason.TIMEOUT)
    farm_state.camera("d", enabled=False)
    assert _all_pages(api, f"{CAMERAS}?state=online&limit=1")[0] == ["a", "c"]
    assert _all_pages(api, f"{CAMERAS}?state=offline&limit=10")[0] == ["b"]
    assert _all_pages(api, f"{CAMERAS}?enabled=false&limit=10")[0] == ["d"]
    assert _all_pages(api, f"{CAMERAS}?state=disabled&enabled=true&limit=10")[0] == []


def test_a_change_keeps_what_it_does_not_name(api: FlaskClient) -> None:
    """Given a camera with a password, when its URL is given back masked with another path, then the password stays."""
    api.post(CAMERAS, json={"id": "lobby", "url": "rtsp://viewer:topsecret1@192.0.2.10/s", "name": "Lobby"})
    shown = api.get(f"{CAMERAS}/lobby").json
    assert shown is not None
    answer = api.patch(f"{CAMERAS}/lobby", json={"url": shown["url"].replace("/s", "/t"), "analyse_fps": 5})
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["name"], answer.json["analyse_fps"]) == ("Lobby", 5)
    assert answer.json["url"].endswith("/t")
    assert answer.json["has_credentials"] is True


def test_a_removed_camera_is_gone_and_cannot_be_removed_twice(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a camera, when it is deleted, then 204 without a body, and from then on 404."""
    farm_state.camera("lobby")
    answer = api.delete(f"{CAMERAS}/lobby")
    assert (answer.status_code, answer.data) == (204, b"")
    for call in (api.get, api.delete):
        assert call(f"{CAMERAS}/lobby").status_code == 404
    status = api.get("/api/v1/status").json
    assert status is not None
    assert status["cameras_total"] == 0


def test_an_import_registers_all_or_none(api: FlaskClient) -> None:
    """Given a list with an id that is taken, then it is named and nothing of the list is registered."""
    assert api.post(f"{CAMERAS}:import", json={"cameras": [{"id": "a", "url": URL}, {"id": "b", "url": URL}]}).json
    answer = api.post(f"{CAMERAS}:import", json={"cameras": [{"id": "c", "url": URL}, {"id": "a", "url": URL}]})
    assert answer.status_code == 409
    assert "'a'" in answer.text
    assert _all_pages(api, f"{CAMERAS}?limit=10")[0] == ["a", "b"]


@pytest.mark.parametrize(("column", "value"), [("analyse_fps", "0"), ("classes", "'car, bus'")])
def test_a_row_that_was_edited_into_nonsense_breaks_nothing_else(
    api: FlaskClient, farm_state: FarmState, column: str, value: str
) -> None:
    """Given a row that cannot be read, all lists answer without it, and asking for it says what to correct."""
    farm_state.camera("good")
    farm_state.camera("bad")
    with farm_state.services.registry.engine.begin() as connection:
        connection.execute(update(CameraRow).where(CameraRow.id == "bad").values({column: literal_column(value)}))
    for path in ("/api/v1/cameras", "/api/v1/status", "/metrics"):
        answer = api.get(path)
        assert answer.status_code == 200, path
    assert [item["id"] for item in api.get("/api/v1/cameras").get_json()["items"]] == ["good"]
    answer = api.get("/api/v1/cameras/bad")
    assert answer.status_code == 503
    assert column in answer.get_json()["detail"]


def test_a_camera_of_the_external_table_is_not_changed_here(
    controller_settings: ControllerSettings, redis_client: redis.Redis
) -> None:
    """Given a camera that follows another table, then its URL cannot be changed or removed here, its analysis can."""
    followed = controller_settings.model_copy(update={"camera_source_url": SecretStr("postgresql://192.0.2.9/theirs")})
    app = create_app(followed)
    services = services_of(app)
    services.registry.migrate()
    FarmState(redis_client, services.store, services).external_camera("far")
    api = app.test_client()
    for answer in (api.patch(f"{CAMERAS}/far", json={"url": URL}), api.delete(f"{CAMERAS}/far")):
        assert answer.status_code == 409
        assert "external camera table" in answer.text
    changed = api.patch(f"{CAMERAS}/far", json={"analyse_fps": 2, "require_labels": ["gpu"]})
    assert (changed.status_code, changed.get_json()["require_labels"]) == (200, ["gpu"])
    # The table is looked at again, and its row changes: what was set here stays.
    follower = SourceFollower(services.registry)
    for name in ("far", "far, renamed"):
        assert follower.reconcile([SourceRow("far", "rtsp://192.0.2.10/stream1", name)]) == []
    camera = api.get(f"{CAMERAS}/far").get_json()
    assert (camera["name"], camera["analyse_fps"], camera["require_labels"]) == ("far, renamed", 2, ["gpu"])
    services.close()


def test_labels_are_stored_shown_changed_and_taken_away(api: FlaskClient) -> None:
    """Given labels at registration, then they are shown, can be changed one list at a time, and emptied."""
    made = api.post(CAMERAS, json={"id": "a", "url": URL, "require_labels": ["gpu"], "prefer_labels": ["site=north"]})
    assert made.status_code == 201
    assert (made.get_json()["require_labels"], made.get_json()["prefer_labels"]) == (["gpu"], ["site=north"])
    changed = api.patch(f"{CAMERAS}/a", json={"prefer_labels": ["site=south", "fast"]}).get_json()
    assert (changed["require_labels"], changed["prefer_labels"]) == (["gpu"], ["site=south", "fast"])
    assert api.patch(f"{CAMERAS}/a", json={"require_labels": []}).get_json()["require_labels"] == []
    imported = api.post(f"{CAMERAS}:import", json={"cameras": [{"id": "b", "url": URL, "require_labels": ["gpu"]}]})
    assert imported.get_json()["items"][0]["require_labels"] == ["gpu"]


@pytest.mark.parametrize("labels", [["two words"], ["-x"], ["=north"], ["site="], [""], ["a\nb"], ["gpu\n"]])
def test_a_bad_label_is_refused_with_an_example_of_a_good_one(api: FlaskClient, labels: list[str]) -> None:
    """Given something that is no label, then place and remedy are named, at registration and when changed."""
    assert api.post(CAMERAS, json={"id": "a", "url": URL}).status_code == 201
    for answer in (
        api.post(CAMERAS, json={"url": URL, "require_labels": ["gpu", *labels]}),
        api.patch(f"{CAMERAS}/a", json={"require_labels": ["gpu", *labels]}),
    ):
        assert answer.status_code == 400
        (error,) = answer.get_json()["errors"]
        assert error["field"] == "require_labels.1"
        assert "use names such as gpu or site=north" in error["message"]


def test_a_camera_of_a_table_that_is_no_longer_followed_is_ours(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a camera of an external table and no FARM_CAMERA_SOURCE_URL any more, it is changed and removed here."""
    farm_state.external_camera("far")
    assert api.patch(f"{CAMERAS}/far", json={"url": f"{URL}/2", "name": "Far"}).get_json()["name"] == "Far"
    assert api.delete(f"{CAMERAS}/far").status_code == 204
    assert api.get(f"{CAMERAS}/far").status_code == 404


Body = Callable[[], Any]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "rtsp://192.0.2.10/\x00"}, "url"),
        ({"url": "rtsp://192.0.2.10/a\r\nHost: x"}, "url"),
        ({"url": "rtsp://192.0.2.10/ a"}, "url"),
        ({"url": "ftp://192.0.2.10/"}, "url"),
        ({"url": "file:///videos/../etc/passwd"}, "url"),
        ({"url": "rtsp:///nohost"}, "url"),
        ({"url": "rtsp://192.0.2.10:99999/"}, "url"),
        ({"url": "rtsp://***@192.0.2.10/s"}, "url"),
        ({"url": "rtsp://" + "a" * 3000}, "url"),
        ({}, "url"),
        ({"url": URL, "id": "../x"}, "id"),
        ({"url": URL, "id": "a/b"}, "id"),
        ({"url": URL, "id": ""}, "id"),
        ({"url": URL, "id": "a" * 65}, "id"),
        ({"url": URL, "id": "ä"}, "id"),
        ({"url": URL, "name": "a\x07"}, "name"),
        ({"url": URL, "analyse_fps": 0}, "analyse_fps"),
        ({"url": URL, "analyse_fps": 31}, "analyse_fps"),
        ({"url": URL, "analyse_fps": "2"}, "analyse_fps"),
        ({"url": URL, "enabled": "yes"}, "enabled"),
        ({"url": URL, "confidence": 2}, "confidence"),
        ({"url": URL, "classes": ["x"] * 81}, "classes"),
        ({"url": URL, "save_frames": "some"}, "save_frames"),
        ({"url": URL, "colour": "red"}, "colour"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_registered(api: FlaskClient, body: dict[str, Any], field: str) -> None:
    """Given a body with one thing wrong, then 400 names the field and says what is wrong with it."""
    answer = api.post(CAMERAS, json=body)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    problem = answer.json
    assert problem is not None
    assert [error["field"].split(".")[0] for error in problem["errors"]] == [field]
    assert problem["errors"][0]["message"]
    page = api.get(CAMERAS).json
    assert page is not None
    assert page["items"] == []


def test_a_password_in_a_bad_body_is_not_repeated(api: FlaskClient) -> None:
    """Given a wrong field beside a password, then the answer has no part of what was sent."""
    answer = api.post(CAMERAS, json={"url": "rtsp://v:topsecret1@192.0.2.10:99999/", "password": ["topsecret2"]})
    assert answer.status_code == 400
    assert "topsecret" not in answer.text
