"""`./farm profile` on a real Redis, a real registry and a real worker process."""

import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import redis

from cli.connection import open_registry
from contract import keys
from contract.camera_specs import CameraCreate
from contract.workers import Holding, Stage, StageFigures, WorkerStatus
from runtime.settings import DatabaseSettings
from runtime.worker_link import WorkerLink
from tests.support.clips import Clips
from tests.support.commands import Call
from tests.support.farm import Farm
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n

STATUS = WorkerStatus(
    worker_id="one",
    host=socket.gethostname(),
    pid=os.getpid(),
    version="0",
    started_at_ms=0,
    updated_at_ms=600_000,
    device="cpu",
    detector="openvino",
    model="yolo11n",
    cores=2,
    max_cameras=64,
    holdings={"gate": Holding(epoch=3, stream_cores=0.05, frame_seconds=0.01)},
    detect_seconds=0.02,
    cpu_cores=1.9,
    stages={Stage.DETECT: StageFigures(cpu_cores=1.5, busy=0.8, items_per_second=20, wall_ms=40)},
    drops_per_second={"overload": 2.0},
)


@pytest.fixture
def link(
    redis_client: redis.Redis, valkey_server: ValkeyServer, call: Call, monkeypatch: pytest.MonkeyPatch
) -> WorkerLink:
    """A registered camera, and the answer's side of Redis with one live worker."""
    assert call
    monkeypatch.setenv("FARM_REDIS_URL", valkey_server.url)
    with open_registry(DatabaseSettings.load()) as registry:
        registry.add(CameraCreate(id="gate", url="rtsp://192.0.2.10/", analyse_fps=5))
    link = WorkerLink(redis_client, "one", frame_index_size=10)
    link.announce()
    link.publish_worker(STATUS)
    redis_client.set(keys.worker_lease("one"), "token", px=120_000)
    return link


def test_the_profile_names_the_bottleneck_in_words_and_as_json(call: Call, link: WorkerLink) -> None:
    """Given a worker whose cores go into detection, then table and JSON say so."""
    assert link
    answer = call("profile")
    assert answer.returncode == 0, answer.stderr
    assert "detector-bound: 1.90 of 2.00 cores are in use, 1.50 of them to detect" in answer.stdout
    assert "2.0 frames a second are lost" in answer.stdout
    document = json.loads(call("profile", "--json", "--worker", "one").stdout)
    (worker,) = document["workers"]
    assert worker["bottleneck"]["limit"] == "detect"
    assert worker["bottleneck"]["is_felt"]
    assert worker["stages"]["detect"]["cpu_cores"] == 1.5
    assert [camera["camera_id"] for camera in worker["cameras"]] == ["gate"]
    assert worker["cameras"][0]["asked_fps"] == 5


def test_the_status_of_an_older_worker_is_shown_without_stages(
    call: Call, link: WorkerLink, redis_client: redis.Redis
) -> None:
    """Given what a worker of an earlier version writes, then it is read, and said to be too old."""
    assert link
    new = {"stages", "drops_per_second", "cpu_cores", "host_busy_cores", "host_cores"}
    redis_client.set(keys.worker_status("one"), STATUS.model_dump_json(exclude=new), ex=60)
    answer = call("profile")
    assert answer.returncode == 0, answer.stderr
    assert "not known: version 0 does not say what its stages do" in answer.stdout


@pytest.mark.parametrize("more", [[], ["--json"], ["--trace", "1"]])
def test_an_unknown_worker_is_named_with_the_remedy(call: Call, link: WorkerLink, more: list[str]) -> None:
    """Given an id that no live worker has, then the command fails in one line that says how to see the ids."""
    assert link
    failed = call("profile", "--worker", "nobody", *more)
    assert failed.returncode == 1
    assert "no live worker is called 'nobody'" in failed.stderr


@pytest.mark.parametrize("arguments", [["--out", "a.svg"], ["--trace", "1", "--json"], ["--trace", "1", "--watch"]])
def test_options_that_contradict_each_other_are_refused(call: Call, arguments: list[str]) -> None:
    """Given --out without a trace, or a trace that shall be a table, then the command says what to leave out."""
    failed = call("profile", *arguments)
    assert failed.returncode == 2
    assert "--trace" in failed.stderr


def test_a_trace_without_py_spy_and_of_another_host_names_the_remedy(
    call: Call, link: WorkerLink, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Given no py-spy, the error says how to get it; given a worker elsewhere, it says where to run the command."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    failed = call("profile", "--trace", "1")
    assert failed.returncode == 1
    assert "./farm setup --dev" in failed.stderr
    link.publish_worker(STATUS.model_copy(update={"host": "elsewhere"}))
    assert "no worker runs on this host" in call("profile", "--trace", "1").stderr
    assert "one runs on elsewhere" in call("profile", "--trace", "1", "--worker", "one").stderr


@pytest.mark.slow
def test_a_real_worker_is_profiled_and_recorded(
    tmp_path: Path, own_valkey: ValkeyServer, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a worker with one camera, then its stages are shown, by the API too, and py-spy records its threads."""
    yolo11n()
    media = tmp_path / "media"
    media.mkdir()
    Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
    settings = {"FARM_DETECT_SIZE": "160", "FARM_DETECT_THREADS": "1"}
    trace = tmp_path / "trace.json"
    with RtspServer(media) as cameras, Farm(tmp_path, own_valkey.url, api_port=free_port()) as farm:
        farm.start_controller()
        farm.start_worker("one", **settings)
        farm.add_camera("door", cameras.url("squares.mp4"))
        farm.wait_online("door")

        def said() -> dict[str, Any]:
            stages = farm.live_workers()["one"]["status"]["stages"]
            return stages.get("publish", {}) if stages else {}

        farm.wait_for(lambda: said().get("items_per_second", 0) > 0, "stages are told", 30)
        monkeypatch.setenv("FARM_REDIS_URL", own_valkey.url)
        document = json.loads(call("profile", "--json").stdout)
        assert 0 < document["workers"][0]["stages"]["publish"]["busy"] < 1
        assert document["workers"][0]["host_cores"] == os.cpu_count()
        if shutil.which("py-spy") is None:
            pytest.skip("py-spy is not installed: not recorded")
        recorded = call("profile", "--trace", "2", "--worker", "one", "--out", str(trace))
    if "may not be looked into" in recorded.stderr:
        pytest.skip("this user may not look into processes (ptrace): not recorded")
    assert recorded.returncode == 0, recorded.stderr
    names = [profile["name"] for profile in json.loads(trace.read_text())["profiles"]]
    assert any("detector" in name or "capture-door" in name for name in names)
    assert "Python's lock (GIL) is held" in recorded.stdout
