"""Signed links over the API: made, used, altered, expired."""

import hashlib
import json
import re
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient

from camera_ctrler.api.recording_schemas import LinkedQuery
from camera_ctrler.api.resources import evidence, exports, links, recorded_pictures, recordings
from tests.support.farm_state import now_ms
from tests.support.recorded_camera import SMALL, START, RecordedCamera

CAMERA = "/api/v1/cameras/lobby"
RANGE = f"from_ms={START}&to_ms={START + 8_000}"


def link(api: FlaskClient, path: str, seconds: int = 60) -> str:
    """Return the path of a signed link."""
    answer = api.post("/api/v1/links", json={"path": path, "expires_seconds": seconds})
    assert answer.status_code == 201, answer.text
    told = answer.json
    assert told is not None
    assert told["url"] == f"http://localhost{told['path']}"
    assert abs(told["expires_at_ms"] - now_ms() - seconds * 1000) < 5_000
    return str(told["path"])


@pytest.fixture
def recorded(lobby: RecordedCamera) -> RecordedCamera:
    """A camera with eight seconds of footage."""
    lobby.record(START, 2, seconds=4.0)
    return lobby


@pytest.mark.parametrize(
    "address",
    [
        f"{CAMERA}/clip.mp4?{RANGE}",
        f"{CAMERA}/recorded.jpg?at_ms={START + 1_000}&width=160",
        f"{CAMERA}/thumbnails.jpg?{RANGE}&columns=2&rows=2",
        f"{CAMERA}/timelapse.mp4?{RANGE}&seconds=1",
        f"{CAMERA}/recordings.m3u8?{RANGE}",
    ],
)
def test_a_link_answers_as_what_it_was_made_for(api: FlaskClient, recorded: RecordedCamera, address: str) -> None:
    """Given a link, then it answers as the address does without one."""
    assert recorded.segments
    through, direct = api.get(link(api, address)), api.get(address)
    assert (through.status_code, through.mimetype) == (200, direct.mimetype)
    assert through.data == direct.data


@pytest.mark.parametrize(
    "made", [f"export?{RANGE}", f"export/progress?{RANGE}", f"timelapse/progress?{RANGE}&seconds=1"]
)
def test_a_file_that_was_made_can_be_passed_on(api: FlaskClient, recorded: RecordedCamera, made: str) -> None:
    """Given the address of a file that was made, then a link to it gives that file, or 409 once it is another."""
    told = json.loads(api.get(f"{CAMERA}/{made}").text.splitlines()[-1])
    told = told.get("made", told)
    path = link(api, told["url"])
    assert hashlib.sha256(api.get(path).data).hexdigest() == told["sha256"]
    recorded.file(recorded.segments[-1]).unlink()
    for kept in (recorded.services.recorded.exports, recorded.services.recorded.timelapses):
        kept.close()
    assert api.get(path).status_code == 409


def test_a_link_takes_whatever_query_is_signed() -> None:
    """Given every operation that can be linked to, then the use of a link takes all that its query may name."""
    linkable = [
        operation
        for each in (recordings, exports, recorded_pictures, evidence)
        for operation in each.resource.operations
        if operation.name in links.LINKABLE and operation.query is not None
    ]
    assert len(linkable) >= 5
    for operation in linkable:
        assert operation.query is not None
        assert operation.query.model_fields.keys() <= LinkedQuery.model_fields.keys(), operation.name


def test_no_link_is_made_to_a_range_without_numbers(api: FlaskClient, recorded: RecordedCamera) -> None:
    """Given a query whose values are empty, then no link is made that could not be used."""
    assert recorded.segments
    path = f"{CAMERA}/recordings.m3u8?from_ms="
    assert api.post("/api/v1/links", json={"path": path, "expires_seconds": 60}).status_code == 400


