"""What the API says of recognitions: lists, dead letters that are seen and replayed, crops, figures."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from camera_ctrler.api.services import services_of
from contract import keys
from contract.crop_paths import CropName, crop_path
from contract.events import Event
from contract.recognition import RecognitionState
from contract.reid_workers import DispatcherFigures
from tests.support.event_stores import EIGHT_MS, StoredEvents, settle
from tests.support.farm_state import FarmState
from tests.support.recognitions import RecognitionFarm, seen_event


@pytest.fixture
def farm(app: Flask, farm_state: FarmState) -> RecognitionFarm:
    """Dispatcher and ReID workers beside the API, on its database and volume."""
    farm_state.camera("lobby", name="Lobby")
    services = services_of(app)
    return RecognitionFarm(services.registry.engine, services.client, Path(services.settings.frames_dir))


def _json(api: FlaskClient, path: str) -> dict[str, Any]:
    answer = api.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


def _store(farm: RecognitionFarm, *found: Event) -> None:
    """Let workers publish events and an event writer store them."""
    stored = StoredEvents(farm.engine, farm.client)
    stored.publish(*found)
    settle(stored.writer())


def _event(farm: RecognitionFarm, number: int, **fields: object) -> Event:
    path = crop_path(CropName("lobby", EIGHT_MS + number, 1, 7))
    return seen_event(number, [farm.save_crop(path)], **fields)


def test_a_poison_recognition_is_seen_with_its_reason_and_replayed_after_a_fix(
    api: FlaskClient, farm: RecognitionFarm
) -> None:
    """Given a dead letter of a broken recogniser, people see why and what it was, and replay it when it is mended."""
    farm.recogniser.breaks["lobby:1:2"] = RuntimeError("no such thing as a nose")
    _store(farm, *(_event(farm, number) for number in (1, 2, 3)))
    dispatcher, worker = farm.dispatcher(), farm.worker()
    for _ in range(5):
        farm.settle(dispatcher, worker)
        farm.clock.advance(20)
    assert len(_json(api, "/recognitions?state=done")["items"]) == 2
    (dead,) = _json(api, "/recognitions?state=dead")["items"]
    assert (dead["event_id"], dead["attempts"], dead["result"]) == ("lobby:1:2", 3, None)
    assert "no such thing as a nose" in dead["reason"]
    (crop,) = dead["crops"]
    assert api.get(crop["url"]).data == (farm.volume / crop["path"]).read_bytes()
    assert _json(api, "/status")["recognitions"]["dead"] == 1
    (shown,) = [each for each in _json(api, "/events")["items"] if each["event_id"] == "lobby:1:2"]
    assert [(each["recogniser"], each["state"]) for each in shown["recognitions"]] == [("counting", "dead")]
    farm.recogniser.breaks.clear()
    answer = api.post("/api/v1/recognitions/replay", json={"event_id": "lobby:1:2", "recogniser": ["counting"]})
    assert answer.json == {"changed": 1}
    farm.settle(dispatcher, worker)
    assert farm.states() == {"done": 3}
    (mended,) = _json(api, "/events/lobby:1:2/recognitions")["items"]
    assert (mended["state"], mended["reason"], mended["result"]) == ("done", None, {"crops": 1})
    assert mended["queue"] == "high"
    assert farm.client.zcard("rq:failed:default") == farm.client.zcard("rq:failed:high") == 0


def test_dead_letters_are_replayed_and_deleted_by_filter(api: FlaskClient, farm_state: FarmState, app: Flask) -> None:
    """Given dead letters of two cameras and recognisers, and one that is done, only what is asked for changes."""
    for camera in ("lobby", "gate"):
        for recogniser in ("colours", "plates"):
            farm_state.recognition(f"{camera}:1:1", recogniser, RecognitionState.DEAD, reason="why")
    farm_state.recognition("lobby:1:2", "colours", RecognitionState.DONE)
    replayed = api.post("/api/v1/recognitions/replay", json={"camera": ["gate"], "recogniser": ["plates"]})
    assert replayed.json == {"changed": 1}
    assert api.delete("/api/v1/recognitions?recogniser=colours").json == {"changed": 2}
    left = {(each["event_id"], each["recogniser"], each["state"]) for each in _json(api, "/recognitions")["items"]}
    assert left == {
        ("gate:1:1", "plates", "waiting"),
        ("lobby:1:1", "plates", "dead"),
        ("lobby:1:2", "colours", "done"),
    }
    assert api.post("/api/v1/recognitions/replay", json={}).json == {"changed": 1}
    assert services_of(app).recognitions.counts()[RecognitionState.DEAD] == 0


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_pages_have_every_recognition_once(api: FlaskClient, farm_state: FarmState, limit: int) -> None:
    """Given pages of any size, together they have all recognitions of the camera, newest events first."""
    for number in range(1, 8):
        farm_state.recognition(f"lobby:1:{number}", "colours", RecognitionState.DONE, at_ms=EIGHT_MS + number // 2)
    farm_state.recognition("gate:1:1", "colours", RecognitionState.DONE)
    found, cursor = [], ""
    while True:
        page = _json(api, f"/recognitions?camera=lobby&limit={limit}{cursor}")
        found += [each["event_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == [f"lobby:1:{number}" for number in range(7, 0, -1)]


def test_a_crop_that_is_gone_or_leads_elsewhere_is_not_served(api: FlaskClient, farm: RecognitionFarm) -> None:
    """Given events whose crops are deleted, or name a file outside the crops, the answer is 404 with the reason."""
    secret = farm.save_crop("secret.jpg")
    gone = _event(farm, 1)
    (farm.volume / gone.crops[0].path).unlink()
    _store(farm, gone, seen_event(2, [secret]), seen_event(3, [secret.model_copy(update={"path": "../secret.jpg"})]))
    for path in ("lobby:1:1/crops/0", "lobby:1:2/crops/0", "lobby:1:3/crops/0", "lobby:1:1/crops/7"):
        answer = api.get(f"/api/v1/events/{path}.jpg")
        assert answer.status_code == 404
        assert answer.json is not None
        assert answer.json["type"] == "urn:camfarm:problem:crop-not-found"
    assert api.get("/api/v1/events/lobby:1:9/crops/0.jpg").status_code == 404


def test_counts_and_reid_workers_are_in_summary_status_and_metrics(
    api: FlaskClient, farm: RecognitionFarm, farm_state: FarmState
) -> None:
    """Given work that waits and a ReID worker that says what it does, summary, status and metrics have both."""
    _store(farm, _event(farm, 1))
    farm_state.recognition("lobby:1:8", "colours", RecognitionState.DEAD)
    farm_state.reid_worker(
        done={"colours": 7},
        problem="the database: away",
        dispatcher=DispatcherFigures(queued={"default": 3}, crops_left_out=5),
    )
    farm.client.sadd(keys.reid_workers(), "reid-2")
    summary = _json(api, "/recognitions/summary")
    assert (summary["waiting"], summary["queued"], summary["dead"]) == (1, 0, 1)
    assert (summary["oldest_waiting_ms"], summary["oldest_queued_ms"]) == (EIGHT_MS + 1, None)
    assert [(each["worker_id"], each["alive"]) for each in summary["workers"]] == [("reid-1", True), ("reid-2", False)]
    shown = _json(api, "/status")["recognitions"]
    assert shown == {"waiting": 1, "queued": 0, "dead": 1, "workers": 1, "problems": ["the database: away"]}
    lines = api.get("/metrics").text.splitlines()
    for line in (
        'farm_recognitions{state="waiting"} 1.0',
        'farm_recognitions{state="dead"} 1.0',
        "farm_reid_workers 1.0",
        'farm_reid_queued{queue="default"} 3.0',
        "farm_reid_crops_left_out_total 5.0",
        'farm_reid_recognitions_done_total{recogniser="colours"} 7.0',
    ):
        assert line in lines
