"""Files that are made while their client is told how far they are, on real footage."""

import hashlib
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from camera_ctrler.api.recorded_services import RecordedServices
from camera_ctrler.api.resources import export_progress, exports
from camera_ctrler.playback.clip_store import ClipFile
from camera_ctrler.playback.exporter import Export, ExportFigures
from camera_ctrler.playback.making import Making
from tests.support.recorded_camera import START, RecordedCamera

CAMERA = "/api/v1/cameras/lobby"
RANGE = f"from_ms={START + 1_000}&to_ms={START + 11_000}"


def told(api: FlaskClient, path: str) -> list[dict[str, Any]]:
    """Return all that is told."""
    answer = api.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize("exact", ["", "&exact=true"])
def test_a_clip_is_told_of_until_it_is_there(api: FlaskClient, lobby: RecordedCamera, exact: str) -> None:
    """Given footage, then news rise to the file, which is the one that is served, digest and all."""
    lobby.record(START, 3, seconds=4.0)
    news = told(api, f"{CAMERA}/export/progress?{RANGE}{exact}")
    done = [each["done"] for each in news]
    assert done == sorted(done)
    assert (done[-1], [each["made"] for each in news[:-1]]) == (1, [None] * (len(news) - 1))
    made = news[-1]["made"]
    data = api.get(made["url"]).data
    assert (len(data), hashlib.sha256(data).hexdigest()) == (made["size_bytes"], made["sha256"])
    said = api.get(f"{CAMERA}/export?{RANGE}{exact}").json
    assert isinstance(said, dict)
    assert {name: said[name] for name in made} == made


def test_a_timelapse_is_told_of_with_its_digest(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given footage with a gap, then the file is there, and what is missing of it is said."""
    lobby.record(START, seconds=4.0)
    lobby.record(START + 8_000, seconds=4.0)
    made = told(api, f"{CAMERA}/timelapse/progress?from_ms={START}&to_ms={START + 12_000}&seconds=1")[-1]["made"]
    data = api.get(made["url"]).data
    assert (len(data), hashlib.sha256(data).hexdigest()) == (made["size_bytes"], made["sha256"])
    assert (made["begin_ms"], len(made["notes"])) == (START, 1)
    lobby.record(START + 4_000, seconds=4.0)
    assert api.get(made["url"]).data == data
    lobby.services.recorded.timelapses.close()
    answer = api.get(made["url"])
    assert (answer.status_code, answer.json and answer.json["type"]) == (409, "urn:camfarm:problem:footage-changed")


def test_what_cannot_be_begun_is_a_problem_at_once(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given nothing recorded, no range, or no camera, then the answer is no stream of news."""
    assert lobby.camera_id == "lobby"
    for path, status in (
        (f"{CAMERA}/export/progress?{RANGE}", 404),
        (f"{CAMERA}/export/progress?from_ms=5&to_ms=3", 400),
        (f"/api/v1/cameras/nobody/timelapse/progress?{RANGE}", 404),
    ):
        answer = api.get(path)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_what_goes_wrong_later_is_the_last_of_the_news(
    api: FlaskClient, lobby: RecordedCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a file that is deleted while the clip is begun, and no footage for a time-lapse, that is told in words."""
    files = [lobby.file(each) for each in lobby.record(START, 3, seconds=4.0)]

    def too_late(recorded: RecordedServices, export: Export, making: Making) -> ClipFile[ExportFigures]:
        for file in files:
            file.unlink()
        return exports.made_export(recorded, export, making)

    monkeypatch.setattr(export_progress, "made_export", too_late)
    for path in (f"export/progress?{RANGE}", f"timelapse/progress?from_ms={START - 60_000}&to_ms={START - 1_000}"):
        last = told(api, f"{CAMERA}/{path}")[-1]
        assert last["made"] is None
        assert (last["problem"]["status"], last["problem"]["detail"][:1] != "") == (404, True)
