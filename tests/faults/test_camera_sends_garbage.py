"""Cameras that send what is no video, damaged video, or video that begins in the middle."""

import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import av
import pytest

from contract.cameras import CameraState
from contract.errors import StatusReason
from tests.support.clips import Clips
from tests.support.fault_farm import ANALYSE_FPS, FaultFarm, fault_farm, now_ms
from tests.support.tcp_proxy import TcpProxy
from tests.support.watched_camera import WatchedCamera, file_camera


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    """Clips of this test."""
    return Clips(tmp_path)


def test_garbage_is_not_video(clips: Clips) -> None:
    """Given random bytes under names of videos, When they are opened, Then not_video."""
    for container in ("mp4", "ts", "mkv"):
        with file_camera(clips.garbage(container=container)) as camera:
            camera.wait(lambda: bool(camera.reasons), "a reason")
        assert camera.reasons[0] is StatusReason.NOT_VIDEO
        assert camera.frames == []


def test_a_truncated_file_plays_what_is_there_again_and_again(clips: Clips) -> None:
    """Given a file that ends in the middle, When it is a camera, Then what is there is played, and it stays alive."""
    with file_camera(clips.truncated(), analyse_fps=10) as camera:
        camera.wait_frames(30, 15)


def test_damaged_packets_are_counted_and_passed_over(clips: Clips) -> None:
    """Given a stream with some damaged packets, When it is analysed, Then it goes on and the damage is counted."""
    path = damaged(clips.make(seconds=3), every=7)
    with file_camera(path, analyse_fps=10) as camera:
        camera.wait(lambda: bool(camera.states) and camera.state.decode_errors > 0, "the damage is counted")
        camera.wait_frames(len(camera.frames) + 10)
    assert camera.state.state is CameraState.ONLINE


def test_a_stream_that_is_all_damaged_is_opened_again(clips: Clips) -> None:
    """Given a stream of which nothing decodes, When that lasts for seconds, Then decode_failed."""
    path = damaged(clips.make(seconds=20, gop=5), every=1)
    with file_camera(path) as camera:
        camera.wait_reason(StatusReason.DECODE_FAILED, 12)
    assert camera.frames == []


def damaged(clip: Path, *, every: int) -> Path:
    """Overwrite the payload of every n-th packet of `clip`, its length words kept."""
    path = clip.with_name(f"damaged-{every}.mp4")
    data = bytearray(clip.read_bytes())
    with av.open(clip) as source:
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size > 40 and packet.pos is not None and number % every == every - 1:
                data[packet.pos + 5 : packet.pos + packet.size] = b"\xa5" * (packet.size - 5)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg2"])
def test_a_stream_joined_in_the_middle_of_a_gop_shows_no_grey(
    clips: Clips, codec: Literal["h264", "hevc", "mpeg2"]
) -> None:
    """Given a stream that begins between keyframes, When it is analysed, Then the first frame is a whole one."""
    clip = clips.make(codec=codec, seconds=4, fps=10, gop=10)
    path = clips.folder / "joined.ts"
    with av.open(clip) as source, av.open(path, "w", format="mpegts") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size and number >= 5:
                packet.stream = stream
                output.mux(packet)
    with file_camera(path, analyse_fps=10) as camera:
        camera.wait_frames(3)
    assert int(camera.frames[0].image.max()) > 240  # the white square is there
    assert camera.state.decode_errors == 0


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


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultFarm]:
    """A farm of one worker with cameras that nothing happens to."""
    with fault_farm(tmp_path_factory.mktemp("farm"), workers=("one",), cameras=("a", "b")) as started:
        yield started


@pytest.mark.slow
def test_in_a_farm_a_stream_that_turns_into_garbage_is_named_and_watched_again_when_it_is_video(
    farm: FaultFarm,
) -> None:
    """Given a camera whose bytes turn into noise, when they are video again, then it is analysed by the same worker."""
    noisy = threading.Event()
    noise = random.Random(7)  # noqa: S311 - noise, no secret

    def spoil(data: bytes) -> bytes:
        return noise.randbytes(len(data)) if noisy.is_set() else data

    with TcpProxy(farm.host.port, change_answer=spoil) as line:
        url = farm.host.url("squares.mp4").replace(str(farm.host.port), str(line.port))
        farm.farm.add_camera("noisy", url, analyse_fps=ANALYSE_FPS)
        farm.farm.wait_online("noisy")
        since_ms, pids = now_ms(), farm.pids()
        noisy.set()
        assert farm.wait_status("noisy", state="offline")["remedy"]
        noisy.clear()
        farm.wait_status("noisy", state="online")
        farm.wait_analysed("noisy", *farm.cameras)
    farm.assert_undisturbed(*farm.cameras, since_ms=since_ms)
    assert farm.pids() == pids
