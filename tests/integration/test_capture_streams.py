"""Real streams, from a real RTSP server and from files: what arrives, how often, and what was decoded for it."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

import av
import numpy as np
import pytest

from contract.assignments import Assignment
from contract.camera_urls import split_secrets
from contract.cameras import AnalysisSettings, CameraState
from contract.errors import StatusReason
from runtime.clock import SystemClock
from runtime.secret_box import SecretBox
from runtime.settings import WorkerSettings
from tests.support.clips import Clips, picture
from tests.support.processes import wait_until
from tests.support.rtsp_server import Credentials, RtspServer
from tests.support.watched_camera import QUICK, KeepingTap, WatchedCamera, below
from workers.capture.opening import capture_opener
from workers.capture.probe import probe
from workers.capture.state import CaptureState
from workers.frames import Frame
from workers.pictures import BgrImage


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Clips of several kinds."""
    made = Clips(tmp_path_factory.mktemp("clips"))
    made.make("squares", fps=25, gop=25)
    made.make("long_gop", fps=25, gop=100)
    made.make("slow", fps=10, gop=10)
    made.make("hevc", codec="hevc", fps=10, gop=10)
    made.make("ntsc", fps=Fraction(30000, 1001), gop=30)
    with_b_frames(made.folder / "b_frames.mp4")
    made.audio_only()
    return made


