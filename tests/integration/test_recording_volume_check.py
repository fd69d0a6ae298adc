"""Volume and index compared: what differs is named, and repaired without losing anything."""

import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import pytest

from camera_ctrler.playback.track_runs import DamagedFootageError
from camera_ctrler.recordings.file_facts import FileReader
from camera_ctrler.recordings.index import ARCHIVE, SegmentIndex, Span
from camera_ctrler.recordings.volume_check import (
    YOUNG_MS,
    Difference,
    Finding,
    Repair,
    VolumeCheck,
    VolumeEmptyError,
    kept_for_by,
)
from camera_ctrler.registry import Registry
from contract.camera_specs import CameraCreate
from contract.recording_paths import HOUR_MS, segment_path
from contract.recordings import KeptFor, RecordMode, Segment
from runtime.recording_store import FoundFile, RecordingStore
from runtime.secret_box import SecretBox
from tests.support.footage import Look, cut_into_last_fragment, write_segment
from tests.support.recorded_volume import LOOK, SECONDS, RecordedVolume
from tests.support.segment_index import EIGHT_MS

LAST_MS = EIGHT_MS * 2


class Checked:
    """A volume, an index, and the check of both."""

    def __init__(self, volume: RecordedVolume, index: SegmentIndex) -> None:
        self.volume = volume
        self.index = index
        self.check = VolumeCheck(volume.store, index)

    def run(self, repair: Repair = Repair.NOTHING, *cameras: str) -> list[Finding]:
        """Check everything; return what differs."""
        hours = self.check.hours(cameras, 0, LAST_MS)
        return [finding for hour in hours for finding in self.check.check_hour(*hour, repair).findings]

    def kinds(self, repair: Repair = Repair.NOTHING) -> list[Difference]:
        """Check everything; return the kinds of differences by path."""
        return [each.difference for each in self.run(repair)]

    def indexed(self, camera: str = "lobby") -> list[Segment]:
        """Return all that the index has of a camera."""
        return [each.segment for each in self.index.find(camera, 0, LAST_MS)]


@pytest.fixture
def checked(volume: RecordedVolume, sqlite_index: SegmentIndex) -> Checked:
    """An empty volume and an empty index."""
    return Checked(volume, sqlite_index)


def test_an_empty_index_is_rebuilt_from_the_files_alone(checked: Checked) -> None:
    """Given files of two cameras, hours and epochs and no row, the index has what their workers told of them."""
    files = checked.volume.write_row(EIGHT_MS + HOUR_MS - 8_000, 4)
    files.append(checked.volume.write(EIGHT_MS, epoch=3))
    gate = checked.volume.write_row(EIGHT_MS, 2, camera="gate")
    assert checked.kinds() == [Difference.NOT_INDEXED] * 7
    assert checked.indexed() == []
    assert checked.kinds(Repair.ALL) == [Difference.NOT_INDEXED] * 7
    assert checked.indexed() == sorted(files, key=lambda each: each.start_ms)
    assert checked.indexed("gate") == gate
    assert checked.kinds() == []
    assert checked.index.spans("gate", 0, LAST_MS) == [Span(EIGHT_MS, EIGHT_MS + 8_000)]


def test_a_check_that_was_stopped_goes_on_where_it_was(checked: Checked) -> None:
    """Given an hour of two that was repaired, the next check finds only what is left."""
    checked.volume.write(EIGHT_MS)
    later = checked.volume.write(EIGHT_MS + HOUR_MS)
    checked.check.check_hour("lobby", EIGHT_MS, Repair.ALL)
    assert [each.path for each in checked.run(Repair.ALL)] == [segment_path("lobby", later.start_ms, 1)]


