"""Redis was away and is back with its data: every lease has run out, and that says nothing about any worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy.exc import OperationalError

from contract import keys
from contract.assignments import Assignment
from runtime.worker_link import NoPlanError, Written
from tests.support.planned_farm import PlannedFarm, SimulatedWorker


@pytest.fixture
def farm(redis_client: redis.Redis, tmp_path: Path) -> Iterator[PlannedFarm]:
    """A settled farm of two workers with six cameras."""
    made = PlannedFarm(redis_client, tmp_path)
    made.cameras(*"abcdef")
    made.worker("w1")
    made.worker("w2")
    made.settle()
    yield made
    made.close()


def assigned(farm: PlannedFarm) -> dict[str, object]:
    """Return what each worker is told, byte for byte."""
    return {name: farm.client.hgetall(keys.assignments(name)) for name in ("w1", "w2")}


@pytest.mark.parametrize("first_back", [(), ("w1",)], ids=["nobody yet", "one of two"])
@pytest.mark.parametrize("same_manager", [True, False], ids=["the same manager", "another manager"])
def test_workers_whose_leases_ran_out_in_an_outage_keep_their_cameras(
    farm: PlannedFarm, first_back: tuple[str, ...], same_manager: bool
) -> None:
    """Given expired leases, the manager that leads after the outage waits until the workers have theirs back."""
    before = assigned(farm)
    workers = {name: farm.worker_of(name) for name in ("w1", "w2")}
    for worker in workers.values():
        worker.die()
    farm.client.delete(*(keys.worker_status(name) for name in workers))
    if not same_manager:
        farm.change_leader()
    farm.manager.redis_was_away()
    for name in first_back:
        workers[name].appear()
    for _ in range(3):
        farm.manager.step()
        farm.clock.advance(1)
    assert assigned(farm) == before
    for worker in workers.values():
        worker.appear()
    farm.settle()
    assert assigned(farm) == before


def test_a_worker_that_does_not_come_back_after_an_outage_is_waited_for_no_longer_than_a_lease_needs(
    farm: PlannedFarm,
) -> None:
    """Given one worker that died in the outage, when the patience is over, the other one has its cameras."""
    farm.worker_of("w1").die()
    farm.manager.redis_was_away()
    farm.manager.step()
    assert len(farm.placement()) == 6
    farm.clock.advance(60)
    farm.settle()
    assert farm.placement() == {name: ["w2"] for name in "abcdef"}


def test_an_outage_that_is_long_over_delays_no_takeover(farm: PlannedFarm) -> None:
    """Given a manager that takes the lead an hour after the last outage, a dead worker's cameras move at once."""
    farm.worker_of("w1").die()
    farm.change_leader()
    farm.manager.redis_was_away(seconds_ago=3600)
    farm.settle()
    assert farm.placement() == {name: ["w2"] for name in "abcdef"}


def test_a_link_that_keeps_failing_does_not_keep_a_dead_workers_cameras_waiting(farm: PlannedFarm) -> None:
    """Given a dead worker and a time-out every four seconds, its cameras are taken over all the same."""
    farm.worker_of("w1").die()
    for quarter in range(48):
        farm.clock.advance(0.25)
        if quarter % 16 == 0:
            farm.manager.redis_was_away()
        farm.manager.step()
    assert farm.placement() == {name: ["w2"] for name in "abcdef"}


