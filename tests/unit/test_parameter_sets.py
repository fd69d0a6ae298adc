"""Parameter sets in packets and descriptions of H.264 and H.265, as real encoders write them."""

import io
from fractions import Fraction
from typing import Literal

import av
import pytest
from av.video.stream import VideoStream
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clips import picture
from workers.recording.parameter_sets import (
    declared_sets,
    have_changed,
    length_size,
    nal_type,
    nal_units,
    parameter_sets,
    to_annex_b,
)

ENCODERS: dict[str, Literal["libx264", "libx265"]] = {"h264": "libx264", "hevc": "libx265"}
#: Kinds of the parameter sets of each codec.
KINDS = {"h264": {7, 8}, "hevc": {32, 33, 34}}


def encoded(codec: str, container: str, size: tuple[int, int] = (320, 240)) -> tuple[bytes, list[bytes]]:
    """Return a stream's description and its packets, as a demuxer of `container` gives them."""
    file = io.BytesIO()
    options = {"preset": "ultrafast"} | ({"x265-params": "log-level=error"} if codec == "hevc" else {})
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(ENCODERS[codec], rate=10, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(picture(number, size), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as source:
        packets = [bytes(packet) for packet in source.demux(source.streams.video[0]) if packet.size]
        return source.streams.video[0].codec_context.extradata or b"", packets


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_start_codes_and_lengths_are_told_apart_by_the_description(codec: str) -> None:
    """Given MPEG-TS and MP4, then the one has start codes and the other lengths of four bytes."""
    assert length_size(encoded(codec, "mpegts")[0], codec) is None
    assert length_size(encoded(codec, "mp4")[0], codec) == 4
    assert length_size(b"", codec) is None


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_description_brings_the_same_sets_in_every_container(codec: str) -> None:
    """Given the same stream in MPEG-TS and in MP4, then both describe the same parameter sets, all kinds of them."""
    with_start_codes = declared_sets(encoded(codec, "mpegts")[0], codec)
    with_lengths = declared_sets(encoded(codec, "mp4")[0], codec)
    assert with_start_codes == with_lengths
    assert {nal_type(unit, codec) for unit in with_lengths} == KINDS[codec]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_only_keyframes_bring_parameter_sets(codec: str) -> None:
    """Given MPEG-TS, where keyframes bring them, then the first packet has those of the description, others none."""
    extradata, packets = encoded(codec, "mpegts")
    assert parameter_sets(packets[0], codec, None) == declared_sets(extradata, codec)
    assert parameter_sets(packets[1], codec, None) == frozenset()


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_another_size_is_a_change_and_a_keyframe_that_repeats_nothing_is_none(codec: str) -> None:
    """Given streams of two sizes, then the keyframe of one changes the other; the same, or none, does not."""
    known = declared_sets(encoded(codec, "mpegts")[0], codec)
    larger = parameter_sets(encoded(codec, "mpegts", (640, 360))[1][0], codec, None)
    assert have_changed(known, larger, codec)
    assert not have_changed(known, known, codec)
    assert not have_changed(known, frozenset(), codec)
    only_one_kind = frozenset(unit for unit in known if nal_type(unit, codec) == max(KINDS[codec]))
    assert not have_changed(known, only_one_kind, codec)


def test_lengths_become_start_codes() -> None:
    """Given a packet of MP4, when it is rewritten, then it has the same NAL units, between start codes."""
    extradata, packets = encoded("h264", "mp4")
    size = length_size(extradata, "h264")
    rewritten = to_annex_b(packets[0], size)
    assert list(nal_units(rewritten, None)) == [unit.rstrip(b"\x00") for unit in nal_units(packets[0], size)]
    assert to_annex_b(rewritten, None) == rewritten


@given(st.binary(max_size=200), st.sampled_from(["h264", "hevc"]), st.sampled_from([None, 1, 2, 4]))
def test_damaged_bytes_bring_no_error(data: bytes, codec: str, size: int | None) -> None:
    """Given any bytes, then what is found is in them."""
    for unit in parameter_sets(data, codec, size) | declared_sets(data, codec):
        assert unit in data
