"""The demo cameras' server behaves like cameras: live, endless, the same moment for everybody, and hard to break."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from cli.demo_cameras.server import argv, url
from runtime.settings import PROJECT_DIR
from tests.support.clips import SPEED, Clips
from tests.support.rtsp_server import Credentials, RtspServer, free_port, wait_until

#: Without these FFmpeg holds back the first seconds to guess the frame rate.
QUICK: Final = {"rtsp_transport": "tcp", "fpsprobesize": "0", "analyzeduration": "0"}
FPS: Final = 10


@dataclass
class Watched:
    """What a client saw."""

    #: Seconds, as the stream says, and when it came, as the monotonic clock says.
    pts: list[float] = field(default_factory=list)
    came: list[float] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    #: Newest frame, shape (H, W), gray, 0 to 255.
    last: NDArray[np.float32] | None = None


def watch(
    address: str, seconds: float, *, decode: bool = False, stop: threading.Event | None = None, frames: int = 10**9
) -> Watched:
    """Read a stream until the first of: `seconds` have passed, `frames` came, `stop` is set, the stream ends."""
    seen = Watched()
    end = time.monotonic() + seconds
    with av.open(address, options=QUICK, timeout=(5, 5)) as container:
        video = container.streams.video[0]
        for packet in container.demux(video):
            if packet.pts is not None and packet.time_base is not None:
                seen.pts.append(float(packet.pts * packet.time_base))
                seen.came.append(time.monotonic())
            for frame in packet.decode() if decode else ():
                if isinstance(frame, av.VideoFrame):
                    seen.last = np.asarray(frame.to_ndarray(format="gray"), np.float32)
                    if (frame.width, frame.height) not in seen.sizes:
                        seen.sizes.append((frame.width, frame.height))
            if time.monotonic() > end or (stop and stop.is_set()) or len(seen.pts) >= frames:
                break
    return seen


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Clips of two and of eight seconds, and others that are no cameras."""
    made = Clips(tmp_path_factory.mktemp("media"))
    made.make("short", seconds=2, fps=FPS, gop=FPS)
    made.make("long", seconds=8, fps=FPS, gop=FPS, size=(640, 120))
    made.make("hevc", codec="hevc", seconds=2)
    made.make("ntsc", fps=Fraction(30000, 1001), gop=15, seconds=2)
    made.make("mpeg2", codec="mpeg2", container="ts")
    made.changing_resolution(seconds_each=1)
    made.truncated()
    made.garbage()
    (made.folder / "empty.mp4").write_bytes(b"")
    return made


@pytest.fixture(scope="module")
def server(clips: Clips) -> Iterator[RtspServer]:
    """A server of these clips."""
    with RtspServer(clips.folder) as running:
        yield running


def test_time_runs_on_over_the_loop(server: RtspServer) -> None:
    """Given clips of two seconds, clients of three and a half see pts that rise by one frame each, in real time."""
    rates = {"short": 10.0, "hevc": 10.0, "ntsc": 30000 / 1001}
    with ThreadPoolExecutor(len(rates)) as pool:
        watched = dict(zip(rates, pool.map(lambda name: watch(server.url(name), 3.5), rates), strict=True))
    for name, fps in rates.items():
        seen = watched[name]
        steps = np.diff(seen.pts)
        assert len(steps) > 3 * fps, name
        assert 0.99 / fps < steps.min() <= steps.max() < 1.01 / fps, name
        late = (seen.came[-1] - seen.came[0]) - (seen.pts[-1] - seen.pts[0])
        assert -1.1 < late < 1.0, "up to a second may come at once at the beginning, from the last keyframe on"


def test_more_clients_than_a_thread_pool_has_threads_all_get_frames_at_once(server: RtspServer) -> None:
    """Given twelve clients, each has its first frame within three seconds and none falls behind."""
    began = time.monotonic()
    with ThreadPoolExecutor(12) as pool:
        watched = list(pool.map(lambda _number: watch(server.url("long"), 3), range(12)))
    assert max(seen.came[0] for seen in watched) - began < 3
    assert min(len(seen.pts) for seen in watched) > 2 * FPS
    assert max(np.diff(seen.came).max() for seen in watched) < 1.5


