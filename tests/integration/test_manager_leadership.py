"""Changes of leader, half-written plans, lost data: no camera is lost, none is watched twice, epochs only rise."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import text

from camera_ctrler.planning import plan_publisher
from camera_ctrler.planning.plan_publisher import NotLeadingError, Operations
from camera_ctrler.registry import Registry
from contract import keys
from runtime.farm_reader import FarmReader
from runtime.worker_link import Written
from tests.support.planned_farm import PlannedFarm
from tests.support.valkey_server import ValkeyServer


@pytest.fixture
def farm(redis_client: redis.Redis, tmp_path: Path) -> Iterator[PlannedFarm]:
    """A manager that leads an empty farm."""
    made = PlannedFarm(redis_client, tmp_path)
    yield made
    made.close()


def epochs(farm: PlannedFarm, *workers: str) -> dict[str, int]:
    """Return the epoch that each camera is assigned under."""
    return {
        camera_id: assignment.epoch
        for its in FarmReader(farm.client).assignments(list(workers)).values()
        for camera_id, assignment in its.items()
    }


# --- who leads ----------------------------------------------------------------------------------------------------


def test_a_change_of_leader_moves_no_camera(farm: PlannedFarm) -> None:
    """Given a settled farm, when another manager takes the lead, then every assignment stays byte for byte."""
    farm.cameras(*"abcde")
    farm.worker("w1")
    farm.worker("w2")
    farm.settle()
    before = {name: farm.client.hgetall(keys.assignments(name)) for name in ("w1", "w2")}
    farm.change_leader()
    farm.manager.step()
    assert {name: farm.client.hgetall(keys.assignments(name)) for name in ("w1", "w2")} == before
    assert farm.report().moved_total == farm.report().placed_total == 0


def test_a_new_leader_finishes_a_handover_that_the_former_one_began(farm: PlannedFarm) -> None:
    """Given a handover that is under way, when the leader changes, then it is finished and nothing moves again."""
    farm.cameras("a", "b")
    old = farm.worker("old")
    farm.settle()
    new = farm.worker("new")
    farm.manager.step()
    (camera,) = new.assignments()
    farm.change_leader()
    farm.manager.step()
    assert farm.report().handing_over == [camera]
    assert set(old.work().values()) == {Written.ACCEPTED}
    new.work()
    farm.manager.step()
    assert farm.placement()[camera] == ["new"]
    assert farm.report().moved_total == 0


def test_a_manager_that_lost_its_lease_cannot_publish(farm: PlannedFarm) -> None:
    """Given a leader that slept while another led and changed the farm, what it planned is refused whole."""
    farm.cameras("a")
    farm.worker("w1")
    farm.settle()
    frozen = farm.change_leader()
    farm.cameras("b")
    farm.manager.step()
    after = farm.client.hgetall(keys.assignments("w1"))
    farm.registry.remove("a")
    with pytest.raises(NotLeadingError):
        frozen.step()
    assert farm.client.hgetall(keys.assignments("w1")) == after
    farm.settle()
    assert farm.placement() == {"b": ["w1"]}


def test_a_manager_whose_lease_simply_ran_out_cannot_publish(farm: PlannedFarm) -> None:
    """Given a leader whose lease ran out with nobody after it, it changes nothing until it leads again."""
    farm.worker("w1")
    farm.cameras("a")
    farm.lease.release()
    with pytest.raises(NotLeadingError):
        farm.manager.step()
    assert farm.placement() == {}
    farm.change_leader()
    farm.manager.step()
    assert farm.placement() == {"a": ["w1"]}


# --- half-written plans -------------------------------------------------------------------------------------------


def interrupt(monkeypatch: pytest.MonkeyPatch, after: int, fault: Callable[[], None]) -> None:
    """Let every operation be a script call of its own, and `fault` happen after so many of them."""
    whole = Operations.chunks
    done = 0

    def chunks(operations: Operations) -> Iterator[Any]:
        nonlocal done
        for chunk in whole(operations):
            if done == after:
                fault()
            done += 1
            yield chunk

    monkeypatch.setattr(plan_publisher, "CHUNK", 1)
    monkeypatch.setattr(Operations, "chunks", chunks)


@pytest.mark.parametrize("after", range(0, 23, 2))
@pytest.mark.parametrize("same_manager", [True, False])
def test_a_plan_that_stops_half_way_is_made_up_for(
    farm: PlannedFarm, monkeypatch: pytest.MonkeyPatch, after: int, same_manager: bool
) -> None:
    """Given deaths, deletions and additions at once, wherever publishing stops, the next look puts all right."""
    farm.cameras(*"abcdef")
    dead, alive = farm.worker("dead"), farm.worker("alive")
    farm.settle()
    late = {**epochs(farm, "dead"), **epochs(farm, "alive")}
    dead.die()
    farm.worker("new")
    for camera in "ab":
        farm.registry.remove(camera)
    farm.cameras("g", "h")

    def away() -> None:
        raise redis.ConnectionError("cut")

    with monkeypatch.context() as patched:
        interrupt(patched, after, away)
        with pytest.raises(redis.ConnectionError):
            farm.manager.step()
    if not same_manager:
        farm.change_leader()
    farm.settle()
    farm.settle()
    placement = farm.placement()
    assert placement.keys() == set("cdefgh")
    assert all(len(its) == 1 and its[0] != "dead" for its in placement.values())
    for camera in "ab":
        assert farm.client.keys(f"farm:camera:{camera}:*") == [keys.camera_epoch(camera).encode()]
        assert alive.publish(camera, late[camera]) is Written.REFUSED
    assert [worker.worker_id for worker in farm.reader.workers()] == ["alive", "new"]


def test_the_lead_is_lost_in_the_middle_of_a_plan(farm: PlannedFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a leader that loses the lease between two parts of its plan, the rest is refused and made up for."""
    farm.cameras("a", "b", "c")
    farm.worker("w1")
    with monkeypatch.context() as patched:
        interrupt(patched, 4, farm.lease.release)  # two cameras given, and two notes of it
        with pytest.raises(NotLeadingError):
            farm.manager.step()
    assert len(farm.placement()) == 2
    farm.change_leader()
    farm.settle()
    assert farm.placement() == {name: ["w1"] for name in "abc"}


