"""Why cameras move, how many at a time, and what is said of it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from camera_ctrler.planning.plan_publisher import NotLeadingError
from contract.camera_specs import CameraCreate, CameraPatch
from contract.cameras import CameraState
from contract.errors import StatusReason
from contract.moves import Move, MoveReason
from runtime.worker_link import Written
from tests.support.planned_farm import PlannedFarm, SimulatedWorker


@pytest.fixture
def farm(redis_client: redis.Redis, tmp_path: Path) -> Iterator[PlannedFarm]:
    """A manager that leads an empty farm."""
    made = PlannedFarm(redis_client, tmp_path)
    yield made
    made.close()


def history(farm: PlannedFarm) -> list[Move]:
    """Return the stream of moves, oldest first."""
    page = farm.reader.streams.moves(lambda _: True, limit=500)
    return [entry.message for entry in reversed(page.entries)]


def test_every_move_is_told_with_its_reason(farm: PlannedFarm) -> None:
    """Given a farm in which workers come, drain and die, the history says who got what from whom, and why."""
    farm.cameras("a", "b")
    first = farm.worker("first")
    farm.settle()
    assert [(move.reason, move.to_worker) for move in history(farm)] == [(MoveReason.PLACED, "first")] * 2
    second = farm.worker("second")
    farm.settle()
    balanced = history(farm)[-1]
    assert (balanced.reason, balanced.from_worker, balanced.to_worker) == (MoveReason.BALANCE, "first", "second")
    assert balanced.epoch == second.assignments()[balanced.camera_id].epoch
    second.appear(draining=True)
    farm.settle()
    assert (history(farm)[-1].reason, history(farm)[-1].to_worker) == (MoveReason.WORKER_DRAINS, "first")
    third = farm.worker("third")
    second.die()
    farm.manager.step()
    farm.clock.advance(4)
    farm.settle()
    first.die()
    farm.settle()
    assert (history(farm)[-1].reason, history(farm)[-1].from_worker) == (MoveReason.WORKER_DIED, "first")
    farm.registry.update("a", CameraPatch(analyse_fps=3))
    farm.settle()
    farm.registry.remove("b")
    farm.settle()
    assert [move.reason for move in history(farm)[-2:]] == [MoveReason.CHANGED, MoveReason.WITHDRAWN]
    assert third.assignments().keys() == {"a"}
    assert farm.report().moves_by_reason == dict(Counter(move.reason for move in history(farm)))


def test_a_camera_that_is_offline_is_handed_over_at_once(farm: PlannedFarm) -> None:
    """Given a worker that drains with a dead camera, nobody waits for a first result that never comes."""
    farm.cameras("dead", "live")
    old = farm.worker("old")
    farm.settle()
    old.say("dead", CameraState.OFFLINE)
    farm.worker("new")
    old.appear(draining=True)
    farm.manager.step()
    assert farm.report().handing_over == ["live"]
    assert farm.placement() == {"dead": ["new"], "live": ["old", "new"]}


def test_a_draining_worker_goes_on_when_its_successor_dies(farm: PlannedFarm) -> None:
    """Given a handover from a worker that drains, when the new worker dies, the former goes on until a third does."""
    farm.cameras("a")
    old = farm.worker("old")
    farm.settle()
    former = old.assignments()["a"].epoch
    new = farm.worker("new")
    old.appear(draining=True)
    farm.manager.step()
    third = farm.worker("third")
    new.die()
    farm.manager.step()
    assert third.assignments().keys() == {"a"}
    assert old.publish("a", former) is Written.ACCEPTED
    third.work()
    farm.manager.step()
    assert farm.placement() == {"a": ["third"]}
    assert old.publish("a", former) is Written.REFUSED


def test_settings_that_change_during_a_handover_leave_the_former_worker_in_place(farm: PlannedFarm) -> None:
    """Given a handover, when the camera's settings change, the former worker's results still count meanwhile."""
    farm.cameras("a")
    old = farm.worker("old")
    farm.settle()
    former = old.assignments()["a"].epoch
    farm.worker("new")
    old.appear(draining=True)
    farm.manager.step()
    farm.registry.update("a", CameraPatch(analyse_fps=9))
    farm.manager.step()
    assert old.publish("a", former) is Written.ACCEPTED
    assert farm.report().handing_over == ["a"]


def test_only_so_many_cameras_move_at_a_time(farm: PlannedFarm) -> None:
    """Given forty cameras of many hosts, when a worker joins, at most sixteen are on their way at once."""
    farm.registry.add_many([CameraCreate(id=f"c{number:02}", url=f"rtsp://h{number}/x") for number in range(40)])
    farm.worker("old")
    farm.settle()
    new = farm.worker("new")
    farm.manager.step()
    assert len(farm.report().handing_over) == 16
    farm.manager.step()
    assert len(farm.report().handing_over) == 16
    new.work()
    farm.manager.step()
    assert len(new.assignments()) == 19  # even to a twentieth
    farm.settle()
    assert sorted(Counter(its[0] for its in farm.placement().values()).values()) == [19, 21]


def test_a_camera_host_is_connected_to_bit_by_bit(farm: PlannedFarm) -> None:
    """Given forty cameras of one NVR whose worker dies, sixteen a second are taken over, and the others say why."""
    farm.registry.add_many([CameraCreate(id=f"c{number:02}", url=f"rtsp://nvr/{number}") for number in range(40)])
    first = farm.worker("first", capacity=100)
    for _ in range(4):
        farm.clock.advance(1.1)
        farm.manager.step()
    first.work()
    second = farm.worker("second", capacity=100)
    first.die()
    farm.clock.advance(1.1)
    farm.manager.step()
    assert len(second.assignments()) == 16
    assert Counter(farm.report().unplaced.values()) == {StatusReason.HOST_BUSY: 24}
    farm.clock.advance(0.5)
    farm.manager.step()
    assert len(second.assignments()) == 16
    for _ in range(2):
        farm.clock.advance(1.1)
        farm.manager.step()
    assert len(second.assignments()) == 40
    assert farm.report().unplaced == {}


def test_nothing_is_evened_out_right_after_a_death(farm: PlannedFarm) -> None:
    """Given a worker that dies while another joins, only orphans move until a lease's time has passed."""
    farm.registry.add_many([CameraCreate(id=f"c{number:02}", url=f"rtsp://h{number}/x") for number in range(12)])
    workers = [farm.worker("w1"), farm.worker("w2"), farm.worker("w3")]
    farm.settle()
    workers[0].die()
    farm.manager.step()
    farm.worker("w4")
    farm.clock.advance(2.9)
    farm.manager.step()
    assert farm.report().moves_by_reason.keys() == {MoveReason.PLACED, MoveReason.WORKER_DIED}
    farm.clock.advance(0.2)
    farm.settle()
    moves = farm.report().moves_by_reason
    assert moves.get(MoveReason.OVER_CAPACITY, 0) + moves[MoveReason.BALANCE] == 4


