"""Streams that are wrong in themselves: refused, damaged, cut, of a foreign codec, or not allowed."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

import av
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contract.cameras import CameraState
from contract.errors import StatusReason
from tests.support.clips import Clips
from tests.support.http_camera import Handler, HttpCamera, body, jpeg
from tests.support.rtsp_server import Credentials, RtspServer
from tests.support.tcp_proxy import TcpProxy
from tests.support.watched_camera import QUICK, WatchedCamera, below


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    """Clips of this test."""
    return Clips(tmp_path)


def file_camera(path: Path, folder: Path | None = None, *, analyse_fps: float = 5) -> WatchedCamera:
    """Return a camera that plays `path`, where `folder` (default: its own) is allowed."""
    return WatchedCamera(f"file://{path}", analyse_fps=analyse_fps, settings=below(folder or path.parent))


# --- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (403, StatusReason.AUTH_FAILED),
        (404, StatusReason.NOT_FOUND),
        (454, StatusReason.SERVER_ERROR),
        (500, StatusReason.SERVER_ERROR),
        (503, StatusReason.SERVER_ERROR),
    ],
)
def test_what_an_rtsp_server_answers_is_told(clips: Clips, code: int, reason: StatusReason) -> None:
    """Given a server that answers with an error, When it is opened, Then the reason is named."""
    with RtspServer(clips.folder, fail_with=code) as server, WatchedCamera(server.url("x")) as camera:
        camera.wait_reason(reason)


def test_wrong_and_missing_credentials_are_auth_failed_and_never_shown(clips: Clips) -> None:
    """Given a server that asks for a password, When it is wrong or missing, Then auth_failed, without the password."""
    clips.make()
    with RtspServer(clips.folder, credentials=Credentials("admin", "right")) as server:
        for user in ("", "admin:wr0ng@"):
            url = server.url("squares", credentials=False).replace("rtsp://", f"rtsp://{user}")
            with WatchedCamera(url) as camera:
                detail = camera.wait_reason(StatusReason.AUTH_FAILED).detail
            assert "wr0ng" not in detail


def test_a_wrong_path_is_not_found(clips: Clips) -> None:
    """Given a server without that stream, When it is opened, Then not_found."""
    with RtspServer(clips.folder) as server, WatchedCamera(server.url("nothing")) as camera:
        camera.wait_reason(StatusReason.NOT_FOUND)


def test_sound_alone_is_not_video(clips: Clips) -> None:
    """Given a stream with sound only, When it is opened over RTSP or as a file, Then not_video."""
    path = clips.audio_only()
    with RtspServer(clips.folder) as server, WatchedCamera(server.url("audio")) as camera:
        camera.wait_reason(StatusReason.NOT_VIDEO)
    with file_camera(path) as camera:
        camera.wait_reason(StatusReason.NOT_VIDEO)


def test_a_codec_that_nobody_decodes_is_told() -> None:
    """Given a camera that announces a codec libav does not know, When it is opened, Then codec_unsupported."""
    description = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 FOO/90000\r\n"
    answers = {
        "OPTIONS": "Public: DESCRIBE, SETUP, PLAY\r\n\r\n",
        "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(description)}\r\n\r\n{description}",
        "SETUP": "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n",
        "PLAY": "Session: 1\r\n\r\n",
    }
    with ScriptedRtsp(answers) as port, WatchedCamera(f"rtsp://127.0.0.1:{port}/x") as camera:
        camera.wait_reason(StatusReason.CODEC_UNSUPPORTED)


class ScriptedRtsp:
    """A server that answers each RTSP method with fixed headers and body, and then sends nothing."""

    def __init__(self, answers: dict[str, str]) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            with client:
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(0.1)
        heard = ""
        while not self._ended.is_set():
            try:
                data = client.recv(4096).decode()
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            heard += data
            while "\r\n\r\n" in heard:
                request, _, heard = heard.partition("\r\n\r\n")
                number = next(line for line in request.splitlines() if line.startswith("CSeq"))
                answer = self._answers.get(request.partition(" ")[0], "\r\n")
                client.sendall(f"RTSP/1.0 200 OK\r\n{number}\r\n{answer}".encode())


# --- secure connections ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, as cameras have them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "camera.pem"
    path.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture(params=["https", "rtsps"])
def secure_url(request: pytest.FixtureRequest, certificate: Path, clips: Clips) -> Iterator[str]:
    """A camera behind TLS, over HTTP and over RTSP."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    if request.param == "https":
        with HttpCamera(tls) as camera:
            camera.answers["/shot"] = body(jpeg(), "image/jpeg")
            yield camera.url("/shot")
        return
    clips.make()
    with RtspServer(clips.folder) as server, TcpProxy(server.port, tls=tls) as proxy:
        yield f"rtsps://127.0.0.1:{proxy.port}/squares"