@contextmanager
def without_tables(farm: PlannedFarm, *tables: str) -> Iterator[None]:
    """Let the registry's database refuse what needs these tables."""
    with farm.registry.engine.begin() as connection:
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
    yield
    with farm.registry.engine.begin() as connection:
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table}_away RENAME TO {table}"))


def test_takeovers_go_on_while_the_database_is_away(farm: PlannedFarm) -> None:
    """Given a database that is away, a dead worker's cameras are taken over, and the report is new and says why."""
    farm.cameras("a", "b")
    workers = [farm.worker("w1"), farm.worker("w2")]
    farm.settle()
    before = epochs(farm, "w1", "w2")
    (lost,) = workers[0].assignments()
    with without_tables(farm, "registry_state", "camera_epochs"):
        workers[0].die()
        farm.clock.advance(20)
        farm.manager.step()
        assert workers[1].work() == {"a": Written.ACCEPTED, "b": Written.ACCEPTED}
        assert workers[0].publish(lost, before[lost]) is Written.REFUSED
        report = farm.report()
        assert (report.updated_at_ms, report.cameras, report.unplaced) == (farm.clock.now_ms(), 2, {})
        assert "registry_state" in report.database_error
    farm.manager.step()
    assert farm.report().database_error == ""
    assert farm.placement() == {"a": ["w2"], "b": ["w2"]}


def test_epochs_given_out_without_the_database_are_not_given_out_again(farm: PlannedFarm) -> None:
    """Given a handover begun without the database, when it is back, the camera's next epoch is greater all the same."""
    farm.cameras("a", "b")
    farm.worker("old")
    farm.settle()
    new = farm.worker("new")
    with without_tables(farm, "camera_epochs"):
        farm.manager.step()
    ((camera, assigned),) = new.assignments().items()
    assert farm.fence(camera) < assigned.epoch  # the former worker goes on meanwhile
    new.die()
    farm.change_leader()
    farm.settle()
    assert epochs(farm, "old")[camera] > assigned.epoch
    assert new.publish(camera, assigned.epoch) is Written.REFUSED


