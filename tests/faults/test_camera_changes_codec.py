"""Cameras whose codec changes, with a restart or in the middle of the stream."""

from tests.support.clips import Clips
from tests.support.http_camera import Handler, HttpCamera, body
from tests.support.rtsp_server import RtspServer
from tests.support.watched_camera import WatchedCamera


def test_a_camera_that_is_set_to_another_codec_is_watched_on(clips: Clips) -> None:
    """Given a camera in H.264, when it restarts in H.265, then frames come and the status names the new codec."""
    path = clips.folder / "changed.mp4"
    path.write_bytes(clips.make("cam").read_bytes())
    with RtspServer(clips.folder) as server, WatchedCamera(server.url("changed")) as camera:
        camera.wait_frames(2)
        assert camera.state.codec == "h264"
        path.write_bytes(clips.make("h265", codec="hevc").read_bytes())
        server.restart()
        camera.wait(lambda: camera.state.codec == "hevc", "hevc", 10)
        assert camera.wait_frames(len(camera.frames) + 2) < 3


def test_a_codec_that_changes_midway_is_followed_by_opening_again(clips: Clips) -> None:
    """Given a stream that changes from H.264 to MPEG-2, When it is analysed, Then both are seen."""
    first = clips.make("first", seconds=2, container="ts").read_bytes()
    second = clips.make("second", seconds=20, codec="mpeg2", container="ts").read_bytes()
    with HttpCamera() as camera:
        answers = iter([first + second])

        def next_answer(handler: Handler) -> None:
            body(next(answers, second), "video/mp2t")(handler)

        camera.answers["/live"] = next_answer
        with WatchedCamera(camera.url("/live"), analyse_fps=5) as watched:
            watched.wait_online()
            assert watched.state.codec == "h264"
            watched.wait(lambda: watched.state.codec == "mpeg2video", "the second codec", 20)
