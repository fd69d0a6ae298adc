"""Status of cameras, workers and the farm; health and metrics."""

import re

import pytest
import redis
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from contract import keys
from contract.cameras import CameraState
from contract.errors import REMEDIES, StatusReason
from contract.footage_report import FootageReport
from contract.moves import MoveReason
from contract.recordings import KeptFor
from contract.reid_workers import DispatcherFigures
from runtime.farm_reader import FarmReader
from runtime.footage_reports import publish_report
from runtime.settings import PROJECT_DIR
from tests.support.farm_state import FarmState, now_ms


def _json(api: FlaskClient, path: str) -> dict[str, object]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


@pytest.fixture
def mixed_farm(farm_state: FarmState) -> FarmState:
    """Two cameras online, one refused, one unplaced, one off; one worker; a manager that leads."""
    farm_state.worker("worker-1", "a", "b", "c")
    farm_state.online("a", name="Alpha")
    farm_state.online("b")
    farm_state.camera("c")
    farm_state.status("c", CameraState.OFFLINE, StatusReason.AUTH_FAILED)
    farm_state.camera("d")
    farm_state.camera("e", enabled=False)
    farm_state.plan({"d": StatusReason.NO_CAPACITY})
    return farm_state


def test_the_farm_says_how_it_does(api: FlaskClient, mixed_farm: FarmState) -> None:
    """Given cameras in every state, then counts, sentence, reasons and remedies are right."""
    assert mixed_farm.client.ping()
    status = _json(api, "/api/v1/status")
    assert status["summary"] == "2 of 4 cameras online · 1 worker · 2 objects in view"
    assert status["cameras_by_state"] == {"pending": 1, "connecting": 0, "online": 2, "offline": 1, "disabled": 1}
    assert (status["cameras_total"], status["workers_alive"], status["objects_in_view"]) == (5, 1, 2)
    cameras = status["cameras"]
    assert isinstance(cameras, list)
    by_id = {camera["camera_id"]: camera for camera in cameras}
    assert list(by_id) == ["a", "b", "c", "d", "e"]
    assert by_id["a"]["objects"] == {"person": 1}
    assert (by_id["a"]["name"], by_id["a"]["stream_fps"], by_id["a"]["codec"]) == ("Alpha", 25.0, "h264")
    assert by_id["c"]["remedy"] == REMEDIES[StatusReason.AUTH_FAILED]
    assert (by_id["d"]["state"], by_id["d"]["reason"]) == ("pending", "no_capacity")
    assert (by_id["e"]["state"], by_id["e"]["reason"]) == ("disabled", "disabled")


def test_the_status_of_a_camera_is_the_same_alone_and_in_the_list(api: FlaskClient, mixed_farm: FarmState) -> None:
    """Given one camera, then its own status and its entry in the farm's agree."""
    assert mixed_farm.client.ping()
    listed = _json(api, "/api/v1/status")["cameras"]
    assert isinstance(listed, list)
    for entry in listed:
        alone = _json(api, f"/api/v1/cameras/{entry['camera_id']}/status")
        assert {**alone, "last_frame_age_ms": 0} == {**entry, "last_frame_age_ms": alone["last_frame_age_ms"] and 0} | {
            "last_frame_age_ms": 0
        }


def test_the_farm_is_shown_in_pages_with_counts_of_the_whole(api: FlaskClient, mixed_farm: FarmState) -> None:
    """Given pages of two, then every camera comes once and the counts are those of all."""
    assert mixed_farm.client.ping()
    found: list[str] = []
    path: str | None = "/api/v1/status?limit=2"
    while path:
        page = _json(api, path)
        assert page["cameras_total"] == 5
        assert isinstance(page["cameras"], list)
        found += [camera["camera_id"] for camera in page["cameras"]]
        path = f"/api/v1/status?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert found == ["a", "b", "c", "d", "e"]


