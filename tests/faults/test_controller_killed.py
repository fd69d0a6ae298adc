"""Managers that are killed: another one leads soon, a restarted one goes on, and no camera moves for it."""

import signal
from pathlib import Path

import pytest

from tests.support.fault_farm import ANALYSE_FPS, TAKEOVER_SECONDS, fault_farm, now_ms


@pytest.mark.long
def test_a_second_manager_takes_the_lead_without_moving_a_camera_and_plans(tmp_path: Path) -> None:
    """Given two managers, when the leading one is killed, then the other leads, and frames go on meanwhile."""
    with fault_farm(tmp_path, managers=("first", "second")) as farm:
        assert farm.leader() == "first"
        before, since_ms, pids = farm.assigned_epochs(), now_ms(), farm.pids()
        farm.farm.stop("first", signal.SIGKILL)
        farm.farm.wait_for(lambda: farm.leader() == "second", "the second one leads", TAKEOVER_SECONDS)
        farm.wait_analysed()
        farm.farm.add_camera("late", farm.host.url("squares.mp4"), analyse_fps=ANALYSE_FPS)
        farm.farm.wait_online("late")
        assert {name: epoch for name, epoch in farm.assigned_epochs().items() if name != "late"} == before
        farm.assert_undisturbed(*farm.cameras, since_ms=since_ms)
        farm.assert_no_write_of_an_older_epoch()
        assert farm.pids() == {name: pid for name, pid in pids.items() if name != "first"}


@pytest.mark.long
def test_without_any_manager_cameras_go_on_and_a_restarted_one_moves_none(tmp_path: Path) -> None:
    """Given one manager, when it is killed and later started again, then nothing moves and new cameras are placed."""
    with fault_farm(tmp_path) as farm:
        before, since_ms = farm.assigned_epochs(), now_ms()
        farm.farm.stop("manager", signal.SIGKILL)
        farm.farm.wait_for(lambda: not farm.leader(), "nobody leads", TAKEOVER_SECONDS)
        farm.farm.add_camera("late", farm.host.url("squares.mp4"), analyse_fps=ANALYSE_FPS)
        farm.wait_analysed()
        farm.wait_status("late", state="pending", reason="no_manager", seconds=60)

        farm.farm.start_manager("manager")
        farm.farm.wait_online("late", seconds=60)
        assert {name: epoch for name, epoch in farm.assigned_epochs().items() if name != "late"} == before
        farm.wait_analysed()
        farm.assert_undisturbed(*farm.cameras, since_ms=since_ms)
        farm.assert_no_write_of_an_older_epoch()


@pytest.mark.long
def test_a_worker_that_dies_while_nobody_leads_is_replaced_by_the_next_manager(tmp_path: Path) -> None:
    """Given manager and one worker killed together, when a manager is back, then the other worker has all cameras."""
    with fault_farm(tmp_path) as farm:
        kept, since_ms = farm.held_by("one"), now_ms()
        farm.farm.stop("manager", signal.SIGKILL)
        farm.farm.stop("two", signal.SIGKILL)
        farm.farm.wait_for(lambda: list(farm.farm.live_workers()) == ["one"], "the lease runs out", TAKEOVER_SECONDS)
        farm.farm.start_manager("manager")
        farm.wait_analysed_by("one", *farm.cameras, seconds=60)
        farm.assert_undisturbed(*kept, since_ms=since_ms)
        farm.assert_no_write_of_an_older_epoch()
