"""Retention: whole hours, oldest first; of the running one only while space is short, and never its last minute."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from camera_ctrler.frame_cleaner import clean
from contract.frame_paths import frame_path
from runtime.frame_store import FrameStore
from tests.support.clocks import SetClock

HOUR_MS = 3_600_000
START_MS = 1_735_689_600_000


def stored(store: FrameStore) -> list[str]:
    """Return all frames of both cameras."""
    return [path for camera in ("a", "b") for path in store.frames(camera, 0, 10 * START_MS)]


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    """Two cameras with five hours each."""
    made = FrameStore(tmp_path / "frames")
    for camera in ("a", "b"):
        for hour in range(5):
            made.save(frame_path(camera, START_MS + hour * HOUR_MS + 59), b"x" * 100)
    return made


def test_hours_that_ended_too_long_ago_are_deleted(store: FrameStore) -> None:
    """Given five hours and a limit of two, when the fifth is running, then the first two are deleted."""
    clock = SetClock(START_MS + 4 * HOUR_MS + 10)
    assert clean(store, clock, max_age_hours=2, min_free_bytes=0) == 400
    assert stored(store) == [frame_path(c, START_MS + h * HOUR_MS + 59) for c in ("a", "b") for h in (2, 3, 4)]
    assert clean(store, clock, max_age_hours=2, min_free_bytes=0) == 0


def test_zero_keeps_frames_for_ever(store: FrameStore) -> None:
    """Given no limit of age and room enough, nothing is deleted after ten years."""
    assert clean(store, SetClock(START_MS + 90_000 * HOUR_MS), max_age_hours=0, min_free_bytes=0) == 0
    assert len(stored(store)) == 10


def test_a_volume_that_is_nearly_full_keeps_the_newest_minute(store: FrameStore) -> None:
    """Given more free bytes asked for than there can be, all hours that are over go, what is a minute old stays."""
    freed = clean(store, SetClock(START_MS + 4 * HOUR_MS), max_age_hours=0, min_free_bytes=2**60)
    assert freed == 800
    assert stored(store) == [frame_path(camera, START_MS + 4 * HOUR_MS + 59) for camera in ("a", "b")]


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_running_hour_that_fills_the_volume_loses_its_oldest_frames(small_volume: Path) -> None:
    """Given 800 kB of one hour on 1 MB, when 512 kB shall be free, then of all cameras the oldest third goes."""
    store = FrameStore(small_volume)
    times = [START_MS + 20_000 * number for number in range(20)]
    for number, at_ms in enumerate(times):
        store.save(frame_path("ab"[number % 2], at_ms), b"x" * 40_960)
    clock = SetClock(times[-1] + 1)
    assert clean(store, clock, max_age_hours=0, min_free_bytes=512 * 1024) == 8 * 40_960
    assert sorted(path.split("/")[-1] for path in stored(store)) == [f"{at_ms}.jpg" for at_ms in times[8:]]
    assert clean(store, clock, max_age_hours=0, min_free_bytes=512 * 1024) == 0


def test_the_newest_minute_is_never_deleted(small_volume: Path) -> None:
    """Given a volume that no deletion can make free enough, the last minute stays, also of an hour just over."""
    store = FrameStore(small_volume)
    for second in range(-60, 61, 10):
        store.save(frame_path("a", START_MS + second * 1000), b"x")
    for now_s in (30, 60):
        clean(store, SetClock(START_MS + now_s * 1000), max_age_hours=0, min_free_bytes=2**60)
        assert stored(store) == [frame_path("a", START_MS + second * 1000) for second in range(now_s - 60, 61, 10)]


def test_an_hour_that_cannot_be_deleted_does_not_keep_the_younger_ones(store: FrameStore) -> None:
    """Given an oldest hour whose file cannot be deleted, the others that are too old are deleted all the same."""
    stuck = store.root / frame_path("a", START_MS + 59)
    done = subprocess.run(["chattr", "+i", str(stuck)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a file cannot be made immutable here: {done.stderr.strip()}")
    try:
        assert clean(store, SetClock(START_MS + 9 * HOUR_MS), max_age_hours=1, min_free_bytes=0) == 900
    finally:
        subprocess.run(["chattr", "-i", str(stuck)], check=True)
    assert stored(store) == [frame_path("a", START_MS + 59)]
