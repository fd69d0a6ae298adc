"""Redis was away and is back with its data: every lease has run out, and that says nothing about any worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from contract import keys
from tests.support.planned_farm import PlannedFarm


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
