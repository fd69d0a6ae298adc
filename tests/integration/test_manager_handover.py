"""A camera that moves is watched without a gap, and never counted twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from contract.camera_specs import CameraPatch
from runtime.worker_link import Written
from tests.support.planned_farm import HANDOVER_SECONDS, PlannedFarm, SimulatedWorker


@pytest.fixture
def farm(redis_client: redis.Redis, tmp_path: Path) -> Iterator[PlannedFarm]:
    """A manager that leads an empty farm."""
    made = PlannedFarm(redis_client, tmp_path)
    yield made
    made.close()


@pytest.fixture
def moving(farm: PlannedFarm) -> tuple[SimulatedWorker, SimulatedWorker, str, int]:
    """Two cameras on `old`; one of them is being handed over to `new`: old, new, camera, former epoch."""
    farm.cameras("a", "b")
    old = farm.worker("old")
    farm.settle()
    held = old.assignments()
    new = farm.worker("new")
    farm.manager.step()
    (camera,) = new.assignments()
    return old, new, camera, held[camera].epoch


Moving = tuple[SimulatedWorker, SimulatedWorker, str, int]


def test_the_former_worker_goes_on_until_the_new_one_has_its_first_result(farm: PlannedFarm, moving: Moving) -> None:
    """Given a camera that moves, the former worker's writes count until the new worker's first, and not after it."""
    old, new, camera, former = moving
    assert farm.report().handing_over == [camera]
    assert farm.fence(camera) == former
    assert old.publish(camera, former) is Written.ACCEPTED
    farm.manager.step()
    assert camera in old.assignments()
    assert new.publish(camera, new.assignments()[camera].epoch) is Written.ACCEPTED
    assert old.publish(camera, former) is Written.REFUSED
    farm.manager.step()
    assert farm.placement()[camera] == ["new"]
    assert farm.report().handing_over == []
    assert farm.report().moved_total == 1


def test_a_handover_that_takes_too_long_is_forced(farm: PlannedFarm, moving: Moving) -> None:
    """Given a new worker that brings no result, at the deadline, and not before it, the former one is fenced off."""
    old, new, camera, former = moving
    farm.clock.advance(HANDOVER_SECONDS - 0.1)
    farm.manager.step()
    assert old.publish(camera, former) is Written.ACCEPTED
    farm.clock.advance(0.2)
    farm.manager.step()
    assert old.publish(camera, former) is Written.REFUSED
    assert farm.placement()[camera] == ["new"]
    assert new.publish(camera, new.assignments()[camera].epoch) is Written.ACCEPTED


def test_an_audit_does_not_give_a_handover_more_time(farm: PlannedFarm, moving: Moving) -> None:
    """Given a handover during which the plan is read again from Redis, its deadline stands."""
    old, _, camera, former = moving
    for _ in range(int(HANDOVER_SECONDS) + 1):
        farm.clock.advance(1)
        farm.manager.step()
    assert old.publish(camera, former) is Written.REFUSED
    assert farm.placement()[camera] == ["new"]


def test_the_former_worker_dies_during_the_handover(farm: PlannedFarm, moving: Moving) -> None:
    """Given a handover whose former worker dies, the new one has the camera alone and the other camera follows."""
    old, new, camera, former = moving
    old.die()
    farm.manager.step()
    assert old.publish(camera, former) is Written.REFUSED
    assert farm.placement() == {"a": ["new"], "b": ["new"]}
    assert set(new.work().values()) == {Written.ACCEPTED}


def test_the_new_worker_dies_during_the_handover(farm: PlannedFarm, moving: Moving) -> None:
    """Given a handover whose new worker dies, the former one gets the camera back and its writes count."""
    old, new, camera, _ = moving
    epoch = new.assignments()[camera].epoch
    new.die()
    farm.manager.step()
    assert farm.placement() == {"a": ["old"], "b": ["old"]}
    assert set(old.work().values()) == {Written.ACCEPTED}
    assert new.publish(camera, epoch) is Written.REFUSED
    farm.settle()
    assert farm.report().handing_over == []


def test_the_camera_is_deleted_during_the_handover(farm: PlannedFarm, moving: Moving) -> None:
    """Given a handover, when the camera is deleted, then neither worker keeps it or may write."""
    old, new, camera, former = moving
    epoch = new.assignments()[camera].epoch
    farm.registry.remove(camera)
    farm.manager.step()
    assert camera not in farm.placement()
    assert old.publish(camera, former) is Written.REFUSED
    assert new.publish(camera, epoch) is Written.REFUSED
    assert farm.report().handing_over == []


def test_the_settings_change_during_the_handover(farm: PlannedFarm, moving: Moving) -> None:
    """Given a handover, when the camera's settings change, then one worker ends up with the new settings."""
    _, new, camera, _ = moving
    farm.registry.update(camera, CameraPatch(analyse_fps=9))
    farm.settle()
    assert farm.placement()[camera] == ["new"]
    assert new.assignments()[camera].settings.analyse_fps == 9
    assert new.work()[camera] is Written.ACCEPTED


