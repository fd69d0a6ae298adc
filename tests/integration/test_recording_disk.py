"""A volume that fills up, is read-only or loses its folders: named, nothing half-written, and it goes on by itself."""

import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from contract.errors import REMEDIES, StatusReason
from contract.recordings import RecordingState
from tests.support.fed_recording import Encoded, FedRecording
from tests.support.live_recording import contents_of
from tests.support.volumes import mounted_volume

#: Some 25 kB a second.
STREAM = Encoded(size=(320, 240))


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 1 MB; skips where this user may not."""
    with mounted_volume(tmp_path / "volume", 1_024) as folder:
        yield folder


def recorded(root: Path) -> FedRecording:
    """Return a recording of which some seconds are on the disk."""
    recording = FedRecording(root)
    recording.open(STREAM)
    recording.play(5)
    assert recording.status.state is RecordingState.RECORDING
    return recording


def play_until(recording: FedRecording, reason: StatusReason | None, *, most_seconds: int = 200) -> None:
    """Go on until the status has this reason."""
    for _ in range(most_seconds):
        if recording.status.reason is reason:
            return
        recording.play(1)
    raise AssertionError(f"not within {most_seconds} s: {reason}; it says {recording.status}")


def assert_whole(recording: FedRecording) -> None:
    """Check that every file decodes to its end, that the index agrees, and that every picture is there or counted."""
    found = contents_of(recording.root, "cam")
    assert {each.path.stat().st_size for each in found} == {each.size_bytes for each in recording.segments}
    assert [each.start_ms for each in found] == [each.start_ms for each in recording.segments]
    pictures = sum(len(each.shown) for each in found)
    assert pictures + sum(recording.status.packets_lost.values()) == round(recording.now * 10)
    for each, segment in zip(found, recording.segments, strict=True):
        assert segment.end_ms - segment.start_ms == pytest.approx(len(each.shown) * 100, abs=1)


def test_a_full_volume_is_named_and_recording_goes_on_when_there_is_room(volume: Path) -> None:
    """Given a volume that fills up, then what is on it plays, the loss is counted, and room mends it."""
    recording = recorded(volume)
    ballast = volume / "ballast"
    ballast.write_bytes(bytes(500_000))
    play_until(recording, StatusReason.DISK_FULL)
    assert recording.status.state is RecordingState.FAILING
    assert "disk_full" in recording.status.packets_lost
    before = len(recording.segments)
    recording.play(10)
    # Tries that failed leave nothing behind.
    assert len(list(volume.rglob("*.mp4"))) == before
    ballast.unlink()
    play_until(recording, None, most_seconds=10)
    recording.play(3)
    recording.end()
    assert len(recording.segments) > before
    assert_whole(recording)


def test_what_was_waiting_when_the_disk_came_back_is_not_lost(volume: Path) -> None:
    """Given a volume that is full for some seconds, then only the GOP it became full in is lost."""
    recording = recorded(volume)
    ballast = volume / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(volume).free))
    play_until(recording, StatusReason.DISK_FULL)
    recording.play(6)
    ballast.unlink()
    recording.play(5)
    recording.end()
    assert 0 < sum(recording.status.packets_lost.values()) <= 20
    assert max(after.start_ms - before.end_ms for before, after in pairwise(recording.segments)) <= 2_000
    assert_whole(recording)


def test_a_volume_that_becomes_read_only_is_named(volume: Path) -> None:
    """Given a volume that is mounted read-only while a file is open elsewhere, then the reason has its remedy."""
    recording = recorded(volume)
    recording.end()
    subprocess.run(["mount", "-o", "remount,ro", str(volume)], check=True)
    recording.open(STREAM)
    play_until(recording, StatusReason.DISK_READ_ONLY)
    assert "mounted" in REMEDIES[StatusReason.DISK_READ_ONLY]
    subprocess.run(["mount", "-o", "remount,rw", str(volume)], check=True)
    play_until(recording, None, most_seconds=20)
    recording.end()
    assert recording.status.packets_lost == {}
    assert_whole(recording)


def test_a_folder_that_is_deleted_under_an_open_file_is_noticed_and_made_anew(tmp_path: Path) -> None:
    """Given somebody who deletes the camera's folder, then a new file begins soon, instead of writing to nowhere."""
    recording = recorded(tmp_path)
    shutil.rmtree(tmp_path / "cam")
    play_until(recording, StatusReason.DISK_FAILED, most_seconds=3)
    assert "removed" in recording.status.detail
    play_until(recording, None, most_seconds=10)
    recording.play(5)
    recording.end()
    (only,) = contents_of(tmp_path, "cam")
    assert len(only.shown) >= 50
    assert 0 < recording.status.packets_lost["disk_failed"] <= 30


def test_a_file_in_the_place_of_the_folder_is_named_and_touched_by_nobody(tmp_path: Path) -> None:
    """Given a plain file where the camera's folder belongs, then recording fails by name and the file stays."""
    (tmp_path / "cam").write_text("mine")
    recording = FedRecording(tmp_path)
    recording.open(STREAM)
    recording.play(5)
    assert (recording.status.state, recording.status.reason) == (RecordingState.FAILING, StatusReason.DISK_FAILED)
    assert (tmp_path / "cam").read_text() == "mine"
