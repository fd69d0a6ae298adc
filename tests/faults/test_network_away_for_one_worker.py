"""The network between one worker and Redis is away for longer than its lease, and comes back."""

from pathlib import Path
from typing import Any

import pytest

from contract import keys
from tests.support.fault_farm import fault_farm, now_ms


@pytest.mark.long
def test_others_take_over_and_what_it_wrote_meanwhile_is_refused_and_counted(tmp_path: Path) -> None:
    """Given a worker cut off, when others have its cameras and it is back, then it gives way and works on as new."""
    with fault_farm(tmp_path, proxied=("two",)) as farm:
        orphans, kept = farm.held_by("two"), farm.held_by("one")
        before, since_ms = farm.epochs(), now_ms()
        wire = farm.proxies["two"]
        wire.hold_at(keys.camera_result(min(orphans)).encode())
        assert wire.held.wait(10)
        farm.wait_analysed_by("one", *orphans)
        farm.assert_undisturbed(*kept, since_ms=since_ms)
        taken = farm.epochs()
        assert all(taken[name] > before[name] for name in orphans)

        farm.wait_detached("two")
        wire.pass_on()
        farm.farm.wait_for(
            lambda: _refused(farm.farm.live_workers().get("two")) > 0, "it is back, and its late writes are refused", 30
        )
        farm.wait_spread("one", "two")
        assert all(farm.epochs()[name] >= taken[name] for name in farm.cameras)
        farm.assert_no_write_of_an_older_epoch()
        assert set(farm.pids()) == set(farm.farm.processes), "the same processes"


def _refused(worker: dict[str, Any] | None) -> int:
    """Return how many writes a live worker says were refused."""
    status = worker["status"] if worker else None
    return int(status["refused_writes"]) if status else 0
