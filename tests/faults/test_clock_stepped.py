"""The wall clock of a host is set forward or back under running processes: nothing moves, results follow it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.moves import MoveReason
from tests.support.fake_time import FakeTime
from tests.support.fault_farm import FaultFarm, fault_farm, now_ms

HOUR_SECONDS = 3_600
#: How far a time may be from the clock that it was taken from: a frame's way through a busy machine.
TOLERANCE_MS = 30_000
#: Seconds without a move after which cameras are where they stay, and in which they must be: a worker under faked time
#: does less with the same core.
CALM_SECONDS = 12.0
BALANCE_SECONDS = 60.0


@pytest.fixture
def farm(tmp_path: Path, fake_time: FakeTime) -> Iterator[FaultFarm]:
    """A farm of two workers; one of them has a wall clock of its own."""
    with fault_farm(tmp_path, environments={"two": fake_time.environment}) as started:
        yield started


def _wait_balanced(farm: FaultFarm) -> None:
    """Wait until what the cameras have been found to cost moves none of them any more."""
    before, since = farm.assigned_epochs(), time.monotonic()
    deadline = since + BALANCE_SECONDS
    while time.monotonic() - since < CALM_SECONDS and time.monotonic() < deadline:
        time.sleep(0.2)
        if farm.assigned_epochs() != before:
            before, since = farm.assigned_epochs(), time.monotonic()


@pytest.mark.timeout(240)
@pytest.mark.slow
@pytest.mark.parametrize("step_seconds", [HOUR_SECONDS, -HOUR_SECONDS], ids=["forward", "back"])
def test_a_worker_whose_clock_is_set_keeps_its_cameras_and_its_results_follow_the_clock(
    farm: FaultFarm, fake_time: FakeTime, step_seconds: int
) -> None:
    """Given a worker, when its clock jumps by an hour, then nothing moves for it, and times are those of the new clock.

    A busy machine may let a camera move for balance meanwhile: a worker under faked time does less with the same core.
    """
    _wait_balanced(farm)
    before, pids = farm.assigned_epochs(), farm.pids()
    since_ms = now_ms()
    fake_time.step_to(step_seconds)
    for _ in range(3):
        farm.wait_analysed()
    assert farm.moves_besides(MoveReason.BALANCE, since_ms=since_ms) == []
    assert len(farm.moves_besides(MoveReason.BALANCE, since_ms=0)) >= len(before), "when they were placed"
    assert farm.pids() == pids
    stayed = {name for name, epoch in farm.assigned_epochs().items() if epoch == before[name]}
    assert len(stayed) >= len(before) - 1
    for name in stayed & farm.held_by("two"):
        newest = farm.watcher.newest(name)
        assert newest is not None
        for told_ms in (newest.captured_at_ms, newest.published_at_ms):
            assert abs(told_ms - (now_ms() + step_seconds * 1_000)) < TOLERANCE_MS
        status = farm.wait_status(name, state="online")
        assert 0 <= status["age_ms"] < TOLERANCE_MS
    farm.assert_undisturbed(*(stayed & farm.held_by("one")), since_ms=since_ms)
    farm.assert_no_write_of_an_older_epoch()


@pytest.fixture
def farm_on_odd_server(tmp_path: Path, fake_time: FakeTime) -> Iterator[FaultFarm]:
    """A farm of two workers whose Redis has a wall clock of its own."""
    with fault_farm(tmp_path, environments={"valkey": fake_time.environment}) as started:
        yield started


@pytest.mark.slow
@pytest.mark.parametrize("step_seconds", [HOUR_SECONDS, -HOUR_SECONDS], ids=["forward", "back"])
def test_setting_the_clock_of_the_redis_host_moves_nothing_and_ends_nobody(
    farm_on_odd_server: FaultFarm, fake_time: FakeTime, step_seconds: int
) -> None:
    """Given Redis, when its clock jumps by an hour, which ends every lease or none, all processes and cameras stay."""
    farm = farm_on_odd_server
    before, pids = farm.assigned_epochs(), farm.pids()
    fake_time.step_to(step_seconds)
    for _ in range(4):
        farm.wait_analysed()
    farm.farm.wait_for(lambda: len(farm.farm.live_workers()) == 2, "both workers have their leases", 30)
    assert farm.pids() == pids
    assert farm.assigned_epochs() == before
    farm.assert_no_write_of_an_older_epoch()
