"""Redis hangs (SIGSTOP) for longer than every lease and goes on."""

from pathlib import Path

import pytest

from tests.support.fault_farm import fault_farm


@pytest.mark.long
def test_the_same_processes_go_on_with_all_cameras_when_redis_goes_on(tmp_path: Path) -> None:
    """Given a farm, when Redis hangs past the leases and goes on, then nobody has exited and all are analysed."""
    with fault_farm(tmp_path) as farm:
        pids = farm.pids()
        farm.valkey.freeze()
        farm.wait_detached(*farm.workers)
        assert farm.farm.call("GET", "/readyz")[0] == 503
        farm.valkey.thaw()
        farm.farm.wait_for(farm.farm.is_ready, "the API is ready again", 30)
        farm.wait_spread(*farm.workers)
        farm.wait_analysed()
        assert farm.pids() == pids
        farm.assert_no_write_of_an_older_epoch()