def test_labels_decide_and_what_nobody_may_have_is_named(farm: PlannedFarm) -> None:
    """Given a camera that requires a site, it waits for a worker there, and goes to it."""
    farm.registry.add(CameraCreate(id="north", url="rtsp://h/1", require_labels=["site=north"]))
    farm.cameras("any")
    farm.worker("plain")
    farm.settle()
    assert farm.report().unplaced == {"north": StatusReason.NO_LABELS}
    assert farm.report().required_workers == 2
    farm.worker("there", labels=["site=north", "gpu"])
    farm.settle()
    assert farm.placement()["north"] == ["there"]
    farm.registry.update("any", CameraPatch(prefer_labels=["gpu"]))
    farm.settle()
    assert farm.placement()["any"] == ["there"]
    assert history(farm)[-1].reason is MoveReason.PREFERENCE


def test_measured_costs_decide_who_has_how_many(farm: PlannedFarm) -> None:
    """Given one camera at eight frames a second and eight at one, the dear one has nearly a worker of its own."""
    specs = [CameraCreate(id="dear", url="rtsp://dear/x", analyse_fps=8)]
    specs += [CameraCreate(id=f"cheap-{number}", url=f"rtsp://h{number}/x", analyse_fps=1) for number in range(8)]
    farm.registry.add_many(specs)
    workers = [farm.worker("w1"), farm.worker("w2")]
    farm.settle()
    for worker in workers:
        worker.measured = (0.01, 0.005)
        worker.appear()
    farm.clock.advance(11)
    farm.settle()
    (holder,) = farm.placement()["dear"]
    assert sum(its == [holder] for its in farm.placement().values()) == 2
    report = farm.report()
    assert report.load_cores == pytest.approx(9 * 0.01 + 16 * (0.005 + 0.05), abs=0.01)
    assert report.capacity_cores == pytest.approx(2.0)  # both share the two cores of their host
    assert report.required_workers == 2
    assert max(report.load.values()) / min(report.load.values()) < 1.1


def test_a_standby_that_was_refused_counts_it(farm: PlannedFarm) -> None:
    """Given a manager that no longer leads, its plan is refused and counted, and no epoch is given out for it."""
    farm.cameras("a")
    farm.worker("w1")
    farm.settle()
    former = farm.change_leader()
    farm.cameras("b")
    before = farm.registry.epochs(["a", "b"])
    with pytest.raises(NotLeadingError):
        former.step()
    assert former.refused_plans == 1
    assert farm.registry.epochs(["a", "b"]) == before


@pytest.fixture
def nvr(farm: PlannedFarm) -> SimulatedWorker:
    """A worker with forty cameras of one host."""
    farm.registry.add_many([CameraCreate(id=f"c{number:02}", url=f"rtsp://nvr/{number}") for number in range(40)])
    worker = farm.worker("first", capacity=100)
    for _ in range(4):
        farm.clock.advance(1.1)
        farm.manager.step()
    worker.work()
    return worker


@pytest.mark.parametrize("started_at_ms", [1, 2], ids=["the same process", "another process"])
def test_a_worker_that_is_back_while_its_cameras_wait_gets_them_again(
    farm: PlannedFarm, nvr: SimulatedWorker, started_at_ms: int
) -> None:
    """Given a worker cut off for a while, when it is back, the cameras nobody else had yet are assigned to it anew."""
    nvr.die()
    other = farm.worker("other", capacity=100)
    farm.clock.advance(1.1)
    farm.manager.step()
    assert (len(nvr.assignments()), len(other.assignments())) == (0, 16)
    nvr.appear(started_at_ms=started_at_ms)
    for _ in range(2):
        farm.clock.advance(1.1)
        farm.manager.step()
    assert len(farm.placement()) == 40
    assert set(nvr.work().values()) == {Written.ACCEPTED}


def test_a_dead_worker_whose_cameras_wait_leaves_no_keys_behind(farm: PlannedFarm, nvr: SimulatedWorker) -> None:
    """Given cameras that are taken over bit by bit, nothing of their dead worker is written again."""
    nvr.die()
    farm.worker("other", capacity=100)
    for _ in range(4):
        farm.clock.advance(1.1)
        farm.manager.step()
    assert farm.client.keys("farm:worker:first:*") == []
