"""How much must be free and how soon to look again, from how fast the volume fills."""

from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.recordings.fill_rate import LONGEST_PAUSE, RESERVE_SECONDS, SHORTEST_PAUSE, FillRate

MB = 1_000_000


def test_nothing_is_known_after_one_look() -> None:
    """Given one look, no rate is known: only the floor must be free, and the next look has time."""
    rate = FillRate()
    rate.note(100.0, 50 * MB, 0)
    assert rate.free_wanted(10 * MB, 200 * MB) == 10 * MB
    assert rate.pause_seconds(50 * MB) == LONGEST_PAUSE


def test_what_is_deleted_meanwhile_counts_as_written() -> None:
    """Given 3 MB less after a second in which 2 MB were deleted, 5 MB a second are written."""
    rate = FillRate()
    rate.note(100.0, 50 * MB, 0)
    rate.note(101.0, 47 * MB, 2 * MB)
    assert rate.bytes_per_second == 5 * MB


def test_a_higher_rate_counts_at_once_and_a_lower_one_by_and_by() -> None:
    """Given a burst and then nothing, the reserve rises at once and is given back over many looks."""
    rate = FillRate()
    for at, free in ((0.0, 100), (1.0, 99), (2.0, 95)):
        rate.note(at, free * MB, 0)
    assert rate.bytes_per_second == 4 * MB
    rate.note(3.0, 95 * MB, 0)
    assert 3 * MB < rate.bytes_per_second < 4 * MB
    for second in range(4, 60):
        rate.note(float(second), 95 * MB, 0)
    assert rate.bytes_per_second < MB / 50


def test_the_reserve_is_a_time_of_writing_and_never_most_of_the_volume() -> None:
    """Given a rate, so many seconds of it are kept free above the floor, but not more than a fifth of the volume."""
    rate = FillRate(bytes_per_second=float(MB))
    assert rate.free_wanted(10 * MB, 1_000 * MB) == 10 * MB + RESERVE_SECONDS * MB
    rate = FillRate(bytes_per_second=50.0 * MB)
    assert rate.free_wanted(10 * MB, 200 * MB) == 50 * MB


def test_without_a_floor_nothing_must_be_free() -> None:
    """Given no floor, however fast the volume fills, nothing is deleted for it."""
    assert FillRate(bytes_per_second=50.0 * MB).free_wanted(0, 200 * MB) == 0


@given(st.floats(0, 1e10), st.integers(0, 10**12))
def test_the_volume_is_looked_at_long_before_it_is_full(bytes_per_second: float, free_bytes: int) -> None:
    """Given any rate, the pause is short enough for several looks until the volume would be full, and never nothing."""
    pause = FillRate(bytes_per_second=bytes_per_second).pause_seconds(free_bytes)
    assert SHORTEST_PAUSE <= pause <= LONGEST_PAUSE
    assert pause == SHORTEST_PAUSE or pause * bytes_per_second * 4 <= free_bytes
