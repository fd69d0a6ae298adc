"""From registry and workers to assignments: what is placed, moved, withdrawn, and what is said of it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import literal_column, text, update

from camera_ctrler.registry.tables import CameraRow
from contract import keys
from contract.camera_specs import CameraCreate, CameraPatch
from contract.errors import StatusReason
from runtime.worker_link import Written
from tests.support.planned_farm import PlannedFarm

HIDDEN = "s3cr3tpw"


@pytest.fixture
def farm(redis_client: redis.Redis, tmp_path: Path) -> Iterator[PlannedFarm]:
    """A manager that leads an empty farm."""
    made = PlannedFarm(redis_client, tmp_path)
    yield made
    made.close()


def test_cameras_are_spread_over_the_workers_and_each_is_watched_once(farm: PlannedFarm) -> None:
    """Given six cameras and two workers, each worker gets three, and all their writes are accepted."""
    farm.cameras(*"abcdef")
    workers = [farm.worker("w1"), farm.worker("w2")]
    farm.manager.step()
    placement = farm.placement()
    assert Counter(worker for its in placement.values() for worker in its) == {"w1": 3, "w2": 3}
    assert placement.keys() == set("abcdef")
    assert {written for worker in workers for written in worker.work().values()} == {Written.ACCEPTED}
    assert farm.report().model_dump(include={"cameras", "workers", "unplaced", "placed_total", "moved_total"}) == {
        "cameras": 6, "workers": 2, "unplaced": {}, "placed_total": 6, "moved_total": 0,
    }  # fmt: skip


def test_nothing_is_written_while_nothing_changes(farm: PlannedFarm) -> None:
    """Given a settled farm, ten more looks, also past the times of full reads, write nothing but the report."""
    farm.cameras("a", "b")
    farm.worker("w1")
    farm.settle()
    before = {key: farm.client.dump(key) for key in farm.client.scan_iter() if b"plan:report" not in key}
    for _ in range(10):
        farm.clock.advance(3)
        farm.manager.step()
    assert {key: farm.client.dump(key) for key in farm.client.scan_iter() if b"plan:report" not in key} == before


def test_a_camera_that_is_added_removed_or_disabled_is_followed_with_the_next_look(farm: PlannedFarm) -> None:
    """Given a running farm, each change of the registry reaches the worker with the next step."""
    worker = farm.worker("w1")
    farm.cameras("a")
    farm.manager.step()
    farm.cameras("b")
    farm.manager.step()
    assert worker.assignments().keys() == {"a", "b"}
    farm.registry.update("a", CameraPatch(enabled=False))
    farm.manager.step()
    assert worker.assignments().keys() == {"b"}
    farm.registry.update("a", CameraPatch(enabled=True))
    farm.registry.remove("b")
    farm.manager.step()
    assert worker.assignments().keys() == {"a"}


def test_changed_settings_reach_the_same_worker_under_a_newer_epoch(farm: PlannedFarm) -> None:
    """Given a watched camera, when its rate changes, then its worker is told, and its old epoch is refused at once."""
    farm.cameras("a", "b")
    worker = farm.worker("w1")
    farm.settle()
    before = worker.assignments()
    farm.registry.update("a", CameraPatch(analyse_fps=7))
    farm.manager.step()
    after = worker.assignments()
    assert after["a"].settings.analyse_fps == 7
    assert after["a"].epoch > before["a"].epoch
    assert after["b"] == before["b"]
    assert worker.publish("a", before["a"].epoch) is Written.REFUSED
    assert worker.publish("a", after["a"].epoch) is Written.ACCEPTED


def test_a_deleted_camera_leaves_nothing_and_late_writes_are_refused(farm: PlannedFarm) -> None:
    """Given a camera that is deleted while its worker writes, nothing of it stays or comes back but the fence."""
    farm.cameras("a")
    worker = farm.worker("w1")
    farm.settle()
    epoch = worker.assignments()["a"].epoch
    farm.registry.remove("a")
    farm.manager.step()
    assert worker.publish("a", epoch) is Written.REFUSED
    assert farm.client.keys("farm:camera:a:*") == [keys.camera_epoch("a").encode()]
    assert worker.assignments() == {}
    farm.cameras("a")
    farm.manager.step()
    assert worker.publish("a", epoch) is Written.REFUSED
    assert worker.work() == {"a": Written.ACCEPTED}


def test_a_disabled_camera_keeps_its_last_result_but_has_no_status(farm: PlannedFarm) -> None:
    """Given a watched camera, when it is disabled, its worker's status goes and its saved frames stay listed."""
    farm.cameras("a")
    farm.worker("w1")
    farm.settle()
    farm.registry.update("a", CameraPatch(enabled=False))
    farm.manager.step()
    assert farm.reader.heard_statuses(["a"]) == {}
    assert farm.reader.indexed_frames("a", 0, 100)