def test_a_leader_that_has_not_yet_read_the_database_changes_nothing(farm: PlannedFarm) -> None:
    """Given a new leader and no database, what is assigned stays until it knows the cameras, and it says so."""
    farm.cameras("a")
    worker = farm.worker("w1")
    farm.settle()
    before = worker.assignments()
    farm.change_leader()
    with without_tables(farm, "registry_state"):
        farm.manager.step()
        assert worker.assignments() == before
        assert "registry_state" in farm.report().database_error
    farm.manager.step()
    assert worker.assignments() == before
    assert farm.report().database_error == ""


def test_a_database_that_fails_in_the_middle_of_planning_leaves_nothing_half_done(farm: PlannedFarm) -> None:
    """Given a handover that is over and a registry that cannot give epochs, both are done with epochs from Redis."""
    farm.cameras("a", "b")
    farm.worker("old")
    farm.settle()
    new = farm.worker("new")
    farm.manager.step()
    new.work()
    (camera,) = new.assignments()
    farm.cameras("c")
    with without_tables(farm, "camera_epochs"):
        farm.manager.step()
        assert "camera_epochs" in farm.report().database_error
    farm.settle()
    assert farm.placement()[camera] == ["new"]
    assert len(farm.placement()["c"]) == 1


def test_assignments_that_older_plans_left_behind_are_cleared_away(farm: PlannedFarm) -> None:
    """Given a camera that stands with three workers, after a change of leader the newest keeps it and no other."""
    farm.cameras("a")
    workers = [farm.worker(f"w{number}") for number in range(3)]
    farm.settle()
    (holder,) = [worker for worker in workers if worker.assignments()]
    found = holder.assignments()["a"]
    for older, worker in enumerate(worker for worker in workers if worker is not holder):
        stale = found.model_copy(update={"epoch": found.epoch + 5 - older})
        farm.client.hset(keys.assignments(worker.name), "a", stale.model_dump_json())
    farm.change_leader()
    farm.settle()
    farm.settle()
    assert len(farm.placement()["a"]) == 1


# --- lost data ----------------------------------------------------------------------------------------------------


def test_workers_that_outlive_the_servers_data_keep_cameras_and_epochs(farm: PlannedFarm) -> None:
    """Given Redis emptied, when leader and workers are back, all is as it was, and what they kept is accepted."""
    farm.cameras("a", "b", "c")
    workers = [farm.worker("w1"), farm.worker("w2")]
    farm.settle()
    placement, before = farm.placement(), epochs(farm, "w1", "w2")
    farm.client.flushall()
    farm.change_leader()
    farm.manager.step()
    for worker in workers:
        worker.appear()
    farm.manager.step()
    assert (farm.placement(), epochs(farm, "w1", "w2")) == (placement, before)
    for worker in workers:
        assert set(worker.work().values()) == {Written.ACCEPTED}
    assert farm.report().moved_total == 0


def test_a_worker_that_claims_an_outdated_epoch_gets_a_newer_one(farm: PlannedFarm) -> None:
    """Given Redis emptied and a worker that holds a camera which was given to another since, the other keeps it."""
    farm.cameras("a")
    outdated, rightful = farm.worker("w1"), farm.worker("w2")
    farm.settle()
    if rightful.assignments():
        outdated, rightful = rightful, outdated
    rightful.holds = {"a": farm.registry.next_epochs(["a"])["a"]}
    farm.client.flushall()
    farm.change_leader()
    outdated.appear()
    farm.manager.step()
    assert farm.placement() == {}
    rightful.appear()
    farm.manager.step()
    assert farm.placement() == {"a": [rightful.name]}
    assert outdated.publish("a", outdated.holds["a"]) is Written.REFUSED


def test_new_cameras_do_not_wait_for_what_a_server_lost(farm: PlannedFarm) -> None:
    """Given Redis emptied and workers not yet heard of, a camera that never had a worker gets one at once."""
    farm.cameras("a")
    farm.worker("w1")
    farm.settle()
    farm.client.flushall()
    farm.change_leader()
    farm.cameras("new")
    fresh = farm.worker("w2")
    farm.manager.step()
    assert set(fresh.assignments()) == {"new"}


