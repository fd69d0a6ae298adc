"""What a clip is made of: what is copied, what is encoded anew, where pieces begin and end."""

from fractions import Fraction

import pytest

from camera_ctrler.playback.export_plan import MAX_ENCODED_MS, MixedFootageError, Piece, Source, plan
from camera_ctrler.playback.fragments import Fragment, Head, Layout, Track
from camera_ctrler.playback.parameter_sets import AvcConfig, nal_units, with_lengths
from camera_ctrler.playback.showing import Shown, shown
from camera_ctrler.playback.track_runs import DamagedFootageError
from camera_ctrler.recordings.index import IndexedSegment
from camera_ctrler.recordings.spans import Span
from contract.recordings import Segment


def source(
    start_ms: int,
    *,
    seconds: int = 10,
    keyframe_every: int = 2,
    reorder: int = 0,
    init: str = "one",
    codec: str = "h264",
    epoch: int = 1,
) -> Source:
    """Return a file of fragments of a second."""
    fragments = tuple(
        Fragment(0, 1, number * 1_000, 1_000, reorder, number % keyframe_every == 0, Fraction(0))
        for number in range(seconds)
    )
    layout = Layout(Head(1, init, (Track(1, 1_000, "vide", 0, 0),), Fraction(0)), fragments, cut=False)
    segment = Segment(
        camera_id="lobby",
        start_ms=start_ms,
        end_ms=start_ms + seconds * 1_000,
        epoch=epoch,
        size_bytes=1,
        codec=codec,
    )
    return Source(Shown(IndexedSegment(segment, 0), segment.start_ms, segment.end_ms), layout)


def told(pieces: tuple[Piece, ...]) -> list[tuple[int, int, bool]]:
    """Return begin, end and whether it is encoded, of each piece."""
    return [(round(piece.from_ms), round(piece.to_ms), piece.encode) for piece in pieces]


def test_a_copy_begins_with_the_keyframe_before_and_ends_where_it_was_asked_to() -> None:
    """Given keyframes every two seconds, then a clip from 3.5 s on begins at 2 s and nothing is encoded."""
    made = plan([source(0), source(10_000)], 3_500, 14_200, exact=False)
    assert told(made.pieces) == [(2_000, 10_000, False), (10_000, 14_200, False)]
    assert [float(begin) for begin in made.begins] == [0, 8]
    assert (made.pieces[0].first, made.pieces[0].last) == (2, 9)
    assert made.pieces[1].last == 4
    assert made.encoded_ms == 0


def test_an_exact_clip_encodes_what_lies_before_the_next_keyframe() -> None:
    """Given an exact begin between keyframes, then half a second is encoded, and the end needs nothing."""
    made = plan([source(0), source(10_000)], 3_500, 14_200, exact=True)
    assert told(made.pieces) == [(3_500, 4_000, True), (4_000, 10_000, False), (10_000, 14_200, False)]
    assert made.encoded_ms == 500
    assert not made.encode_all


def test_an_exact_end_is_encoded_only_where_pictures_need_later_ones() -> None:
    """Given B-frames, then what lies between the last keyframe and the end is encoded, too."""
    made = plan([source(0, reorder=80)], 2_000, 7_300, exact=True)
    assert told(made.pieces) == [(2_000, 6_000, False), (6_000, 7_300, True)]
    whole = plan([source(0, reorder=80)], 2_000, 10_000, exact=True)
    assert told(whole.pieces) == [(2_000, 10_000, False)]


def test_a_clip_within_one_group_of_pictures_is_encoded_as_a_whole() -> None:
    """Given a range without a keyframe in it, then all of it is encoded."""
    made = plan([source(0, keyframe_every=10)], 3_500, 4_200, exact=True)
    assert told(made.pieces) == [(3_500, 4_200, True)]
    assert made.encode_all


def test_gaps_are_closed_and_named() -> None:
    """Given a gap of a minute and a hole of half a second, then the first is left out of the time, the second kept."""
    made = plan([source(0), source(10_500), source(80_000)], 0, 90_000, exact=False)
    assert made.gaps == (Span(20_500, 80_000),)
    assert [float(begin) for begin in made.begins] == [0, 10.5, 20.5]


def test_a_handover_leaves_no_picture_out_and_shows_none_twice() -> None:
    """Given a newer file that begins between keyframes of the older, then the older ends there."""
    files = [source(0), source(7_000, epoch=2)]
    showing = shown([each.shown.found for each in files])
    sources = [Source(each, files[0].layout) for each in showing]
    made = plan(sources, 0, 17_000, exact=False)
    assert told(made.pieces) == [(0, 7_000, False), (7_000, 17_000, False)]


