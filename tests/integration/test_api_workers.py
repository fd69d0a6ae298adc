"""Workers: who holds what at which cost, asking one to leave, and the record of moves."""

import time
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from camera_ctrler.planning.load_board import BASE_CORES
from contract import keys
from contract.moves import MoveReason
from contract.workers import Holding
from tests.support.farm_state import FarmState


def _json(api: FlaskClient, path: str) -> dict[str, Any]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


def _worker(api: FlaskClient, worker_id: str) -> dict[str, Any]:
    found = [one for one in _json(api, "/api/v1/workers")["items"] if one["worker_id"] == worker_id]
    assert isinstance(found[0], dict)
    return found[0]


def test_a_worker_is_shown_with_its_cameras_their_epochs_and_what_they_cost(
    api: FlaskClient, farm_state: FarmState
) -> None:
    """Given a measured camera, one not measured and one that nobody knows, then costs are those of the assigner."""
    farm_state.camera("a", analyse_fps=4)
    farm_state.camera("b")
    farm_state.worker(
        holdings={
            "a": Holding(epoch=7, stream_cores=0.05, frame_seconds=0.01, detect_share=0.5),
            "b": Holding(epoch=8, stream_cores=0.05),
            "gone": Holding(epoch=9, stream_cores=0.05, frame_seconds=0.01),
        },
        detect_seconds=0.02,
        labels=["gpu", "site=north"],
    )
    farm_state.plan(load={"worker-1": 0.42})
    worker = _worker(api, "worker-1")
    assert worker["holdings"] == {
        "a": {"epoch": 7, "cost_cores": pytest.approx(BASE_CORES + 0.05 + 4 * (0.01 + 0.5 * 0.02))},
        "b": {"epoch": 8, "cost_cores": None},
        "gone": {"epoch": 9, "cost_cores": None},
    }
    assert (worker["load"], worker["labels"]) == (0.42, ["gpu", "site=north"])
    assert 0 < worker["lease_ms"] <= 60_000
    assert 0 <= worker["status_age_ms"] < 20_000


def test_workers_of_one_host_share_its_cores_and_others_have_their_own(api: FlaskClient, farm_state: FarmState) -> None:
    """Given two workers that share four cores, one with two of its own and a dead one, then capacities say so."""
    farm_state.worker("a", cores=4, host="north")
    farm_state.worker("b", cores=4, host="north")
    farm_state.worker("c", cores=2, host="north", cores_shared=False)
    farm_state.worker("d", cores=4, host="north")
    farm_state.client.delete(keys.worker_lease("d"))
    capacities = {one["worker_id"]: one["capacity_cores"] for one in _json(api, "/api/v1/workers")["items"]}
    assert capacities == {"a": 2, "b": 2, "c": 2, "d": 0}


def test_without_a_leader_nobody_says_how_loaded_workers_are(api: FlaskClient, farm_state: FarmState) -> None:
    """Given no manager's report, then the load is null and not 0."""
    farm_state.worker()
    assert _worker(api, "worker-1")["load"] is None


def test_the_list_is_never_older_than_the_request(api: FlaskClient, farm_state: FarmState) -> None:
    """Given somebody who has just looked, when a worker dies, then the next list says so."""
    farm_state.worker()
    assert _worker(api, "worker-1")["alive"] is True
    farm_state.client.delete(keys.worker_lease("worker-1"))
    assert _worker(api, "worker-1")["alive"] is False