def test_secrets_travel_encrypted(farm: PlannedFarm) -> None:
    """Given a camera with a password, nothing in Redis contains it, and a worker with the key reads it."""
    farm.registry.add(CameraCreate(id="a", url=f"rtsp://u:{HIDDEN}@h/x"))
    worker = farm.worker("w1")
    farm.settle()
    for key in farm.client.scan_iter():
        assert HIDDEN.encode() not in (farm.client.dump(key) or b"")
    secrets = worker.assignments()["a"].secrets
    assert secrets is not None
    assert HIDDEN in farm.box.decrypt(secrets)


# --- workers come and go ------------------------------------------------------------------------------------------


def test_without_workers_every_camera_says_so_until_one_comes(farm: PlannedFarm) -> None:
    """Given cameras and no worker, each is named with `no_worker`; when one comes, it gets them all."""
    farm.cameras("a", "b")
    farm.manager.step()
    assert farm.report().unplaced == {"a": StatusReason.NO_WORKER, "b": StatusReason.NO_WORKER}
    worker = farm.worker("w1")
    farm.manager.step()
    assert farm.report().unplaced == {}
    assert worker.assignments().keys() == {"a", "b"}


def test_what_does_not_fit_is_named_and_placed_when_there_is_room(farm: PlannedFarm) -> None:
    """Given three cameras and room for two, one is named with `no_capacity`, and placed when another worker comes."""
    farm.cameras("a", "b", "c")
    farm.worker("w1", capacity=2)
    farm.manager.step()
    assert list(farm.report().unplaced.values()) == [StatusReason.NO_CAPACITY]
    farm.worker("w2", capacity=2)
    farm.settle()
    assert farm.report().unplaced == {}
    assert all(len(its) == 1 for its in farm.placement().values())
    assert farm.report().moved_total == 0


def test_a_dead_workers_cameras_go_elsewhere_at_once_and_its_late_writes_are_refused(farm: PlannedFarm) -> None:
    """Given a worker that dies, with the next look only its cameras move, and what it still writes is refused."""
    farm.cameras(*"abcd")
    dead, alive = farm.worker("w1"), farm.worker("w2")
    farm.settle()
    had, kept = dead.assignments(), alive.assignments()
    dead.die()
    farm.manager.step()
    assert all(dead.publish(name, each.epoch) is Written.REFUSED for name, each in had.items())
    assert alive.assignments().keys() == set("abcd")
    assert {name: alive.assignments()[name] for name in kept} == kept
    assert set(alive.work().values()) == {Written.ACCEPTED}
    assert farm.report().moved_total == 2
    assert farm.client.keys("farm:worker:w1*") == []
    assert [worker.worker_id for worker in farm.reader.workers()] == ["w2"]


