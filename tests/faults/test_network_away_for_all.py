"""The network between Redis and everybody else is away for longer than every lease, or cuts all connections."""

from collections.abc import Iterator

import pytest

from tests.support.fault_farm import FaultFarm, fault_farm, now_ms

PROCESSES = ("manager", "one", "two")


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultFarm]:
    """A farm whose manager and workers reach Redis each through a proxy."""
    folder = tmp_path_factory.mktemp("farm")
    with fault_farm(folder, proxied=PROCESSES) as started:
        yield started


@pytest.mark.slow
def test_cut_connections_are_opened_again_and_no_result_is_missing(farm: FaultFarm) -> None:
    """Given a farm, when every connection to Redis is cut at once, then no camera moves or pauses."""
    before, since_ms, pids = farm.assigned_epochs(), now_ms(), farm.pids()
    for proxy in farm.proxies.values():
        proxy.cut()
    farm.wait_analysed()
    farm.assert_undisturbed(*farm.cameras, since_ms=since_ms)
    assert farm.assigned_epochs() == before
    assert farm.pids() == pids


@pytest.mark.slow
def test_after_silence_that_outlasts_the_leases_the_same_processes_go_on_with_all_cameras(farm: FaultFarm) -> None:
    """Given a farm, when nobody reaches Redis for longer than a lease, then all go on, and no two write at once."""
    pids = farm.pids()
    for proxy in farm.proxies.values():
        proxy.black_hole()
    farm.wait_detached(*PROCESSES)
    farm.farm.wait_for(lambda: not farm.farm.live_workers(), "the leases run out", 30)
    for proxy in farm.proxies.values():
        proxy.pass_on()
    farm.wait_spread(*farm.workers)
    farm.wait_analysed()
    assert farm.pids() == pids
    farm.assert_no_write_of_an_older_epoch()
