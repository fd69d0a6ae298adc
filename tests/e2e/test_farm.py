"""The whole farm in real processes on real RTSP streams, looked at from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.result_watcher import ResultWatcher
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n

#: Small pictures, and few threads: what is tested is who watches what, not how fast.
WORKER_SETTINGS = {"FARM_DETECT_SIZE": "160", "FARM_DETECT_THREADS": "1"}


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one clip: a keyframe every half second."""
    folder = tmp_path_factory.mktemp("media")
    Clips(folder).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
    return folder


@pytest.fixture
def cameras(media: Path) -> Iterator[RtspServer]:
    """Return a real RTSP server."""
    with RtspServer(media) as server:
        yield server


@pytest.fixture
def farm(tmp_path: Path, own_valkey: ValkeyServer, cameras: RtspServer) -> Iterator[Farm]:
    """Return a farm with a controller and no worker yet; it ends before `cameras` do."""
    assert cameras
    yolo11n()
    with Farm(tmp_path, own_valkey.url, api_port=free_port(), **WORKER_SETTINGS) as started:
        started.start_controller()
        yield started


def loads(farm: Farm) -> list[int]:
    """Return how many cameras each live worker has."""
    return sorted(len(worker["status"]["camera_ids"]) for worker in farm.live_workers().values() if worker["status"])


@pytest.mark.slow
def test_a_registered_camera_is_analysed_within_seconds_and_its_stream_closed_when_deleted(
    farm: Farm, cameras: RtspServer
) -> None:
    """Given a running worker, when a camera is registered and deleted, then its stream is opened and closed."""
    farm.start_worker("one")
    farm.add_camera("door", cameras.url("squares.mp4"))
    opened = farm.wait_for(lambda: farm.camera_status("door")["frames_analysed"] > 0, "door is analysed", 10)
    assert cameras.sessions() == 1
    status, _ = farm.call("DELETE", "/api/v1/cameras/door")
    assert status == 204
    closed = farm.wait_for(lambda: cameras.sessions() == 0, "the stream is closed", 10)
    assert opened < 3, f"analysed after {opened:.1f} s"
    assert closed < 3, f"closed after {closed:.1f} s"
    assert farm.call("GET", "/api/v1/cameras/door/result")[0] == 404


@pytest.mark.slow
def test_more_workers_share_the_cameras_evenly_and_none_is_analysed_twice(
    farm: Farm, cameras: RtspServer, own_valkey: ValkeyServer
) -> None:
    """Given seven cameras on one worker, when two join and one leaves, then the spread is even, without a gap."""
    names = [f"cam{number}" for number in range(7)]
    farm.start_worker("one")
    for name in names:
        farm.add_camera(name, cameras.url("squares.mp4"))
    farm.wait_online(*names)
    with ResultWatcher(own_valkey.client()) as watcher:
        farm.start_worker("two")
        farm.wait_for(lambda: loads(farm) == [3, 4], "two workers share", 20)
        farm.start_worker("three")
        farm.wait_for(lambda: loads(farm) == [2, 2, 3], "three workers share", 20)
        assert farm.stop("two") == 0
        farm.wait_for(lambda: loads(farm) == [3, 4], "two workers share again", 20)
        seen = {name: len(watcher.results(name)) for name in names}
        farm.wait_for(lambda: all(len(watcher.results(name)) > seen[name] + 1 for name in names), "it goes on", 10)
        assert cameras.sessions() == len(names), "a camera is watched twice"
        for name in names:
            assert not watcher.went_back(name)
            # One sampling interval, and what a busy machine needs.
            assert watcher.longest_gap_ms(name) < 3_000, name
