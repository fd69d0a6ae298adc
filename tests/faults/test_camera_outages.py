"""RTSP cameras that go away, hang or lie: each is named, comes back by itself, and costs no other camera a frame."""

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from typing import Final, Self

import av
import psutil
import pytest

from contract.cameras import CameraState
from contract.errors import StatusReason
from tests.support.clips import Clips
from tests.support.rtsp_server import Credentials, RtspServer, free_port
from tests.support.tcp_proxy import TcpProxy
from tests.support.watched_camera import QUICK, WatchedCamera
from workers.capture.streams import VideoPacket

FPS: Final = 10


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Clips for this file; ``cam`` has a keyframe a second."""
    made = Clips(tmp_path_factory.mktemp("clips"))
    made.make("cam", fps=FPS, gop=FPS, seconds=4)
    return made


@pytest.fixture(scope="module")
def steady(clips: Clips) -> Iterator[RtspServer]:
    """A server that no test disturbs."""
    with RtspServer(clips.folder) as server:
        yield server


@pytest.fixture
def shaky(clips: Clips) -> Iterator[RtspServer]:
    """A server that the test may stop and freeze."""
    with RtspServer(clips.folder) as server:
        yield server


class Counted(WatchedCamera):
    """A capture of every frame that also keeps when each packet was filmed, in seconds."""

    def __init__(self, url: str) -> None:
        self.filmed: list[float] = []
        super().__init__(url, analyse_fps=FPS, on_packet=self._take_packet)

    def _take_packet(self, packet: VideoPacket) -> None:
        # The first packets of an RTSP stream have no time until the camera has told its clock.
        if packet.pts is not None and packet.time_base is not None:
            self.filmed.append(float(packet.pts * packet.time_base))

    def lost(self) -> int:
        """Return how many frames are missing between the first and the last one received."""
        gaps = [later - earlier for earlier, later in itertools.pairwise(self.filmed)]
        return sum(round(gap * FPS) - 1 for gap in gaps)


def connections_to(port: int) -> int:
    """Return how many sockets of this process are connected to `port` of loopback."""
    return sum(bool(known.raddr) and known.raddr.port == port for known in psutil.Process().net_connections("tcp"))


def capture_threads() -> list[str]:
    """Return the names of the threads of captures that run now."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("capture-")]


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


def test_a_new_camera_does_not_wait_for_dead_ones(steady: RtspServer) -> None:
    """Given 8 cameras that accept and say nothing, when a good one is added, then its frame is there within 1 s."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as mute, ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(WatchedCamera(f"rtsp://127.0.0.1:{mute.getsockname()[1]}/cam"))
        threading.Event().wait(0.3)
        good = stack.enter_context(WatchedCamera(steady.url("cam")))
        assert good.wait_frames(1) < 1


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


def test_a_camera_that_hangs_is_named_within_the_stall_timeout_and_comes_back(shaky: RtspServer) -> None:
    """Given a stream, when the camera hangs, then stream_stalled is said in time; when it goes on, frames come."""
    settings = replace(QUICK, stall_timeout_seconds=2.0)
    with WatchedCamera(shaky.url("cam"), settings=settings) as camera:
        camera.wait_frames(2)
        shaky.freeze()
        frozen = time.monotonic()
        camera.wait_reason(StatusReason.STREAM_STALLED)
        assert time.monotonic() - frozen < settings.stall_timeout_seconds + 0.5
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


class OneClient:
    """Stands before a camera that serves one client: whoever connects while another is there is thrown out."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream = upstream_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: Final = int(self._listener.getsockname()[1])
        self.thrown_out = 0
        self._busy = threading.Semaphore(1)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            # A moment's grace, for the one who has just hung up.
            if self._busy.acquire(timeout=0.2):
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
            else:
                self.thrown_out += 1
                client.close()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._upstream)) as camera:
            back = threading.Thread(target=_pump, args=(camera, client), daemon=True)
            back.start()
            _pump(client, camera)
            back.join(5)
        self._busy.release()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)
    except OSError:  # one of them has hung up
        return


def test_a_camera_that_serves_one_client_is_not_upset_by_being_reached_for_first(steady: RtspServer) -> None:
    """Given a camera that throws a second client out, when it is watched three times, then none of us is thrown out."""
    with OneClient(steady.port) as one_client:
        url = steady.url("cam").replace(str(steady.port), str(one_client.port))
        for _ in range(3):
            with WatchedCamera(url) as camera:
                camera.wait_frames(3)
                assert camera.reasons == []
        assert one_client.thrown_out == 0


def test_a_camera_that_declares_25_fps_and_sends_10_keeps_its_rate(clips: Clips, steady: RtspServer) -> None:
    """Given H.264 whose headers say 25 fps and whose frames come 10 a second, when 5 are wanted, then 5 come."""
    fast = clips.make("declared", fps=25, gop=10, seconds=4)
    with av.open(fast) as source, av.open(clips.folder / "slow.mp4", "w") as output:
        video = source.streams.video[0]
        assert video.time_base is not None
        stream = output.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.size and packet.pts is not None and packet.dts is not None:
                packet.stream = stream
                packet.pts, packet.dts = packet.pts * 25 // FPS, packet.dts * 25 // FPS
                output.mux(packet)
    with WatchedCamera(steady.url("slow"), analyse_fps=5) as camera:
        camera.wait_frames(3)
        assert camera.rate(4) == pytest.approx(5, rel=0.3)
        threading.Event().wait(2)
        assert camera.state.stream_fps == pytest.approx(FPS, rel=0.3)


def test_a_rate_that_is_no_whole_number_is_kept(clips: Clips, steady: RtspServer) -> None:
    """Given a camera of 30000/1001 fps, when 10 frames a second are wanted, then 10 come."""
    clips.make("ntsc", fps=Fraction(30_000, 1_001), gop=30, seconds=4)
    with WatchedCamera(steady.url("ntsc"), analyse_fps=10) as camera:
        camera.wait_frames(3)
        assert camera.rate(4) == pytest.approx(10, rel=0.2)


def test_no_password_is_printed_logged_or_reported(clips: Clips, capfd: pytest.CaptureFixture[str]) -> None:
    """Given a camera with a password, when it lets us in, refuses and dies, then nobody can read the password."""
    with RtspServer(clips.folder, credentials=Credentials("viewer", "hunter2")) as server:
        right, wrong = server.url("cam"), server.url("cam").replace("viewer", "stranger")
        with WatchedCamera(right) as camera, WatchedCamera(wrong) as refused:
            camera.wait_frames(2)
            refused.wait_reason(StatusReason.AUTH_FAILED)
            server.stop()
            camera.wait_reason(StatusReason.REFUSED)
            told = [state.detail for state in camera.states + refused.states]
    printed = capfd.readouterr()
    assert "camera_offline" in printed.out + printed.err
    assert any("***@" in text for text in told)
    assert "hunter2" not in "".join([*told, printed.out, printed.err])


def test_a_stream_without_video_frames_for_long_is_not_online(steady: RtspServer) -> None:
    """Given a camera whose packets cannot be put together, when it is watched, then it is never online, and named."""
    with TcpProxy(steady.port, change_answer=lambda data: data.replace(b"H264/90000", b"H265/90000")) as proxy:
        url = steady.url("cam").replace(str(steady.port), str(proxy.port))
        with WatchedCamera(url) as camera:
            camera.wait(lambda: bool(camera.reasons), "named", 10)
            assert camera.reasons[0] in {StatusReason.STREAM_STALLED, StatusReason.TIMEOUT, StatusReason.DECODE_FAILED}
            assert not camera.frames