def test_a_file_that_a_killed_worker_left_is_read_to_its_last_whole_fragment(checked: Checked) -> None:
    """Given a file whose last fragment is cut, its row ends a fragment earlier and has the bytes that are there."""
    whole = checked.volume.write(EIGHT_MS)
    checked.volume.cut(whole)
    assert checked.kinds(Repair.ALL) == [Difference.NOT_INDEXED]
    (found,) = checked.indexed()
    assert found.end_ms - found.start_ms == round((SECONDS - 1) * 1000)
    assert found.size_bytes == checked.volume.file(whole).stat().st_size < whole.size_bytes


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "moov"),
        (bytes(50_000), "moov"),
        (os.urandom(50_000), "moov"),
        (b"\x00\x00\x00\x08free" * 4, "moov"),
        (b"\xff" * 64, "moov"),
    ],
    ids=["empty", "zeros", "noise", "free", "ones"],
)
def test_what_cannot_be_played_is_named_and_put_aside_but_never_deleted(
    checked: Checked, data: bytes, says: str
) -> None:
    """Given files that are no footage, they are named; with repair they are moved, whole, and nothing is indexed."""
    bad = checked.volume.write(EIGHT_MS)
    checked.volume.garbage(bad, data)
    (finding,) = checked.run(Repair.ADD)
    assert (finding.difference, finding.repaired) == (Difference.DAMAGED, "")
    assert says in finding.detail
    (finding,) = checked.run(Repair.ALL)
    aside = checked.volume.store.root / "lobby" / "recordings" / "damaged" / f"{EIGHT_MS}-1.mp4"
    assert finding.repaired == f"moved to {aside.relative_to(checked.volume.store.root)}"
    assert aside.read_bytes() == data
    assert checked.indexed() == []
    assert checked.kinds() == []


def test_a_file_without_moov_or_without_a_whole_fragment_is_damaged(checked: Checked) -> None:
    """Given a file without its init section and one that ends in its first fragment, both are damaged."""
    checked.volume.without_moov(checked.volume.write(EIGHT_MS))
    cut = checked.volume.write(EIGHT_MS + 10_000)
    data = checked.volume.file(cut).read_bytes()
    checked.volume.garbage(cut, data[: data.index(b"moof") + 300])
    assert checked.kinds() == [Difference.DAMAGED, Difference.DAMAGED]
    assert "no whole fragment" in checked.run()[1].detail


def test_a_damaged_file_that_may_still_be_written_is_not_put_aside(checked: Checked) -> None:
    """Given a file without a whole fragment that was written to some minutes ago, it is named and stays."""
    bad = checked.volume.write(EIGHT_MS)
    checked.volume.garbage(bad, b"the beginning of something")
    checked.volume.age(checked.volume.file(bad), 2 * YOUNG_MS)
    (finding,) = checked.run(Repair.ALL)
    assert (finding.difference, finding.repaired) == (Difference.DAMAGED, "")
    assert "check again in ten minutes" in finding.detail
    assert checked.volume.file(bad).is_file()


def test_rows_whose_files_are_gone_are_told_and_forgotten(checked: Checked) -> None:
    """Given a row without a file, it says what is lost; adding alone does not forget it, repairing does."""
    kept, lost = checked.volume.write_row(EIGHT_MS, 2)
    checked.index.add([kept, lost.model_copy(update={"kept_for": KeptFor.EVENT})])
    checked.volume.store.delete(segment_path("lobby", lost.start_ms, 1))
    (finding,) = checked.run(Repair.ADD)
    assert finding.difference is Difference.FILE_GONE
    assert finding.path == segment_path("lobby", lost.start_ms, 1)
    assert "4.0 s" in finding.detail
    assert "event" in finding.detail
    assert checked.indexed()[1].start_ms == lost.start_ms
    assert checked.kinds(Repair.ALL) == [Difference.FILE_GONE]
    assert checked.indexed() == [kept]


def test_a_volume_that_is_not_mounted_does_not_empty_the_index(checked: Checked) -> None:
    """Given rows and no footage at all, the check refuses and says what to do; for a named camera it believes it."""
    checked.index.add(checked.volume.write_row(EIGHT_MS, 3))
    for each in checked.indexed():
        checked.volume.store.delete(segment_path("lobby", each.start_ms, 1))
    with pytest.raises(VolumeEmptyError, match=r"mount the volume.*--camera"):
        checked.run(Repair.ALL)
    assert len(checked.indexed()) == 3
    assert len(checked.run(Repair.ALL, "lobby")) == 3
    assert checked.indexed() == []