def test_a_file_that_takes_over_again_begins_with_its_keyframe() -> None:
    """Given an older file that shows again from 5 s on, whose keyframe is at 4 s, then the newer one ends there."""
    old, new = source(0), source(1_000, seconds=4, epoch=2)
    showing = shown([old.shown.found, new.shown.found])
    sources = [Source(each, old.layout if each.found is old.shown.found else new.layout) for each in showing]
    made = plan(sources, 0, 10_000, exact=False)
    assert told(made.pieces) == [(0, 1_000, False), (1_000, 4_000, False), (4_000, 10_000, False)]


def test_footage_of_another_stream_is_encoded_to_fit_the_first() -> None:
    """Given another init section in the middle, then that file alone is encoded."""
    made = plan([source(0), source(10_000, init="two"), source(20_000)], 0, 30_000, exact=False)
    assert [piece.encode for piece in made.pieces] == [False, True, False]
    assert made.encoded_ms == 10_000


def test_hevc_that_must_be_cut_is_encoded_as_a_whole() -> None:
    """Given H.265, then an exact clip is encoded entirely; one that begins at a keyframe is not at all."""
    sources = [source(0, codec="hevc"), source(10_000, codec="hevc")]
    made = plan(sources, 3_500, 20_000, exact=True)
    assert made.encode_all
    assert all(piece.encode for piece in made.pieces)
    assert plan(sources, 4_000, 20_000, exact=True).encoded_ms == 0


def test_more_encoding_than_is_allowed_is_refused_with_the_place_of_the_change() -> None:
    """Given a change of the stream and much after it, then the error says when it changes."""
    count = MAX_ENCODED_MS // 10_000 + 1
    later = [source(10_000 + number * 10_000, init="two") for number in range(count)]
    with pytest.raises(MixedFootageError, match=r"changes at 1970-01-01T00:00:10\.000Z"):
        plan([source(0), *later], 0, 10**7, exact=False)


def test_nothing_to_play_makes_an_empty_plan() -> None:
    """Given no files, then there are no pieces."""
    assert plan([], 0, 1_000, exact=True).pieces == ()


SPS_0 = bytes.fromhex("6742c00cd9028320")
PPS_0 = bytes.fromhex("68ce3c80")
AVCC = bytes.fromhex("0142c00cffe10008") + SPS_0 + bytes.fromhex("010004") + PPS_0


def test_parameter_sets_are_read_and_packed_as_they_were() -> None:
    """Given an avcC, then reading and packing it gives the same bytes, and the next id is free."""
    config = AvcConfig.parse(AVCC)
    assert config.pack() == AVCC
    assert (config.sequence_sets, config.picture_sets, config.length_size) == ((SPS_0,), (PPS_0,), 4)
    assert config.free_id() == 1


def test_another_encoders_sets_stand_beside_the_first() -> None:
    """Given sets of id 1 with start codes, then the avcC has both, and 2 is free."""
    sps_1 = bytes.fromhex("6742c00c") + bytes((0b0101_0000,)) + SPS_0[5:]
    pps_1 = bytes((0x68, 0b0100_1000)) + PPS_0[2:]
    both = AvcConfig.parse(AVCC).with_sets(b"\0\0\0\1" + sps_1 + b"\0\0\1" + pps_1)
    again = AvcConfig.parse(both.pack())
    assert again.sequence_sets == (SPS_0, sps_1)
    assert again.picture_sets == (PPS_0, pps_1)
    assert again.free_id() == 2


@pytest.mark.parametrize("data", [b"", b"\0\0\0\1\x67", AVCC[:12], AVCC[:-2], b"\1" + b"\xff" * 10])
def test_damaged_parameter_sets_are_named(data: bytes) -> None:
    """Given an avcC that is none or is cut, then it is damaged footage."""
    with pytest.raises(DamagedFootageError, match="parameter sets"):
        AvcConfig.parse(data)


def test_a_byte_stream_becomes_units_with_lengths() -> None:
    """Given NAL units with start codes of three and four bytes, then each gets its length in front."""
    assert nal_units(b"\0\0\0\1\x65abc\0\0\1\x41d") == [b"\x65abc", b"\x41d"]
    assert with_lengths(b"\0\0\0\1\x65abc\0\0\1\x41d", 4) == b"\0\0\0\4\x65abc\0\0\0\2\x41d"
    assert with_lengths(b"\0\0\1\x65abc", 2) == b"\0\4\x65abc"
