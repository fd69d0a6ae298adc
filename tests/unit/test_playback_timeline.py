"""When frames of a playback are due."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.playback.saved_frames.timeline import LONGEST_GAP_MS, MAX_SHOWN_FPS, SHOWN_GAP_MS, schedule

TIMES = st.lists(st.integers(0, 10_000_000), max_size=60, unique=True).map(sorted)


@pytest.mark.parametrize("speed", [1.0, 4.0, 16.0])
def test_frames_keep_their_real_spacing_divided_by_the_speed(speed: float) -> None:
    """Given frames 1 s and 2.5 s apart, then they are due that much apart at 1x and less when faster."""
    due = [frame.due_ms for frame in schedule([0, 1_000, 3_500], speed)]
    assert due == [0, 1_000 / speed, 3_500 / speed]


def test_a_long_gap_is_shown_as_a_short_stop() -> None:
    """Given a gap of an hour, then it takes one second; one of exactly the limit is waited out."""
    hour = 3_600_000
    assert [frame.due_ms for frame in schedule([0, hour], 1)] == [0, SHOWN_GAP_MS]
    assert [frame.due_ms for frame in schedule([0, LONGEST_GAP_MS], 1)] == [0, LONGEST_GAP_MS]
    assert [frame.due_ms for frame in schedule([0, LONGEST_GAP_MS + 1], 2)] == [0, SHOWN_GAP_MS / 2]


def test_thirty_frames_a_second_are_all_shown_at_1x_and_a_sixteenth_of_them_at_16x() -> None:
    """Given 30 frames a second, then faster playback leaves frames out instead of flooding the client."""
    times = [round(number * 1000 / 30) for number in range(300)]
    assert len(list(schedule(times, 1))) == 300
    assert 300 / 16 - 2 <= len(list(schedule(times, 16))) <= 300 / 16 + 2


@given(TIMES, st.floats(1, 16))
def test_frames_come_in_order_and_never_faster_than_the_limit(times: list[int], speed: float) -> None:
    """Given any times, then shown frames are some of them, in order, starting with the first, not too close."""
    shown = list(schedule(times, speed))
    assert [frame.captured_at_ms for frame in shown[:1]] == times[:1]
    assert {frame.captured_at_ms for frame in shown} <= set(times)
    for former, frame in pairwise(shown):
        assert frame.captured_at_ms > former.captured_at_ms
        assert frame.due_ms - former.due_ms >= 1000 / MAX_SHOWN_FPS - 1


@given(TIMES)
def test_a_playback_is_never_longer_than_what_it_shows(times: list[int]) -> None:
    """Given any times at 1x, then the last frame is due no later than its distance from the first."""
    shown = list(schedule(times, 1))
    if shown:
        assert shown[-1].due_ms <= times[-1] - times[0]