def test_a_server_that_lost_everything_is_filled_again_and_epochs_still_rise(farm: PlannedFarm) -> None:
    """Given Redis emptied and workers that hold nothing any more, all is placed after a while, under newer epochs."""
    farm.cameras("a", "b", "c")
    workers = [farm.worker("w1"), farm.worker("w2")]
    farm.settle()
    before = epochs(farm, "w1", "w2")
    farm.client.flushall()
    farm.change_leader()
    for worker in workers:
        worker.holds = {}
        worker.appear()
    farm.manager.step()
    assert farm.placement() == {}
    farm.clock.advance(6)
    farm.settle()
    after = epochs(farm, "w1", "w2")
    assert after.keys() == before.keys()
    assert all(after[name] > before[name] for name in before)
    assert all(workers[0].publish(name, before[name]) is Written.REFUSED for name in before)


def test_assignments_that_a_crashed_server_lost_are_missed_by_the_audit(farm: PlannedFarm) -> None:
    """Given a server that came back without its last writes and nobody noticed, the next audit places them again."""
    farm.cameras("a", "b")
    worker = farm.worker("w1")
    farm.settle()
    farm.client.hdel(keys.assignments("w1"), "a")
    farm.clock.advance(11)
    farm.manager.step()
    assert worker.assignments().keys() == {"a", "b"}
    assert set(worker.work().values()) == {Written.ACCEPTED}


def test_epochs_rise_even_if_the_registry_was_restored_from_a_backup(farm: PlannedFarm) -> None:
    """Given a registry restored from an old backup, cameras that are assigned anew get epochs above those in use."""
    farm.cameras("a")
    worker = farm.worker("w1")
    farm.registry.engine.dispose()
    backup = farm.folder / "backup.sqlite3"
    shutil.copy(farm.folder / "farm.sqlite3", backup)
    for _ in range(3):
        farm.settle()
        worker.die()
        farm.manager.step()
        worker.appear()
    farm.settle()
    used = worker.assignments()["a"].epoch
    assert used > 3
    farm.registry.close()
    for leftover in farm.folder.glob("farm.sqlite3*"):
        leftover.unlink()
    shutil.copy(backup, farm.folder / "farm.sqlite3")
    farm.registry = Registry(farm.database_url, farm.box)
    farm.change_leader()
    successor = farm.worker("w2")
    worker.die()
    farm.settle()
    assert successor.assignments()["a"].epoch > used
    assert worker.publish("a", used) is Written.REFUSED
    assert successor.work() == {"a": Written.ACCEPTED}


def test_a_camera_whose_writes_are_fenced_off_is_given_out_anew_by_the_audit(farm: PlannedFarm) -> None:
    """Given a fence above the assigned epoch, as an older worker or a plan cut short leaves it, the audit passes it."""
    farm.cameras("a", "b")
    worker = farm.worker("w1")
    farm.settle()
    untouched = epochs(farm, "w1")["b"]
    farm.client.set(keys.camera_epoch("a"), 57)
    assert worker.work() == {"a": Written.REFUSED, "b": Written.ACCEPTED}
    farm.clock.advance(11)
    farm.manager.step()
    assert worker.work() == {"a": Written.ACCEPTED, "b": Written.ACCEPTED}
    assert epochs(farm, "w1") == {"a": 58, "b": untouched}


def test_an_outage_and_a_return_with_the_data_is_no_reason_to_move(own_valkey: ValkeyServer, tmp_path: Path) -> None:
    """Given a server that is killed and comes back with its data, the same leader goes on and moves nothing."""
    with own_valkey.client() as client:
        farm = PlannedFarm(client, tmp_path)
        farm.cameras("a", "b")
        farm.worker("w1")
        farm.settle()
        before = epochs(farm, "w1")
        own_valkey.kill()
        with pytest.raises(redis.ConnectionError):
            farm.manager.step()
        own_valkey.restart(keep_data=True)
        farm.manager.step()
        assert epochs(farm, "w1") == before
        farm.close()
