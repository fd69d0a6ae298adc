"""Cameras that speak HTTP: MJPEG, snapshots, containers, playlists; and what they may not make us do."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from contract.errors import StatusReason
from runtime.clock import SystemClock
from tests.support.clips import Clips
from tests.support.http_camera import (
    Handler,
    HttpCamera,
    add_hls,
    body,
    cut_off,
    endless_garbage,
    guarded,
    jpeg,
    live,
    mjpeg,
    redirect,
    silence,
    status,
)
from tests.support.watched_camera import QUICK, WatchedCamera
from workers.capture.http_client import may_know_credentials
from workers.capture.probe import probe
from workers.capture.snapshot_stream import MAX_PICTURE_BYTES, decode_picture, jpeg_size


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Clips to be served."""
    made = Clips(tmp_path_factory.mktemp("clips"))
    made.make("squares", seconds=3)
    made.make("squares", seconds=3, container="ts")
    return made


@pytest.fixture
def camera() -> Iterator[HttpCamera]:
    """A camera that answers nothing yet."""
    with HttpCamera() as running:
        yield running


@pytest.mark.parametrize("lengths", [True, False])
def test_mjpeg_is_watched(camera: HttpCamera, lengths: bool) -> None:
    """Given multipart JPEG, with or without lengths, When it is analysed, Then the rate is kept and measured."""
    camera.answers["/video"] = mjpeg(10, lengths=lengths)
    with WatchedCamera(camera.url("/video"), analyse_fps=5) as watched:
        assert watched.wait_frames(1) < 1
        assert watched.rate(2) == pytest.approx(5, rel=0.25)
        watched.wait(lambda: abs(watched.state.stream_fps - 10) < 2, "the rate is measured as 10 fps")
    assert watched.state.codec == "mjpeg"


def test_snapshots_are_asked_for_as_often_as_they_are_analysed(camera: HttpCamera) -> None:
    """Given a snapshot URL, When 5 fps are analysed, Then 5 a second are asked for, over one connection or a few."""
    camera.answers["/shot"] = body(jpeg(), "image/jpeg")
    with WatchedCamera(camera.url("/shot"), analyse_fps=5) as watched:
        watched.wait_frames(1)
        assert watched.rate(2) == pytest.approx(5, rel=0.25)
    assert len(camera.requests) <= len(watched.frames) + 1
    assert watched.state.decode_mode == "snapshots"
    assert watched.frames[0].image.shape == (240, 320, 3)


@pytest.mark.parametrize(
    ("container", "content_type"), [("mpegts", "video/mp2t"), ("mp4", "video/mp4"), ("flv", "video/x-flv")]
)
def test_live_containers_are_watched(camera: HttpCamera, clips: Clips, container: str, content_type: str) -> None:
    """Given a live stream of HTTP, When it is analysed, Then its rate is kept, though MP4 comes in fragments."""
    camera.answers["/live"] = live(clips.make(seconds=3), content_type, container=container)
    with WatchedCamera(camera.url("/live"), analyse_fps=5) as watched:
        watched.wait_frames(6)
        assert watched.rate(2) == pytest.approx(5, rel=0.3)
    assert watched.reasons == []


@pytest.mark.parametrize("ending", ["mp4", "ts"])
def test_a_file_on_a_web_server_plays_at_the_speed_of_life(camera: HttpCamera, clips: Clips, ending: str) -> None:
    """Given a file with a length, When it is a camera, Then it is not read as fast as the network is."""
    data = clips.make("squares", seconds=3, container=ending).read_bytes()
    camera.answers["/file"] = body(data, "application/octet-stream", ranges=True)
    with WatchedCamera(camera.url("/file"), analyse_fps=5) as watched:
        watched.wait_frames(1)
        assert watched.rate(1.5) == pytest.approx(5, rel=0.25)


def test_hls_is_watched(camera: HttpCamera, clips: Clips, tmp_path: Path) -> None:
    """Given a playlist, When it is a camera, Then its segments are played at the speed of life."""
    path = add_hls(camera, clips.make(seconds=3), tmp_path / "hls")
    with WatchedCamera(camera.url(path), analyse_fps=5) as watched:
        watched.wait_frames(1)
        assert watched.rate(1.5) == pytest.approx(5, rel=0.25)
    assert any(asked.endswith(".ts") for asked in camera.paths())


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_credentials_are_given_as_the_camera_asks(camera: HttpCamera, scheme: Literal["basic", "digest"]) -> None:
    """Given Basic or Digest, When the URL has the password, Then we are let in; with a wrong one we are not."""
    camera.answers["/shot"] = guarded(body(jpeg(), "image/jpeg"), "admin", "p@ss w", scheme)
    with WatchedCamera(camera.url("/shot", "admin:p%40ss%20w")) as watched:
        watched.wait_frames(3)
    with WatchedCamera(camera.url("/shot", "admin:s3cret")) as wrong:
        assert "s3cret" not in wrong.wait_reason(StatusReason.AUTH_FAILED).detail


