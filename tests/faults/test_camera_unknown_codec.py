"""Codecs that nobody knows, that are another than was said, or that are no video."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import av
import pytest
from av.video.stream import VideoStream

from contract.errors import StatusReason
from tests.support.clips import Clips, picture
from tests.support.rtsp_server import RtspServer
from tests.support.watched_camera import WatchedCamera, below, file_camera

#: Where FFmpeg's muxer puts the program map.
PROGRAM_MAP_PID: Final = 0x1000


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_a_file_of_a_codec_that_nobody_knows_is_named(clips: Clips, container: str) -> None:
    """Given a file that says it is of an unknown codec, when it is watched, then codec_unsupported is said."""
    known = clips.make("known", container=container, seconds=1).read_bytes()
    strange = clips.folder / f"strange.{container}"
    strange.write_bytes(known.replace(b"avc1", b"zzzz").replace(b"V_MPEG4/ISO/AVC", b"V_ZZZZZ/ISO/AVC"))
    with WatchedCamera(strange.as_uri(), settings=below(clips.folder)) as camera:
        assert camera.wait_reason(StatusReason.CODEC_UNSUPPORTED).detail
        assert not camera.frames


@pytest.mark.parametrize("claimed", [0x10, 0x21, 0x24, 0x42])
def test_a_recording_of_which_nothing_decodes_is_not_said_to_have_ended(clips: Clips, claimed: int) -> None:
    """Given MPEG-TS whose table names another codec than it has, when it is watched, then decode_failed is said."""
    data = bytearray(clips.make("claims", container="ts", seconds=1).read_bytes())
    rename_codec(data, claimed)
    wrong = clips.folder / f"claims-{claimed}.ts"
    wrong.write_bytes(data)
    with WatchedCamera(wrong.as_uri(), settings=below(clips.folder)) as camera:
        camera.wait(lambda: bool(camera.reasons), "a reason", 8)
        assert camera.reasons[0] is StatusReason.DECODE_FAILED
        assert not camera.frames


def rename_codec(transport_stream: bytearray, stream_type: int) -> None:
    """Change the stream type in every program map of a file with one stream, and make its checksum right.

    Source:
        ISO/IEC 13818-1, sections 2.4.4.9 (program map) and annex A (CRC-32).
    """
    for start in range(0, len(transport_stream), 188):
        packet = transport_stream[start : start + 188]
        if int.from_bytes(packet[1:3], "big") & 0x1FFF != PROGRAM_MAP_PID:
            continue
        section = start + 5 + packet[4]
        length = 3 + (int.from_bytes(transport_stream[section + 1 : section + 3], "big") & 0xFFF)
        descriptors = int.from_bytes(transport_stream[section + 10 : section + 12], "big") & 0xFFF
        transport_stream[section + 12 + descriptors] = stream_type
        checked = transport_stream[section : section + length - 4]
        transport_stream[section + length - 4 : section + length] = crc32_mpeg(checked).to_bytes(4, "big")


def crc32_mpeg(data: bytearray) -> int:
    """Return the checksum of a section."""
    crc = 0xFFFF_FFFF
    for value in data:
        crc ^= value << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return crc


@contextmanager
def ordinary_priority() -> Iterator[None]:
    """Encode AV1 within: as root its encoder gives this thread, and all that it starts, a real-time priority for good.

    Every test that came later in this process would leave those beside it without a core.
    """
    if sys.platform != "linux":
        yield
        return
    before, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, before, parameters)


def test_a_codec_is_called_by_its_own_name_and_not_by_its_decoders(
    clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given AV1, which a library decodes, when it is watched, then the status says av1 and not the library's name."""
    monkeypatch.setenv("SVT_LOG", "1")  # errors only
    path = clips.folder / "av1.mkv"
    with ordinary_priority(), av.open(path, "w") as output:
        stream = output.add_stream("libsvtav1", rate=10, options={"preset": "12"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = 320, 240
        stream.pix_fmt = "yuv420p"
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(picture(number, (320, 240)), format="rgb24")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with WatchedCamera(path.as_uri(), settings=below(clips.folder)) as camera:
        camera.wait_online()
        assert camera.state.codec == "av1"


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