def test_a_third_worker_comes_during_the_handover(farm: PlannedFarm, moving: Moving) -> None:
    """Given a handover, when cameras and workers are added at once, every camera ends up with exactly one worker."""
    assert moving
    farm.cameras("c", "d", "e", "f")
    farm.worker("third")
    farm.settle()
    placement = farm.placement()
    assert placement.keys() == set("abcdef")
    assert all(len(its) == 1 for its in placement.values())


def test_a_draining_worker_hands_every_camera_over_before_it_is_without(farm: PlannedFarm) -> None:
    """Given a worker that drains, its cameras move one by one with the new worker's first results, without a gap."""
    farm.cameras("a", "b", "c")
    old = farm.worker("old")
    farm.settle()
    former = old.assignments()
    new = farm.worker("new", capacity=10)
    old.appear(draining=True)
    farm.manager.step()
    assert new.assignments().keys() == set("abc")
    assert all(old.publish(name, each.epoch) is Written.ACCEPTED for name, each in former.items())
    new.publish("a", new.assignments()["a"].epoch)
    farm.manager.step()
    assert old.assignments().keys() == {"b", "c"}
    farm.settle()
    assert old.assignments() == {}
    assert set(new.work().values()) == {Written.ACCEPTED}


def test_a_draining_worker_without_a_successor_lets_go(farm: PlannedFarm) -> None:
    """Given the only worker drains, its cameras are withdrawn so that it can leave."""
    farm.cameras("a")
    old = farm.worker("old")
    farm.settle()
    old.appear(draining=True)
    farm.manager.step()
    assert old.assignments() == {}
    assert farm.report().unplaced.keys() == {"a"}


def test_a_camera_that_goes_back_to_its_former_worker_costs_nothing_that_it_kept(
    farm: PlannedFarm, moving: Moving
) -> None:
    """Given a handover whose new worker drains, the former one's writes count until it writes under its next epoch."""
    old, new, camera, former = moving
    new.appear(draining=True)
    farm.manager.step()
    assert farm.placement()[camera] == ["old"]
    following = old.assignments()[camera].epoch
    assert following > former
    assert old.publish(camera, former) is Written.ACCEPTED
    assert old.publish(camera, following) is Written.ACCEPTED
    assert old.publish(camera, former) is Written.REFUSED


def test_another_process_under_the_same_name_fences_the_former_one_off_at_once(farm: PlannedFarm) -> None:
    """Given a worker that was started again, writes of the process before it are refused from the assignment on."""
    farm.cameras("a")
    worker = farm.worker("w")
    farm.settle()
    former = worker.assignments()["a"].epoch
    worker.appear(started_at_ms=2)
    farm.manager.step()
    assert worker.publish("a", former) is Written.REFUSED
