"""Decoding keyframes alone gives exactly the pictures that decoding everything gives, for every codec cameras use."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from tests.support.clips import picture
from workers.capture.decoding import FrameDecoder
from workers.capture.sampling import DecodeMode, Sampler
from workers.media import VideoPacket
from workers.pictures import BgrImage, DecodedPicture

FPS = 10
SIZE = (320, 240)
X265 = "log-level=error:bframes=3:b-adapt=0:keyint=10:min-keyint=10:scenecut=0"


@dataclass(frozen=True)
class Encoding:
    """How a camera encodes."""

    encoder: str
    options: dict[str, str]
    container: str = "ts"
    pix_fmt: str = "yuv420p"


ENCODINGS = {
    "h264": Encoding("libx264", {"preset": "ultrafast", "tune": "zerolatency"}),
    "h264 in slices": Encoding("libx264", {"preset": "ultrafast", "tune": "zerolatency", "slices": "4"}),
    "h264 with B-frames": Encoding("libx264", {"preset": "veryfast", "bf": "3", "b_strategy": "0"}, "mp4"),
    "h264 with open GOPs": Encoding("libx264", {"x264-params": "open-gop=1:bframes=3:b-adapt=0:scenecut=0"}),
    "h264 interlaced": Encoding("libx264", {"preset": "ultrafast", "x264-params": "interlaced=1:bframes=2"}),
    "hevc with B-frames": Encoding("libx265", {"preset": "ultrafast", "x265-params": X265}, "mp4"),
    "hevc with open GOPs": Encoding("libx265", {"preset": "ultrafast", "x265-params": X265 + ":open-gop=1"}),
    "mjpeg": Encoding("mjpeg", {}, "avi", "yuvj420p"),
    "mpeg2 with B-frames": Encoding("mpeg2video", {"bf": "2"}),
    "vp9": Encoding("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}, "mkv"),
}
INTRA_REFRESH = Encoding("libx264", {"preset": "ultrafast", "tune": "zerolatency", "intra-refresh": "1"})


def encode(folder: Path, encoding: Encoding, *, gop: int = FPS, seconds: int = 8) -> Path:
    """Encode the test clip with a keyframe every `gop` frames."""
    path = folder / f"clip.{encoding.container}"
    with av.open(path, "w") as output:
        stream = output.add_stream(encoding.encoder, rate=Fraction(FPS), options=dict(encoding.options))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = encoding.pix_fmt
        stream.codec_context.gop_size = gop
        for number in range(FPS * seconds):
            frame = av.VideoFrame.from_ndarray(picture(number, SIZE), format="rgb24")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def all_frames(path: Path) -> dict[int, BgrImage]:
    """Return every frame of a file by its pts, as libav's own loop decodes it."""
    with av.open(path) as container:
        return {
            frame.pts: frame.to_ndarray(format="bgr24").astype(np.uint8)
            for frame in container.decode(video=0)
            if frame.pts is not None
        }


@dataclass
class Played:
    """What a decoder made of a file whose packets arrived at the pace of a camera."""

    sampler: Sampler
    decoder: FrameDecoder
    #: (arrival in seconds, pts, whether only keyframes were decoded, image)
    frames: list[tuple[float, int, bool, BgrImage]]


def play(path: Path, *, interval_seconds: float = 1.0, spoil: range = range(0), without: range = range(0)) -> Played:
    """Give a file to a decoder, one packet every 1/FPS seconds.

    The bytes of packets in `spoil` are destroyed, those in `without` never arrive.
    """
    with av.open(path) as container:
        stream = container.streams.video[0]
        sampler = Sampler(interval_seconds)
        decoder = FrameDecoder(stream.codec_context, sampler)
        played = Played(sampler, decoder, [])
        packets = [packet for packet in container.demux(stream) if packet.size]
        for number, packet in enumerate(packets):
            at = number / FPS
            if number in without:
                continue
            whole = spoiled(packet) if number in spoil else packet
            media = float(whole.pts * whole.time_base) if whole.pts is not None else None
            sampler.saw_packet(is_keyframe=whole.is_keyframe, at=at, media_seconds=media)
            frame = decoder.decode(whole, at)
            if frame is not None and frame.pts is not None:
                alone = sampler.mode is DecodeMode.KEYFRAMES
                played.frames.append((at, frame.pts, alone, DecodedPicture(frame).bgr()))
    return played


