"""Crops on the volume: whole or not at all, found by hour, deleted one by one or hour by hour, never outside of it."""

from pathlib import Path

import pytest

from contract.crop_paths import CropName, crop_path, hour_folder
from contract.errors import ContractError
from contract.frame_paths import frame_path
from contract.recording_paths import HOUR_MS
from runtime.crop_store import CropStore
from runtime.frame_store import FrameStore
from runtime.volume_files import VolumeFullError

#: 2025-01-01T00:00:00Z: an hour, a day, a month and a year begin.
NEW_YEAR_MS = 1_735_689_600_000


def path_of(at_ms: int, track_id: int = 1, camera: str = "a") -> str:
    """Return the path of a crop."""
    return crop_path(CropName(camera, at_ms, 3, track_id))


def test_a_crop_is_found_by_its_path_until_it_is_deleted(tmp_path: Path) -> None:
    """Given a crop, its path finds it; once it was deleted it is not there, nor are folders that have become empty."""
    store, path = CropStore(tmp_path), path_of(NEW_YEAR_MS)
    store.save(path, b"jpeg")
    assert store.resolve(path).read_bytes() == b"jpeg"
    assert (store.delete(path), store.delete(path)) == (4, 0)
    with pytest.raises(FileNotFoundError, match=r"retention, or was erased"):
        store.resolve(path)
    assert list(tmp_path.iterdir()) == []


def test_hours_and_crops_are_listed_in_order_and_from_a_time_on(tmp_path: Path) -> None:
    """Given crops of two cameras and hours, beside frames and other files, only crops are listed, oldest first."""
    store = CropStore(tmp_path)
    late, early = path_of(NEW_YEAR_MS + 9, 2), path_of(NEW_YEAR_MS + 8, 10)
    for path in (late, early, path_of(NEW_YEAR_MS - 1), path_of(NEW_YEAR_MS, camera="b")):
        store.save(path, b"jpeg")
    (tmp_path / hour_folder("a", NEW_YEAR_MS) / ".x.part").write_bytes(b"half")
    (tmp_path / "a/crops/notes").mkdir()
    FrameStore(tmp_path).save(frame_path("a", NEW_YEAR_MS), b"frame")
    assert [crop.path for crop in store.crops("a", NEW_YEAR_MS)] == [early, late]
    assert list(store.hours()) == [(NEW_YEAR_MS - HOUR_MS, "a"), (NEW_YEAR_MS, "a"), (NEW_YEAR_MS, "b")]
    assert list(store.hours(NEW_YEAR_MS)) == [(NEW_YEAR_MS, "a"), (NEW_YEAR_MS, "b")]
    assert list(FrameStore(tmp_path).frames("a", 0, 2 * NEW_YEAR_MS)) == [frame_path("a", NEW_YEAR_MS)]


def test_an_hour_is_deleted_with_what_was_never_finished(tmp_path: Path) -> None:
    """Given an hour with two crops and one half written, all of it goes, and other hours stay."""
    store = CropStore(tmp_path)
    for path in (path_of(NEW_YEAR_MS), path_of(NEW_YEAR_MS, 2), path_of(NEW_YEAR_MS - 1)):
        store.save(path, b"jpeg")
    (tmp_path / hour_folder("a", NEW_YEAR_MS) / ".x.part").write_bytes(b"half")
    assert store.delete_hour("a", NEW_YEAR_MS) == 12
    assert list(store.hours()) == [(NEW_YEAR_MS - HOUR_MS, "a")]
    with pytest.raises(FileNotFoundError):
        store.delete_hour("a", NEW_YEAR_MS)


def test_a_full_volume_is_named_and_leaves_nothing_behind(small_volume: Path) -> None:
    """Given a volume without room, the error says so, and no part of the crop is left."""
    store = CropStore(small_volume)
    store.save(path_of(NEW_YEAR_MS), b"jpeg")
    with pytest.raises(VolumeFullError, match="full; free space"):
        store.save(path_of(NEW_YEAR_MS + 1), b"x" * 400_000)
    assert [crop.path for crop in store.crops("a", NEW_YEAR_MS)] == [path_of(NEW_YEAR_MS)]
    assert len(list((small_volume / hour_folder("a", NEW_YEAR_MS)).iterdir())) == 1


@pytest.mark.parametrize(
    "path",
    ["../x.jpg", "/etc/passwd", "c/crops/../../x.jpg", "c/20250101/00/1.jpg", "c/crops/20250101/00/1-1-1.jpg\x00", ""],
)
def test_a_path_that_leads_elsewhere_is_neither_written_nor_read_nor_deleted(tmp_path: Path, path: str) -> None:
    """Given a path that no crop can have, it is refused, and nothing is written."""
    store = CropStore(tmp_path / "frames")
    for use in (lambda: store.save(path, b"x"), lambda: store.resolve(path), lambda: store.delete(path)):
        with pytest.raises(ContractError):
            use()
    assert list(tmp_path.rglob("*.jpg")) == []
