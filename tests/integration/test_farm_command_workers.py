"""`./farm workers ...` and `./farm status` on a real Redis and a real registry."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from camera_ctrler.api.farm_watch import FarmWatch
from camera_ctrler.registry import Registry
from cli.connection import open_registry
from cli.status_view import watch_farm
from contract import keys
from contract.camera_specs import CameraCreate
from contract.plan import PlanReport
from contract.workers import Holding, WorkerStatus
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader
from runtime.settings import DatabaseSettings
from runtime.worker_link import WorkerLink
from tests.support.commands import Call
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer

STATUS = WorkerStatus(
    worker_id="one",
    host="north",
    pid=1,
    version="0",
    started_at_ms=0,
    updated_at_ms=0,
    device="cpu",
    detector="openvino",
    model="yolo11n",
    cores=2,
    max_cameras=64,
    labels=["gpu"],
    holdings={"gate": Holding(epoch=3, stream_cores=0.05, frame_seconds=0.01, detect_share=1.0)},
    detect_seconds=0.02,
)


@pytest.fixture
def farm(
    redis_client: redis.Redis, valkey_server: ValkeyServer, call: Call, monkeypatch: pytest.MonkeyPatch
) -> WorkerLink:
    """One camera and one live worker, which is the answer's side of Redis."""
    assert call
    monkeypatch.setenv("FARM_REDIS_URL", valkey_server.url)
    with open_registry(DatabaseSettings.load()) as registry:
        registry.add(CameraCreate(id="gate", url="rtsp://192.0.2.10/"))
    link = WorkerLink(redis_client, "one", frame_index_size=10)
    link.announce()
    link.publish_worker(STATUS)
    redis_client.set(keys.worker_lease("one"), "token", px=120_000)
    report = PlanReport(
        controller_id="c", updated_at_ms=1, leading_since_ms=1, cameras=1, workers=1, load={"one": 0.25}
    )
    redis_client.set(keys.plan_report(), report.model_dump_json(), ex=60)
    return link


def test_workers_are_listed_as_a_table_and_as_json(call: Call, farm: WorkerLink) -> None:
    """Given a worker, then the table has its load, cameras and labels, and the JSON what each camera costs."""
    assert farm
    table = call("workers", "list")
    assert table.returncode == 0
    line = next(line for line in table.stdout.splitlines() if line.startswith("one"))
    assert "25% 0.50/2    1/64" in line
    assert line.split()[-1] == "gpu"
    listed = json.loads(call("workers", "list", "--json").stdout)
    assert [(one["worker_id"], one["alive"], one["load"]) for one in listed] == [("one", True, 0.25)]
    assert listed[0]["holdings"] == {"gate": {"epoch": 3, "cost_cores": 0.1}}


