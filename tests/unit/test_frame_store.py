"""Saved frames: whole or not at all, found by time, never outside the volume."""

import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import ContractError
from contract.frame_paths import frame_path
from runtime.frame_store import FrameStore
from runtime.volume_files import VolumeFullError

HOUR_MS = 3_600_000
#: 2025-01-01T00:00:00Z: an hour, a day, a month and a year begin.
NEW_YEAR_MS = 1_735_689_600_000


def save(store: FrameStore, camera: str, *times_ms: int) -> None:
    """Save a frame for each time."""
    for at_ms in times_ms:
        store.save(frame_path(camera, at_ms), b"jpeg")


def test_a_reader_sees_a_whole_frame_or_none(tmp_path: Path) -> None:
    """Given one frame that is written again and again with two contents, readers only ever see one of them whole."""
    store = FrameStore(tmp_path)
    path = frame_path("c", NEW_YEAR_MS)
    contents = [bytes([number]) * 300_000 for number in (1, 2)]
    store.save(path, contents[0])
    done = threading.Event()
    wrong: list[int] = []

    def read() -> None:
        while not done.is_set():
            data = store.resolve(path).read_bytes()
            if data not in contents:
                wrong.append(len(data))

    def write() -> None:
        for number in range(60):
            store.save(path, contents[number % 2])

    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=write) for _ in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join(60)
    done.set()
    for thread in readers:
        thread.join(60)
    assert wrong == []
    assert os.listdir(tmp_path / "c/20250101/00") == [f"{NEW_YEAR_MS}.jpg"]  # noqa: PTH208 - names are compared


def test_a_full_volume_is_named_and_leaves_nothing_behind(small_volume: Path) -> None:
    """Given a volume without room, the error says so, no part of the frame is left, and smaller ones still fit."""
    store = FrameStore(small_volume)
    save(store, "c", NEW_YEAR_MS)
    with pytest.raises(VolumeFullError, match="full; free space"):
        store.save(frame_path("c", NEW_YEAR_MS + 1), b"x" * 400_000)
    assert list(store.frames("c", 0, 2 * NEW_YEAR_MS)) == [frame_path("c", NEW_YEAR_MS)]
    assert [entry.name for entry in (small_volume / "c/20250101/00").iterdir()] == [f"{NEW_YEAR_MS}.jpg"]
    save(store, "c", NEW_YEAR_MS + 2)


def test_a_volume_without_room_for_a_folder_is_full_too(small_volume: Path) -> None:
    """Given a volume that is filled to the last byte and file, when a new camera saves, it is named as full."""
    store = FrameStore(small_volume)

    def fill() -> None:
        for number in range(10_000):
            save(store, f"camera-{number}", NEW_YEAR_MS)

    with pytest.raises(VolumeFullError):
        fill()


def test_a_volume_that_is_no_folder_is_an_error_of_the_system_not_a_full_one(tmp_path: Path) -> None:
    """Given a file where the volume should be, saving raises an OSError that is not about space."""
    (tmp_path / "frames").write_text("not a folder")
    with pytest.raises(OSError, match="Not a directory") as caught:
        save(FrameStore(tmp_path / "frames"), "c", NEW_YEAR_MS)
    assert caught.value.errno == errno.ENOTDIR


@pytest.mark.parametrize(
    "path", ["../x.jpg", "/etc/passwd", "c/../../x.jpg", "c/20250101/00/1.jpg\x00", "c/20250101/00/x.jpg", ""]
)
def test_a_path_that_leads_elsewhere_is_neither_written_nor_read(tmp_path: Path, path: str) -> None:
    """Given a path that no frame can have, saving and resolving refuse it and nothing is written."""
    store = FrameStore(tmp_path / "frames")
    with pytest.raises(ContractError):
        store.save(path, b"x")
    with pytest.raises(ContractError):
        store.resolve(path)
    assert list(tmp_path.rglob("*.jpg")) == []