def test_the_farm_says_who_leads_what_it_costs_and_what_has_moved(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a manager's report, three workers and moves, then the status has totals, leader, reasons and remedies."""
    farm_state.worker("worker-1", refused_writes=3, spool_records=10, spool_bytes=2_000, spool_lost=1)
    farm_state.worker("worker-2", refused_writes=4, spool_records=5, spool_bytes=1_000)
    farm_state.worker("dead", refused_writes=100, spool_records=100)
    farm_state.client.delete(keys.worker_lease("dead"))
    farm_state.move("a", MoveReason.WORKER_DIED)
    farm_state.move("b", MoveReason.WORKER_DIED)
    farm_state.move("c", MoveReason.BALANCE)
    farm_state.plan(
        {"x": StatusReason.NO_LABELS, "d": StatusReason.NO_CAPACITY},
        load_cores=3.5,
        capacity_cores=4.0,
        required_workers=3,
        refused_plans=2,
        controllers=["controller-1", "controller-2"],
    )
    status = _json(api, "/api/v1/status")
    leader = status["leader"]
    assert isinstance(leader, dict)
    assert (leader["controller_id"], leader["controllers"]) == ("controller-1", ["controller-1", "controller-2"])
    assert abs(leader["leading_since_ms"] - now_ms()) < 60_000
    assert (status["load_cores"], status["capacity_cores"], status["required_workers"]) == (3.5, 4.0, 3)
    assert status["moves_last_hour"] == {"worker_died": 2, "balance": 1}
    assert status["unplaced_total"] == 2
    assert status["unplaced"] == [
        {"camera_id": "d", "reason": "no_capacity", "remedy": REMEDIES[StatusReason.NO_CAPACITY]},
        {"camera_id": "x", "reason": "no_labels", "remedy": REMEDIES[StatusReason.NO_LABELS]},
    ]
    assert (status["refused_writes"], status["refused_plans"]) == (7, 2)
    assert status["spool"] == {"records": 15, "size_bytes": 3_000, "lost": 1}


def test_a_farm_that_nobody_leads_does_not_guess(api: FlaskClient, farm_state: FarmState) -> None:
    """Given no report of a manager, then what only it knows is null."""
    farm_state.worker()
    status = _json(api, "/api/v1/status")
    for name in ("leader", "load_cores", "capacity_cores", "required_workers", "plan"):
        assert status[name] is None, name
    assert (status["unplaced_total"], status["unplaced"], status["moves_last_hour"]) == (0, [], {})


def test_only_the_first_unplaced_cameras_are_named(api: FlaskClient, farm_state: FarmState) -> None:
    """Given 250 cameras without a worker, then all are counted and a hundred named."""
    farm_state.plan({f"c{number:03}": StatusReason.NO_WORKER for number in range(250)})
    status = _json(api, "/api/v1/status")
    unplaced = status["unplaced"]
    assert isinstance(unplaced, list)
    assert (status["unplaced_total"], len(unplaced), unplaced[-1]["camera_id"]) == (250, 100, "c099")


def test_a_worker_that_falls_silent_makes_its_cameras_offline(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a status of 11 s ago, then the camera is offline and stale with the worker named."""
    farm_state.plan()
    farm_state.camera("lobby")
    farm_state.status("lobby", age_ms=11_000)
    status = _json(api, "/api/v1/cameras/lobby/status")
    assert (status["state"], status["reason"], status["stale"]) == ("offline", "worker_silent", True)
    assert "worker-1" in str(status["detail"])


@pytest.mark.parametrize("behind_ms", [11_000, -11_000, 3_600_000])
def test_clocks_that_disagree_change_no_state(api: FlaskClient, farm_state: FarmState, behind_ms: int) -> None:
    """Given a worker and a manager with wrong clocks, then what they just said is believed, and what is old is not."""
    farm_state.plan({"new": StatusReason.NO_CAPACITY}, clock_behind_ms=behind_ms)
    for name in ("lobby", "silent", "new"):
        farm_state.camera(name)
    farm_state.status("lobby", clock_behind_ms=behind_ms)
    farm_state.status("silent", clock_behind_ms=behind_ms, age_ms=11_000)
    lobby = _json(api, "/api/v1/cameras/lobby/status")
    assert (lobby["state"], lobby["stale"]) == ("online", False)
    last_frame_age_ms = lobby["last_frame_age_ms"]
    assert isinstance(last_frame_age_ms, int)
    assert 0 <= last_frame_age_ms < 5_000
    assert _json(api, "/api/v1/cameras/silent/status")["reason"] == "worker_silent"
    assert _json(api, "/api/v1/cameras/new/status")["reason"] == "no_capacity"


def test_what_is_never_renewed_is_not_believed(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a status and a plan without an end of life, as a backup leaves them, then both count as old."""
    farm_state.plan()
    farm_state.camera("lobby")
    farm_state.status("lobby")
    for key in (keys.camera_status("lobby"), keys.plan_report()):
        farm_state.client.persist(key)
    assert _json(api, "/api/v1/cameras/lobby/status")["reason"] == "worker_silent"
    assert _json(api, "/api/v1/status")["plan"] is None


def test_a_new_camera_is_seen_in_the_status_at_once(api: FlaskClient, farm_state: FarmState) -> None:
    """Given somebody who just looked, when a camera is added, then the next look has it."""
    farm_state.plan()
    assert _json(api, "/api/v1/status")["cameras_total"] == 0
    assert api.post("/api/v1/cameras", json={"id": "x", "url": "rtsp://192.0.2.10/"}).status_code == 201
    assert _json(api, "/api/v1/status")["cameras_total"] == 1


def test_many_lookers_cost_one_look(api: FlaskClient, mixed_farm: FarmState, redis_client: redis.Redis) -> None:
    """Given twenty requests within half a second, then Redis is asked once, not twenty times."""
    assert mixed_farm.client is not None
    _json(api, "/api/v1/status")
    before = redis_client.info("stats")["total_commands_processed"]
    for _ in range(20):
        _json(api, "/api/v1/status")
    asked = redis_client.info("stats")["total_commands_processed"] - before
    assert asked < 40, asked  # one look is some ten commands; the test's own INFO is one


def test_workers_are_listed_with_what_they_say(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a live worker and one whose lease ran out, then both are listed and only one lives."""
    farm_state.worker("worker-1", "a", "b")
    farm_state.worker("worker-2")
    farm_state.client.delete(keys.worker_lease("worker-2"))
    workers = _json(api, "/api/v1/workers")["items"]
    assert isinstance(workers, list)
    assert [(worker["worker_id"], worker["alive"]) for worker in workers] == [("worker-1", True), ("worker-2", False)]
    assert workers[0]["status"]["camera_ids"] == ["a", "b"]
    assert 0 < workers[0]["lease_ms"] <= 60_000


def test_the_newest_result_is_what_the_worker_published(api: FlaskClient, farm_state: FarmState) -> None:
    """Given two analysed frames, then the answer is the second, field by field."""
    farm_state.online("lobby")
    result = farm_state.result("lobby")
    assert _json(api, "/api/v1/cameras/lobby/result") == result.model_dump(mode="json")


def test_metrics_can_be_parsed_and_say_what_the_status_says(api: FlaskClient, mixed_farm: FarmState) -> None:
    """Given the farm, then Prometheus' own parser reads its metrics and the figures are right."""
    assert mixed_farm.client.ping()
    answer = api.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["farm_cameras", "online"] == 2
    assert samples["farm_cameras", "offline"] == 1
    assert samples["farm_workers",] == 1
    assert samples["farm_worker_refused_writes_total", "worker-1"] == 3
    assert samples["farm_camera_frames_dropped_total", "a", "slow_detector"] == 4
    assert samples["farm_camera_stream_fps", "a"] == 25
    assert samples["farm_plan_moved_total",] == 2
    assert samples["farm_plan_unplaced_cameras", "no_capacity"] == 1
    assert samples["farm_plan_unplaced_cameras", "no_worker"] == 0
    assert samples["farm_dependency_up", "redis"] == 1
    assert 0 <= samples["farm_camera_last_frame_age_seconds", "a"] < 10
    assert all(name[0].startswith("farm_") for name in samples)


def _samples(api: FlaskClient) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(api.get("/metrics").text)
        for sample in family.samples
    }


def test_metrics_have_what_an_autoscaler_and_alerts_need(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a loaded farm with a spool, refused writes and moves, then each figure is there under its name."""
    farm_state.camera("lobby")
    farm_state.status("lobby")
    farm_state.worker(spool_records=10, spool_bytes=2_000, spool_lost=4, draining=True)
    farm_state.plan(
        load={"worker-1": 0.9},
        load_cores=3.5,
        capacity_cores=4.0,
        required_workers=3,
        controllers=["controller-1", "controller-2"],
        moves_by_reason={MoveReason.BALANCE: 6},
    )
    samples = _samples(api)
    expected = {
        ("farm_required_workers",): 3,
        ("farm_load_cores",): 3.5,
        ("farm_capacity_cores",): 4.0,
        ("farm_controllers",): 2,
        ("farm_worker_load_ratio", "worker-1"): 0.9,
        ("farm_worker_spool_records", "worker-1"): 10,
        ("farm_worker_spool_bytes", "worker-1"): 2_000,
        ("farm_worker_spool_lost_total", "worker-1"): 4,
        ("farm_worker_draining", "worker-1"): 1,
        ("farm_moves_total", "balance"): 6,
        ("farm_moves_total", "worker_died"): 0,
        ("farm_camera_epoch", "lobby"): 1,
    }
    assert {name: samples.get(name) for name in expected} == expected


def test_what_only_a_leader_knows_is_left_out_without_one(api: FlaskClient, farm_state: FarmState) -> None:
    """Given no leader, then an autoscaler finds no number rather than 0, which would end every worker."""
    farm_state.worker()
    samples = _samples(api)
    assert samples["farm_plan_led",] == 0
    assert not {("farm_required_workers",), ("farm_load_cores",), ("farm_capacity_cores",)} & samples.keys()


def test_ready_names_the_server_and_healthy_asks_nothing(api: FlaskClient, redis_client: redis.Redis) -> None:
    """Given Redis and a migrated database, then the API is ready."""
    assert FarmReader(redis_client).workers() == []
    assert str(_json(api, "/readyz")["redis"]).startswith("valkey ")
    assert _json(api, "/healthz")["status"] == "ok"


def test_the_operations_page_names_only_metrics_that_there_are(api: FlaskClient, farm_state: FarmState) -> None:
    """Given all metrics of a farm with everything, then every name on the operator's page is one."""
    farm_state.worker("worker-1", "lobby")
    farm_state.plan({"d": StatusReason.NO_CAPACITY}, load={"worker-1": 0.5}, controllers=["c"])
    farm_state.online("lobby")
    full = FootageReport(
        controller_id="c",
        updated_at_ms=1,
        bytes={KeptFor.EVENT: 1},
        deleted_bytes={"age": 1},
        deleted_seconds={"age": 1.0},
        oldest_ms={"lobby": 1},
        conditions={"archive_away": "It is."},
    )
    publish_report(farm_state.client, full)
    farm_state.reid_worker(done={"colours": 1}, dead={"colours": 1}, dispatcher=DispatcherFigures())
    exported = {name for name, *_ in _samples(api)}
    named = set(re.findall(r"\bfarm_[a-z_]+[a-z]", (PROJECT_DIR / "docs/operations.md").read_text(encoding="utf-8")))
    assert len(named) > 15
    # Those of the workers' and ReID workers' own pages have tests of their own.
    assert {name for name in named if not name.startswith(("farm_worker_", "farm_gallery_"))} <= exported
