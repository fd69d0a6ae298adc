"""Cameras that stay connected and send nothing, or nothing whole, any more."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from contract.errors import StatusReason
from tests.support.clips import Clips
from tests.support.fault_farm import ANALYSE_FPS, FaultFarm, fault_farm, now_ms
from tests.support.rtsp_server import RtspServer
from tests.support.tcp_proxy import TcpProxy
from tests.support.watched_camera import QUICK, WatchedCamera, capture_threads, connections_to


def test_a_camera_that_hangs_is_named_within_the_stall_timeout_and_comes_back(shaky: RtspServer) -> None:
    """Given a stream, when the camera hangs, then stream_stalled is said in time; when it goes on, frames come."""
    settings = replace(QUICK, stall_timeout_seconds=2.0)
    with WatchedCamera(shaky.url("cam"), settings=settings) as camera:
        camera.wait_frames(2)
        shaky.freeze()
        frozen = time.monotonic()
        camera.wait_reason(StatusReason.STREAM_STALLED)
        assert time.monotonic() - frozen < settings.stall_timeout_seconds + 1.5
        shaky.thaw()
        # An attempt that began while it hung may have to run into its time-out first.
        limit = settings.connect_timeout_seconds + 2
        assert camera.wait_frames(len(camera.frames) + 1) < limit


def test_a_capture_inside_libav_ends_with_the_stall_timeout_and_leaves_nothing(shaky: RtspServer) -> None:
    """Given a capture that waits for a hung camera, when stopped, it says no more, and thread and socket are gone."""
    camera = WatchedCamera(shaky.url("cam"), settings=replace(QUICK, stall_timeout_seconds=2.0))
    camera.capture.start()
    camera.wait_frames(2)
    assert connections_to(shaky.port) == 1
    shaky.freeze()
    threading.Event().wait(0.3)
    began = time.monotonic()
    camera.capture.stop()
    assert time.monotonic() - began < 1, "stop does not wait for the camera"
    told = len(camera.states), len(camera.frames)
    assert camera.capture.join(2.5)
    assert (len(camera.states), len(camera.frames)) == told
    assert connections_to(shaky.port) == 0
    assert capture_threads() == []


def test_a_stream_without_video_frames_for_long_is_not_online(steady: RtspServer) -> None:
    """Given a camera whose packets cannot be put together, when it is watched, then it is never online, and named."""
    with TcpProxy(steady.port, change_answer=lambda data: data.replace(b"H264/90000", b"H265/90000")) as proxy:
        url = steady.url("cam").replace(str(steady.port), str(proxy.port))
        with WatchedCamera(url) as camera:
            camera.wait(lambda: bool(camera.reasons), "named", 10)
            assert camera.reasons[0] in {StatusReason.STREAM_STALLED, StatusReason.TIMEOUT, StatusReason.DECODE_FAILED}
            assert not camera.frames


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultFarm]:
    """A farm of one worker with cameras that nothing happens to."""
    with fault_farm(tmp_path_factory.mktemp("farm"), workers=("one",), cameras=("a", "b")) as started:
        yield started


@pytest.mark.slow
def test_in_a_farm_a_camera_that_hangs_between_keyframes_is_named_and_comes_back(
    farm: FaultFarm, clips: Clips, shaky: RtspServer
) -> None:
    """Given a camera with a keyframe every 4 s, when it hangs after some frames of a GOP, then it is named so."""
    clips.make("long", fps=10, gop=40, seconds=8)
    farm.farm.add_camera("hanging", shaky.url("long"), analyse_fps=ANALYSE_FPS)
    farm.farm.wait_online("hanging")
    assert farm.farm.camera_status("hanging")["decode_mode"] == "all", "frames between keyframes are looked at"
    since_ms, pids = now_ms(), farm.pids()
    shaky.freeze()
    assert farm.wait_status("hanging", state="offline", reason="stream_stalled")["remedy"]
    shaky.thaw()
    farm.wait_status("hanging", state="online")
    farm.wait_analysed("hanging", *farm.cameras)
    farm.assert_undisturbed(*farm.cameras, since_ms=since_ms)
    assert farm.pids() == pids
