"""The frames volume fills up under a running farm."""

from pathlib import Path

import pytest

from tests.support.fault_farm import fault_farm, now_ms


@pytest.mark.long
def test_a_full_volume_is_named_while_analysis_goes_on_and_saving_resumes_when_there_is_room(
    tmp_path: Path, small_volume: Path
) -> None:
    """Given a small volume, when it is full, then the status says so, results go on, and room mends it."""
    ballast = small_volume / "ballast"
    ballast.write_bytes(bytes(200_000))
    cameras = ("a", "b")
    with fault_farm(tmp_path, workers=("one",), cameras=cameras, FARM_FRAMES_DIR=str(small_volume)) as farm:
        pids, since_ms = farm.pids(), now_ms()
        for name in cameras:
            full = farm.wait_status(name, state="online", saving_reason="disk_full", seconds=40)
            assert full["frames_unsaved"]["disk_full"] > 0
        farm.wait_analysed()
        saved = {name: farm.farm.camera_status(name)["frames_saved"] for name in cameras}

        ballast.unlink()
        for name in cameras:
            assert farm.wait_status(name, saving_reason=None)["frames_saved"] > saved[name]
        farm.assert_undisturbed(*cameras, since_ms=since_ms)
        assert farm.pids() == pids
        assert list(small_volume.rglob("*.part")) == []
