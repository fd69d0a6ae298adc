"""Redis is killed and started again without its data: everything in it is made anew."""

from pathlib import Path

import pytest

from tests.support.fault_farm import fault_farm


@pytest.mark.slow
def test_the_same_processes_fill_an_empty_redis_again_and_workers_keep_their_cameras(tmp_path: Path) -> None:
    """Given a farm, when Redis comes back empty, then nobody exits and every camera goes on as it was."""
    with fault_farm(tmp_path) as farm:
        pids = farm.pids()
        held, before = {name: farm.held_by(name) for name in farm.workers}, farm.epochs()
        farm.valkey.kill()
        farm.farm.wait_for(lambda: farm.farm.call("GET", "/readyz")[0] == 503, "the API says so", 30)
        farm.valkey.restart(keep_data=False)
        farm.farm.wait_for(farm.farm.is_ready, "the API is ready again", 30)
        farm.wait_spread(*farm.workers)
        farm.wait_analysed()
        assert farm.pids() == pids
        assert {name: farm.held_by(name) for name in farm.workers} == held
        assert farm.epochs() == before, "nobody was given anything anew"
        farm.assert_no_write_of_an_older_epoch()
