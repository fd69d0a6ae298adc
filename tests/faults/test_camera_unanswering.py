"""Hosts that hang from the start or speak something else, and neighbours that must not notice."""

import socket
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from contract.errors import StatusReason
from tests.support.clips import Clips
from tests.support.rtsp_server import RtspServer
from tests.support.watched_camera import QUICK, WatchedCamera


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one clip: 25 fps, a keyframe a second."""
    return Clips(tmp_path_factory.mktemp("clips")).make(fps=25, gop=25).parent


@pytest.fixture
def server(folder: Path) -> Iterator[RtspServer]:
    """A server that the test may freeze."""
    with RtspServer(folder) as running:
        yield running


def test_a_camera_frozen_from_the_start_is_a_timeout(server: RtspServer) -> None:
    """Given a host that accepts and says nothing, When it is opened, Then timeout is told within the connect limit."""
    server.freeze()
    with WatchedCamera(server.url("squares")) as camera:
        took = camera.wait(lambda: StatusReason.TIMEOUT in camera.reasons, "timeout", 5)
        assert took < QUICK.connect_timeout_seconds + 1
        server.thaw()
        camera.wait_online(6)


def test_stop_returns_at_once_and_nothing_is_heard_afterwards(server: RtspServer) -> None:
    """Given libav waiting for a frozen camera, When it is stopped, Then at once and silently."""
    with WatchedCamera(server.url("squares")) as camera:
        camera.wait_online()
        server.freeze()
        threading.Event().wait(0.2)
        began = time.monotonic()
        camera.capture.stop()
        assert time.monotonic() - began < 1
        said = (len(camera.states), len(camera.frames))
        assert camera.capture.join(QUICK.stall_timeout_seconds + 1)
        assert (len(camera.states), len(camera.frames)) == said


def test_a_camera_that_freezes_does_not_slow_its_neighbour(folder: Path, server: RtspServer) -> None:
    """Given two cameras in one process, When one freezes, Then the other's frames keep their distance."""
    with (
        RtspServer(folder) as other,
        WatchedCamera(other.url("squares")) as frozen,
        WatchedCamera(server.url("squares")) as well,
    ):
        well.wait_frames(8)
        frozen.wait_online()
        other.freeze()
        before = len(well.frames)
        frozen.wait_reason(StatusReason.STREAM_STALLED, 5)
        times = [frame.captured_monotonic for frame in well.frames[before:]]
        other.thaw()
    assert len(times) >= 5
    assert max(b - a for a, b in pairwise(times)) < 1.5


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html></html>", StatusReason.NOT_VIDEO),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", StatusReason.NOT_VIDEO),
    ],
)
def test_a_host_that_speaks_something_else_is_not_video(said: bytes, reason: StatusReason) -> None:
    """Given a host that is no camera, When RTSP is spoken to it, Then it has a reason."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def answer() -> None:
            while not ended.is_set():
                try:
                    client, _ = listener.accept()
                except TimeoutError:
                    continue
                with client:
                    client.settimeout(1)
                    if client.recv(200):
                        client.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            with WatchedCamera(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/x") as camera:
                camera.wait_reason(reason, 5)
        finally:
            ended.set()
            thread.join(3)


@pytest.mark.parametrize("url", ["rtsp://camera.invalid/x", "http://camera.invalid/x.mjpeg"])
def test_a_host_that_has_no_address_is_named_so(url: str) -> None:
    """Given a name that no server knows (RFC 6761), When it is watched, Then the reason is the name."""
    with WatchedCamera(url) as camera:
        camera.wait_reason(StatusReason.NAME_NOT_FOUND, 20)
