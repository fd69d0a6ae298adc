"""Kept pictures, readable steps of a timeline, and gaps."""

import os
import time
from pathlib import Path

import pytest

from camera_ctrler.playback.picture_cache import LIFETIME_SECONDS, PictureCache
from camera_ctrler.playback.recorded_timeline import bucket_width, gaps
from camera_ctrler.recordings.spans import Span
from runtime.clock import SystemClock

HOUR = 3_600_000


@pytest.fixture
def cache(tmp_path: Path) -> PictureCache:
    """A cache of 1,000 bytes."""
    return PictureCache(tmp_path / "kept", SystemClock(), max_bytes=1_000)


def age(folder: Path, name: str, seconds: float) -> None:
    """Make a kept file so old."""
    at = time.time() - seconds
    os.utime(folder / "kept" / name, (at, at))


def test_what_is_kept_is_found_again(cache: PictureCache) -> None:
    """Given something kept, then it is found under its name, and nothing under another."""
    cache.put("one.jpg", b"picture")
    assert cache.get("one.jpg") == b"picture"
    assert cache.get("two.jpg") is None


def test_the_oldest_make_room(cache: PictureCache, tmp_path: Path) -> None:
    """Given more than fits, then the oldest are deleted until a quarter is free, and the newest stay."""
    for number in range(9):
        cache.put(f"{number}.jpg", b"x" * 120)
        age(tmp_path, f"{number}.jpg", 100 - number)
    kept = sorted(file.name for file in (tmp_path / "kept").iterdir())
    assert kept == [f"{number}.jpg" for number in range(3, 9)]


def test_what_is_too_old_is_not_shown_and_goes(cache: PictureCache, tmp_path: Path) -> None:
    """Given a picture kept for longer than its time, then it is as if it were not there, and is deleted."""
    cache.put("old.jpg", b"picture")
    age(tmp_path, "old.jpg", LIFETIME_SECONDS + 5)
    assert cache.get("old.jpg") is None
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_folder_that_cannot_be_made_costs_nothing_but_speed(tmp_path: Path) -> None:
    """Given a file where the folder should be, then keeping fails quietly and nothing is found."""
    (tmp_path / "file").write_bytes(b"")
    cache = PictureCache(tmp_path / "file", SystemClock())
    cache.put("one.jpg", b"picture")
    assert cache.get("one.jpg") is None


@pytest.mark.parametrize("name", ["../one.jpg", "one", "ONE.jpg", ".jpg", "a/b.jpg"])
def test_only_plain_names_are_kept(cache: PictureCache, name: str) -> None:
    """Given a name that could lead out of the folder, then it is refused."""
    with pytest.raises(ValueError, match="no name"):
        cache.get(name)


@pytest.mark.parametrize(
    ("length_ms", "most", "width_ms"),
    [
        (60_000, 100, 1_000),
        (HOUR, 200, 30_000),
        (24 * HOUR, 100, 15 * 60_000),
        (24 * HOUR, 25, HOUR),
        (30 * 24 * HOUR, 100, 12 * HOUR),
        (400 * 24 * HOUR, 100, 5 * 24 * HOUR),
        (1_000, 1, 1_000),
    ],
)
def test_buckets_have_readable_widths(length_ms: int, most: int, width_ms: int) -> None:
    """Given a range, then its buckets are as narrow as people read, and no more than were asked for."""
    assert bucket_width(0, length_ms, most) == width_ms
    for begin in (0, 123, width_ms - 1):
        count = (begin + length_ms - 1) // width_ms - begin // width_ms + 1
        assert count <= max(most, 2)


def test_gaps_are_what_lies_between() -> None:
    """Given spans, then gaps are before, between and after them, none of them empty."""
    assert gaps([Span(10, 20), Span(30, 40)], 0, 50) == [Span(0, 10), Span(20, 30), Span(40, 50)]
    assert gaps([Span(0, 20), Span(30, 50)], 0, 50) == [Span(20, 30)]
    assert gaps([], 0, 50) == [Span(0, 50)]
    assert gaps([Span(0, 60)], 0, 50) == []
