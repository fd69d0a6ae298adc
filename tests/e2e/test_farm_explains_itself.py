"""A running farm explains itself: API, metrics and command line agree on who holds what, what moved and why."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.clips import Clips
from tests.support.farm import REPOSITORY, Farm
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n

CAMERAS = ("door", "yard", "gate")

pytestmark = pytest.mark.slow


@pytest.fixture
def farm(tmp_path: Path, own_valkey: ValkeyServer) -> Iterator[Farm]:
    """Three cameras on two workers of a machine; all are analysed."""
    yolo11n()
    media = tmp_path / "media"
    media.mkdir()
    Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
    settings = {"FARM_DETECT_SIZE": "160", "FARM_DETECT_THREADS": "1", "FARM_DRAIN_SECONDS": "60"}
    with RtspServer(media) as cameras, Farm(tmp_path, own_valkey.url, api_port=free_port(), **settings) as started:
        started.start_controller()
        started.start_worker("one", FARM_WORKER_LABELS="site=north")
        started.start_worker("two")
        for name in CAMERAS:
            started.add_camera(name, cameras.url("squares.mp4"), prefer_labels=["site=north"] if name == "gate" else [])
        for name in CAMERAS:
            started.wait_online(name)
        yield started


def _get(farm: Farm, path: str) -> dict[str, Any]:
    status, answer = farm.call("GET", f"/api/v1{path}")
    assert status == 200, answer
    assert isinstance(answer, dict)
    return answer


def _command(farm: Farm, *arguments: str) -> str:
    """Run ``./farm ...`` in a process of its own; return what it wrote."""
    answer = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=REPOSITORY,
        env=farm.environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def _holders(farm: Farm) -> dict[str, str]:
    """Return camera id -> the live worker that holds it."""
    found = [(name, worker["worker_id"]) for worker in farm.live_workers().values() for name in worker["holdings"]]
    assert len(found) == len({name for name, _ in found}), found
    return dict(found)


def _all_measured(farm: Farm) -> bool:
    holdings = [held for worker in farm.live_workers().values() for held in worker["holdings"].values()]
    return len(holdings) == len(CAMERAS) and all(held["cost_cores"] is not None for held in holdings)


def test_a_farm_says_what_it_costs_and_a_worker_that_is_drained_hands_everything_over(farm: Farm) -> None:
    """Given two workers, costs agree everywhere; a drained one leaves, and the record says why."""
    farm.wait_for(lambda: _all_measured(farm), "all cameras are measured", 60)
    status = _get(farm, "/status")
    assert status["unplaced"] == []
    assert status["leader"]["controllers"] == [status["leader"]["controller_id"]]
    assert 0 < status["load_cores"] < 60
    assert status["capacity_cores"] > 0
    assert status["required_workers"] >= 1
    assert status["moves_last_hour"]["placed"] == len(CAMERAS)
    assert status["spool"] == {"records": 0, "size_bytes": 0, "lost": 0}
    assert _holders(farm)["gate"] == "one"
    assert set(_holders(farm)) == set(CAMERAS)
    _agree_on_load(farm)
    _records_are_there(farm)

    told = _command(farm, "workers", "drain", "one", "--wait", "--timeout", "120")
    assert "one has left" in told
    assert farm.processes.pop("one").wait(60) == 0
    assert set(_holders(farm).items()) == {(name, "two") for name in CAMERAS}
    moves = _get(farm, "/moves?worker=one&limit=1000")["items"]
    drained = {move["camera_id"] for move in moves if move["reason"] == "worker_drains" and move["to_worker"] == "two"}
    assert "gate" in drained
    assert _get(farm, "/status")["moves_last_hour"]["worker_drains"] >= len(drained)
    for name in CAMERAS:
        farm.wait_online(name)


def _agree_on_load(farm: Farm) -> None:
    """Check that metrics and command line have the workers and loads that the API has."""
    status, text = farm.call("GET", "/metrics")
    assert status == 200
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }
    assert samples["farm_required_workers",] >= 1
    assert samples["farm_capacity_cores",] == pytest.approx(_get(farm, "/status")["capacity_cores"])
    document = json.loads(_command(farm, "status", "--json"))
    assert {worker["worker_id"]: sorted(worker["holdings"]) for worker in document["workers"]} == {
        worker_id: sorted(worker["holdings"]) for worker_id, worker in farm.live_workers().items()
    }
    for worker in document["workers"]:
        # A ratio of the manager's last plan in each of the three; costs flicker, so they agree only roughly.
        assert worker["load"] == pytest.approx(
            samples["farm_worker_load_ratio", worker["worker_id"]], rel=0.75, abs=0.2
        )
    table = _command(farm, "status")
    for name in (*CAMERAS, "one", "two", "required workers"):
        assert name in table


def _records_are_there(farm: Farm) -> None:
    """Check that results can be followed, and that the cameras' coming online is among the events."""
    results = _get(farm, "/cameras/door/results?limit=1000")
    ids = [item["entry_id"] for item in results["items"]]
    assert len(ids) == len(set(ids)) > 0
    farm.wait_for(
        lambda: _get(farm, f"/cameras/door/results?after={results['next_after']}")["items"] != [], "later results", 30
    )
    online = _get(farm, "/events?kind=camera_online&limit=1000")["items"]
    assert {event["camera_id"] for event in online} == set(CAMERAS)