def test_credentials_are_not_given_to_another_host(camera: HttpCamera) -> None:
    """Given a redirect to another host that asks for a password, When it is followed, Then it gets none."""
    with HttpCamera() as other:
        other.answers["/shot"] = guarded(body(jpeg(), "image/jpeg"), "admin", "secret", "basic")
        camera.answers["/shot"] = redirect(other.url("/shot").replace("127.0.0.1", "localhost"))
        with WatchedCamera(camera.url("/shot", "admin:secret")) as watched:
            watched.wait_reason(StatusReason.AUTH_FAILED)
        assert len(other.requests) >= 1
        assert all("Authorization" not in headers for _, headers in other.requests)


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_credentials_do_not_go_to_another_port(camera: HttpCamera, scheme: Literal["basic", "digest"]) -> None:
    """Given a redirect to another server of the same host that asks for a password, Then it gets none."""
    with HttpCamera() as other:
        other.answers["/shot"] = guarded(body(jpeg(), "image/jpeg"), "admin", "secret", scheme)
        camera.answers["/shot"] = guarded(redirect(other.url("/shot")), "admin", "secret", scheme)
        with WatchedCamera(camera.url("/shot", "admin:secret")) as watched:
            watched.wait_reason(StatusReason.AUTH_FAILED)
        assert any("Authorization" in headers for _, headers in camera.requests)
        assert len(other.requests) >= 1
        assert all("Authorization" not in headers for _, headers in other.requests)


@pytest.mark.parametrize(
    ("camera_url", "url", "may"),
    [
        ("http://u:p@cam/a", "http://cam:80/b", True),
        ("http://u:p@Cam/a", "http://cAM/b", True),
        ("https://u:p@cam/a", "https://cam:443/b", True),
        ("http://u:p@cam/a", "https://cam/b", True),
        ("http://u:p@cam:8080/a", "https://cam:8080/b", True),
        ("https://u:p@cam/a", "http://cam/b", False),
        ("https://u:p@cam:8443/a", "http://cam:8443/b", False),
        ("https://u:p@cam/a", "http://cam:8080/b", False),
        ("http://u:p@cam/a", "http://cam:8080/b", False),
        ("http://u:p@cam/a", "https://cam:8443/b", False),
        ("http://u:p@cam:8080/a", "https://cam/b", False),
        ("http://u:p@cam/a", "http://cam.evil/b", False),
        ("http://u:p@cam/a", "http://cam:99999/b", False),
    ],
)
def test_who_may_know_the_credentials(camera_url: str, url: str, may: bool) -> None:
    """Given where a camera is and where it leads, only itself gets the password, and never in clear instead of TLS."""
    assert may_know_credentials(camera_url, url) is may


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status(401), StatusReason.AUTH_FAILED),
        (status(403), StatusReason.AUTH_FAILED),
        (status(404), StatusReason.NOT_FOUND),
        (status(500), StatusReason.SERVER_ERROR),
        (status(418), StatusReason.SERVER_ERROR),
        (body(b"<html>Login</html>", "text/html"), StatusReason.NOT_VIDEO),
        (body(b"{}", "application/json"), StatusReason.NOT_VIDEO),
        (body(b"", "video/mp4"), StatusReason.NOT_VIDEO),
        (body(b"just some text, no video", "application/octet-stream"), StatusReason.NOT_VIDEO),
        (body(b"GIF89a", "image/jpeg"), StatusReason.DECODE_FAILED),
        (body(jpeg()[:2000], "image/jpeg"), StatusReason.DECODE_FAILED),
        (silence, StatusReason.TIMEOUT),
        (endless_garbage("video/mp2t"), StatusReason.NOT_VIDEO),
        (endless_garbage("video/mp2t", bytes_per_second=20), StatusReason.TIMEOUT),
        (endless_garbage("image/jpeg"), StatusReason.NOT_VIDEO),
        (endless_garbage("multipart/x-mixed-replace; boundary=x"), StatusReason.NOT_VIDEO),
        (redirect("/it"), StatusReason.SERVER_ERROR),
        (redirect("file:///etc/passwd"), StatusReason.URL_INVALID),
        (redirect("gopher://127.0.0.1/x"), StatusReason.URL_INVALID),
        (redirect("http://127.0.0.1:99999/x"), StatusReason.URL_INVALID),
    ],
)
def test_what_is_no_video_has_a_reason(camera: HttpCamera, answer: object, reason: StatusReason) -> None:
    """Given an answer that is something else, When it is watched, Then the reason has a name and no secrets."""
    assert callable(answer)
    camera.answers["/it"] = answer
    with WatchedCamera(camera.url("/it?token=t0ken", "user:s3cret")) as watched:
        detail = watched.wait_reason(reason).detail
    assert watched.frames == []
    assert "s3cret" not in detail
    assert "t0ken" not in detail


