"""Cameras whose times or rate are not what they declare."""

import threading
from fractions import Fraction
from typing import Final

import av
import pytest

from tests.support.clips import Clips
from tests.support.rtsp_server import RtspServer
from tests.support.watched_camera import WatchedCamera, file_camera

FPS: Final = 10


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
        # Taken at its word it would be looked at 0.3 times as often or less; the rest is for a busy machine.
        assert camera.rate(4) == pytest.approx(5, rel=0.45)
        threading.Event().wait(2)
        assert camera.state.stream_fps == pytest.approx(FPS, rel=0.45)


def test_a_rate_that_is_no_whole_number_is_kept(clips: Clips, steady: RtspServer) -> None:
    """Given a camera of 30000/1001 fps, when 10 frames a second are wanted, then 10 come."""
    clips.make("ntsc", fps=Fraction(30_000, 1_001), gop=30, seconds=4)
    with WatchedCamera(steady.url("ntsc"), analyse_fps=10) as camera:
        camera.wait_frames(3)
        assert camera.rate(4) == pytest.approx(10, rel=0.2)


def test_times_that_go_back_or_are_missing_do_no_harm(clips: Clips) -> None:
    """Given streams whose times start over or do not exist, When they are analysed, Then the rate is kept."""
    part = clips.make("part", seconds=1, container="ts").read_bytes()
    again = clips.folder / "again.ts"
    again.write_bytes(part * 4)
    raw = clips.folder / "raw.h264"
    clip = clips.make("source", fps=Fraction(25), seconds=4)
    with av.open(clip) as source, av.open(raw, "w", format="h264") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    for path in (again, raw):
        with file_camera(path) as camera:
            camera.wait_frames(1)
            assert camera.rate(2) == pytest.approx(5, rel=0.3)
        assert camera.reasons == []
