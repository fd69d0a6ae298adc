"""What a capture hands to a recorder: every packet, sound too, from the main stream where there are two."""

import gc
import io
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from contract.assignments import Assignment
from contract.camera_urls import split_secrets
from contract.cameras import AnalysisSettings, CameraState
from contract.errors import StatusReason
from contract.recordings import RecordingSettings, RecordMode
from runtime.clock import SystemClock
from runtime.secret_box import SecretBox
from runtime.settings import WorkerSettings
from tests.faults.test_camera_sends_garbage import damaged
from tests.support.clips import Clips, picture
from tests.support.http_camera import Handler, HttpCamera
from tests.support.processes import wait_until
from tests.support.rtsp_server import Credentials, RtspServer, free_port
from tests.support.watched_camera import KeepingTap, WatchedCamera, below
from workers.capture.lag import LEAVE_OUT_SECONDS
from workers.capture.opening import TwoStreamCapture, capture_opener
from workers.capture.state import CaptureState
from workers.frames import Frame
from workers.watched_cameras import Capture

RECORDED = RecordingSettings(record=RecordMode.CONTINUOUS)
SOUND = {"aac": ("aac", 16_000), "mulaw": ("pcm_mulaw", 8_000)}


def clip_with_sound(path: Path, sound: str, *, seconds: int = 2, still: bool = False) -> Path:
    """Make a file of moving squares, or of one picture, with a tone of `seconds`."""
    codec, rate = SOUND[sound]
    with av.open(path, "w") as output:
        video = output.add_stream("libx264", rate=10, options={"preset": "ultrafast", "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        video.codec_context.gop_size = 10
        audio = output.add_stream(codec, rate=rate)
        assert isinstance(audio, AudioStream)
        audio.codec_context.layout = "mono"
        for number in range(1 if still else seconds * 10):
            frame = av.VideoFrame.from_ndarray(picture(number, (320, 240)), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        tone = (np.sin(np.arange(rate * seconds) * (440 * 2 * np.pi / rate)) * 8_000).astype(np.int16)
        resampler = av.AudioResampler(format=audio.codec_context.format, layout="mono", rate=rate)
        for start in range(0, len(tone) - 1023, 1024):
            part = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
            part.sample_rate, part.pts, part.time_base = rate, start, Fraction(1, rate)
            for converted in resampler.resample(part):
                output.mux(audio.encode(converted))
        output.mux(audio.encode(None))
    return path


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    """Clips of this test."""
    return Clips(tmp_path)


@pytest.fixture
def server(clips: Clips) -> Iterator[RtspServer]:
    """Serve a small and a large stream of one camera."""
    clips.make("sub", size=(320, 240), fps=10)
    clips.make("main", size=(640, 360), fps=10)
    with RtspServer(clips.folder) as running:
        yield running


def opened(tmp_path: Path, assignment: Assignment, tap: KeepingTap) -> tuple[Capture, list[Frame], list[CaptureState]]:
    """Start what a worker opens for an assignment."""
    settings = WorkerSettings(data_dir=tmp_path, connect_timeout_seconds=2, stall_timeout_seconds=2)
    frames: list[Frame] = []
    states: list[CaptureState] = []
    capture = capture_opener(settings, SystemClock())(assignment, frames.append, states.append, tap)
    capture.start()
    return capture, frames, states


def answered(tap: KeepingTap) -> bool:
    """Tell whether the camera has sent something, or refused."""
    return bool(tap.video or tap.reasons)


class BusyCamera(WatchedCamera):
    """One whose frames take so long to be looked at that the rate cannot be kept."""

    TAKES: Final = 0.5

    def _take_frame(self, frame: Frame) -> None:
        time.sleep(self.TAKES)
        super()._take_frame(frame)


def test_recording_goes_on_in_time_where_looking_at_frames_takes_too_long(server: RtspServer) -> None:
    """Given frames that take 0.5 s, When 5 a second are due, Then every packet is tapped in time; the rest is counted.

    Without it reading would fall behind by 1.5 s every second, until the camera hangs up.
    """
    tap = KeepingTap()
    with BusyCamera(server.url("main"), analyse_fps=5, tap=tap) as camera:
        camera.wait_frames(1)
        before, began = len(tap.video), time.monotonic()
        time.sleep(8)
        taken = len(tap.video) - before
        # It may be behind by what starts and what ends catching up, and by one frame.
        assert taken >= 10 * (time.monotonic() - began - LEAVE_OUT_SECONDS - BusyCamera.TAKES) - 3
        camera.wait(lambda: camera.state.frames_left_out >= 5, "frames were left out")
        assert camera.state.state is CameraState.ONLINE
    stamps = [packet.dts for packet in tap.video if packet.dts is not None]
    assert stamps == sorted(stamps)
    assert len({b - a for a, b in pairwise(stamps)}) <= 3, "no packet is missing"


@pytest.mark.parametrize("sound", ["aac", "mulaw"])
def test_sound_is_handed_over_where_it_is_wanted(tmp_path: Path, sound: str) -> None:
    """Given a camera with sound, when the tap wants it, then its packets come too; else only those of the video."""
    path = clip_with_sound(tmp_path / "sound.mov", sound)
    for wanted in (True, False):
        tap = KeepingTap(wants_audio=wanted)
        with WatchedCamera(f"file://{path}", settings=below(tmp_path), tap=tap) as camera:
            camera.wait_frames(5)
        assert len(tap.video) >= 5
        assert bool(tap.audio) is wanted
        assert tap.templates[0].audio_codec == (SOUND[sound][0] if wanted else "")


def test_a_live_sound_does_not_hide_a_frozen_picture(tmp_path: Path) -> None:
    """Given a stream whose picture stands while its sound goes on, when that lasts, then it counts as stalled."""
    data = clip_with_sound(tmp_path / "still.ts", "aac", seconds=60, still=True).read_bytes()

    def at_its_own_pace(handler: Handler) -> None:
        handler.start(Content_Type="video/mp2t")
        tenth = len(data) // 600
        for start in range(0, len(data), tenth):
            handler.wfile.write(data[start : start + tenth])
            if handler.ended.wait(0.1 if start > len(data) // 30 else 0):
                return

    tap = KeepingTap(wants_audio=True)
    with HttpCamera() as server:
        server.answers["/live.ts"] = at_its_own_pace
        with WatchedCamera(server.url("/live.ts"), tap=tap) as camera:
            camera.wait_reason(StatusReason.STREAM_STALLED, 15)
    assert tap.reasons[0] is StatusReason.STREAM_STALLED
    assert len(tap.audio) > len(tap.video)


def test_packets_and_template_outlive_the_connection(clips: Clips) -> None:
    """Given a capture that has ended, when its packets are written with its template, then all pictures are there."""
    clips.make("outlive", seconds=2)
    tap = KeepingTap()
    with WatchedCamera(f"file://{clips.folder}/outlive.mp4", settings=below(clips.folder), tap=tap) as camera:
        camera.wait(lambda: tap.times_ended >= 1, "one round is over")
    gc.collect()
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as output:
        stream = output.add_stream_from_template(tap.templates[0].video)
        for packet in tap.video[:20]:
            packet.stream = stream
            output.mux(packet)
    written.seek(0)
    with av.open(written, "r") as again:
        assert sum(1 for _ in again.decode(video=0)) == 20


def test_the_main_stream_is_recorded_while_the_smaller_one_is_analysed(tmp_path: Path, server: RtspServer) -> None:
    """Given two URLs, when the camera is recorded, then frames are small, packets are of the large stream."""
    assignment = Assignment(
        camera_id="c", url=server.url("sub"), main_url=server.url("main"), epoch=1, recording=RECORDED
    )
    tap = KeepingTap()
    capture, frames, _ = opened(tmp_path, assignment, tap)
    wait_until(lambda: len(frames) >= 2 and len(tap.video) >= 15, "frames and packets")
    assert isinstance(capture, TwoStreamCapture)
    capture.stop()
    assert capture.join(5)
    assert frames[0].image.shape == (240, 320, 3)
    assert (tap.templates[0].width, tap.templates[0].height) == (640, 360)


def test_a_main_stream_that_is_dead_does_not_touch_the_analysis_and_is_named(
    tmp_path: Path, server: RtspServer
) -> None:
    """Given a main stream that nobody serves, when the camera is watched, then it is analysed and the tap knows why."""
    assignment = Assignment(
        camera_id="c",
        url=server.url("sub"),
        main_url=f"rtsp://127.0.0.1:{free_port()}/main",
        epoch=1,
        settings=AnalysisSettings(analyse_fps=5),
        recording=RECORDED,
    )
    tap = KeepingTap()
    capture, frames, states = opened(tmp_path, assignment, tap)
    wait_until(lambda: len(frames) >= 3 and len(tap.reasons) >= 2, "frames, and two attempts")
    assert isinstance(capture, TwoStreamCapture)
    capture.stop()
    assert capture.join(5)
    assert set(tap.reasons) == {StatusReason.REFUSED}
    assert all(state.state is not CameraState.OFFLINE for state in states)


def test_the_user_name_of_the_camera_opens_its_main_stream_on_the_same_host_only(clips: Clips, tmp_path: Path) -> None:
    """Given credentials in `url` alone, then the main stream is asked with them, on this host and on no other."""
    clips.make("main", size=(640, 360), fps=10)
    box = SecretBox.from_settings(WorkerSettings(data_dir=tmp_path))
    with RtspServer(clips.folder, credentials=Credentials("admin", "p@ss")) as guarded:
        url, secrets = split_secrets(guarded.url("main"))
        token = box.encrypt(secrets.model_dump_json())
        for main_url, lets_in in ((url, True), (url.replace("127.0.0.1", "localhost"), False)):
            assignment = Assignment(
                camera_id="c", url=url, secrets=token, main_url=main_url, epoch=1, recording=RECORDED
            )
            tap = KeepingTap()
            capture, _, _ = opened(tmp_path, assignment, tap)
            wait_until(partial(answered, tap), "an answer")
            assert isinstance(capture, TwoStreamCapture)
            capture.stop()
            assert capture.join(5)
            assert bool(tap.video) is lets_in
            assert tap.reasons == ([] if lets_in else [StatusReason.AUTH_FAILED])


def test_a_camera_that_is_not_recorded_is_opened_once_and_taps_nothing(tmp_path: Path, server: RtspServer) -> None:
    """Given two URLs and recording off, when the camera is watched, then its main stream is left alone."""
    assignment = Assignment(camera_id="c", url=server.url("sub"), main_url=server.url("main"), epoch=1)
    tap = KeepingTap()
    capture, frames, _ = opened(tmp_path, assignment, tap)
    wait_until(lambda: len(frames) >= 2, "frames")
    assert not isinstance(capture, TwoStreamCapture)
    assert "recording-c" not in {thread.name for thread in threading.enumerate()}
    capture.stop()
    assert (tap.templates, tap.video) == ([], [])


def test_what_cannot_be_decoded_is_recorded_without_another_connection(clips: Clips) -> None:
    """Given a stream of which nothing decodes, when it is recorded, then the status says so and packets go on."""
    path = damaged(clips.make("spoiled", seconds=30, gop=5), every=1)
    tap = KeepingTap()
    with WatchedCamera(f"file://{path}", settings=below(clips.folder), tap=tap) as camera:
        camera.wait_reason(StatusReason.DECODE_FAILED, 20)
        before = len(tap.video)
        wait_until(lambda: len(tap.video) > before + 20, "packets after it")
    assert len(tap.templates) == 1
    assert camera.reasons.count(StatusReason.DECODE_FAILED) == 1
