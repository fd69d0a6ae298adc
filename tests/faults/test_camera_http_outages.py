"""HTTP cameras that go away, dribble, or never end: each is named, bounded, let go of, and watched again."""

import itertools
import re
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from contract.errors import StatusReason
from tests.support.clips import Clips
from tests.support.http_camera import Answer, Handler, HttpCamera, body, jpeg, mjpeg, silence
from tests.support.rtsp_server import free_port, wait_until
from tests.support.watched_camera import QUICK, WatchedCamera, connections_to
from workers.capture.snapshot_stream import MAX_PICTURE_BYTES


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Clips for this file."""
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def camera() -> Iterator[HttpCamera]:
    """A camera without answers."""
    with HttpCamera() as server:
        yield server


def dribble(data: bytes, content_type: str) -> Answer:
    """Send one byte every 0.2 s, so that there is always a sign of life."""

    def answer(handler: Handler) -> None:
        handler.start(Content_Type=content_type)
        for value in data:
            handler.wfile.write(bytes([value]))
            if handler.ended.wait(0.2):
                return

    return answer


def dribble_headers(handler: Handler) -> None:
    """Begin an answer whose headers come one byte every 0.2 s and have no end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.ended.wait(0.2):
        handler.wfile.write(b"a")


def strict(answer: Answer, length: int) -> Answer:
    """Answer 416 to a request for what lies behind the last byte, as RFC 9110 says and web servers do."""

    def judge(handler: Handler) -> None:
        wanted = re.match(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if wanted and int(wanted[1]) >= length:
            handler.start(416, Content_Range=f"bytes */{length}", Content_Length=0)
        else:
            answer(handler)

    return judge


def test_a_port_that_nobody_listens_on_is_named_refused() -> None:
    """Given a closed port, when an HTTP camera is looked for there, then the reason is refused and not a time-out."""
    with WatchedCamera(f"http://127.0.0.1:{free_port()}/mjpeg") as watched:
        watched.wait(lambda: bool(watched.reasons), "a reason", 3)
        assert watched.reasons[0] is StatusReason.REFUSED


def test_a_file_on_a_strict_web_server_is_watched(camera: HttpCamera, clips: Clips) -> None:
    """Given a server that answers 416 behind the end, when an MP4 with its index last is watched, then it plays."""
    data = clips.make("cam", seconds=4).read_bytes()
    assert data.rindex(b"moov") > data.index(b"mdat"), "libav has to seek for the index"
    camera.answers["/cam.mp4"] = strict(body(data, "video/mp4", ranges=True), len(data))
    with WatchedCamera(camera.url("/cam.mp4")) as watched:
        watched.wait_frames(5)
        assert watched.reasons == []
    assert len(camera.requests) <= 6


@pytest.mark.parametrize("content_type", ["image/jpeg", "multipart/x-mixed-replace; boundary=frame", "video/mp2t"])
def test_an_answer_that_dribbles_in_is_given_up(camera: HttpCamera, content_type: str) -> None:
    """Given a byte now and then for ever, when the time limits are over, then it is named and let go of."""
    head = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" if "multipart" in content_type else b""
    camera.answers["/slow"] = dribble(head + jpeg(), content_type)
    with WatchedCamera(camera.url("/slow")) as watched:
        limit = QUICK.connect_timeout_seconds + QUICK.stall_timeout_seconds + 1
        watched.wait(lambda: bool(watched.reasons), "given up", limit)
        assert watched.reasons[0] in {StatusReason.TIMEOUT, StatusReason.STREAM_STALLED}
        assert not watched.frames
    wait_until(lambda: connections_to(camera.port) == 0, "it hangs up", seconds=2)


def test_headers_that_dribble_in_are_given_up(camera: HttpCamera) -> None:
    """Given headers without an end, when the time to connect is over, then the reason is a time-out and we hang up."""
    camera.answers["/slow"] = dribble_headers
    with WatchedCamera(camera.url("/slow")) as watched:
        watched.wait(lambda: bool(watched.reasons), "given up", QUICK.connect_timeout_seconds + 1)
        assert watched.reasons[0] is StatusReason.TIMEOUT
        # It is tried again, and then watched when the camera has recovered.
        camera.answers["/slow"] = body(jpeg(), "image/jpeg")
        watched.wait_frames(1)
    wait_until(lambda: connections_to(camera.port) == 0, "it hangs up", seconds=2)


def test_a_later_picture_whose_headers_dribble_in_is_given_up(camera: HttpCamera) -> None:
    """Given a camera that is online on a kept connection, when headers dribble, then it is named and let go of."""
    camera.answers["/cam"] = body(jpeg(), "image/jpeg")
    with WatchedCamera(camera.url("/cam")) as watched:
        watched.wait_frames(2)
        camera.answers["/cam"] = dribble_headers
        watched.wait(lambda: bool(watched.reasons), "given up", QUICK.connect_timeout_seconds + 1)
        assert watched.reasons[0] in {StatusReason.TIMEOUT, StatusReason.STREAM_STALLED}


def test_a_capture_that_waits_for_headers_hears_stop(camera: HttpCamera) -> None:
    """Given headers that dribble in, when the capture is stopped, then it ends at once and says nothing more."""
    camera.answers["/slow"] = dribble_headers
    watched = WatchedCamera(camera.url("/slow"))
    watched.capture.start()
    wait_until(lambda: bool(camera.requests), "it is asked")
    threading.Event().wait(0.3)
    told = len(watched.states)
    watched.capture.stop()
    assert watched.capture.join(1)
    assert len(watched.states) == told
    wait_until(lambda: connections_to(camera.port) == 0, "it hangs up", seconds=2)


@pytest.mark.parametrize("content_type", ["image/jpeg", "video/mp2t", "multipart/x-mixed-replace; boundary=frame"])
def test_an_answer_without_an_end_is_not_read_without_an_end(camera: HttpCamera, content_type: str) -> None:
    """Given garbage as fast as we read it, when it is refused, then memory has not grown and little has been taken."""
    taken = itertools.count()
    block = bytes(range(1, 255)) * 256

    def endless(handler: Handler) -> None:
        handler.start(Content_Type=content_type)
        while not handler.ended.is_set():
            handler.wfile.write(block)
            next(taken)

    camera.answers["/endless"] = endless
    memory = psutil.Process().memory_info().rss
    with WatchedCamera(camera.url("/endless")) as watched:
        watched.wait(lambda: bool(watched.reasons), "refused", 8)
        blocks = next(taken)
        assert watched.reasons[0] in {StatusReason.NOT_VIDEO, StatusReason.TIMEOUT}
        # What the kernel holds on its way comes on top of what was read.
        assert blocks * len(block) < MAX_PICTURE_BYTES + 16_000_000
        assert psutil.Process().memory_info().rss - memory < 3 * MAX_PICTURE_BYTES
    wait_until(lambda: connections_to(camera.port) == 0, "it hangs up", seconds=2)


@pytest.mark.parametrize(
    ("answer", "content_type"),
    [("silent", ""), ("dribble", "image/jpeg"), ("dribble", "video/mp2t"), ("mjpeg", ""), ("picture", "")],
)
def test_a_capture_over_http_that_is_stopped_hangs_up(camera: HttpCamera, answer: str, content_type: str) -> None:
    """Given a camera in any mood, when its capture is stopped, then thread and socket are gone with the time limit."""
    camera.answers["/cam"] = {
        "silent": silence,
        "dribble": dribble(jpeg(), content_type),
        "mjpeg": mjpeg(10),
        "picture": body(jpeg(), "image/jpeg"),
    }[answer]
    watched = WatchedCamera(camera.url("/cam"))
    watched.capture.start()
    wait_until(lambda: bool(camera.requests), "it is asked")
    threading.Event().wait(0.3)
    began = time.monotonic()
    watched.capture.stop()
    assert time.monotonic() - began < 1
    told = len(watched.states), len(watched.frames)
    assert watched.capture.join(QUICK.stall_timeout_seconds + 0.5)
    assert (len(watched.states), len(watched.frames)) == told
    wait_until(lambda: connections_to(camera.port) == 0, "it hangs up", seconds=1)
