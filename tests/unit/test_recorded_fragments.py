"""Reading the boxes of a file of footage: layouts, damaged files, and times that are shifted."""

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.playback.fragments import Layout, read_layout
from camera_ctrler.playback.track_runs import DamagedFootageError, shift, silenced
from tests.support.footage import Look, cut_into_last_fragment, read_time, remove_moov, write_footage

START = 1_790_000_000_000
PLAIN = Look(size=(160, 96), gop=12)
REORDERED = Look(size=(160, 96), gop=50, b_frames=2, sound=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two files of 4 s: one without B-frames and sound, one with both."""
    folder: Path = tmp_path_factory.mktemp("fragments")
    found = {}
    for name, look in (("plain", PLAIN), ("reordered", REORDERED)):
        write_footage(folder / name, START, seconds=4, look=look)
        found[name] = (folder / name).read_bytes()
    return found


def layout_of(data: bytes) -> Layout:
    """Return the layout of a file in memory."""
    return read_layout(lambda offset, size: data[offset : offset + size], len(data))


def test_fragments_follow_each_other_from_the_init_section_to_the_end_of_the_last(files: dict[str, bytes]) -> None:
    """Given a file, then its fragments lie side by side, each of them where ``moof`` stands."""
    for data in files.values():
        layout = layout_of(data)
        place = layout.head.size
        for fragment in layout.fragments:
            assert fragment.offset == place
            assert data[place + 4 : place + 8] == b"moof"
            place += fragment.size
        assert not layout.cut
        assert data[place + 4 : place + 8] in {b"mfra", b""}


def test_a_layout_has_the_times_and_keyframes_that_a_demuxer_finds(files: dict[str, bytes]) -> None:
    """Given a file, then begin, length and keyframes of its fragments are those that FFmpeg reads."""
    for data in files.values():
        layout = layout_of(data)
        with av.open(io.BytesIO(data), "r", format="mp4") as container:
            packets = [packet for packet in container.demux(video=0) if packet.dts is not None]
        keys = {packet.dts: packet.is_keyframe for packet in packets}
        assert [keys[fragment.decode_time] for fragment in layout.fragments] == [
            fragment.keyframe for fragment in layout.fragments
        ]
        assert layout.length == 4
        assert layout.first_picture == packets[0].pts
        assert sum(fragment.duration for fragment in layout.fragments) == sum(
            packet.duration or 0 for packet in packets
        )


def test_the_fragment_of_a_moment_and_the_keyframe_before_it_are_found(files: dict[str, bytes]) -> None:
    """Given a keyframe every two seconds in fragments of one, then the second of them leads back to the first."""
    layout = layout_of(files["reordered"])
    assert [layout.at(Fraction(moment)) for moment in ("-1", "0", "0.99", "1", "3.99", "100")] == [0, 0, 0, 1, 3, 3]
    assert [layout.keyframe_before(place) for place in range(4)] == [0, 0, 2, 2]
    assert [layout.last_needed(place) for place in range(4)] == [1, 1, 3, 3]


def test_a_last_fragment_that_is_cut_is_left_out(tmp_path: Path, files: dict[str, bytes]) -> None:
    """Given a file whose writer was killed, then all but its last fragment are there, and the file says it was cut."""
    file = tmp_path / "cut.mp4"
    file.write_bytes(files["plain"])
    cut_into_last_fragment(file)
    whole, cut = layout_of(files["plain"]), layout_of(file.read_bytes())
    assert cut.fragments == whole.fragments[:-1]
    assert cut.cut


def test_a_file_without_moov_is_named_damaged(tmp_path: Path, files: dict[str, bytes]) -> None:
    """Given a file that has lost its ``moov``, one that is empty and one of nonsense, then each is damaged."""
    file = tmp_path / "without.mp4"
    file.write_bytes(files["plain"])
    remove_moov(file)
    moov_alone = files["plain"][: layout_of(files["plain"]).head.size - 10]
    for data in (file.read_bytes(), b"", b"\0" * 100, b"<html>" * 100, moov_alone):
        with pytest.raises(DamagedFootageError, match="moov"):
            layout_of(data)


def test_a_box_that_states_an_absurd_size_is_refused(files: dict[str, bytes]) -> None:
    """Given a ``moov`` of 4 GB, then nothing of that size is read."""
    data = bytearray(files["plain"])
    struct.pack_into(">I", data, data.index(b"moov") - 4, 0xFFFF_FFF0)
    with pytest.raises(DamagedFootageError, match="absurd"):
        layout_of(bytes(data))


@given(place=st.integers(0, 20_000), noise=st.binary(min_size=1, max_size=40))
def test_damage_anywhere_is_found_or_tolerated(files: dict[str, bytes], place: int, noise: bytes) -> None:
    """Given bytes overwritten anywhere, then there is a layout inside of the file or a named error, nothing else."""
    data = bytearray(files["reordered"])
    data[place % len(data) : place % len(data) + len(noise)] = noise
    try:
        layout = layout_of(bytes(data))
        if layout.fragments:
            offset, size = layout.bytes_of(0, len(layout.fragments) - 1)
            assert offset + size <= len(data)
            shift(bytes(data[offset : offset + size]), {1: 1_000}, {1: 10})
    except DamagedFootageError:
        pass


def test_shifted_times_are_unix_time_and_begin_with_the_first_picture(files: dict[str, bytes]) -> None:
    """Given B-frames and sound, when times are shifted, then decode times are, and the first picture shows at once."""
    data = files["reordered"]
    layout = layout_of(data)
    scale = layout.head.video.timescale
    body = data[layout.head.size :]
    shifted = shift(body, {1: START * scale // 1000, 2: 7}, {1: layout.fragments[0].first_offset})
    assert len(shifted) == len(body)
    moved = layout_of(data[: layout.head.size] + shifted)
    for before, after in zip(layout.fragments, moved.fragments, strict=True):
        assert after.decode_time - before.decode_time == START * scale // 1000
        assert after.duration == before.duration
    assert moved.fragments[0].first_offset == 0
    assert moved.first_picture == START * scale // 1000


def test_a_decode_time_of_32_bits_that_would_overflow_is_named(files: dict[str, bytes]) -> None:
    """Given ``tfdt`` of version 0, as this farm never writes, then Unix time does not fit and that is said."""
    layout = layout_of(files["plain"])
    data = bytearray(files["plain"][layout.head.size :])
    data[data.index(b"tfdt") + 4] = 0
    with pytest.raises(DamagedFootageError, match="cannot be shifted"):
        shift(bytes(data), {1: 1 << 50}, {})


def test_silenced_footage_has_pictures_and_no_sound(files: dict[str, bytes]) -> None:
    """Given footage with sound, when it is silenced, then a demuxer finds the same pictures and nothing else."""
    data = files["reordered"]
    with av.open(io.BytesIO(silenced(data, 1)), "r", format="mp4") as container:
        assert [stream.type for stream in container.streams] == ["video"]
        times = [read_time(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    assert times == [START + 40 * number for number in range(100)]
    assert len(silenced(data, 1)) == len(data)


def test_a_head_says_whether_there_is_sound_and_how_early_it_begins(files: dict[str, bytes]) -> None:
    """Given sound that begins with decoding, and pictures shown 80 ms later, then it leads by so much."""
    heads = {name: layout_of(data).head for name, data in files.items()}
    assert (heads["plain"].has_sound, heads["plain"].lead) == (False, Fraction(0))
    assert (heads["reordered"].has_sound, heads["reordered"].lead) == (True, Fraction(80, 1000))
    assert heads["plain"].digest != heads["reordered"].digest


def test_a_fragment_of_sound_alone_keeps_the_times_of_the_others(files: dict[str, bytes]) -> None:
    """Given fragments whose pictures were taken out, as when sound comes late, then moments are found all the same."""
    data = bytearray(files["reordered"])
    whole = layout_of(bytes(data))
    for place in (0, 2):  # rename the pictures' ``traf``, the first one of a fragment
        at = data.index(b"traf", whole.fragments[place].offset)
        data[at : at + 4] = b"free"
    found = layout_of(bytes(data))
    assert [fragment.duration > 0 for fragment in found.fragments] == [False, True, False, True]
    assert [float(found.begin(place)) for place in range(4)] == [0, 0, 1, 2]
    assert (found.at(Fraction(1, 2)), found.at(Fraction(5, 2))) == (1, 3)
    assert found.length == 3