def test_a_worker_that_says_nothing_is_listed_with_its_lease(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a worker without a status, then it is listed with nothing known."""
    farm_state.client.sadd(keys.workers(), "mute")
    farm_state.client.set(keys.worker_lease("mute"), "token", px=60_000)
    worker = _worker(api, "mute")
    assert (worker["alive"], worker["status"], worker["holdings"], worker["labels"]) == (True, None, {}, [])


def test_a_worker_is_asked_to_leave_over_http(
    api: FlaskClient, farm_state: FarmState, redis_client: redis.Redis
) -> None:
    """Given a live worker, when it is asked twice, both are accepted, it is woken, and the list says so."""
    farm_state.worker("worker-1")
    assert _worker(api, "worker-1")["drain_asked"] is False
    first = api.post("/api/v1/workers/worker-1/drain")
    assert (first.status_code, first.json) == (202, {"worker_id": "worker-1", "state": "asked"})
    assert redis_client.get(keys.worker_drain("worker-1")) == b"api"
    assert redis_client.xlen(keys.wakeups("worker-1")) == 1
    assert _worker(api, "worker-1")["drain_asked"] is True
    second = api.post("/api/v1/workers/worker-1/drain")
    assert (second.status_code, second.json) == (202, {"worker_id": "worker-1", "state": "asked_before"})


@pytest.mark.parametrize("worker_id", ["nobody", "dead"])
def test_a_worker_that_does_not_live_cannot_be_asked_to_leave(
    api: FlaskClient, farm_state: FarmState, worker_id: str
) -> None:
    """Given an unknown worker, and one whose lease ran out, then the answer is 404 and says where to look."""
    farm_state.worker("dead")
    farm_state.client.delete(keys.worker_lease("dead"))
    answer = api.post(f"/api/v1/workers/{worker_id}/drain")
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["type"] == "urn:camfarm:problem:worker-not-found"
    assert "./farm workers list" in answer.json["detail"]
    assert not farm_state.client.exists(keys.worker_drain(worker_id))


def test_a_worker_id_that_cannot_be_is_refused(api: FlaskClient) -> None:
    """Given an id that could be a part of another key, then the answer is 400 and names it."""
    answer = api.post("/api/v1/workers/a:b/drain")
    assert answer.status_code == 400
    assert answer.json is not None
    assert [error["field"] for error in answer.json["errors"]] == ["worker_id"]


@pytest.fixture
def moved(farm_state: FarmState) -> list[str]:
    """Twelve moves of three cameras between three workers; their entry ids, oldest first."""
    return [
        farm_state.move(
            f"cam-{number % 3}",
            MoveReason.BALANCE if number % 2 else MoveReason.WORKER_DIED,
            from_worker=f"w-{number % 2}",
            to_worker=f"w-{number % 2 + 1}",
            epoch=number + 1,
        )
        for number in range(12)
    ]


def test_moves_come_newest_first_in_pages(api: FlaskClient, moved: list[str]) -> None:
    """Given twelve moves and pages of five, then each comes once, newest first, with who, whence and why."""
    seen: list[dict[str, Any]] = []
    path = "/api/v1/moves?limit=5"
    while True:
        page = _json(api, path)
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        path = f"/api/v1/moves?limit=5&cursor={page['next_cursor']}"
    assert [one["entry_id"] for one in seen] == moved[::-1]
    newest = seen[0]
    assert (newest["camera_id"], newest["reason"]) == ("cam-2", "balance")
    assert (newest["from_worker"], newest["to_worker"], newest["epoch"]) == ("w-1", "w-2", 12)
    assert abs(newest["recorded_at_ms"] - time.time() * 1000) < 60_000


@pytest.mark.parametrize(
    ("query", "epochs"),
    [
        ("camera=cam-1", [11, 8, 5, 2]),
        ("worker=w-0", [11, 9, 7, 5, 3, 1]),
        ("worker=w-1&camera=cam-0", [10, 7, 4, 1]),
        ("camera=unknown", []),
        ("since_ms=253402300799000", []),
    ],
)
def test_moves_are_filtered(api: FlaskClient, moved: list[str], query: str, epochs: list[int]) -> None:
    """Given filters by camera, worker and time, then only the moves that pass all of them come."""
    assert len(moved) == 12
    page = _json(api, f"/api/v1/moves?{query}")
    assert [one["epoch"] for one in page["items"]] == epochs
    assert page["next_cursor"] is None


def test_a_cursor_of_other_filters_is_refused(api: FlaskClient, moved: list[str]) -> None:
    """Given a cursor of all moves, when it is used with a filter, then it is refused rather than misunderstood."""
    assert moved
    cursor = _json(api, "/api/v1/moves?limit=1")["next_cursor"]
    answer = api.get(f"/api/v1/moves?limit=1&camera=cam-1&cursor={cursor}")
    assert answer.status_code == 400
    assert "belongs to another list" in answer.text
