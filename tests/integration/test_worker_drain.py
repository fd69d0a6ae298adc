"""A worker that is asked to leave."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import keys
from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n


@pytest.fixture
def farm(tmp_path: Path, own_valkey: ValkeyServer) -> Iterator[Farm]:
    """Return a farm with one camera on one worker that may drain for a minute."""
    yolo11n()
    media = tmp_path / "media"
    media.mkdir()
    Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
    settings = {"FARM_DETECT_SIZE": "160", "FARM_DETECT_THREADS": "1", "FARM_DRAIN_SECONDS": "60"}
    with RtspServer(media) as cameras, Farm(tmp_path, own_valkey.url, api_port=free_port(), **settings) as started:
        started.start_controller()
        started.start_worker("one")
        started.add_camera("door", cameras.url("squares.mp4"))
        started.wait_online("door")
        yield started


@pytest.mark.slow
def test_the_last_worker_leaves_at_once_for_there_is_nobody_to_wait_for(farm: Farm) -> None:
    """Given one worker, when it is asked to leave, then the manager withdraws its camera and it goes."""
    began = time.monotonic()
    assert farm.stop("one") == 0
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_a_worker_does_not_wait_for_a_manager_that_is_gone(farm: Farm) -> None:
    """Given a controller that has stopped, when the worker is asked to leave, then it leaves after one lease."""
    assert farm.stop("controller") == 0
    began = time.monotonic()
    assert farm.stop("one") == 0
    assert time.monotonic() - began < 15
    assert "nobody_takes_over" in (farm.folder / "one.log").read_text()


@pytest.mark.slow
def test_a_worker_that_is_asked_by_command_hands_over_leaves_and_forgets_it(
    farm: Farm, own_valkey: ValkeyServer
) -> None:
    """Given two workers, when one is asked to drain, it ends with 0, and the same id may start again and stay."""
    farm.start_worker("two")
    farm.wait_for(lambda: len(farm.live_workers()) == 2, "both are there", 30)
    with own_valkey.client() as client:
        client.set(keys.worker_drain("one"), "somebody", ex=3600)
        process = farm.processes.pop("one")
        assert process.wait(40) == 0
        assert not client.exists(keys.worker_drain("one"))
        assert '"by": "somebody"' in farm.log("one")
        farm.wait_for(lambda: farm.camera_status("door")["worker_id"] == "two", "two has the camera", 30)
        client.set(keys.worker_drain("one"), "somebody, long ago", ex=3600)
        farm.start_worker("one")
        farm.wait_for(lambda: not client.exists(keys.worker_drain("one")), "it was forgotten", 10)
        assert farm.processes["one"].poll() is None