def test_the_parts_of_a_linked_playlist_are_played_through_the_link(api: FlaskClient, recorded: RecordedCamera) -> None:
    """Given the link of a playlist, then its relative addresses lead through the link, and open."""
    assert recorded.segments
    path = link(api, f"{CAMERA}/recordings.m3u8?{RANGE}")
    text = api.get(path).text
    inits, parts = re.findall('URI="(.*)"', text), re.findall(r"^recordings.*$", text, re.M)
    assert (len(inits), len(parts)) == (1, 2)
    for address in (*inits, *parts):
        through = urljoin(path, address)
        assert through.startswith("/api/v1/links/")
        assert api.get(through).status_code == 200


def test_a_linked_live_playlist_can_be_followed(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given the link of what is being recorded, then the playlist that it leads to opens through it, with its parts."""
    lobby.open(now_ms() - 12_000, seconds=8.0, look=SMALL)
    path = link(api, f"{CAMERA}/recordings.m3u8")
    variant = urljoin(path, api.get(path).text.splitlines()[-1])
    live = api.get(variant)
    assert live.status_code == 200
    part = re.findall(r"^recordings.*m4s$", live.text, re.M)[-1]
    assert api.get(urljoin(path, part)).status_code == 200


def test_an_altered_link_is_refused_by_name(api: FlaskClient, recorded: RecordedCamera) -> None:
    """Given another range, camera or token in a link, then it is 403 and says what to do."""
    RecordedCamera(recorded.services, "dock").register(name="Dock")
    path = link(api, f"{CAMERA}/clip.mp4?{RANGE}")
    for altered in (
        path.replace(f"to_ms={START + 8_000}", f"to_ms={START + 9_000}"),
        path.replace("/lobby/", "/dock/"),
        path.replace("clip.mp4", "export"),
        path.replace("/links/", "/links/x"),
        path.split("?")[0],
        f"{path}&exact=true",
    ):
        answer = api.get(altered)
        assert (answer.status_code, answer.json and answer.json["type"]) == (403, "urn:camfarm:problem:link-invalid")
        assert "ask for a new one" in answer.text


def test_an_expired_link_is_refused_by_name(
    api: FlaskClient, recorded: RecordedCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a link whose time is over, then it is 403 and says whom to ask."""
    path = link(api, f"{CAMERA}/clip.mp4?{RANGE}", seconds=60)
    late_ms = now_ms() + 61_000
    monkeypatch.setattr(type(recorded.services.clock), "now_ms", lambda _self: late_ms)
    answer = api.get(path)
    assert (answer.status_code, answer.json and answer.json["type"]) == (403, "urn:camfarm:problem:link-expired")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/v1/cameras", 400, "links are for clips"),
        ("/api/v1/cameras/lobby/export", 400, "links are for clips"),
        ("https://example.org/api/v1/cameras/lobby/clip.mp4", 400, "without scheme and host"),
        ("/api/v1/nothing", 400, "nothing that this API serves"),
        ("/etc/passwd", 400, "must begin with /api/v1/"),
        (f"{CAMERA}/clip.mp4?from_ms=abc", 400, "whole number"),
        (f"{CAMERA}/clip.mp4?other=1", 400, "other"),
        ("/api/v1/cameras/nobody/clip.mp4", 404, "nobody"),
        ("/api/v1/events/lobby:1:1/picture.jpg?width=3", 400, "takes none"),
    ],
)
def test_only_footage_can_be_linked_to(
    api: FlaskClient, lobby: RecordedCamera, path: str, status: int, said: str
) -> None:
    """Given something that is no footage, or cannot be asked for, then no link is made and the answer says why."""
    assert lobby.services
    answer = api.post("/api/v1/links", json={"path": path})
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


@pytest.mark.parametrize("seconds", [0, 2_592_001, 1.5, "60"])
def test_a_link_lasts_a_second_to_thirty_days(api: FlaskClient, lobby: RecordedCamera, seconds: object) -> None:
    """Given another time, then the answer is 400 and names the field."""
    assert lobby.services
    answer = api.post("/api/v1/links", json={"path": f"{CAMERA}/clip.mp4", "expires_seconds": seconds})
    assert (answer.status_code, "expires_seconds" in answer.text) == (400, True)
