"""Trying a camera: from the API through Redis to a worker's own captures, real RTSP servers, and back."""

import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
import redis
from flask.testing import FlaskClient

from camera_ctrler.camera_trials import suitable
from contract import keys
from contract.camera_trials import TrialWarning
from contract.cameras import PlacementSettings
from contract.workers import Holding, WorkerStatus
from runtime.clock import SystemClock
from runtime.farm_reader import WorkerView
from runtime.secret_box import SecretBox
from runtime.settings import ControllerSettings
from runtime.trial_link import TrialLink
from tests.support.clips import Clips
from tests.support.farm_state import WORKER, FarmState
from tests.support.http_camera import HttpCamera, body, jpeg
from tests.support.rtsp_server import Credentials, RtspServer, free_port
from tests.support.watched_camera import QUICK
from workers.camera_trials import CameraTrials
from workers.capture.probe import ProbeResult, warnings_of

TEST = "/api/v1/cameras:test"
PASSWORD = "s3cr3t-pw"  # noqa: S105 - of a test's own server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """Serve streams that ask for a password."""
    clips = Clips(tmp_path_factory.mktemp("media"))
    clips.make("small", size=(320, 240), fps=10, gop=10)
    clips.make("large", size=(1280, 720), fps=10, gop=10, codec="hevc")
    with RtspServer(clips.folder, credentials=Credentials("viewer", PASSWORD)) as running:
        yield running


@pytest.fixture
def worker(farm_state: FarmState, redis_client: redis.Redis, controller_settings: ControllerSettings) -> Iterator[None]:
    """Let a worker live that tries cameras."""
    farm_state.worker(labels=["site=north"])
    box = SecretBox(controller_settings.secret_key.get_secret_value())
    trials = CameraTrials(TrialLink(redis_client), WORKER, QUICK, box, SystemClock())
    trials.start()
    while not redis_client.exists(keys.camera_trials_answered(WORKER)):
        time.sleep(0.01)
    yield
    trials.stop()
    while any(thread.name.startswith("camera-trials") for thread in threading.enumerate()):
        time.sleep(0.05)


def _tried(api: FlaskClient, **body: Any) -> dict[str, Any]:
    answer = api.post(TEST, json=body)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