def with_b_frames(path: Path) -> None:
    """Make a clip whose frames are sent in another order than they are shown, a keyframe a second."""
    with av.open(path, "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"preset": "veryfast", "bf": "3", "sc_threshold": "0"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.gop_size = 10
        for number in range(40):
            frame = av.VideoFrame.from_ndarray(picture(number, (320, 240)), format="rgb24")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


@pytest.fixture(scope="module")
def server(clips: Clips) -> Iterator[RtspServer]:
    """A server of these clips."""
    with RtspServer(clips.folder) as running:
        yield running


def shown_number(image: BgrImage) -> int | None:
    """Return which frame of the clip `image` is; None if it is none of them."""
    height, width = image.shape[:2]
    wanted = (picture(number, (width, height))[..., ::-1].astype(np.int16) for number in range(72))
    differences = [float(np.abs(picture - image).mean()) for picture in wanted]
    best = int(np.argmin(differences))
    return best if differences[best] < 3 else None


def test_the_first_frame_of_a_camera_is_there_at_once(server: RtspServer) -> None:
    """Given a camera with a keyframe a second, When it is opened, Then its first frame is there well within 1.5 s."""
    with WatchedCamera(server.url("squares"), analyse_fps=1) as camera:
        assert camera.wait_frames(1) < 1.5
        camera.wait_online(1)
    assert [state.state for state in camera.states[:2]] == [CameraState.CONNECTING, CameraState.ONLINE]


def test_a_frame_says_when_and_for_whom_it_was_taken(server: RtspServer) -> None:
    """Given a camera, When a frame arrives, Then it has id, epoch, both times and an image that nobody else writes."""
    before_ms, before = time.time_ns() // 1_000_000, time.monotonic()
    with WatchedCamera(server.url("squares"), analyse_fps=10) as camera:
        camera.wait_frames(5)
    first, later = camera.frames[0], camera.frames[-1]
    assert (first.camera_id, first.epoch, first.width, first.height) == ("cam-1", 1, 320, 240)
    assert 0 <= first.captured_at_ms - before_ms < 5_000
    assert 0 <= first.captured_monotonic - before < 5
    assert first.image.flags.c_contiguous
    assert first.image.dtype == np.uint8
    assert not np.shares_memory(first.image, later.image)
    assert shown_number(first.image) is not None


@pytest.mark.parametrize(("clip", "fps"), [("squares", 1.0), ("squares", 5.0), ("ntsc", 3.0), ("slow", 10.0)])
def test_the_rate_asked_for_is_kept(server: RtspServer, clip: str, fps: float) -> None:
    """Given a stream, When it is analysed at a rate, Then that many frames a second arrive, evenly."""
    with WatchedCamera(server.url(clip), analyse_fps=fps) as camera:
        camera.wait_frames(1)
        assert camera.rate(max(3.0, 4 / fps)) == pytest.approx(fps, rel=0.3)


def test_only_keyframes_are_decoded_where_that_is_enough(server: RtspServer) -> None:
    """Given a keyframe a second, When one frame a second is wanted, Then mode and rate say that keyframes suffice."""
    with WatchedCamera(server.url("squares"), analyse_fps=1) as camera:
        camera.wait(lambda: camera.states[-1:] != [] and camera.state.decode_mode == "keyframes", "keyframe mode")
        camera.wait_frames(len(camera.frames) + 2, 4)
        # What the server sent at first to catch up counts for 5 s.
        camera.wait(lambda: abs(camera.state.stream_fps - 25) < 2, "the rate is measured as 25 fps")
    distances = [b.captured_monotonic - a.captured_monotonic for a, b in pairwise(camera.frames)]
    assert median(distances) < 1.4  # one may come late where nothing runs on this machine for a moment
    assert all(shown_number(frame.image) is not None for frame in camera.frames)


def test_packets_of_which_none_is_looked_at_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    """Given frames that come as several packets of the network each, When keyframes suffice, Then reading rests.

    Part of a frame is unread whenever libav returns the one before.
    """
    noise = np.random.default_rng(1).integers(0, 255, (50, 240, 320, 3), np.uint8)
    with av.open(tmp_path / "noise.mp4", "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"preset": "ultrafast", "tune": "zerolatency"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 320, 240, "yuv420p", 1_000_000
        stream.codec_context.gop_size = 25
        for number, image in enumerate(noise):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    tap = KeepingTap()
    with (
        RtspServer(tmp_path) as server,
        WatchedCamera(server.url("noise"), analyse_fps=1, tap=tap) as camera,
    ):
        camera.wait_frames(4)  # by then the distance of keyframes is known
        before = len(tap.read_at)
        time.sleep(4)
        read_at, packets = tap.read_at[before:], tap.video[before:]
    assert median(packet.size for packet in packets) > 1_500
    assert len(read_at) > 80
    waits = [later - earlier for earlier, later in pairwise(read_at)]
    # 25 a second, each waited for, would be 40 ms apart.
    assert sum(wait < 0.01 for wait in waits) > len(waits) / 2


def test_a_stream_with_reordered_frames_shows_its_keyframes_at_once(clips: Clips) -> None:
    """Given B-frames, When only keyframes are decoded, Then each comes with its own packet and shows that moment."""
    # A file, for the server sends no B-frames; a keyframe is sent every second and shows frame 0, 10, 20 or 30.
    url = f"file://{clips.folder}/b_frames.mp4"
    with WatchedCamera(url, analyse_fps=1, settings=below(clips.folder)) as camera:
        camera.wait(lambda: camera.states[-1:] != [] and camera.state.decode_mode == "keyframes", "keyframe mode")
        before = len(camera.frames)
        # On a busy machine a keyframe may come late, and until the next one all frames are decoded.
        camera.wait(
            lambda: (
                {shown_number(frame.image) for frame in camera.frames[before:][-3:]} <= {0, 10, 20, 30}
                and len(camera.frames) >= before + 3
            ),
            "three keyframes in a row, each as it came",
            20,
        )
    assert camera.state.decode_errors == 0


def test_h265_is_decoded(server: RtspServer) -> None:
    """Given an H.265 camera, When it is analysed, Then frames show the scene, in both decode modes."""
    with WatchedCamera(server.url("hevc"), analyse_fps=1) as camera:
        camera.wait(lambda: camera.states[-1:] != [] and camera.state.decode_mode == "keyframes", "keyframe mode")
        camera.wait_frames(len(camera.frames) + 1)
    assert camera.state.codec == "hevc"
    assert all(shown_number(frame.image) is not None for frame in camera.frames)


def test_rate_and_epoch_change_without_connecting_again(server: RtspServer) -> None:
    """Given a camera at 1 fps, When 10 fps and a new epoch are set, Then frames follow and nobody reconnects."""
    with WatchedCamera(server.url("squares"), analyse_fps=1) as camera:
        camera.wait_frames(4, 8)
        camera.capture.update(analyse_fps=10, epoch=7)
        camera.wait(lambda: camera.frames[-1].epoch == 7, "a frame of the new epoch")
        # Frames between keyframes can be decoded only from the next keyframe on.
        camera.wait_frames(len(camera.frames) + 3)
        # On a busy machine some of a moment's frames are late: the rate comes, and stays, as soon as there is room.
        wait_until(lambda: camera.rate(2.0) == pytest.approx(10, rel=0.25), "ten frames a second", 30)
        assert server.sessions() == 1
    assert camera.reasons == []


def test_stopping_hangs_up_at_once_and_leaves_nothing(server: RtspServer) -> None:
    """Given a camera, When it is stopped, Then it is disconnected at once and no thread is left."""
    before = threading.active_count()
    with WatchedCamera(server.url("squares")) as camera:
        camera.wait_frames(1)
        server.wait_for_sessions(1)
        began = time.monotonic()
        camera.capture.stop()
        frames = len(camera.frames)
        assert camera.capture.join(2)
        assert time.monotonic() - began < 1.5
    server.wait_for_sessions(0, seconds=3)
    assert len(camera.frames) == frames
    assert threading.active_count() == before


def test_udp_falls_back_to_tcp(server: RtspServer) -> None:
    """Given a camera without UDP, When UDP is set, Then TCP is used instead."""
    with WatchedCamera(server.url("squares"), settings=replace(QUICK, rtsp_transport="udp")) as camera:
        camera.wait_frames(2)


def test_a_recorder_can_be_given_every_packet(server: RtspServer) -> None:
    """Given a tap, When one frame a second is analysed, Then all 25 packets a second reach the tap."""
    tap = KeepingTap()
    with WatchedCamera(server.url("squares"), analyse_fps=1, tap=tap) as camera:
        # What the server sends at first to catch up is over by then.
        camera.wait_frames(2)
        before, began = len(tap.video), time.monotonic()
        camera.wait_frames(5)
        rate = (len(tap.video) - before) / (time.monotonic() - began)
    assert rate == pytest.approx(25, rel=0.3)
    wait_until(lambda: tap.times_ended == 1, "the tap is told of the end")
    (template,) = tap.templates
    assert (template.video_codec, template.audio_codec) == ("h264", "")
    assert (template.width, template.height) == (320, 240)


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_credentials_of_an_assignment_open_the_stream(clips: Clips, tmp_path: Path, scheme: str) -> None:
    """Given an encrypted password, When the worker opens the assignment, Then the camera lets it in."""
    known = Credentials("admin", "p@ss:/ w%rd", "basic" if scheme == "basic" else "digest")
    settings = WorkerSettings(data_dir=tmp_path, connect_timeout_seconds=2)
    with RtspServer(clips.folder, credentials=known) as server:
        url, secrets = split_secrets(server.url("squares"))
        token = SecretBox.from_settings(settings).encrypt(secrets.model_dump_json())
        assignment = Assignment(
            camera_id="door", url=url, secrets=token, epoch=3, settings=AnalysisSettings(analyse_fps=5)
        )
        arrived = threading.Event()
        frames: list[Frame] = []

        def take(frame: Frame) -> None:
            frames.append(frame)
            arrived.set()

        capture = capture_opener(settings, SystemClock())(assignment, take, lambda _: None, None)
        capture.start()
        assert arrived.wait(5)
        capture.stop()
        assert capture.join(3)
    assert (frames[0].camera_id, frames[0].epoch) == ("door", 3)


def test_a_password_of_another_key_is_a_named_reason(tmp_path: Path) -> None:
    """Given a worker with another key, When it is given the camera, Then it says secret_key_missing, and why."""
    (tmp_path / "a").mkdir()
    token = SecretBox.from_settings(WorkerSettings(data_dir=tmp_path / "a")).encrypt('{"username": "x"}')
    assignment = Assignment(camera_id="door", url="rtsp://127.0.0.1/x", secrets=token, epoch=1)
    states: list[CaptureState] = []
    opener = capture_opener(WorkerSettings(data_dir=tmp_path / "b"), SystemClock())
    capture = opener(assignment, lambda _: None, states.append, None)
    capture.start()
    capture.update(analyse_fps=1, epoch=2)
    capture.stop()
    assert capture.join(1)
    assert (states[0].state, states[0].reason) == (CameraState.OFFLINE, StatusReason.SECRET_KEY_MISSING)
    assert "FARM_SECRET_KEY" in states[0].detail


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_a_camera_that_never_ends(clips: Clips) -> None:
    """Given a clip of 1 s, When it is played for 4 s, Then times rise, the rate is kept and it never was offline."""
    clips.make("short", seconds=1)
    with WatchedCamera(f"file://{clips.folder}/short.mp4", analyse_fps=5, settings=below(clips.folder)) as camera:
        camera.wait_frames(1)
        assert camera.rate(4.0) == pytest.approx(5, rel=0.3)
    times = [frame.captured_at_ms for frame in camera.frames]
    assert times == sorted(set(times))
    assert camera.reasons == []
    assert camera.state.reconnects == 0


@pytest.mark.parametrize("container", ["mp4", "ts", "mkv", "avi"])
def test_files_of_all_kinds_play(clips: Clips, container: str) -> None:
    """Given a container, When it is used as a camera, Then it plays."""
    clips.make("kind", container=container)
    with WatchedCamera(f"file://{clips.folder}/kind.{container}", settings=below(clips.folder)) as camera:
        camera.wait_frames(3)


def test_a_resolution_that_changes_midway_is_followed(clips: Clips) -> None:
    """Given a stream that changes its size, When it is analysed, Then frames and status have the new size, online."""
    clips.changing_resolution(seconds_each=1.5)
    with WatchedCamera(f"file://{clips.folder}/changing.ts", analyse_fps=5, settings=below(clips.folder)) as camera:
        camera.wait(lambda: {frame.width for frame in camera.frames} == {320, 640}, "frames of both sizes")
        camera.wait(lambda: {state.width for state in camera.states} >= {320, 640}, "states of both sizes")
    assert camera.reasons == []


def test_the_biggest_of_several_videos_is_watched(tmp_path: Path) -> None:
    """Given two videos in one file, When it is opened, Then the larger one is analysed."""
    with av.open(tmp_path / "two.mkv", "w") as output:
        streams = []
        for size in ((160, 120), (320, 240)):
            stream = output.add_stream("libx264", rate=10)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = size
            streams.append((stream, size))
        for number in range(20):
            for stream, size in streams:
                frame = av.VideoFrame.from_ndarray(picture(number, size), format="rgb24")
                frame.pts = number
                output.mux(stream.encode(frame))
        for stream, _ in streams:
            output.mux(stream.encode(None))
    with WatchedCamera(f"file://{tmp_path}/two.mkv", settings=below(tmp_path)) as camera:
        camera.wait_frames(2)
    assert {frame.width for frame in camera.frames} == {320}


# --- trying a camera once --------------------------------------------------------------------------------------------


def test_a_probe_shows_the_camera(server: RtspServer) -> None:
    """Given a camera, When it is tried, Then codec, size, rate, latency and one picture come back."""
    result = probe(server.url("squares"), QUICK, timeout_seconds=5, clock=SystemClock())
    assert result.reason is None
    assert (result.codec, result.width, result.height) == ("h264", 320, 240)
    assert 15 < result.stream_fps < 60
    assert 0 < result.latency_ms < 1_500
    assert result.image is not None
    assert shown_number(result.image) is not None


def test_a_probe_says_why_there_is_no_picture(server: RtspServer) -> None:
    """Given a wrong path, When it is tried, Then the reason is not_found."""
    result = probe(server.url("nothing"), QUICK, timeout_seconds=5, clock=SystemClock())
    assert result.reason is StatusReason.NOT_FOUND
    assert result.image is None
