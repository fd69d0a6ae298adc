"""Several cameras in one answer: spans, steps, events, and who may see which."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from camera_ctrler.accounts.principal import Principal
from camera_ctrler.api.access import set_principal
from camera_ctrler.api.services import services_of
from contract.accounts import Role
from contract.events import EventKind
from contract.recordings import Segment
from tests.support.event_stores import StoredEvents, settle, track_event
from tests.support.recorded_camera import START, RecordedCamera

FILE_MS = 10_000
RANGE = f"from_ms={START}&to_ms={START + 100_000}"


def written(camera_id: str, at_ms: int, **fields: object) -> Segment:
    """Return a file of ten seconds as the index knows it; it need not be there."""
    values = {
        "camera_id": camera_id,
        "start_ms": at_ms,
        "end_ms": at_ms + FILE_MS,
        "epoch": 1,
        "size_bytes": 1_000,
        "codec": "h264",
        "motion": 0.5,
        "seen": {"person": 2},
    }
    return Segment.model_validate(values | fields)


@pytest.fixture
def two(app: Flask, lobby: RecordedCamera) -> RecordedCamera:
    """Footage of two cameras: lobby has a gap of ten seconds, yard begins later; three events of them."""
    services = services_of(app)
    yard = RecordedCamera(services, "yard").register()
    lobby.add([written("lobby", START), written("lobby", START + 20_000, seen={"car": 1}, motion=0.0)])
    yard.add([written("yard", START + 50_000)])
    stored = StoredEvents(services.registry.engine, services.client)
    stored.publish(
        track_event(1, at_ms=START + 1_000),
        track_event(2, at_ms=START + 2_000, kind=EventKind.TRACK_UPDATED),
        track_event(1, camera_id="yard", track="yard:1:1", at_ms=START + 51_000, class_name="car"),
    )
    settle(stored.writer())
    return lobby


def asked(api: FlaskClient, query: str) -> dict[str, Any]:
    """Return what the API says."""
    answer = api.get(f"/api/v1/timelines?{query}")
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


def test_cameras_come_in_the_order_asked_for_with_their_spans_and_steps(api: FlaskClient, two: RecordedCamera) -> None:
    """Given two cameras with footage, then each has its own spans, gaps left out, and steps as columns."""
    assert two.segments
    answer = asked(api, f"camera=yard&camera=lobby&camera=yard&{RANGE}&buckets=11")
    yard, lobby = answer["cameras"]
    assert (yard["camera_id"], lobby["camera_id"], answer["bucket_ms"]) == ("yard", "lobby", 10_000)
    assert [(each["start_ms"] - START, each["end_ms"] - START) for each in lobby["spans"]] == [
        (0, 10_000),
        (20_000, 30_000),
    ]
    assert [(each["start_ms"] - START) for each in yard["spans"]] == [50_000]
    assert lobby["density"] == {
        "start_ms": [START, START + 20_000],
        "motion": [0.5, 0.0],
        "seen": {"car": [0, 1], "person": [2, 0]},
    }


def test_marks_are_the_newest_events_of_all_and_say_when_some_are_missing(
    api: FlaskClient, two: RecordedCamera
) -> None:
    """Given three events, then those of the wanted kinds are there, and one mark too few is said."""
    assert two.segments
    whole = asked(api, f"camera=lobby&camera=yard&{RANGE}&kind=track_started")
    assert whole["marks_complete"]
    assert [[mark["event_id"] for mark in row["marks"]] for row in whole["cameras"]] == [["lobby:1:1"], ["yard:1:1"]]
    some = asked(api, f"camera=lobby&camera=yard&{RANGE}&marks=1")
    assert not some["marks_complete"]
    assert [len(row["marks"]) for row in some["cameras"]] == [0, 1]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("camera=nobody", 404),
        ("camera=../x", 400),
        ("camera=lobby&from_ms=9&to_ms=3", 400),
        ("camera=lobby&buckets=5000", 400),
        ("&".join(f"camera=c{number}" for number in range(41)), 400),
        ("camera=lobby&from_ms=0&to_ms=40000000000", 400),
    ],
)
def test_what_cannot_be_asked_for_is_refused(api: FlaskClient, lobby: RecordedCamera, query: str, status: int) -> None:
    """Given no camera, too many, one that is not there, or a range that is none, then that is said."""
    assert lobby.camera_id == "lobby"
    answer = api.get(f"/api/v1/timelines?{query}")
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_a_camera_that_one_may_not_see_is_not_there(app: Flask, two: RecordedCamera) -> None:
    """Given a viewer of one camera, then the other one is as one that does not exist, in any mixture."""
    assert two.segments
    app.before_request(lambda: set_principal(Principal("v", Role.VIEWER, frozenset({"yard"}))))
    api = app.test_client()
    assert api.get(f"/api/v1/timelines?camera=yard&{RANGE}").status_code == 200
    for query in ("camera=lobby", "camera=yard&camera=lobby"):
        refused = api.get(f"/api/v1/timelines?{query}&{RANGE}")
        missing = api.get(f"/api/v1/timelines?{query.replace('lobby', 'nobody')}&{RANGE}")
        assert refused.status_code == missing.status_code == 404
        assert refused.text.replace("lobby", "nobody") == missing.text
    assert api.get("/api/v1/events/lobby:1:1").status_code == 404
    assert api.get("/api/v1/events/yard:1:1").status_code == 200
