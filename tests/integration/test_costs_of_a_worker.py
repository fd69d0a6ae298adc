"""What a worker says its cameras cost, beside what its process really used."""

from pathlib import Path

import pytest

from contract.workers import WorkerStatus
from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n

CAMERAS = ("a", "b", "c")
#: Analysed frames over which the two are compared.
FRAMES = 150


def status_of(farm: Farm) -> WorkerStatus:
    """Return what the worker says of itself."""
    return WorkerStatus.model_validate(farm.live_workers()["one"]["status"])


def is_measured(status: WorkerStatus) -> bool:
    """Tell whether the costs of all cameras and of detection are known."""
    known = [holding for holding in status.holdings.values() if holding.stream_cores and holding.frame_seconds]
    return len(known) == len(CAMERAS) and status.detect_seconds is not None


@pytest.mark.long
def test_the_costs_of_cameras_add_up_to_what_the_process_uses(tmp_path: Path, own_valkey: ValkeyServer) -> None:
    """Given a worker with three cameras, streams, frames and detection make up most of its CPU time, and not more."""
    yolo11n()
    media = tmp_path / "media"
    media.mkdir()
    Clips(media).make("squares", fps=25, gop=5, seconds=20, size=(640, 480))
    settings = {"FARM_DETECT_SIZE": "160", "FARM_DETECT_THREADS": "1"}
    with RtspServer(media) as cameras, Farm(tmp_path, own_valkey.url, api_port=free_port(), **settings) as farm:
        farm.start_controller()
        farm.start_worker("one")
        for name in CAMERAS:
            farm.add_camera(name, cameras.url("squares.mp4"), analyse_fps=5, detect_on="every_frame")
        farm.wait_for(lambda: is_measured(status_of(farm)), "all costs are measured", 60)
        first = status_of(farm)
        farm.wait_for(lambda: status_of(farm).frames_analysed > first.frames_analysed + FRAMES, "frames", 60)
        last = status_of(farm)
    seconds = (last.updated_at_ms - first.updated_at_ms) / 1000
    frames = last.frames_analysed - first.frames_analysed
    per_frame = sum(holding.frame_seconds or 0 for holding in last.holdings.values()) / len(CAMERAS)
    streams = sum(holding.stream_cores or 0 for holding in last.holdings.values()) * seconds
    said = streams + frames * (per_frame + (last.detect_seconds or 0))
    used = last.cpu_seconds - first.cpu_seconds
    # The rest is what no camera causes: lease, statuses, waiting threads.
    assert 0.5 < said / used < 1.3, f"{said=} {used=} {streams=} {per_frame=} {last.detect_seconds=} {frames=}"