def test_every_client_sees_the_same_moment(server: RtspServer) -> None:
    """Given clients that connect at different times, the squares are in the same place at the same time."""
    stop = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        running = []
        for _ in range(3):
            running.append(pool.submit(watch, server.url("long"), 20, decode=True, stop=stop))
            time.sleep(0.7)
        time.sleep(1.0)
        stop.set()
        places = [white_square(seen.result().last) for seen in running]
    assert max(places) - min(places) <= 2 * SPEED


def white_square(gray: NDArray[np.float32] | None) -> int:
    """Return the left edge of the white square."""
    assert gray is not None
    row = gray[gray.shape[0] // 4 + 4 : gray.shape[0] // 4 + 12].mean(axis=0)
    return int(np.argmax(row > 200))


def test_a_clip_that_is_played_once_comes_whole_and_ends(server: RtspServer) -> None:
    """Given ``play_count=1``, all twenty frames come and the connection is closed."""
    seen = watch(server.url("short", play_count=1), 20)
    assert len(seen.pts) in {19, 20}, "FFmpeg gives the first packet of a stream no pts"
    assert seen.came[-1] - seen.came[0] < 4
    server.wait_for_sessions(0)


def test_a_client_that_leaves_is_forgotten_at_once(clips: Clips) -> None:
    """Given clients that close properly, and that vanish with a reset, no connection and no memory stays."""
    with RtspServer(clips.folder) as server:
        watch(server.url("short"), 1)
        server.wait_for_sessions(0, seconds=2)
        before = server.memory_bytes()
        for number in range(60):
            client = playing_client(server, "short")
            if number % 2:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            client.close()
        server.wait_for_sessions(0, seconds=3)
        assert server.memory_bytes() - before < 5_000_000


def playing_client(server: RtspServer, name: str) -> socket.socket:
    """Connect and start to play by hand, as a client that will not say goodbye."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    address = server.url(name)
    session = ""
    for number, (method, extra) in enumerate(
        [("DESCRIBE", ""), ("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"), ("PLAY", "")]
    ):
        target = f"{address}/track1" if method == "SETUP" else address
        client.sendall(f"{method} {target} RTSP/1.0\r\nCSeq: {number}\r\n{session}{extra}\r\n".encode())
        answer = client.recv(8192)
        assert answer.startswith(b"RTSP/1.0 200"), answer[:80]
        found = [line for line in answer.split(b"\r\n") if line.lower().startswith(b"session:")]
        session = found[0].decode().split(";")[0] + "\r\n" if found else session
    return client


def test_a_client_that_does_not_read_harms_nobody(tmp_path: Path) -> None:
    """Given a client that stops reading a heavy stream, others go on, and the server keeps no backlog for it."""
    make_noise(tmp_path / "noise.mp4")
    with RtspServer(tmp_path) as server:
        stuck = playing_client(server, "noise")
        before = server.memory_bytes()
        seen = watch(server.url("noise"), 4)
        assert np.diff(seen.came).max() < 1.5
        assert server.memory_bytes() - before < 20_000_000
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 4, "a client that does not read does not hold up the end"
        stuck.close()


def make_noise(path: Path) -> None:
    """Make a clip of noise, about 20 Mbit/s, which fills any socket buffer within a second."""
    with av.open(path, "w") as output:
        stream = output.add_stream(
            "libx264", rate=10, options={"preset": "ultrafast", "tune": "zerolatency", "crf": "18"}
        )
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.codec_context.gop_size = 10
        generator = np.random.default_rng(1)
        for _number in range(20):
            image = generator.integers(0, 256, (480, 640, 3), dtype=np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(stream.encode(None))


def test_after_a_freeze_the_stream_goes_on_live(server: RtspServer) -> None:
    """Given a server that hangs for three and a half seconds, clients stay, miss that time, and do not stay behind."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(watch, server.url("long"), 6)
        time.sleep(1.2)
        server.freeze()
        time.sleep(3.5)
        server.thaw()
        seen = running.result()
    assert 2 < np.diff(seen.pts).max() < 4, "what was missed is left out"
    late = (seen.came[-1] - seen.came[0]) - (seen.pts[-1] - seen.pts[0])
    assert abs(late) < 1.2


def test_a_stream_may_change_its_resolution(server: RtspServer) -> None:
    """Given an MPEG-TS that changes midway, a client sees both sizes in one session."""
    assert sorted(watch(server.url("changing"), 2.5, decode=True).sizes) == [(320, 240), (640, 360)]


@pytest.mark.parametrize(
    "name", ["nowhere", "garbage", "empty", "mpeg2", "../../../etc/passwd", "%2e%2e/x", "", "short?play_count=x"]
)
def test_what_cannot_be_served_is_answered_with_an_error_and_no_crash(server: RtspServer, name: str) -> None:
    """Given a path without a playable clip, the client is told so at once and the next one is served."""
    with pytest.raises((av.HTTPClientError, av.HTTPServerError)):
        watch(server.url(name), 3)
    assert len(watch(server.url("short"), 5, frames=3).pts) == 3


def test_a_truncated_clip_is_played_as_far_as_it_goes(server: RtspServer) -> None:
    """Given half an MP4, its first frames loop."""
    assert len(watch(server.url("truncated"), 2.5).pts) > 15


def test_garbage_on_the_port_disturbs_nobody(server: RtspServer) -> None:
    """Given clients that send no RTSP, or much too much of it, others are served."""
    for sent in (b"\x00" * 4096 + b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"A" * 500_000, b"$\x00\xff\xff"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
            client.sendall(sent)
    assert len(watch(server.url("short"), 5, frames=3).pts) == 3


def test_a_clip_that_is_exchanged_is_seen_by_the_next_client(tmp_path: Path) -> None:
    """Given a file that is replaced by one of another size, new clients get the new one without a restart."""
    made = Clips(tmp_path)
    path = made.make("gate", size=(320, 240), seconds=2)
    with RtspServer(tmp_path) as server:
        assert watch(server.url("gate"), 5, frames=5, decode=True).sizes == [(320, 240)]
        made.make("other", size=(160, 120), seconds=2).replace(path)
        assert watch(server.url("gate"), 5, frames=5, decode=True).sizes == [(160, 120)]


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_the_test_server_can_ask_for_credentials(clips: Clips, scheme: str) -> None:
    """Given a server with credentials, the right ones open the stream and none or wrong ones do not."""
    known = Credentials("operator", "p@ss:w/rd?", "basic" if scheme == "basic" else "digest")
    with RtspServer(clips.folder, credentials=known) as server:
        assert len(watch(server.url("short"), 5, frames=3).pts) == 3
        for address in (server.url("short", credentials=False), server.url("short").replace("operator", "guest")):
            with pytest.raises(av.HTTPUnauthorizedError):
                watch(address, 3)


def test_stop_closes_the_port_and_start_opens_the_same_one(clips: Clips) -> None:
    """Given a server that stops with a client connected, the client ends, the port refuses, and later serves again."""
    with RtspServer(clips.folder) as server:
        with av.open(server.url("short"), options=QUICK, timeout=(5, 5)) as container:
            packets = container.demux(container.streams.video[0])
            next(packets)
            server.stop()
            assert len(list(islice(packets, 10 * FPS))) < 10 * FPS, "it has ended"
        with pytest.raises(av.ConnectionRefusedError):
            watch(server.url("short"), 3)
        server.start()
        assert len(watch(server.url("short"), 5, frames=3).pts) == 3


def test_the_command_serves_and_ends_on_a_signal(clips: Clips) -> None:
    """Given the command line that the stack runs, SIGINT ends it with 0 although a client is connected."""
    port = free_port()
    process = subprocess.Popen(argv(clips.folder, port=port), cwd=PROJECT_DIR, stderr=subprocess.PIPE, text=True)
    address = url(clips.folder / "short.mp4", port=port)
    with ThreadPoolExecutor(1) as pool:
        wait_until(lambda: can_connect(port), "it listens")
        running = pool.submit(watch, address, 20)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _output, errors = process.communicate(timeout=3)
        running.result(timeout=5)
    assert (process.returncode, errors) == (0, "")


def can_connect(port: int) -> bool:
    """Tell whether something listens on `port`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_port_in_use_is_named(clips: Clips, server: RtspServer) -> None:
    """Given a port that something else listens on, the command says which and ends with 1."""
    command = [sys.executable, "-m", "cli.demo_cameras", "--dir", str(clips.folder), "--port", str(server.port)]
    failed = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, timeout=20, check=False)
    assert failed.returncode == 1
    assert f"cannot listen on 127.0.0.1:{server.port}" in failed.stderr
    assert "Traceback" not in failed.stderr