def test_a_frame_that_is_gone_says_why_that_may_be(tmp_path: Path) -> None:
    """Given a valid path of a frame that does not exist, the error speaks of retention."""
    with pytest.raises(FileNotFoundError, match="retention"):
        FrameStore(tmp_path).resolve(frame_path("c", NEW_YEAR_MS))


def test_frames_come_in_time_order_over_borders_of_hour_day_and_year(tmp_path: Path) -> None:
    """Given frames around New Year, a range gives those from its start up to, not including, its end, in order."""
    store = FrameStore(tmp_path)
    times = [NEW_YEAR_MS + shift for shift in (-HOUR_MS - 1, -HOUR_MS, -1, 0, 1, HOUR_MS - 1, HOUR_MS, 24 * HOUR_MS)]
    save(store, "c", *reversed(times))
    save(store, "other", NEW_YEAR_MS)
    assert list(store.frames("c", 0, 10 * NEW_YEAR_MS)) == [frame_path("c", at_ms) for at_ms in times]
    assert list(store.frames("c", NEW_YEAR_MS - 1, NEW_YEAR_MS + 1)) == [frame_path("c", at) for at in times[2:4]]
    assert list(store.frames("c", NEW_YEAR_MS, NEW_YEAR_MS)) == []


@given(st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70))
def test_no_range_is_too_wide_or_too_far(tmp_path_factory: pytest.TempPathFactory, from_ms: int, to_ms: int) -> None:
    """Given any two integers as a range, the answer is what lies between them, never an error."""
    root = tmp_path_factory.getbasetemp() / "ranges"
    store = FrameStore(root)
    save(store, "c", NEW_YEAR_MS)
    inside = from_ms <= NEW_YEAR_MS < to_ms
    assert list(store.frames("c", from_ms, to_ms)) == ([frame_path("c", NEW_YEAR_MS)] if inside else [])


def test_files_that_are_not_frames_are_passed_over(tmp_path: Path) -> None:
    """Given half-written files and other people's files, only frames are listed."""
    store = FrameStore(tmp_path)
    save(store, "c", NEW_YEAR_MS)
    folder = tmp_path / "c/20250101/00"
    for name in (f".{NEW_YEAR_MS}.jpg.1.2.part", "notes.txt", "x.jpg"):
        (folder / name).write_text("x")
    (tmp_path / "c" / "20250101" / "readme").write_text("x")
    (tmp_path / "README.md").write_text("x")
    assert list(store.frames("c", 0, 2 * NEW_YEAR_MS)) == [frame_path("c", NEW_YEAR_MS)]
    assert [start for start, _ in store.oldest_hours()] == [NEW_YEAR_MS]


def test_an_id_that_is_a_path_lists_nothing_but_an_error(tmp_path: Path) -> None:
    """Given a camera id with a path in it, listing is refused."""
    with pytest.raises(ContractError):
        list(FrameStore(tmp_path / "a").frames("../b", 0, 1))


def test_deleting_an_hour_frees_its_bytes_and_removes_empty_folders_only(tmp_path: Path) -> None:
    """Given two hours of a camera, deleting one leaves the other, deleting both leaves no folder of the camera."""
    store = FrameStore(tmp_path)
    save(store, "c", NEW_YEAR_MS, NEW_YEAR_MS + 1, NEW_YEAR_MS + HOUR_MS)
    (first, second) = [folder for _, folder in store.oldest_hours()]
    assert store.delete_hour(first) == 8
    assert list(store.frames("c", 0, 2 * NEW_YEAR_MS)) == [frame_path("c", NEW_YEAR_MS + HOUR_MS)]
    assert store.delete_hour(second) == 4
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_volume_is_never_followed_when_deleting(tmp_path: Path) -> None:
    """Given a link to a file elsewhere, deleting its hour leaves that file alone."""
    store = FrameStore(tmp_path / "frames")
    save(store, "c", NEW_YEAR_MS)
    treasure = tmp_path / "treasure"
    treasure.write_text("keep")
    (folder,) = [folder for _, folder in store.oldest_hours()]
    (folder / "1.jpg").symlink_to(treasure)
    store.delete_hour(folder)
    assert treasure.read_text() == "keep"
