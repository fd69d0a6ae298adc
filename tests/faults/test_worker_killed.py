"""Workers that are killed with SIGKILL: the others have their cameras within seconds and lose nothing themselves."""

import signal
from collections.abc import Iterator

import pytest

from contract import keys
from runtime import exit_codes
from tests.support.fault_farm import FaultFarm, fault_farm, now_ms


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultFarm]:
    """A farm of two workers."""
    with fault_farm(tmp_path_factory.mktemp("farm")) as started:
        yield started


@pytest.fixture
def farm(shared: FaultFarm) -> FaultFarm:
    """The farm, whole again."""
    shared.heal()
    return shared


@pytest.mark.slow
def test_the_cameras_of_a_killed_worker_are_analysed_by_another_while_that_one_loses_no_frame(farm: FaultFarm) -> None:
    """Given two workers, when one is killed, then the other has its cameras under newer epochs and keeps its own."""
    orphans, kept = farm.held_by("two"), farm.held_by("one")
    before, since_ms = farm.epochs(), now_ms()
    assert farm.farm.stop("two", signal.SIGKILL) == -signal.SIGKILL
    farm.wait_analysed_by("one", *orphans)
    farm.wait_analysed()
    after = farm.epochs()
    assert {name for name in after if after[name] > before[name]} == orphans
    farm.assert_undisturbed(*kept, since_ms=since_ms)
    farm.assert_no_write_of_an_older_epoch()
    assert sorted(farm.held_by("one")) == sorted(farm.cameras)
    assert list(farm.farm.live_workers()) == ["one"]


@pytest.mark.slow
def test_a_killed_worker_that_is_started_again_at_once_waits_for_its_own_lease(farm: FaultFarm) -> None:
    """Given a supervisor that restarts a killed worker under its id, when its lease still stands, then it is 69."""
    farm.farm.stop("two", signal.SIGKILL)
    with farm.valkey.client() as client:
        # A process may take longer to start than a lease lasts; this one stands until it has.
        client.pexpire(keys.worker_lease("two"), 60_000)
        farm.farm.start("two", "workers", FARM_WORKER_ID="two")
        process = farm.farm.processes.pop("two")
        assert process.wait(60) == exit_codes.NOT_YET
        client.pexpire(keys.worker_lease("two"), 1)
    assert "'two' runs already" in farm.log("two")
    farm.wait_analysed_by("one", *farm.cameras)
    farm.assert_no_write_of_an_older_epoch()


@pytest.mark.slow
def test_when_all_workers_are_killed_a_new_one_has_every_camera(farm: FaultFarm) -> None:
    """Given both workers killed at once, when one is started, then it analyses all cameras under newer epochs."""
    before = farm.epochs()
    for name in ("one", "two"):
        farm.farm.stop(name, signal.SIGKILL)
    for name in farm.cameras:
        farm.wait_status(name, reason="no_worker")
    farm.farm.start_worker("one")
    # The newest results of before the kill are partly this worker's too: only an epoch tells them apart.
    farm.wait_handed_over(before)
    assert farm.analysed_by("one") == set(farm.cameras)
    farm.assert_no_write_of_an_older_epoch()
