"""What a check reads from the files that a recorder has written is what the recorder told of them."""

import os
from pathlib import Path

import pytest

from camera_ctrler.recordings.index import SegmentIndex
from camera_ctrler.recordings.volume_check import Repair, VolumeCheck
from contract.recording_paths import HOUR_MS, segment_path
from contract.recordings import MAX_SEGMENT_MS
from runtime.recording_store import RecordingStore
from tests.support.fed_recording import FPS, ZERO_MS, Encoded, FedRecording

HOUR_OF_RUN_MS = ZERO_MS // HOUR_MS * HOUR_MS
#: By how much the end of a file may differ: a recorder knows when the next picture came, a reader when it was due.
FRAME_MS = 1_000 // FPS


def settle(root: Path) -> None:
    """Let all files have been finished some time ago."""
    for file in root.rglob("*.mp4"):
        changed = file.stat().st_mtime - 2 * MAX_SEGMENT_MS / 1000
        os.utime(file, (changed, changed))


@pytest.mark.parametrize(
    ("codec", "sound", "container"),
    [("h264", "", "nut"), ("h264", "aac", "mp4"), ("h264", "pcm_mulaw", "nut"), ("hevc", "", "mpegts")],
)
def test_an_index_that_was_lost_is_rebuilt_as_the_recorder_had_told_it(
    tmp_path: Path, sqlite_index: SegmentIndex, codec: str, sound: str, container: str
) -> None:
    """Given recorded files with a gap between them and no index, the rebuilt rows are those of the recorder."""
    recording = FedRecording(tmp_path / "volume")
    stream = Encoded(codec=codec, sound=sound, container=container)
    recording.open(stream)
    recording.play(34)
    recording.end()
    recording.silence(5)
    recording.open(stream)
    recording.play(12)
    recording.finish()
    told = recording.segments
    assert len(told) >= 5
    settle(recording.root)
    check = VolumeCheck(RecordingStore(recording.root), sqlite_index)
    findings = [
        finding for hour in check.hours((), 0, 2 * ZERO_MS) for finding in check.check_hour(*hour, Repair.ADD).findings
    ]
    assert len(findings) == len(told)
    found = [each.segment for each in sqlite_index.find("cam", 0, 2 * ZERO_MS)]
    for read, said in zip(found, told, strict=True):
        assert abs(read.end_ms - said.end_ms) <= FRAME_MS
        assert read.model_copy(update={"end_ms": said.end_ms}) == said
    assert len(sqlite_index.spans("cam", 0, 2 * ZERO_MS)) == 2


def test_what_a_recorder_told_is_what_a_check_finds(tmp_path: Path, sqlite_index: SegmentIndex) -> None:
    """Given an index that was written from what the recorder told, a check finds nothing to correct."""
    recording = FedRecording(tmp_path / "volume")
    recording.open(Encoded())
    recording.play(25)
    recording.finish()
    sqlite_index.add(recording.segments, position="1-1")
    settle(recording.root)
    checked = VolumeCheck(RecordingStore(recording.root), sqlite_index).check_hour("cam", HOUR_OF_RUN_MS)
    assert checked.findings == []
    assert checked.files == len(recording.segments) >= 2
    assert checked.bytes == sum(each.size_bytes for each in recording.segments)


def test_a_recording_that_was_cut_off_is_indexed_to_its_last_whole_second(
    tmp_path: Path, sqlite_index: SegmentIndex
) -> None:
    """Given a recorder that dies in the middle of a file, what is on the disk by then is found and rebuilt."""
    recording = FedRecording(tmp_path / "volume")
    recording.open(Encoded())
    recording.play(15.5)
    told = recording.segments  # of the file that is open nothing was told
    settle(recording.root)
    check = VolumeCheck(RecordingStore(recording.root), sqlite_index)
    check.check_hour("cam", HOUR_OF_RUN_MS, Repair.ADD)
    found = [each.segment for each in sqlite_index.find("cam", 0, 2 * ZERO_MS)]
    assert len(found) == len(told) + 1
    last = found[-1]
    assert (tmp_path / "volume" / segment_path("cam", last.start_ms, last.epoch)).stat().st_size == last.size_bytes
    assert ZERO_MS + 15_500 - last.end_ms <= 1_600
    recording.finish()
