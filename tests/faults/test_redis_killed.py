"""Redis is killed and started again with its append-only file."""

from pathlib import Path

import pytest

from tests.support.fault_farm import fault_farm


@pytest.mark.slow
def test_the_same_processes_go_on_under_the_same_epochs_when_redis_is_back(tmp_path: Path) -> None:
    """Given a farm, when Redis is killed and is back with its data, then nobody exits and no camera is moved."""
    with fault_farm(tmp_path) as farm:
        pids, before = farm.pids(), farm.assigned_epochs()
        farm.valkey.kill()
        farm.farm.wait_for(lambda: farm.farm.call("GET", "/readyz")[0] == 503, "the API says so", 30)
        farm.valkey.restart(keep_data=True)
        farm.farm.wait_for(farm.farm.is_ready, "the API is ready again", 30)
        farm.wait_spread(*farm.workers)
        farm.wait_analysed()
        assert farm.pids() == pids
        assert farm.assigned_epochs() == before
        farm.assert_no_write_of_an_older_epoch()
