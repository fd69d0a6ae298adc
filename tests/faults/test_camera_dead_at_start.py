"""Cameras that do not answer from the start: each is named, and no other waits for it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from contract.errors import StatusReason
from tests.support.fault_farm import ANALYSE_FPS, FaultFarm, fault_farm, now_ms
from tests.support.rtsp_server import RtspServer
from tests.support.watched_camera import QUICK, WatchedCamera


def test_a_new_camera_does_not_wait_for_dead_ones(steady: RtspServer) -> None:
    """Given 8 cameras that accept and say nothing, when a good one is added, then its frame is there within 1 s."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as mute, ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(WatchedCamera(f"rtsp://127.0.0.1:{mute.getsockname()[1]}/cam"))
        threading.Event().wait(0.3)
        good = stack.enter_context(WatchedCamera(steady.url("cam")))
        assert good.wait_frames(1) < 1


def test_a_camera_frozen_from_the_start_is_a_timeout(shaky: RtspServer) -> None:
    """Given a host that accepts and says nothing, When it is opened, Then timeout is told within the connect limit."""
    shaky.freeze()
    with WatchedCamera(shaky.url("cam")) as camera:
        took = camera.wait(lambda: StatusReason.TIMEOUT in camera.reasons, "timeout", 5)
        assert took < QUICK.connect_timeout_seconds + 1
        shaky.thaw()
        camera.wait_online(6)


@pytest.mark.parametrize("url", ["rtsp://camera.invalid/x", "http://camera.invalid/x.mjpeg"])
def test_a_host_that_has_no_address_is_named_so(url: str) -> None:
    """Given a name that no server knows (RFC 6761), When it is watched, Then the reason is the name."""
    with WatchedCamera(url) as camera:
        camera.wait_reason(StatusReason.NAME_NOT_FOUND, 20)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultFarm]:
    """A farm of one worker with cameras that nothing happens to."""
    with fault_farm(tmp_path_factory.mktemp("farm"), workers=("one",), cameras=("a", "b")) as started:
        yield started


@pytest.mark.slow
def test_in_a_farm_dead_cameras_are_named_cost_the_others_nothing_and_are_watched_when_they_live(
    farm: FaultFarm, shaky: RtspServer
) -> None:
    """Given a farm, when dead cameras are added, then each has its reason; when one lives, it is analysed."""
    since_ms, pids = now_ms(), farm.pids()
    shaky.stop()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        farm.farm.add_camera("dead", shaky.url("cam"), analyse_fps=ANALYSE_FPS)
        farm.farm.add_camera("mute", f"rtsp://127.0.0.1:{mute.getsockname()[1]}/cam")
        assert farm.wait_status("dead", state="offline", reason="refused")["remedy"]
        assert farm.wait_status("mute", state="offline", reason="timeout")["remedy"]
    shaky.start()
    farm.farm.wait_online("dead", seconds=20)
    assert farm.farm.camera_status("mute")["state"] != "online"
    farm.wait_analysed()
    farm.assert_undisturbed(*farm.cameras, since_ms=since_ms)
    assert farm.pids() == pids
