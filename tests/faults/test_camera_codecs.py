"""Codecs that cannot be decoded, that are another than was said, or that change when the camera restarts."""

from typing import Final

import av
import pytest
from av.video.stream import VideoStream

from contract.errors import StatusReason
from tests.support.clips import Clips, picture
from tests.support.rtsp_server import RtspServer
from tests.support.watched_camera import WatchedCamera, below

#: Where FFmpeg's muxer puts the program map.
PROGRAM_MAP_PID: Final = 0x1000


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Clips for this file."""
    return Clips(tmp_path_factory.mktemp("clips"))


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


def test_a_codec_is_called_by_its_own_name_and_not_by_its_decoders(
    clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given AV1, which a library decodes, when it is watched, then the status says av1 and not the library's name."""
    monkeypatch.setenv("SVT_LOG", "1")  # errors only
    path = clips.folder / "av1.mkv"
    with av.open(path, "w") as output:
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
