"""A worker that is frozen past its lease and thawed: others have its cameras, nothing it writes late is accepted."""

import signal
from pathlib import Path

import pytest

from contract import keys
from contract.detections import AnalysisResult
from runtime import exit_codes
from tests.support.fault_farm import fault_farm, now_ms


@pytest.mark.slow
def test_late_writes_of_a_thawed_worker_are_refused_and_it_leaves_with_its_exit_code(tmp_path: Path) -> None:
    """Given a frozen worker whose last write is on its way, when others have its cameras, then it arrives in vain."""
    with fault_farm(tmp_path, proxied=("two",)) as farm:
        orphans, kept = farm.held_by("two"), farm.held_by("one")
        before, since_ms = farm.epochs(), now_ms()
        wire = farm.proxies["two"]
        wire.hold_at(keys.camera_result(min(orphans)).encode())
        assert wire.held.wait(10)
        farm.freeze("two")
        farm.wait_analysed_by("one", *orphans)
        taken = farm.epochs()
        assert all(taken[name] > before[name] for name in orphans)

        wire.pass_on()
        assert wire.delivered.wait(10), "a write of the former epoch has reached Redis"
        farm.wait_analysed()
        assert farm.analysed_by("one") == set(farm.cameras)
        assert farm.thaw_until_end("two") == exit_codes.LEASE_LOST
        farm.wait_analysed()
        assert farm.analysed_by("one") == set(farm.cameras)
        assert farm.epochs() == taken, "nobody moved for it"
        farm.assert_undisturbed(*kept, since_ms=since_ms)
        farm.assert_no_write_of_an_older_epoch()
        for name in orphans:
            late = [result for result in farm.watcher.results(name) if result.epoch == before[name]]
            first = min(result.published_at_ms for result in farm.watcher.results(name) if result.epoch == taken[name])
            assert max(result.published_at_ms for result in late) < first


@pytest.mark.slow
def test_a_worker_that_is_frozen_for_less_than_its_lease_goes_on(tmp_path: Path) -> None:
    """Given a worker, when it is frozen for less than its lease, then it goes on and no camera moves."""
    with fault_farm(tmp_path, workers=("one",), cameras=("a",), FARM_LEASE_SECONDS="20") as farm:
        before = farm.epochs()
        seen = len(farm.watcher.acceptances("a"))
        farm.freeze("one")
        # Results of before the freeze are on their way for a moment; then there are none for a second.
        farm.farm.wait_for(lambda: _age_ms(farm.watcher.newest("a")) > 1_000, "it is silent", 15)
        farm.farm.processes["one"].send_signal(signal.SIGCONT)
        farm.wait_analysed()
        assert len(farm.watcher.acceptances("a")) > seen
        assert farm.epochs() == before


def _age_ms(result: AnalysisResult | None) -> int:
    return now_ms() - result.published_at_ms if result else 0