def test_without_workers_the_command_to_start_one_is_named(
    call: Call, redis_client: redis.Redis, valkey_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given no worker, then the list says how to start one."""
    assert redis_client.dbsize() == 0
    monkeypatch.setenv("FARM_REDIS_URL", valkey_server.url)
    assert "./farm worker" in call("workers", "list").stdout
    assert json.loads(call("workers", "list", "--json").stdout) == []


def test_a_worker_is_asked_to_leave_and_asked_again(call: Call, farm: WorkerLink, redis_client: redis.Redis) -> None:
    """Given a live worker, when it is drained twice, then it is woken, the second time is no error, the audit has both.

    What was refused is not in it.
    """
    farm.wait_for_change(0.01)
    assert call("workers", "drain", "one").stdout == "one was asked to leave\n"
    assert farm.wait_for_change(0.01)
    assert redis_client.get(keys.worker_drain("one")) == b"command line"
    assert call("workers", "drain", "one").stdout == "one was asked to leave before\n"
    assert call("workers", "drain", "two").returncode == 1
    noted = json.loads(call("audit", "--action", "drain_worker", "--json").stdout)
    assert [each["what"] for each in noted] == ["one", "one"]
    assert all(each["actor"].startswith("cli:") for each in noted)


def test_waiting_for_a_worker_ends_when_it_has_left(call: Call, farm: WorkerLink, redis_client: redis.Redis) -> None:
    """Given a worker that hands its camera over and gives its lease back, then --wait tells of both and ends with 0."""

    def hand_over() -> None:
        wait_until(lambda: redis_client.exists(keys.worker_drain("one")) == 1, "the wish", 20)
        farm.publish_worker(STATUS.model_copy(update={"holdings": {}, "draining": True}))
        threading.Event().wait(1.0)
        redis_client.delete(keys.worker_lease("one"))

    worker = threading.Thread(target=hand_over)
    worker.start()
    answer = call("workers", "drain", "one", "--wait", "--timeout", "60")
    worker.join()
    assert answer.returncode == 0, answer.stderr
    assert "one has 0 cameras left" in answer.stdout
    assert "one has left after" in answer.stdout.splitlines()[-1]


def test_waiting_for_a_worker_that_stays_ends_with_an_error(call: Call, farm: WorkerLink) -> None:
    """Given a worker that does not leave, then --wait ends after its time with what is left and what to do."""
    assert farm
    answer = call("workers", "drain", "one", "--wait", "--timeout", "0.5")
    assert answer.returncode == 1
    assert "one has not left and has 1 cameras" in answer.stderr
    assert "--timeout" in answer.stderr


@pytest.mark.parametrize("worker_id", ["nobody", "One", ""])
def test_an_unknown_worker_is_named_with_the_remedy(call: Call, farm: WorkerLink, worker_id: str) -> None:
    """Given an id that no live worker has, then the command fails in one line that says how to see the ids."""
    assert farm
    failed = call("workers", "drain", worker_id)
    assert failed.returncode == 1
    assert f"no live worker is called {worker_id!r}" in failed.stderr
    assert "./farm workers list" in failed.stderr


@pytest.mark.parametrize("arguments", [["workers", "list"], ["workers", "drain", "one"], ["status", "--json"]])
def test_without_a_farm_the_remedy_is_named(call: Call, arguments: list[str]) -> None:
    """Given no farm here and none named, then the commands say how to start or name one."""
    failed = call(*arguments)
    assert failed.returncode == 1
    assert "start one with ./farm up, or set FARM_REDIS_URL" in failed.stderr


def test_the_status_as_json_has_all_that_the_api_has(call: Call, farm: WorkerLink) -> None:
    """Given a led farm, then the JSON has totals, workers and cameras."""
    assert farm
    document = json.loads(call("status", "--json").stdout)
    assert document["farm"]["leader"]["controller_id"] == "c"
    assert document["farm"]["cameras_total"] == 1
    assert [camera["camera_id"] for camera in document["cameras"]] == ["gate"]
    assert document["workers"][0]["load"] == 0.25


@pytest.fixture
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry in a folder of its own."""
    monkeypatch.setenv("FARM_ENV_FILE", str(tmp_path / "none.env"))
    monkeypatch.setenv("FARM_DATA_DIR", str(tmp_path / "data"))
    with open_registry(DatabaseSettings.load()) as registry:
        yield registry


def test_the_live_table_outlives_an_outage_of_redis(
    own_registry: Registry, own_valkey: ValkeyServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """Given a watched farm, when Redis is killed and started again, then the table says so and goes on."""
    own_registry.add(CameraCreate(id="gate", url="rtsp://192.0.2.10/"))
    stop = threading.Event()
    shown = ""

    def says(text: str) -> bool:
        nonlocal shown
        shown = capfd.readouterr().out or shown  # what was shown since the last time
        return text in shown

    with own_valkey.client() as client:
        watcher = threading.Thread(
            target=watch_farm, args=(FarmWatch(own_registry, FarmReader(client), SystemClock()), stop)
        )
        watcher.start()
        try:
            wait_until(lambda: not watcher.is_alive() or says("gate"), "the table", 20)
            own_valkey.kill()
            wait_until(lambda: not watcher.is_alive() or says("Redis does not answer"), "the outage to be told", 20)
            own_valkey.start()
            shown = ""
            wait_until(
                lambda: not watcher.is_alive() or (says("no manager leads") and "does not answer" not in shown),
                "the table without the words",
                20,
            )
            assert watcher.is_alive()
        finally:
            stop.set()
            watcher.join(20)
    assert not watcher.is_alive()
