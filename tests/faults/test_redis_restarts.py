"""Redis goes away under a running farm and comes back, with its data or without."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n

CAMERAS = ["a", "b", "c"]


@pytest.fixture
def farm(tmp_path: Path, own_valkey: ValkeyServer) -> Iterator[Farm]:
    """Return a farm of two workers with three cameras that are analysed."""
    yolo11n()
    media = tmp_path / "media"
    media.mkdir()
    Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
    settings = {"FARM_DETECT_SIZE": "160", "FARM_DETECT_THREADS": "1"}
    with RtspServer(media) as cameras, Farm(tmp_path, own_valkey.url, api_port=free_port(), **settings) as started:
        started.start_controller()
        started.start_worker("one")
        started.start_worker("two")
        for name in CAMERAS:
            started.add_camera(name, cameras.url("squares.mp4"))
        started.wait_online(*CAMERAS)
        yield started


def newest(farm: Farm) -> dict[str, int]:
    """Return when the newest result of each camera was captured, Unix ms; 0 for none."""
    answers = {name: farm.call("GET", f"/api/v1/cameras/{name}/result") for name in CAMERAS}
    return {name: answer["captured_at_ms"] if status == 200 else 0 for name, (status, answer) in answers.items()}


def wait_for_new_results(farm: Farm) -> None:
    """Wait until every camera has a result that is newer than what there is now."""
    before = newest(farm)
    farm.wait_for(
        lambda: all(now > before[name] for name, now in newest(farm).items()), "all cameras have new results", 30
    )


@pytest.mark.slow
@pytest.mark.parametrize("keep_data", [True, False], ids=["with its data", "empty"])
def test_the_farm_goes_on_with_the_same_processes_when_redis_is_restarted(
    farm: Farm, own_valkey: ValkeyServer, keep_data: bool
) -> None:
    """Given a running farm, when Redis is killed and started again, then nobody exits and all cameras go on."""
    own_valkey.kill()
    own_valkey.restart(keep_data=keep_data)
    farm.wait_for(farm.is_ready, "the API is ready again", 30)
    farm.wait_for(lambda: len(farm.live_workers()) == 2, "both workers are back", 30)
    wait_for_new_results(farm)
    assert {name: process.poll() for name, process in farm.processes.items()} == dict.fromkeys(farm.processes)
