"""Two managers live, one of them cut off from Redis: it is replaced, and its old plan arrives in vain."""

from pathlib import Path

import pytest

from tests.support.fault_farm import ANALYSE_FPS, TAKEOVER_SECONDS, fault_farm, now_ms


@pytest.mark.long
def test_a_plan_that_was_on_its_way_when_its_manager_was_cut_off_is_refused(tmp_path: Path) -> None:
    """Given a leader cut off while it publishes, when another has led, then its plan and its lead count no more."""
    with fault_farm(
        tmp_path, managers=("cut off", "other"), workers=("one",), cameras=("a", "b"), proxied=("cut off",)
    ) as farm:
        assert farm.leader() == "cut off"
        since_ms, pids = now_ms(), farm.pids()
        wire = farm.proxies["cut off"]
        wire.hold_at(b'"late')
        farm.farm.add_camera("late", farm.host.url("squares.mp4"), analyse_fps=ANALYSE_FPS)
        assert wire.held.wait(20), "the plan for it is on its way"
        farm.farm.wait_for(lambda: farm.leader() == "other", "the other one leads", TAKEOVER_SECONDS)
        farm.farm.wait_online("late")
        # What the old plan would undo: it knows one camera more than there is now.
        assert farm.farm.call("DELETE", "/api/v1/cameras/late")[0] == 204
        farm.farm.wait_for(lambda: farm.held_by("one") == set(farm.cameras), "its worker has left it", 20)
        plan = farm.assigned_epochs()

        wire.pass_on()
        assert wire.delivered.wait(10), "the old plan has reached Redis"
        farm.farm.wait_for(
            lambda: '"lead_lost"' in farm.log("cut off") or '"state": "lost"' in farm.log("cut off"),
            "the one that was cut off knows that it does not lead",
            20,
        )
        farm.wait_analysed()
        assert farm.leader() == "other"
        assert farm.assigned_epochs() == plan
        assert farm.held_by("one") == set(farm.cameras)
        farm.assert_undisturbed(*farm.cameras, since_ms=since_ms)
        farm.assert_no_write_of_an_older_epoch()
        assert farm.pids() == pids, "both managers live"