def test_a_certificate_nobody_vouches_for_is_refused(secure_url: str) -> None:
    """Given a camera that signs its own certificate, When it is opened, Then tls_failed."""
    with WatchedCamera(secure_url) as camera:
        camera.wait_reason(StatusReason.TLS_FAILED)
    assert camera.frames == []


def test_headers_that_dribble_in_over_tls_are_given_up_and_stop_is_heard(certificate: Path) -> None:
    """Given TLS and headers without an end, When the time is over, Then it is a time-out; a stop is heard at once."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)

    def dribble_headers(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not handler.ended.wait(0.2):
            handler.wfile.write(b"a")

    with HttpCamera(tls) as camera:
        camera.answers["/slow"] = dribble_headers
        watched = WatchedCamera(camera.url("/slow"), settings=replace(QUICK, camera_tls_verify=False))
        watched.capture.start()
        watched.wait(lambda: bool(watched.reasons), "given up", QUICK.connect_timeout_seconds + 1)
        assert watched.reasons[0] is StatusReason.TIMEOUT
        watched.wait(lambda: len(camera.requests) == 2, "asked again")
        watched.capture.stop()
        assert watched.capture.join(1)


def test_such_a_certificate_is_taken_when_checks_are_off(secure_url: str) -> None:
    """Given FARM_CAMERA_TLS_VERIFY=false, When such a camera is opened, Then it plays."""
    with WatchedCamera(secure_url, settings=replace(QUICK, camera_tls_verify=False)) as camera:
        camera.wait_frames(2)


def test_a_certificate_of_a_trusted_authority_is_taken(
    secure_url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given the camera's authority in SSL_CERT_FILE, When it is opened, Then it plays."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with WatchedCamera(secure_url) as camera:
        camera.wait_frames(2)


# --- files that are not allowed --------------------------------------------------------------------------------------


def test_files_outside_the_folder_are_forbidden_however_they_are_named(clips: Clips, tmp_path: Path) -> None:
    """Given files elsewhere, When they are named with dots, links or plainly, Then path_forbidden, and none is read."""
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = clips.make("secret", seconds=1)
    (inside / "link.mp4").symlink_to(secret)
    (inside / "up").symlink_to(tmp_path)
    (inside / "folder.mp4").mkdir()
    os.mkfifo(inside / "pipe.mp4")
    named = ["../secret.mp4", "%2e%2e/secret.mp4", "link.mp4", "up/secret.mp4", "folder.mp4", "pipe.mp4"]
    for url in [*(f"file://{inside}/{name}" for name in named), f"file://{secret}", "file:///etc/passwd"]:
        with WatchedCamera(url, settings=below(inside)) as camera:
            camera.wait_reason(StatusReason.PATH_FORBIDDEN)
        assert camera.frames == []
    with WatchedCamera(f"file://{secret}", settings=QUICK) as camera:
        assert "FARM_LOCAL_VIDEO_DIR" in camera.wait_reason(StatusReason.PATH_FORBIDDEN).detail
    with WatchedCamera(f"file://{inside}/none.mp4", settings=below(inside)) as camera:
        camera.wait_reason(StatusReason.NOT_FOUND)


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile secret.mp4\n", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n"]
)
def test_a_local_list_of_files_is_not_followed(clips: Clips, text: str) -> None:
    """Given a list of files in the folder, When it is a camera, Then libav does not open what it names."""
    clips.make("secret", seconds=1)
    for ending in ("mp4", "m3u8", "ffconcat"):
        path = clips.folder / f"list.{ending}"
        path.write_text(text)
        with file_camera(path) as camera:
            camera.wait_reason(StatusReason.NOT_VIDEO)


# --- damaged ---------------------------------------------------------------------------------------------------------


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