def test_a_file_of_another_size_is_read_again_and_keeps_what_its_worker_saw(checked: Checked) -> None:
    """Given a file that was cut after it was indexed, its row is corrected; motion, classes and reason stay."""
    told = checked.volume.write(EIGHT_MS).model_copy(
        update={"motion": 0.5, "seen": {"person": 2}, "kept_for": KeptFor.EVENT}
    )
    checked.index.add([told])
    checked.volume.cut(told)
    assert checked.kinds() == [Difference.OTHER_SIZE]
    assert checked.indexed() == [told]
    assert checked.kinds(Repair.ALL) == [Difference.OTHER_SIZE]
    size = checked.volume.file(told).stat().st_size
    assert checked.indexed() == [told.model_copy(update={"end_ms": told.end_ms - 1_000, "size_bytes": size})]


def test_a_known_file_that_was_overwritten_with_garbage_is_put_aside_and_forgotten(checked: Checked) -> None:
    """Given a row whose file holds something else now, the file is put aside and the row removed."""
    told = checked.volume.write(EIGHT_MS)
    checked.index.add([told])
    checked.volume.garbage(told, b"nothing that plays")
    assert checked.kinds(Repair.ALL) == [Difference.DAMAGED]
    assert checked.indexed() == []
    assert checked.kinds() == []


def test_files_that_are_being_written_are_left_alone(checked: Checked) -> None:
    """Given a file that was written to a moment ago, with a row or without, nothing is said of it."""
    new, known = checked.volume.write_row(EIGHT_MS, 2)
    checked.index.add([known.model_copy(update={"size_bytes": 5})])
    for each in (new, known):
        checked.volume.file(each).touch()
    assert checked.kinds(Repair.ALL) == []
    assert len(checked.indexed()) == 1


