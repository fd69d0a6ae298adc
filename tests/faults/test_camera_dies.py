"""Cameras that go away: each is named, comes back by itself, and costs no other camera a frame."""

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import psutil
import pytest

from contract.cameras import CameraState
from contract.errors import StatusReason
from tests.support.fault_farm import ANALYSE_FPS, FaultFarm, fault_farm, now_ms
from tests.support.rtsp_server import RtspServer, free_port
from tests.support.watched_camera import KeepingTap, WatchedCamera, capture_threads, connections_to

FPS: Final = 10


class Counted(WatchedCamera):
    """A capture of every frame that also keeps every packet."""

    def __init__(self, url: str) -> None:
        self._tap = KeepingTap()
        super().__init__(url, analyse_fps=FPS, tap=self._tap)

    @property
    def filmed(self) -> list[float]:
        """When each packet was filmed, seconds by the camera's clock."""
        # The first packets of an RTSP stream have no time until the camera has told its clock.
        return [
            float(packet.pts * packet.time_base)
            for packet in list(self._tap.video)
            if packet.pts is not None and packet.time_base is not None
        ]

    def lost(self) -> int:
        """Return how many frames are missing between the first and the last one received."""
        gaps = [later - earlier for earlier, later in itertools.pairwise(self.filmed)]
        return sum(round(gap * FPS) - 1 for gap in gaps)


def test_nine_cameras_lose_no_frame_while_a_tenth_dies_and_others_never_lived(
    steady: RtspServer, shaky: RtspServer
) -> None:
    """Given 9 cameras in one process, when a tenth is cut, one refuses and one hangs, then the 9 lose no frame."""
    with socket.create_server(("127.0.0.1", 0)) as mute, ExitStack() as stack:
        dead = [f"rtsp://127.0.0.1:{free_port()}/cam", f"rtsp://127.0.0.1:{mute.getsockname()[1]}/cam"]
        tenth, refused, hung = (stack.enter_context(WatchedCamera(url)) for url in [shaky.url("cam"), *dead])
        good = [stack.enter_context(Counted(steady.url("cam"))) for _ in range(9)]
        for camera in (tenth, *good):
            camera.wait_frames(1)
        before = [len(camera.frames) for camera in good]
        shaky.stop()
        tenth.wait_reason(StatusReason.REFUSED)
        hung.wait_reason(StatusReason.TIMEOUT)
        refused.wait_reason(StatusReason.REFUSED)
        threading.Event().wait(3)
        for camera, count in zip(good, before, strict=True):
            assert camera.filmed[-1] - camera.filmed[0] > 3
            assert camera.lost() == 0
            assert len(camera.frames) - count >= 28
            assert camera.reasons == []
            late = [
                later.captured_monotonic - now.captured_monotonic for now, later in itertools.pairwise(camera.frames)
            ]
            assert max(late) < 1.5


def test_a_camera_that_comes_back_is_watched_again_within_two_seconds(shaky: RtspServer) -> None:
    """Given a camera, when it is away for a moment or for seconds, then its frames come 2 s after it answers."""
    with WatchedCamera(shaky.url("cam")) as camera:
        camera.wait_frames(2)
        for away in (0.2, 1.0, 3.0):
            shaky.stop()
            camera.wait(lambda: camera.state.state is CameraState.OFFLINE, "offline", 3)
            threading.Event().wait(away)
            shaky.start()
            assert camera.wait_frames(len(camera.frames) + 1) < 2
        camera.wait_online()
        assert camera.state.reconnects == 3
        assert camera.state.reason is None


def test_neither_memory_nor_descriptors_grow_over_fifty_openings(steady: RtspServer) -> None:
    """Given a process that has opened a camera 10 times, when it does so 50 times more, then nothing has grown."""
    process = psutil.Process()

    def open_and_close(times: int) -> None:
        for _ in range(times):
            with WatchedCamera(steady.url("cam")) as camera:
                camera.wait_frames(1)

    open_and_close(10)
    memory, descriptors = process.memory_info().rss, process.num_fds()
    open_and_close(50)
    assert process.memory_info().rss - memory < 15_000_000
    assert process.num_fds() <= descriptors + 2
    assert connections_to(steady.port) == 0
    assert capture_threads() == []


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultFarm]:
    """A farm of one worker with cameras that nothing happens to."""
    with fault_farm(tmp_path_factory.mktemp("farm"), workers=("one",), cameras=("a", "b")) as started:
        yield started


@pytest.mark.slow
def test_in_a_farm_a_camera_that_dies_is_named_and_comes_back_while_the_others_lose_no_frame(
    farm: FaultFarm, shaky: RtspServer
) -> None:
    """Given two camera hosts, when one dies and returns, then its camera has a reason and is analysed again."""
    farm.farm.add_camera("dying", shaky.url("cam"), analyse_fps=ANALYSE_FPS)
    farm.farm.wait_online("dying")
    since_ms, pids, epoch = now_ms(), farm.pids(), farm.farm.camera_status("dying")["epoch"]
    shaky.stop()
    assert farm.wait_status("dying", state="offline", reason="refused")["remedy"]
    shaky.start()
    farm.wait_status("dying", state="online")
    farm.wait_analysed("dying", *farm.cameras)
    farm.assert_undisturbed(*farm.cameras, since_ms=since_ms)
    assert farm.farm.camera_status("dying")["epoch"] == epoch, "it stayed where it was"
    assert farm.pids() == pids
