"""A worker's own figures for Prometheus."""

import re
import socket
import urllib.request
from pathlib import Path

import pytest

from contract.errors import FarmError
from runtime.settings import PROJECT_DIR
from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n
from workers.metrics import WorkerCollector, serve_metrics

#: Metrics that a worker has only when there is something to tell, and one of the API.
NOT_YET = {"farm_worker_drops_per_second", "farm_worker_host_busy_cores", "farm_worker_load_ratio"}


def scrape(port: int) -> dict[str, float]:
    """Return name (and labels) -> value."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = [line for line in answer.read().decode().splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.mark.slow
def test_a_worker_serves_its_figures_to_prometheus(tmp_path: Path, own_valkey: ValkeyServer) -> None:
    """Given a worker with one camera, when its metrics are read, then they say what it does."""
    yolo11n()
    media, port = tmp_path / "media", free_port()
    media.mkdir()
    Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
    settings = {
        "FARM_METRICS_HOST": "127.0.0.1",
        "FARM_METRICS_PORT": str(port),
        "FARM_DETECT_SIZE": "160",
        "FARM_DETECT_THREADS": "1",
    }
    with RtspServer(media) as cameras, Farm(tmp_path, own_valkey.url, api_port=free_port()) as farm:
        farm.start_controller()
        farm.start_worker("one", **settings)
        farm.add_camera("door", cameras.url("squares.mp4"), record="continuous")
        farm.wait_online("door")
        farm.wait_for(lambda: farm.camera_status("door")["recording"]["seconds"] > 0, "it is recorded", 30)
        farm.wait_for(lambda: 'farm_worker_stage_busy{stage="publish"}' in scrape(port), "its stages are told", 30)
        figures = scrape(port)
    assert figures["farm_worker_cameras"] == 1
    assert figures["farm_worker_frames_analysed_total"] >= 1
    assert figures['farm_worker_camera_online{camera="door"}'] == 1
    assert figures["farm_worker_detect_seconds"] > 0
    assert (figures["farm_worker_spool_records"], figures["farm_worker_spool_bytes"]) == (0, 0)
    assert figures["farm_worker_spool_lost_total"] == 0
    assert figures['farm_worker_camera_recorded_seconds_total{camera="door"}'] > 0
    assert figures['farm_worker_camera_recorded_bytes_total{camera="door"}'] > 0
    assert figures['farm_worker_camera_recording_failing{camera="door"}'] == 0
    assert figures["farm_worker_segments_untold_total"] == 0
    assert figures['farm_worker_stage_items_per_second{stage="publish"}'] > 0
    page = (PROJECT_DIR / "docs/operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bfarm_worker_[a-z_]+[a-z]", page)) - NOT_YET
    assert named <= {name.partition("{")[0] for name in figures}
    assert 0 < figures['farm_worker_stage_cores{stage="publish"}'] < figures['farm_worker_stage_busy{stage="publish"}']


def test_a_taken_metrics_port_is_named_with_the_setting() -> None:
    """Given a port that is taken, when metrics shall be served on it, then the error names port and setting."""

    def never() -> object:
        raise AssertionError("nothing is asked")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FarmError, match=rf"{port}.*FARM_METRICS_PORT"):
            serve_metrics("127.0.0.1", port, WorkerCollector(never, list))  # type: ignore[arg-type]