def spoiled(packet: VideoPacket) -> VideoPacket:
    """Return a packet like `packet` with noise inside."""
    noise = cast("VideoPacket", av.Packet(np.random.default_rng(5).bytes(packet.size)))
    noise.pts, noise.dts, noise.time_base = packet.pts, packet.dts, packet.time_base
    noise.is_keyframe = packet.is_keyframe
    return noise


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_keyframe_decoded_alone_is_the_picture_that_decoding_everything_gives(tmp_path: Path, name: str) -> None:
    """Given a stream with a keyframe a second, when one is wanted, then keyframes alone give the very same pictures."""
    path = encode(tmp_path, ENCODINGS[name])
    truth = all_frames(path)
    played = play(path)
    alone = [(pts, image) for _, pts, alone, image in played.frames if alone]
    assert len(alone) >= 4, "keyframes alone were decoded"
    assert played.decoder.errors == 0
    for pts, image in alone:
        assert np.array_equal(image, truth[pts])
        assert image.flags.c_contiguous


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_frames_between_keyframes_are_right_where_they_are_needed(tmp_path: Path, name: str) -> None:
    """Given a keyframe a second, when 5 frames a second are wanted, then all are decoded and 5 a second are right."""
    path = encode(tmp_path, ENCODINGS[name])
    truth = all_frames(path)
    played = play(path, interval_seconds=0.2)
    if name != "mjpeg":  # each of its frames is a keyframe
        assert not any(alone for _, _, alone, _ in played.frames)
    assert all(np.array_equal(image, truth[pts]) for _, pts, _, image in played.frames)
    arrivals = [at for at, *_ in played.frames]
    assert 4.5 <= (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) <= 5.5


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_no_slot_needs_before_the_next_keyframe_is_not_decoded(tmp_path: Path, name: str) -> None:
    """Given a keyframe every 4 s, when one frame a second is wanted, what comes behind the fourth is left out."""
    path = encode(tmp_path, ENCODINGS[name], gop=4 * FPS, seconds=24)
    truth = all_frames(path)
    played = play(path)
    late = [at for at, *_ in played.frames if at > 12]
    assert 0.95 <= (len(late) - 1) / (late[-1] - late[0]) <= 1.05
    assert all(np.array_equal(image, truth[pts]) for _, pts, _, image in played.frames)
    assert played.decoder.errors == 0
    if "B-frames" not in name and name not in {
        "mjpeg",
        "h264 with open GOPs",
        "hevc with open GOPs",
        "h264 interlaced",
    }:
        assert played.decoder.frames < 0.9 * 24 * FPS


def test_a_keyframe_that_does_not_come_in_time_is_not_rested_for_again(tmp_path: Path) -> None:
    """Given keyframes that came regularly, when one is missing, what comes from the next one on is decoded in full."""
    path = encode(tmp_path, ENCODINGS["h264"], gop=4 * FPS, seconds=28)
    played = play(path, without=range(16 * FPS, 17 * FPS))
    assert max(later - earlier for earlier, later in pairwise(at for at, *_ in played.frames)) <= 5.1
    assert [round(at) for at, *_ in played.frames if at >= 20] == [20, 21, 22, 23, 24, 25, 26, 27]


def test_an_image_keeps_its_pixels_while_the_next_ones_are_decoded(tmp_path: Path) -> None:
    """Given a converter that is used again and again, when later frames come, then earlier images do not change."""
    path = encode(tmp_path, ENCODINGS["h264"], seconds=4)
    truth = all_frames(path)
    played = play(path, interval_seconds=0.1)
    assert len(played.frames) >= 30
    assert all(np.array_equal(image, truth[pts]) for _, pts, _, image in played.frames)


def test_a_stream_whose_keyframes_are_not_whole_is_decoded_in_full(tmp_path: Path) -> None:
    """Given intra refresh, where no keyframe gives a picture alone, when one a second is wanted, then it goes on."""
    path = encode(tmp_path, INTRA_REFRESH, seconds=15)
    truth = all_frames(path)
    played = play(path)
    assert played.sampler.mode is DecodeMode.ALL
    assert all(np.array_equal(image, truth[pts]) for _, pts, _, image in played.frames)
    late = [at for at, *_ in played.frames if at > 5]
    assert len(late) >= 9
    assert max(later - earlier for earlier, later in pairwise(late)) < 1.2


def test_one_damaged_keyframe_costs_one_picture_and_not_the_mode(tmp_path: Path) -> None:
    """Given keyframes decoded alone, when one is destroyed, then it is counted and the next are taken as before."""
    path = encode(tmp_path, ENCODINGS["h264"], seconds=10)
    truth = all_frames(path)
    played = play(path, spoil=range(50, 51))
    assert played.decoder.errors == 1
    assert played.sampler.mode is DecodeMode.KEYFRAMES
    assert [round(at) for at, *_ in played.frames] == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    assert all(np.array_equal(image, truth[pts]) for _, pts, _, image in played.frames)


def test_damage_for_seconds_makes_the_stream_hopeless(tmp_path: Path) -> None:
    """Given a stream, when nothing of 7 s can be decoded, then it is hopeless and had better be opened again."""
    path = encode(tmp_path, ENCODINGS["h264"], seconds=10)
    assert not play(path, interval_seconds=0.2, spoil=range(30, 60)).decoder.hopeless
    assert play(path, interval_seconds=0.2, spoil=range(30, 100)).decoder.hopeless
