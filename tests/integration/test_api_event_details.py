"""One event with all there is to see of it, and events by who was seen."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from camera_ctrler.api.services import services_of
from contract.events import EventKind
from database.identities import identities, sightings
from tests.support.event_stores import EIGHT_MS, StoredEvents, crop, event, settle, track_event
from tests.support.farm_state import FarmState
from tests.support.recorded_camera import START, RecordedCamera

AT = START + 5_000
#: Names of crops of one track.
GOOD, BETTER = f"{EIGHT_MS}-1-7", f"{EIGHT_MS + 5}-1-7"


@pytest.fixture
def stored(app: Flask, lobby: RecordedCamera) -> StoredEvents:
    """The event store behind the API, and a camera."""
    assert lobby.camera_id
    services = services_of(app)
    return StoredEvents(services.registry.engine, services.client)


def sighted(stored: StoredEvents, track: str, identity: str | None, name: str | None = None) -> None:
    """Let it be decided whose sighting a track is."""
    row = {
        "track": track,
        "camera_id": "lobby",
        "class_name": "person",
        "first_ms": AT,
        "last_ms": AT,
        "identity": identity,
        "similarity": 0.75,
        "reason": "alike",
        "decided_by": "machine",
        "decided_at_ms": AT,
        "version": "test-1",
        "crop_path": "lobby/crops/1.jpg",
        "quality": 0.5,
    }
    with stored.engine.begin() as connection:
        connection.execute(insert(sightings), row)
        if identity is not None:
            connection.execute(insert(identities), {"identity": identity, "name": name, "created_at_ms": AT})


def shown(api: FlaskClient, event_id: str) -> dict[str, Any]:
    """Return what the API says of an event."""
    answer = api.get(f"/api/v1/events/{event_id}")
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


def ids(api: FlaskClient, query: str) -> list[str]:
    """Return which events a list has."""
    answer = api.get(f"/api/v1/events?{query}")
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    return [each["event_id"] for each in answer.json["items"]]


def test_an_event_is_shown_with_its_footage_crops_way_and_who_it_was(
    api: FlaskClient, lobby: RecordedCamera, stored: StoredEvents
) -> None:
    """Given a track of two events with crops, recorded, and recognised, then one answer has all of it."""
    made = lobby.record(START)[0]
    stored.publish(
        track_event(1, at_ms=AT, frame_path=None, started_at_ms=AT, crops=[crop("1", captured_at_ms=AT + 400)]),
        track_event(
            2, at_ms=AT + 1_000, frame_path=None, started_at_ms=AT, kind=EventKind.TRACK_ENDED, xyxy=(50, 20, 70, 60)
        ),
        track_event(3, at_ms=AT + 500, track="lobby:1:3", started_at_ms=AT),
    )
    settle(stored.writer())
    sighted(stored, "lobby:1:1", "id-1", "Anna")
    found = shown(api, "lobby:1:1")
    assert (found["event"]["event_id"], found["track_events"], found["searchable"]) == ("lobby:1:1", 2, True)
    assert found["who"] == {"identity": "id-1", "name": "Anna", "similarity": 0.75}
    assert [(point["at_ms"] - AT, point["xyxy"][0]) for point in found["way"]] == [(0, 10.5), (400, 10), (1_000, 50)]
    assert found["crop_urls"] == ["/api/v1/events/lobby:1:1/crops/0.jpg"]
    assert found["clip"]["from_ms"] < AT < found["clip"]["to_ms"]
    assert found["clip"]["spans"] == [{"start_ms": START, "end_ms": min(made.end_ms, found["clip"]["to_ms"])}]
    assert api.get(found["picture_url"]).mimetype == "image/jpeg"


def test_an_event_without_footage_says_so_and_has_its_saved_frame(
    api: FlaskClient, farm_state: FarmState, stored: StoredEvents
) -> None:
    """Given nothing recorded, then there are no spans, and the saved frame is the picture while it is there."""
    path = farm_state.save("lobby", AT)
    stored.publish(track_event(1, at_ms=AT, frame_path=path), track_event(2, at_ms=AT), event(3, at_ms=AT))
    settle(stored.writer())
    found = shown(api, "lobby:1:1")
    assert (found["clip"]["spans"], found["who"], found["searchable"]) == ([], None, False)
    assert api.get(found["picture_url"]).data == farm_state.store.resolve(path).read_bytes()
    assert [shown(api, f"lobby:1:{number}")["picture_url"] for number in (2, 3)] == [None, None]
    assert shown(api, "lobby:1:3")["way"] == []


def test_the_best_crop_of_a_track_is_its_picture_for_as_long_as_it_is_there(
    api: FlaskClient, farm_state: FarmState, stored: StoredEvents
) -> None:
    """Given crops in two events, then the best that still lies on the volume is sent, and a 404 where none does."""
    pictures = {name: farm_state.store.root / crop(name).path for name in (GOOD, BETTER)}
    stored.publish(
        track_event(1, crops=[crop(GOOD, quality=0.5)]),
        track_event(2, kind=EventKind.TRACK_UPDATED, crops=[crop(GOOD, quality=0.5)]),
        track_event(3, kind=EventKind.TRACK_ENDED, crops=[crop(BETTER, quality=0.7)]),
    )
    settle(stored.writer())
    for name, path in pictures.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    assert shown(api, "lobby:1:2")["crop_urls"][0] == "/api/v1/events/lobby:1:3/crops/0.jpg"
    for name, path in reversed(pictures.items()):
        answer = api.get("/api/v1/tracks/lobby:1:1/crop.jpg")
        assert (answer.status_code, answer.data, answer.mimetype) == (200, name.encode(), "image/jpeg")
        path.unlink()
    assert api.get("/api/v1/tracks/lobby:1:1/crop.jpg").status_code == 404
    assert api.get("/api/v1/tracks/nobody/crop.jpg").status_code == 404


def test_an_event_that_is_not_there_is_a_404(api: FlaskClient, stored: StoredEvents) -> None:
    """Given no such event, then the answer says where to find those that there are."""
    assert stored.ids() == []
    answer = api.get("/api/v1/events/lobby:9:9")
    assert (answer.status_code, "/events" in answer.text) == (404, True)


def test_events_are_found_by_track_and_by_who_was_seen(api: FlaskClient, stored: StoredEvents) -> None:
    """Given three tracks of two people, in the database and in the stream, then filters let theirs through."""
    stored.publish(track_event(1), track_event(2, track="lobby:1:2"))
    settle(stored.writer())
    stored.publish(
        track_event(3, track="lobby:1:3"),
        event(4, kind=EventKind.IDENTITY_SEEN, identity="id-1", watch="w", track="lobby:1:9"),
    )
    sighted(stored, "lobby:1:1", "id-1", "Anna")
    sighted(stored, "lobby:1:2", "id-2")
    sighted(stored, "lobby:1:3", None)
    assert ids(api, "track=lobby:1:1&track=lobby:1:3") == ["lobby:1:3", "lobby:1:1"]
    assert ids(api, "identity=id-1") == ["lobby:1:4", "lobby:1:1"]
    assert ids(api, "identity=id-2") == ["lobby:1:2"]
    assert ids(api, "identity=id-3") == []
    assert ids(api, "identity=id-1&after=0-0") == ["lobby:1:1", "lobby:1:4"]
    listed = api.get("/api/v1/events").json
    assert isinstance(listed, dict)
    names = {each["event_id"]: (each["who"] or {}).get("name", "-") for each in listed["items"]}
    assert names == {"lobby:1:1": "Anna", "lobby:1:2": None, "lobby:1:3": "-", "lobby:1:4": "-"}
    assert api.get("/api/v1/events?identity=../x").status_code == 400