def test_reads_that_are_always_slow_do_not_keep_a_dead_workers_cameras_waiting(
    farm: PlannedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a server that takes over a second for the assignments, each time, takeovers end all the same."""
    read = farm.reader.assignments

    def slow(worker_ids: list[str]) -> dict[str, dict[str, Assignment]]:
        farm.clock.advance(1.1)
        return read(worker_ids)

    with monkeypatch.context() as patched:
        patched.setattr(farm.reader, "assignments", slow)
        farm.worker_of("w1").die()
        farm.manager.redis_was_away()
        for _ in range(40):
            farm.clock.advance(0.25)
            farm.manager.step()
    assert farm.placement() == {name: ["w2"] for name in "abcdef"}


def test_while_one_worker_is_waited_for_the_rest_of_the_farm_is_planned(farm: PlannedFarm) -> None:
    """Given an outage after which one worker is missing, a new camera is placed at once and the other ones stay."""
    before = farm.placement()
    farm.worker_of("w1").die()
    farm.manager.redis_was_away()
    farm.cameras("new")
    farm.manager.step()
    assert farm.placement() == before | {"new": ["w2"]}


def test_an_empty_server_met_without_the_database_still_gives_nobody_a_new_epoch(
    farm: PlannedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given Redis emptied and a first look without the database, when it is back, epochs are as they were."""
    epochs = {name: farm.fence(name) for name in "abcdef"}
    farm.client.flushall()
    for name in ("w1", "w2"):
        farm.worker_of(name).appear()
    farm.change_leader()

    def away() -> int:
        raise OperationalError("SELECT", {}, Exception("away"))

    with monkeypatch.context() as patched:
        patched.setattr(farm.registry, "revision", away)
        farm.manager.step()
    farm.settle()
    assert {name: farm.fence(name) for name in "abcdef"} == epochs


def test_epochs_given_out_without_the_database_are_recorded_when_it_is_back(
    farm: PlannedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a takeover without the database, when that is back, it knows the epoch that was given out."""

    def away(*_: object, **__: object) -> dict[str, int]:
        raise OperationalError("UPDATE", {}, Exception("away"))

    with monkeypatch.context() as patched:
        patched.setattr(farm.registry, "revision", away)
        patched.setattr(farm.registry, "next_epochs", away)
        farm.worker_of("w1").die()
        farm.manager.step()
    farm.manager.step()
    given = {name: found.epoch for name, found in farm.worker_of("w2").assignments().items()}
    assert given.keys() == set("abcdef")
    assert farm.registry.epochs(given) == given


def test_nobody_writes_to_an_empty_server_until_the_fences_are_back(farm: PlannedFarm) -> None:
    """Given Redis emptied right after a takeover, the former worker's records wait, and are refused when it is safe."""
    former = farm.worker_of("w1")
    epochs = dict(former.holds)
    lost = min(epochs)
    former.expect_plan()
    former.die()
    farm.manager.step()
    farm.worker_of("w2").work()
    assert farm.fence(lost) > epochs[lost]
    farm.client.flushall()
    with pytest.raises(NoPlanError):
        former.publish(lost, epochs[lost])
    farm.change_leader()
    farm.manager.step()
    with pytest.raises(NoPlanError):
        former.publish(lost, epochs[lost])
    farm.worker_of("w2").appear()
    farm.settle()
    assert former.publish(lost, epochs[lost]) is Written.REFUSED


def handed_over_to_the_dead(farm: PlannedFarm) -> tuple[SimulatedWorker, str, int]:
    """Let a camera be handed over to a worker that is dead; return the former worker, the camera, its former epoch."""
    held = {name: farm.worker_of(name).assignments() for name in ("w1", "w2")}
    farm.clock.advance(10)
    farm.worker("w3")
    farm.manager.step()
    camera = farm.report().handing_over[0]
    former = next(name for name, cameras in held.items() if camera in cameras)
    farm.worker_of("w3").die()
    return farm.worker_of(former), camera, held[former][camera].epoch


def test_a_handover_to_a_worker_that_died_goes_back_when_redis_lost_its_data_too(farm: PlannedFarm) -> None:
    """Given a handover, its new worker dead and Redis emptied, the former one goes on under its epoch after 2 s."""
    former, camera, epoch = handed_over_to_the_dead(farm)
    for name in ("w1", "w2"):
        farm.worker_of(name).expect_plan()
    farm.client.flushall()
    farm.lease.take()
    farm.manager.redis_was_away()
    for name in ("w1", "w2"):
        farm.worker_of(name).appear()
    farm.manager.step()
    with pytest.raises(NoPlanError):
        former.publish(camera, epoch)
    farm.clock.advance(2.1)
    farm.manager.step()
    assert former.publish(camera, epoch) is Written.ACCEPTED
    assert farm.placement()[camera] == [former.name]
    assert former.assignments()[camera].epoch == epoch


def test_what_a_manager_remembers_of_a_handover_counts_only_until_somebody_gives_out_a_newer_epoch(
    farm: PlannedFarm,
) -> None:
    """Given the same, and an epoch that another manager gave out meanwhile, the former worker's writes are refused."""
    former, camera, epoch = handed_over_to_the_dead(farm)
    newer = farm.registry.next_epochs([camera])[camera]
    farm.client.flushall()
    farm.lease.take()
    farm.manager.redis_was_away()
    for name in ("w1", "w2"):
        farm.worker_of(name).appear()
    farm.manager.step()
    farm.clock.advance(3)
    farm.manager.step()
    assert camera not in farm.placement()
    farm.clock.advance(3)
    farm.settle()
    assert former.publish(camera, epoch) is Written.REFUSED
    assert farm.fence(camera) > newer


def test_after_an_outage_nothing_moves_for_balance_until_what_was_kept_has_had_time_to_arrive(
    farm: PlannedFarm,
) -> None:
    """Given an outage and a worker that is new after it, cameras move to it a lease later, and not at once."""
    before = farm.placement()
    farm.clock.advance(10)
    farm.manager.redis_was_away()
    farm.worker("w3")
    farm.manager.step()
    assert farm.placement() == before
    farm.clock.advance(3.1)
    farm.settle()
    assert farm.placement() != before