def test_a_row_whose_file_the_listing_did_not_show_yet_is_not_forgotten(
    checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a network volume whose listing is late, a file that can be opened by its name keeps its row."""
    file = checked.volume.write(EIGHT_MS)
    checked.index.add([file])
    with monkeypatch.context() as late:
        late.setattr(RecordingStore, "segments", lambda *_: iter(()))
        assert checked.kinds(Repair.ALL) == []
    assert checked.indexed() == [file]


def test_what_the_archive_has_is_not_missed_here(checked: Checked) -> None:
    """Given two archived files, one of which is still on the volume, only that one is told, and nothing changed."""
    files = checked.volume.write_row(EIGHT_MS, 2)
    checked.index.add(files)
    checked.index.moved([("lobby", each.start_ms, 1) for each in files], ARCHIVE)
    checked.volume.store.delete(segment_path("lobby", EIGHT_MS, 1))
    (finding,) = checked.run(Repair.ALL)
    assert (finding.difference, finding.repaired) == (Difference.ALSO_ARCHIVED, "")
    assert [each.tier for each in checked.index.find("lobby", 0, LAST_MS)] == [ARCHIVE, ARCHIVE]


def test_files_of_unknown_worth_are_kept_for_what_their_camera_records(checked: Checked, tmp_path: Path) -> None:
    """Given cameras that record motion and events, lost rows of theirs are not rebuilt as of no interest."""
    registry = Registry(f"sqlite:///{tmp_path}/r.sqlite3", SecretBox("M" * 43 + "="))
    registry.migrate()
    for mode in RecordMode:
        registry.add(CameraCreate(id=f"by-{mode}", url="rtsp://h/x", record=mode))
    kept_for = kept_for_by(registry)
    assert {name: kept_for(name) for name in ("by-continuous", "by-motion", "by-events", "by-off", "deleted")} == {
        "by-continuous": KeptFor.CONTINUOUS,
        "by-motion": KeptFor.MOTION,
        "by-events": KeptFor.EVENT,
        "by-off": KeptFor.CONTINUOUS,
        "deleted": KeptFor.CONTINUOUS,
    }
    checked.volume.write(EIGHT_MS, camera="by-motion")
    VolumeCheck(checked.volume.store, checked.index, kept_for).check_hour("by-motion", EIGHT_MS, Repair.ADD)
    assert [each.kept_for for each in checked.indexed("by-motion")] == [KeptFor.MOTION]
    registry.close()


@pytest.mark.parametrize(
    "look",
    [
        Look(size=(320, 240), fps=25, gop=50, sound=True),
        Look(size=(640, 360), fps=Fraction(30_000, 1001), gop=30),
        Look(size=(320, 240), fps=10, gop=10, codec="hevc"),
        Look(size=(320, 240), fps=25, gop=25, b_frames=2),
    ],
    ids=["sound", "ntsc", "hevc", "b-frames"],
)
def test_what_boxes_say_of_a_file_is_what_ffmpeg_finds_in_its_packets(tmp_path: Path, look: Look) -> None:
    """Given real files, duration, codec, sound and size equal those of FFmpeg, which reads every packet."""
    told = write_segment(tmp_path, "lobby", EIGHT_MS, seconds=3, look=look)
    store = RecordingStore(tmp_path)
    (found,) = store.segments("lobby", EIGHT_MS, EIGHT_MS + 1)
    read = FileReader(store).read(found)
    # With sound, FFmpeg's muxer lets the first picture last until the encoder's first samples are over: 64 ms here.
    assert 0 <= read.end_ms - told.end_ms <= (64 if look.sound else 0)
    assert read.model_copy(update={"end_ms": told.end_ms}) == told
    with av.open(str(store.file(found.path))) as container:
        video = container.streams.video[0]
        packets = [packet for packet in container.demux(video) if packet.size]
        assert video.time_base is not None
        seconds = sum(packet.duration or 0 for packet in packets) * video.time_base
        assert abs(read.end_ms - read.start_ms - seconds * 1000) <= 1
        assert (read.codec, read.width, read.height) == (video.codec.canonical_name, video.width, video.height)
        assert read.audio == (container.streams.audio[0].codec.canonical_name if container.streams.audio else "")


def test_a_cut_file_is_as_long_as_ffmpeg_can_decode_it(tmp_path: Path) -> None:
    """Given a file as a killed writer leaves it, it ends where the last picture ends that FFmpeg decodes."""
    write_segment(tmp_path, "lobby", EIGHT_MS, seconds=5, look=LOOK)
    store = RecordingStore(tmp_path)
    file = store.file(segment_path("lobby", EIGHT_MS, 1))
    cut_into_last_fragment(file)
    (found,) = store.segments("lobby", EIGHT_MS, EIGHT_MS + 1)
    read = FileReader(store).read(found)
    pictures = 0
    with av.open(str(file)) as container, suppress(av.error.InvalidDataError):
        for _ in container.decode(video=0):
            pictures += 1
    assert read.end_ms - read.start_ms == 4_000 == pictures * 1_000 / LOOK.fps


def test_a_file_of_sound_alone_is_damaged(tmp_path: Path) -> None:
    """Given a fragmented MP4 without pictures, it is named as what it is."""
    store = RecordingStore(tmp_path)
    file = store.file(segment_path("lobby", EIGHT_MS, 1))
    file.parent.mkdir(parents=True)
    with av.open(str(file), "w", options={"movflags": "empty_moov+default_base_moof+frag_keyframe"}) as output:
        stream = output.add_stream("aac", rate=16_000)
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate, frame.pts = 16_000, 0
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    found = FoundFile("lobby", EIGHT_MS, 1, file.stat().st_size, 0)
    with pytest.raises(DamagedFootageError, match="pictures"):
        FileReader(store).read(found)