def test_the_last_worker_dies_and_its_cameras_wait(farm: PlannedFarm) -> None:
    """Given the only worker dies, its cameras are fenced and named; when it comes back, it gets them anew."""
    farm.cameras("a")
    worker = farm.worker("w1")
    farm.settle()
    epoch = worker.assignments()["a"].epoch
    worker.die()
    farm.manager.step()
    assert worker.publish("a", epoch) is Written.REFUSED
    assert farm.report().unplaced == {"a": StatusReason.NO_WORKER}
    worker.appear()
    farm.manager.step()
    assert worker.work() == {"a": Written.ACCEPTED}


def test_a_worker_that_has_only_just_taken_its_lease_is_not_dismissed(farm: PlannedFarm) -> None:
    """Given a worker with a lease and no status yet, it gets no cameras and stays listed."""
    worker = farm.worker("w1")
    farm.client.delete(keys.worker_status("w1"))
    farm.cameras("a")
    farm.manager.step()
    assert worker.assignments() == {}
    assert [each.worker_id for each in farm.reader.workers()] == ["w1"]


# --- bad rows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("column", "value"), [("analyse_fps", "900"), ("classes", "'car, bus'")])
def test_a_row_that_was_edited_into_nonsense_does_not_stop_the_others(
    farm: PlannedFarm, column: str, value: str
) -> None:
    """Given a camera whose row somebody made unreadable by hand, it goes on as it was and others are still placed."""
    farm.cameras("a")
    worker = farm.worker("w1")
    farm.settle()
    before = worker.assignments()["a"]
    with farm.registry.engine.begin() as connection:
        connection.execute(update(CameraRow).where(CameraRow.id == "a").values({column: literal_column(value)}))
    farm.cameras("b")
    farm.manager.step()
    assert worker.assignments()["a"] == before
    assert worker.assignments().keys() == {"a", "b"}


def test_rows_that_are_edited_by_hand_are_followed_after_a_while(farm: PlannedFarm) -> None:
    """Given a row that was changed behind the registry's back, the worker is told within some seconds."""
    farm.cameras("a")
    worker = farm.worker("w1")
    farm.settle()
    with farm.registry.engine.begin() as connection:
        connection.execute(text("UPDATE cameras SET analyse_fps = 9 WHERE id = 'a'"))
    farm.clock.advance(6)
    farm.manager.step()
    assert worker.assignments()["a"].settings.analyse_fps == 9


def test_a_worker_that_restarts_under_the_same_id_writes_under_new_epochs(farm: PlannedFarm) -> None:
    """Given a worker that came back under its id before its lease ran out, its former process is refused."""
    worker = farm.worker("w1")
    farm.cameras("a")
    farm.settle()
    former = worker.assignments()["a"].epoch
    worker.appear(started_at_ms=2)
    farm.manager.step()
    assert worker.assignments()["a"].epoch > former
    assert worker.publish("a", former) is Written.REFUSED
    assert worker.work() == {"a": Written.ACCEPTED}


def test_a_camera_that_was_disabled_and_then_deleted_leaves_only_its_fence(farm: PlannedFarm) -> None:
    """Given a camera that nobody watches any more, when it is deleted, Redis holds nothing of it but the fence."""
    farm.cameras("a")
    farm.worker("w1")
    farm.settle()
    farm.registry.update("a", CameraPatch(enabled=False))
    farm.manager.step()
    farm.registry.remove("a")
    farm.manager.step()
    assert farm.client.keys("farm:camera:a:*") == [keys.camera_epoch("a").encode()]


def test_an_unreadable_row_costs_its_camera_nothing_when_the_leader_changes(farm: PlannedFarm) -> None:
    """Given a row edited into nonsense, when another manager leads, its camera keeps its worker and its results."""
    farm.cameras("a", "b")
    worker = farm.worker("w1")
    farm.settle()
    with farm.registry.engine.begin() as connection:
        connection.execute(update(CameraRow).where(CameraRow.id == "a").values(analyse_fps=-1))
    held = sorted(farm.client.keys("farm:camera:a:*"))
    farm.change_leader()
    farm.settle()
    assert worker.assignments().keys() == {"a", "b"}
    assert sorted(farm.client.keys("farm:camera:a:*")) == held
