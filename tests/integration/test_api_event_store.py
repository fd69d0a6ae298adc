"""What the API answers from the event store: history, tracks, files, dead letters, figures, and what is away."""

import csv
import io
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from camera_ctrler.api.app import create_app
from camera_ctrler.api.resources import events as events_resource
from camera_ctrler.api.services import services_of
from camera_ctrler.event_store.tables import events
from contract import keys
from contract.events import EventKind
from tests.support.event_stores import StoredEvents, event, settle, track_event
from tests.support.farm_state import FarmState, now_ms, settings_for
from tests.support.valkey_server import ValkeyServer


@pytest.fixture
def stored(app: Flask, farm_state: FarmState) -> StoredEvents:
    """The event store behind the API."""
    farm_state.camera("lobby", name="Lobby")
    services = services_of(app)
    return StoredEvents(services.registry.engine, services.client)


def _json(api: FlaskClient, path: str) -> dict[str, Any]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


def _walk(api: FlaskClient, path: str, limit: int) -> list[str]:
    """Return the ids on all pages."""
    found, cursor = [], ""
    while True:
        page = _json(api, f"{path}limit={limit}{cursor}")
        found += [one.get("event_id") or one["track"] for one in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_history_is_longer_than_the_stream_and_has_every_event_once(
    api: FlaskClient, stored: StoredEvents, limit: int
) -> None:
    """Given old events in the database, some in both, and new ones in the stream, pages have each once, in order."""
    stored.publish(*(event(number) for number in range(1, 9)))
    settle(stored.writer())
    stored.client.xtrim(keys.events(), maxlen=3, approximate=False)
    stored.publish(*(event(number) for number in range(9, 13)))
    assert _walk(api, "/api/v1/events?", limit) == [f"lobby:1:{number}" for number in range(12, 0, -1)]
    assert len(_json(api, "/api/v1/events?after=0-0")["items"]) == 7


def test_an_event_that_was_sent_again_after_redis_lost_it_is_shown_once(api: FlaskClient, stored: StoredEvents) -> None:
    """Given a stored event that is in a new stream again, it is listed once, at its first place."""
    stored.publish(*(event(number) for number in range(1, 5)))
    settle(stored.writer())
    stored.client.flushall()
    stored.publish(event(2), event(5))
    for limit in (1, 100):
        assert _walk(api, "/api/v1/events?", limit) == [f"lobby:1:{number}" for number in range(5, 0, -1)]


def test_evidence_of_an_event_is_found_when_the_stream_has_lost_it(
    api: FlaskClient, farm_state: FarmState, stored: StoredEvents
) -> None:
    """Given an event that is in the database alone, its picture is the frame that was saved with it."""
    path = farm_state.save("lobby", now_ms())
    stored.publish(track_event(1, frame_path=path))
    settle(stored.writer())
    stored.client.delete(keys.events())
    answer = api.get("/api/v1/events/lobby:1:1/picture.jpg")
    assert (answer.status_code, answer.data) == (200, farm_state.store.resolve(path).read_bytes())


def test_tracks_are_listed_with_their_best_picture(
    api: FlaskClient, farm_state: FarmState, stored: StoredEvents
) -> None:
    """Given a track that is over and one that goes on, both are there, with a picture that this API serves."""
    path = farm_state.save("lobby", now_ms())
    stored.publish(
        track_event(1, confidence=0.4, frame_path=path),
        track_event(2, kind=EventKind.TRACK_UPDATED, confidence=0.9, frame_path=path),
        track_event(3, kind=EventKind.TRACK_ENDED, confidence=0.9, frame_path=path),
        track_event(4, track="lobby:1:4", track_id=8, class_name="car", started_at_ms=None, frame_path=None),
    )
    settle(stored.writer())
    car, person = _json(api, "/api/v1/tracks")["items"]
    assert (car["track"], car["ended"], car["picture_url"]) == ("lobby:1:4", False, None)
    assert (person["ended"], person["frames_seen"], person["confidence"]) == (True, 3, 0.9)
    assert person["xyxy"] == [10.5, 20.0, 30.0, 60.0]
    assert api.get(person["picture_url"]).status_code == 200
    assert _walk(api, "/api/v1/tracks?", 1) == ["lobby:1:4", "lobby:1:1"]
    assert _walk(api, "/api/v1/tracks?class_name=person&camera=lobby&", 10) == ["lobby:1:1"]
    assert api.get("/api/v1/tracks?from_ms=9&to_ms=3").status_code == 400
    assert api.get("/api/v1/tracks?cursor=x").status_code == 400


def test_a_csv_file_has_every_event_and_nothing_that_calculates(
    api: FlaskClient, stored: StoredEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given more events than a page, with texts that begin a formula, the file has all, and these as texts."""
    monkeypatch.setattr(events_resource, "_EXPORT_PAGE", 2)
    formula = '=HYPERLINK("http://192.0.2.1","x")'
    stored.publish(event(1), track_event(2, class_name=formula), event(3))
    settle(stored.writer())
    stored.publish(event(4, worker_id="+w"), event(5))
    answer = api.get("/api/v1/events/export?from_ms=0")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="events.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["event_id"] for row in rows] == [f"lobby:1:{number}" for number in range(5, 0, -1)]
    assert (rows[3]["class_name"], rows[1]["worker_id"]) == (f"'{formula}", "'+w")
    assert (rows[3]["x_min"], rows[3]["confidence"], rows[0]["at"]) == ("10.5", "0.5", "2026-11-21T08:00:00.005+00:00")


def test_json_lines_are_the_events_that_the_list_has(api: FlaskClient, stored: StoredEvents) -> None:
    """Given filters, each line of the file is an event as the list has it."""
    stored.publish(event(1), track_event(2), track_event(3, kind=EventKind.TRACK_ENDED))
    answer = api.get("/api/v1/events/export?format=jsonl&class_name=person")
    assert answer.mimetype == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == _json(api, "/api/v1/events?class_name=person")["items"]
    assert len(lines) == 2


def test_a_file_that_cannot_be_begun_is_a_problem(app: Flask, api: FlaskClient) -> None:
    """Given a database without the table, the answer is a 503 and no empty file."""
    with services_of(app).registry.engine.begin() as connection:
        events.drop(connection)
    answer = api.get("/api/v1/events/export")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")


def test_dead_letters_can_be_seen(api: FlaskClient, stored: StoredEvents) -> None:
    """Given entries that are no events, they are listed with their reasons, in pages."""
    for number in range(3):
        stored.client.xadd(keys.events(), {"event": f"{{{number}"})
    settle(stored.writer())
    first = _json(api, "/api/v1/events/dead-letters?limit=2")
    second = _json(api, f"/api/v1/events/dead-letters?limit=2&cursor={first['next_cursor']}")
    assert [one["body"] for one in first["items"] + second["items"]] == ["{2", "{1", "{0"]
    assert second["next_cursor"] is None
    assert "JSON" in first["items"][0]["reason"]


def test_figures_of_the_store_are_in_status_and_metrics(api: FlaskClient, stored: StoredEvents) -> None:
    """Given stored, waiting, lost and unusable events, status and metrics say how many there are of each."""
    stored.publish(*(event(number) for number in range(1, 6)))
    stored.client.xadd(keys.events(), {"event": "{"})
    settle(stored.writer())
    stored.publish(*(event(number) for number in range(6, 10)))
    stored.client.xtrim(keys.events(), maxlen=3, approximate=False)
    settle(stored.writer("writer-2"))
    stored.publish(event(10), event(11))
    told = _json(api, "/api/v1/status")["events"]
    assert told.pop("waiting_seconds") >= 0
    assert told == {"stored": 8, "waiting": 2, "lost": 1, "dead_letters": 1, "writers": 2}
    metrics = api.get("/metrics").text
    for line in (
        "farm_events_stored_total 8.0",
        "farm_events_waiting 2.0",
        "farm_events_lost_total 1.0",
        "farm_events_dead_letters_total 1.0",
        "farm_event_writers 2.0",
    ):
        assert line in metrics


def test_history_is_there_while_redis_is_away(own_valkey: ValkeyServer, tmp_path: Any) -> None:
    """Given Redis away, what is stored is listed, and following is a problem that names Redis."""
    app = create_app(settings_for(tmp_path, own_valkey.url))
    services = services_of(app)
    services.registry.migrate()
    stored = StoredEvents(services.registry.engine, own_valkey.client())
    stored.publish(event(1))
    settle(stored.writer())
    own_valkey.kill()
    api = app.test_client()
    assert [one["event_id"] for one in _json(api, "/api/v1/events")["items"]] == ["lobby:1:1"]
    assert len(api.get("/api/v1/events/export?format=jsonl").text.splitlines()) == 1
    for path in ("/api/v1/events?after=0-0", "/api/v1/events/stream"):
        answer = api.get(path)
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["type"] == "urn:camfarm:problem:redis-away"
    services.close()