def _picture(tried: dict[str, Any]) -> np.ndarray[Any, Any]:
    image = cv2.imdecode(np.frombuffer(b64decode(tried["picture"]), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image)


@pytest.mark.usefixtures("worker")
def test_a_camera_that_can_be_watched_is_shown_with_what_it_sends(
    api: FlaskClient, server: RtspServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Given a good camera, then picture, codec, size, rate and latency come back, and its password nowhere."""
    url = server.url("small", credentials=False)
    tried = _tried(api, url=url, username="viewer", password=PASSWORD, name="Gate", require_labels=["site=north"])
    assert (tried["ok"], tried["reason"], tried["worker_id"]) == (True, None, WORKER)
    assert (tried["codec"], tried["width"], tried["height"]) == ("h264", 320, 240)
    assert tried["fps"] == pytest.approx(10, rel=0.4)
    assert tried["gop_seconds"] == pytest.approx(1, rel=0.1)
    assert 0 < tried["latency_ms"] < 8_000
    assert tried["warnings"] == []
    assert _picture(tried).shape == (240, 320, 3)
    assert api.get("/api/v1/cameras").get_json()["items"] == []
    assert PASSWORD not in caplog.text + "".join(capfd.readouterr())


@pytest.mark.usefixtures("worker")
def test_a_registered_camera_is_tried_with_its_secrets_its_masks_and_either_of_its_streams(
    api: FlaskClient, farm_state: FarmState, server: RtspServer
) -> None:
    """Given a camera with two streams and a mask, then each is tried as it is stored, or as a change would leave it."""
    mask = {"id": "m", "kind": "mask", "points": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}
    main = server.url("large", credentials=False)
    farm_state.camera("gate", url=server.url("small"), main_url=main, zones=[mask])
    tried = _tried(api, camera_id="gate", stream="recorded")
    assert (tried["codec"], tried["width"], tried["height"]) == ("hevc", 1280, 720)
    assert [each["warning"] for each in tried["warnings"]] == ["h265"]
    image = _picture(tried)
    assert image.shape == (360, 640, 3)
    assert image[:, :312].max() < 40
    assert image[:, 328:].max(axis=2).min() > 50
    masked_url = api.get("/api/v1/cameras/gate").get_json()["url"]
    assert PASSWORD not in masked_url
    changed = masked_url.replace("small", "nowhere")
    assert _tried(api, camera_id="gate", url=changed)["reason"] == "not_found"
    assert api.get("/api/v1/cameras/gate").get_json()["url"] == masked_url


@pytest.mark.usefixtures("worker")
def test_a_camera_that_cannot_be_watched_is_told_with_reason_and_remedy(api: FlaskClient, server: RtspServer) -> None:
    """Given cameras wrong in one way each, then the answer names it and what helps, and there is no picture."""
    with HttpCamera() as camera:
        camera.answers["/page"] = body(b"<html>", "text/html")
        for url, reason in (
            (f"rtsp://127.0.0.1:{free_port()}/x", "refused"),
            ("rtsp://no-such-host.invalid/x", "name_not_found"),
            ("http://169.254.169.254/latest/meta-data", "address_refused"),
            ("file:///etc/passwd", "path_forbidden"),
            (f"rtsp://viewer:wrong@127.0.0.1:{server.port}/small", "auth_failed"),
            (camera.url("/page"), "not_video"),
        ):
            tried = _tried(api, url=url)
            assert (tried["ok"], tried["reason"], tried["picture"]) == (False, reason, None)
            assert tried["remedy"]
            assert "wrong@" not in tried["detail"]


@pytest.mark.usefixtures("worker")
def test_a_camera_of_single_pictures_is_tried_too(api: FlaskClient) -> None:
    """Given a snapshot URL, then its picture comes back, and that it cannot be recorded."""
    with HttpCamera() as camera:
        camera.answers["/shot"] = body(jpeg(), "image/jpeg")
        tried = _tried(api, url=camera.url("/shot"))
    assert (tried["ok"], tried["codec"], tried["width"]) == (True, "jpeg", 320)
    assert [each["warning"] for each in tried["warnings"]] == ["not_recordable"]


def test_where_no_worker_may_have_it_that_is_said(api: FlaskClient, farm_state: FarmState) -> None:
    """Given no worker, and then one without the labels, then each is told with its remedy at once."""
    tried = _tried(api, url="rtsp://192.0.2.1/x")
    assert (tried["ok"], tried["reason"]) == (False, "no_worker")
    assert "./farm worker" in tried["remedy"]
    farm_state.worker()
    assert _tried(api, url="rtsp://192.0.2.1/x", require_labels=["gpu"])["reason"] == "no_labels"
    assert _tried(api, url="rtsp://192.0.2.1/x")["reason"] == "worker_silent"  # it lives, and tries none


def test_trials_that_nobody_takes_up_are_bounded(
    api: FlaskClient, farm_state: FarmState, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a worker that hangs, then who asks is told so in time, and what waits for it does not grow."""
    monkeypatch.setattr("camera_ctrler.camera_trials.WAIT_SECONDS", 0.2)
    farm_state.worker()
    monkeypatch.setattr("runtime.trial_link.MAX_WAITING", 2)
    redis_client.set(keys.camera_trials_answered(WORKER), "1")
    for _ in range(2):
        assert _tried(api, url="rtsp://192.0.2.1/x")["reason"] == "worker_silent"
    answer = api.post(TEST, json={"url": "rtsp://192.0.2.1/x"})
    assert (answer.status_code, answer.get_json()["type"]) == (503, "urn:camfarm:problem:too-many-trials")
    assert redis_client.llen(keys.camera_trials(WORKER)) == 2
    assert 0 < redis_client.ttl(keys.camera_trials(WORKER)) <= 40


def test_a_request_that_makes_no_sense_is_refused(api: FlaskClient) -> None:
    """Given wrong bodies, then the answers say so and no worker is asked."""
    for wrong, status in (
        ({}, 400),
        ({"camera_id": "nobody"}, 404),
        ({"url": "ftp://h/x"}, 400),
        ({"url": "rtsp://h/x", "nme": "y"}, 400),
        ({"url": "rtsp://viewer:***@h/x"}, 400),
        ({"url": "rtsp://h/x", "stream": "both"}, 400),
    ):
        assert api.post(TEST, json=wrong).status_code == status, wrong


def test_the_worker_that_has_the_camera_is_asked_first_then_the_emptiest() -> None:
    """Given workers with labels and cameras, then they are asked in the order of what they are good for."""

    def view(worker_id: str, labels: list[str], *holdings: str, draining: bool = False) -> WorkerView:
        status = WorkerStatus(
            worker_id=worker_id,
            host="h",
            pid=1,
            version="1",
            started_at_ms=1,
            updated_at_ms=1,
            device="cpu",
            detector="d",
            model="m",
            cores=1,
            max_cameras=9,
            labels=labels,
            holdings={name: Holding(epoch=1) for name in holdings},
            draining=draining,
        )
        return WorkerView(worker_id, alive=True, lease_ms=1, status=status)

    workers = [
        view("busy", ["gpu"], "a", "b"),
        view("empty", ["gpu"]),
        view("holder", ["gpu"], "gate", "c", "d"),
        view("north", ["gpu", "site=north"], "e", "f", "g"),
        view("leaving", ["gpu"], draining=True),
        view("plain", []),
    ]
    placement = PlacementSettings(require_labels=["gpu"], prefer_labels=["site=north"])
    found = [worker.worker_id for worker in suitable(workers, placement, "gate")]
    assert found == ["holder", "north", "empty", "busy"]


@pytest.mark.parametrize(
    ("found", "has_b_frames", "warned"),
    [
        (ProbeResult(codec="h264", stream_fps=25, gop_seconds=2, image=np.zeros((2, 2, 3), np.uint8)), False, []),
        (ProbeResult(codec="h264", stream_fps=25, gop_seconds=9), True, ["b_frames", "no_keyframe", "long_gop"]),
        (
            ProbeResult(codec="mjpeg", stream_fps=0.5, image=np.zeros((2, 2, 3), np.uint8)),
            False,
            ["not_recordable", "low_rate"],
        ),
    ],
)
def test_what_may_be_a_trouble_is_told(found: ProbeResult, has_b_frames: bool, warned: list[str]) -> None:
    """Given what was seen of a stream, then people are warned of what will bother them."""
    assert warnings_of(found, has_b_frames, is_snapshots=False) == tuple(map(TrialWarning, warned))
