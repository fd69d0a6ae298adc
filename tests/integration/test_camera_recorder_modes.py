"""Which of a camera's packets are recorded in each mode, and what is said of the files."""

from itertools import pairwise
from pathlib import Path

import pytest

from contract.recording_paths import segment_path
from contract.recordings import KeptFor, RecordingSettings, RecordingState, RecordMode
from tests.support.fed_recording import FPS, PLAIN, ZERO_MS, FedRecording, files, files_on, recorded

# --- modes -----------------------------------------------------------------------------------------------------------


def test_a_camera_that_is_off_writes_nothing(tmp_path: Path) -> None:
    """Given a camera that was recorded, when it is switched off, then its file is finished and no other begins."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS)
    recording.play(5)
    recording.change(record=RecordMode.OFF)
    recording.play(5)
    assert recording.lengths == pytest.approx([5.0], abs=0.4)
    assert recording.status.state is RecordingState.OFF


def test_motion_is_recorded_with_the_seconds_before_and_after_it(tmp_path: Path) -> None:
    """Given motion from second 20 to 22, rolls of 3 and 4 s, then 17 to 26 is there, rounded to keyframes."""
    recording = recorded(tmp_path, RecordMode.MOTION, pre=3, post=4)
    for second in range(40):
        recording.play(1)
        recording.look(moved=second in {20, 21})
    assert recording.status.state is RecordingState.WAITING
    (only,) = files(recording)
    started = only.start_ms / 1000 - ZERO_MS / 1000
    assert 16 <= started <= 18.1
    assert 25 <= started + len(only.shown) / FPS <= 27.2
    assert recording.segments[0].kept_for is KeptFor.MOTION
    assert recording.status.packets_lost == {}


def test_motion_that_lasts_is_recorded_without_gaps(tmp_path: Path) -> None:
    """Given half a minute of motion and no rolls at all, then files follow each other."""
    recording = recorded(tmp_path, RecordMode.MOTION, pre=0, post=0)
    for _ in range(30):
        recording.play(1)
        recording.look(moved=True)
    recording.end()
    assert all(before.end_ms == after.start_ms for before, after in pairwise(recording.segments))
    assert sum(recording.lengths) > 28


def test_recording_begins_at_once_when_something_moves(tmp_path: Path) -> None:
    """Given more in memory than the pre-roll, when something moves, then the next round writes, and only the roll."""
    recording = recorded(tmp_path, RecordMode.MOTION, pre=1)
    recording.play(20)
    recording.look(moved=True)
    recording.step()
    assert recording.status.state is RecordingState.RECORDING
    recording.end()
    assert recording.lengths == pytest.approx([2], abs=0.2)


def test_late_analysis_still_finds_its_pre_roll(tmp_path: Path) -> None:
    """Given a detector that answers after four seconds, then the pre-roll of three is there all the same."""
    recording = recorded(tmp_path, RecordMode.EVENTS, pre=3, post=4)
    recording.play(20)
    recording.look(at=16.0, seen={"person": 2}, is_tracked=True)
    recording.play(20)
    (only,) = files(recording)
    assert 12 <= only.start_ms / 1000 - ZERO_MS / 1000 <= 13.1
    assert recording.segments[0].kept_for is KeptFor.EVENT
    assert recording.segments[0].seen == {"person": 2}


def test_motion_alone_is_no_event(tmp_path: Path) -> None:
    """Given a camera that records events, when something only moves, then nothing is written."""
    recording = recorded(tmp_path, RecordMode.EVENTS)
    for _ in range(10):
        recording.play(1)
        recording.look(moved=True, seen={"cat": 1})
    assert files_on(tmp_path) == 0


def test_pre_roll_is_bounded_in_bytes_and_what_did_not_fit_is_counted(tmp_path: Path) -> None:
    """Given a minute of pre-roll and room for a few seconds, then memory stays within it and the loss is told."""
    asked = RecordingSettings(record=RecordMode.MOTION, pre_roll_seconds=60)
    recording = FedRecording(tmp_path, settings=asked, buffer_bytes=60_000)
    recording.open(PLAIN)
    recording.play(40)
    recording.look(moved=True)
    recording.play(1)
    recording.end()
    assert 0 < sum(recording.lengths) < 30
    assert recording.status.packets_lost["memory"] > 0


# --- what is said of files -------------------------------------------------------------------------------------------


def test_a_file_says_what_was_seen_in_it_and_why_it_is_kept(tmp_path: Path) -> None:
    """Given motion in one file and a track in the next, then each is kept for its own, the first for its pre-roll."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS, pre=2, post=3)
    for second in range(40):
        recording.play(1)
        recording.look(moved=second in {2, 3})
        if second == 25:
            recording.look(seen={"person": 2, "car": 1}, is_tracked=True)
        if second == 26:
            recording.look(seen={"person": 1}, is_tracked=True)
    recording.end()
    kept = [segment.kept_for for segment in recording.segments]
    assert kept == [KeptFor.MOTION, KeptFor.CONTINUOUS, KeptFor.EVENT, KeptFor.CONTINUOUS]
    assert recording.segments[0].motion == pytest.approx(0.2, abs=0.03)
    assert [segment.seen for segment in recording.segments] == [{}, {}, {"car": 1, "person": 2}, {}]


def test_a_finished_file_is_told_of_again_when_an_event_reaches_back_into_it(tmp_path: Path) -> None:
    """Given an event two seconds into a file with a pre-roll of three, then the file before is kept for it too."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS, pre=3)
    recording.play(12.4)
    assert [segment.kept_for for segment in recording.segments] == [KeptFor.CONTINUOUS]
    recording.look(is_tracked=True, seen={"dog": 1})
    recording.step()
    assert [segment.kept_for for segment in recording.segments] == [KeptFor.EVENT]
    assert recording.segments[0].seen == {}
    # Nothing new, nothing told.
    recording.step()
    assert recording.recorder.news().finished == []


def test_what_is_open_is_told_up_to_its_last_whole_fragment(tmp_path: Path) -> None:
    """Given 5.5 s of a file, then what is told of can be played to the end that is told."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS)
    recording.play(5.5)
    opened = recording.recorder.news().opened
    assert opened is not None
    path = tmp_path / segment_path("cam", opened.start_ms, 1)
    assert path.stat().st_size == opened.size_bytes
    (only,) = files(recording)
    assert opened.end_ms == opened.start_ms + round(len(only.shown) / FPS * 1000)
    assert 4_000 <= opened.end_ms - opened.start_ms <= 5_500
