"""Footage on the volume: found by its folders, deleted with the folders that become empty."""

import os
from pathlib import Path

import pytest

from contract.errors import ContractError
from contract.recording_paths import HOUR_MS, segment_path
from runtime.recording_store import RecordingStore
from tests.support.segment_index import EIGHT_MS


def put(store: RecordingStore, camera_id: str, start_ms: int, epoch: int = 1, size: int = 10) -> str:
    """Write a file of zeros; return its path."""
    path = segment_path(camera_id, start_ms, epoch)
    file = store.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(size))
    return path


@pytest.fixture
def store(tmp_path: Path) -> RecordingStore:
    """A volume of the test's own."""
    return RecordingStore(tmp_path)


def test_files_are_found_by_the_time_at_which_they_start(store: RecordingStore) -> None:
    """Given files of three hours and two epochs, a range finds those that start in it, in order."""
    for start_ms, epoch in ((EIGHT_MS - 1, 1), (EIGHT_MS, 2), (EIGHT_MS, 1), (EIGHT_MS + HOUR_MS, 1)):
        put(store, "lobby", start_ms, epoch, size=epoch * 100)
    put(store, "other", EIGHT_MS)
    found = list(store.segments("lobby", EIGHT_MS, EIGHT_MS + HOUR_MS))
    assert [(each.start_ms, each.epoch, each.size_bytes) for each in found] == [(EIGHT_MS, 1, 100), (EIGHT_MS, 2, 200)]
    assert list(store.hours("lobby")) == [EIGHT_MS - HOUR_MS, EIGHT_MS, EIGHT_MS + HOUR_MS]
    assert store.cameras() == ["lobby", "other"]


def test_a_file_of_the_last_millisecond_of_a_day_is_in_that_day(store: RecordingStore) -> None:
    """Given a range of one millisecond before midnight, the day's folder is looked into."""
    midnight = EIGHT_MS // 86_400_000 * 86_400_000
    path = put(store, "lobby", midnight - 1)
    assert [each.path for each in store.segments("lobby", midnight - 1, midnight)] == [path]


def test_what_is_no_footage_is_left_alone(store: RecordingStore) -> None:
    """Given files with other names, folders of other kinds and saved frames, none is taken for footage."""
    path = put(store, "lobby", EIGHT_MS)
    folder = (store.root / path).parent
    (folder / "note.txt").write_text("x")
    (folder / f"{EIGHT_MS + HOUR_MS}-1.mp4").write_bytes(b"of another hour")
    (folder / f"{EIGHT_MS + 1}-1.mp4").mkdir()
    (folder.parent / "99").mkdir()
    (folder.parent.parent / "damaged").mkdir()
    (store.root / ".hidden" / "recordings").mkdir(parents=True)
    (store.root / "frames-only" / "20261121" / "08").mkdir(parents=True)
    assert [each.path for each in store.segments("lobby", 0, EIGHT_MS * 2)] == [path]
    assert store.cameras() == ["lobby"]


def test_a_link_in_place_of_a_file_is_not_followed(store: RecordingStore, tmp_path: Path) -> None:
    """Given a link with the name of a recording, it is not listed."""
    path = put(store, "lobby", EIGHT_MS)
    (store.root / segment_path("lobby", EIGHT_MS + 5, 1)).symlink_to(tmp_path / path)
    assert [each.start_ms for each in store.segments("lobby", 0, EIGHT_MS * 2)] == [EIGHT_MS]


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "lobby/20261121/08/1.jpg", "lobby/recordings/../../../etc/passwd", ""]
)
def test_no_path_leads_out_of_the_volume(store: RecordingStore, path: str) -> None:
    """Given paths that no recording has, every method refuses them."""
    for ask in (store.file, store.found, store.delete, store.put_aside):
        with pytest.raises(ContractError, match="not the path of a recording"):
            ask(path)
    with pytest.raises(ContractError, match="camera id"):
        list(store.segments("../lobby", 0, 1))


def test_deleting_frees_the_bytes_and_removes_folders_that_become_empty(store: RecordingStore) -> None:
    """Given two files in an hour, the folders go with the last one, and nothing above the volume."""
    first, last = put(store, "lobby", EIGHT_MS, size=300), put(store, "lobby", EIGHT_MS + 10_000, size=500)
    assert store.delete(first) == 300
    assert (store.root / last).is_file()
    assert store.delete(last) == 500
    assert list(store.root.iterdir()) == []
    assert store.root.is_dir()
    assert store.delete(last) == 0


def test_deleting_footage_leaves_saved_frames_of_the_camera(store: RecordingStore) -> None:
    """Given a camera with frames beside its footage, only the footage goes."""
    frame = store.root / "lobby" / "20261121" / "08" / f"{EIGHT_MS}.jpg"
    frame.parent.mkdir(parents=True)
    frame.write_bytes(b"x")
    store.delete(put(store, "lobby", EIGHT_MS))
    assert frame.is_file()
    assert not (store.root / "lobby" / "recordings").exists()


def test_what_is_put_aside_twice_is_there_twice(store: RecordingStore) -> None:
    """Given a file that is put aside, and one of the same name later, both are kept and neither is footage."""
    aside = [store.put_aside(put(store, "lobby", EIGHT_MS, size=size)) for size in (1, 2)]
    assert [(store.root / path).stat().st_size for path in aside] == [1, 2]
    assert list(store.segments("lobby", 0, EIGHT_MS * 2)) == []
    with pytest.raises(FileNotFoundError):
        store.put_aside(segment_path("lobby", EIGHT_MS, 1))


def test_a_file_says_when_it_was_written_to_last(store: RecordingStore) -> None:
    """Given a file with a known time of change, listing and asking for it agree."""
    path = put(store, "lobby", EIGHT_MS)
    os.utime(store.root / path, ns=(0, 1_700_000_000_123_456_789))
    (listed,) = store.segments("lobby", EIGHT_MS, EIGHT_MS + 1)
    assert listed == store.found(path)
    assert listed.changed_at_ms == 1_700_000_000_123
    assert store.found(segment_path("lobby", EIGHT_MS + 1, 1)) is None


def test_a_volume_without_anything_has_nothing(store: RecordingStore, tmp_path: Path) -> None:
    """Given an empty volume, and one that is not there, nothing is found."""
    for empty in (store, RecordingStore(tmp_path / "nothing")):
        assert empty.cameras() == []
        assert list(empty.segments("lobby", 0, EIGHT_MS)) == []
        assert empty.free_bytes() > 0