@pytest.mark.parametrize(
    "named",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "concat:/etc/passwd|/etc/hostname",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "data:video/mp2t;base64,AAAA",
        "ftp://127.0.0.1/x.ts",
        "crypto+file:///etc/passwd",
    ],
)
def test_a_playlist_cannot_make_us_read_a_local_file(camera: HttpCamera, named: str) -> None:
    """Given a playlist that names something else than HTTP, When it is opened, Then that is refused and not read."""
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{named}\n#EXT-X-ENDLIST\n"
    camera.answers["/evil.m3u8"] = body(text.encode(), "application/vnd.apple.mpegurl")
    with WatchedCamera(camera.url("/evil.m3u8")) as watched:
        watched.wait(lambda: bool(watched.reasons), "a reason")
    assert watched.frames == []
    assert watched.reasons[0] in {StatusReason.NOT_VIDEO, StatusReason.NOT_FOUND, StatusReason.SERVER_ERROR}


@pytest.mark.parametrize("content_type", ["video/mp2t", "video/mp4", "application/octet-stream"])
@pytest.mark.parametrize(
    "data",
    [
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
    ],
    ids=["concat", "hls", "sdp"],
)
def test_a_list_of_files_does_not_pass_for_a_video(camera: HttpCamera, content_type: str, data: bytes) -> None:
    """Given a list of other files under the name of a video, When it is opened, Then libav does not follow it."""
    camera.answers["/it"] = body(data, content_type)
    with WatchedCamera(camera.url("/it")) as watched:
        watched.wait_reason(StatusReason.NOT_VIDEO)


def test_a_redirect_is_followed_three_times(camera: HttpCamera) -> None:
    """Given three redirects, When they are followed, Then the picture comes; a fourth would be refused."""
    camera.answers["/shot"] = body(jpeg(), "image/jpeg")
    camera.answers |= {"/1": redirect("/2"), "/2": redirect("/3"), "/3": redirect("/shot"), "/0": redirect("/1")}
    clock = SystemClock()
    assert probe(camera.url("/1"), QUICK, timeout_seconds=3, clock=clock).reason is None
    assert probe(camera.url("/0"), QUICK, timeout_seconds=3, clock=clock).reason is StatusReason.SERVER_ERROR


def test_a_stream_that_breaks_is_opened_again(camera: HttpCamera, clips: Clips) -> None:
    """Given a connection that breaks, When the camera answers again, Then it comes back by itself."""
    camera.answers["/live"] = cut_off(live(clips.make(seconds=3), "video/mp2t"), 30_000)
    with WatchedCamera(camera.url("/live"), analyse_fps=10) as watched:
        watched.wait_reason(StatusReason.STREAM_ENDED)
        watched.wait(lambda: watched.state.reconnects >= 1, "it came back")


def test_stop_is_heard_while_a_silent_stream_is_read(camera: HttpCamera) -> None:
    """Given a stream that is being waited for, When it is stopped, Then the read is cut within 0.3 s."""
    camera.answers["/video"] = mjpeg(0.05)
    with WatchedCamera(camera.url("/video")) as watched:
        watched.wait(lambda: len(camera.requests) == 1, "the stream is read")
        time.sleep(0.3)
        began = time.monotonic()
        watched.capture.stop()
        assert watched.capture.join(2)
        assert time.monotonic() - began < 1.5


def test_a_damaged_snapshot_is_skipped_and_counted(camera: HttpCamera) -> None:
    """Given one damaged picture among good ones, When it is polled, Then it is counted and the camera stays online."""
    good = [body(jpeg(number), "image/jpeg") for number in range(3)]
    answers = iter([good[0], body(jpeg()[:3000], "image/jpeg"), good[1]])

    def next_answer(handler: Handler) -> None:
        next(answers, good[2])(handler)

    camera.answers["/shot"] = next_answer
    with WatchedCamera(camera.url("/shot"), analyse_fps=10) as watched:
        watched.wait(lambda: watched.states[-1].decode_errors == 1, "the damage is counted")
        watched.wait_frames(4)
    assert watched.reasons == []


def test_an_enormous_picture_is_refused_before_it_is_decoded() -> None:
    """Given a small JPEG that claims 65,000 x 65,000 pixels, When it is decoded, Then no memory is spent on it."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    assert jpeg_size(bytes(data)) == (320, 240)
    data[at + 5 : at + 9] = (65_000).to_bytes(2, "big") * 2
    assert jpeg_size(bytes(data)) == (65_000, 65_000)
    assert decode_picture(bytes(data)) is None
    assert decode_picture(b"") is None
    assert MAX_PICTURE_BYTES <= 64 * 1024 * 1024
    decoded = decode_picture(jpeg(3))
    assert decoded is not None
    assert decoded.dtype == np.uint8
