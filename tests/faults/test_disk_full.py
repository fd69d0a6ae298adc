"""The frames volume fills up under a running worker."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    """Return a real volume of 256 kB; skips where this user may not mount one."""
    folder = tmp_path / "volume"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small volume cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_volume_is_named_while_analysis_goes_on_and_saving_resumes_when_there_is_room(
    tmp_path: Path, small_volume: Path, own_valkey: ValkeyServer
) -> None:
    """Given a small volume, when it is full, then the status says so, results go on, and room mends it."""
    yolo11n()
    media = tmp_path / "media"
    media.mkdir()
    Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(640, 480))
    settings = {"FARM_FRAMES_DIR": str(small_volume), "FARM_DETECT_SIZE": "160", "FARM_DETECT_THREADS": "1"}
    ballast = small_volume / "ballast"
    ballast.write_bytes(bytes(200_000))
    with RtspServer(media) as cameras, Farm(tmp_path, own_valkey.url, api_port=free_port(), **settings) as farm:
        farm.start_controller()
        farm.start_worker("one")
        farm.add_camera("door", cameras.url("squares.mp4"), analyse_fps=5)
        farm.wait_for(lambda: farm.camera_status("door")["saving_reason"] == "disk_full", "the status names it", 30)
        full = farm.camera_status("door")
        assert full["state"] == "online"
        assert full["frames_unsaved"]["disk_full"] > 0
        assert full["frames_dropped"] == {}
        analysed = full["frames_analysed"]
        farm.wait_for(lambda: farm.camera_status("door")["frames_analysed"] > analysed + 5, "analysis goes on", 15)

        ballast.unlink()
        farm.wait_for(lambda: farm.camera_status("door")["saving_reason"] is None, "saving goes on", 15)
        assert farm.camera_status("door")["frames_saved"] > full["frames_saved"]
        assert list(small_volume.rglob("*.part")) == []
