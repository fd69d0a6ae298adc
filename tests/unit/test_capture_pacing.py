"""Playing recorded media at the speed of life."""

from hypothesis import given
from hypothesis import strategies as st

from workers.capture.pacing import LIVE_SPEED, LONGEST_STEP_SECONDS, Pacer


def test_a_packet_is_held_back_until_its_time() -> None:
    """Given a file read at once, When its packets are paced, Then each waits for its own time."""
    pacer = Pacer()
    assert pacer.seconds_to_wait(10.0, 100.0) == 0
    assert abs(pacer.seconds_to_wait(10.4, 100.0) - 0.4) < 1e-9
    assert abs(pacer.seconds_to_wait(11.0, 100.4) - 0.6) < 1e-9


def test_what_was_late_is_not_followed_by_a_rush() -> None:
    """Given a reader that hung for 3 s, When it goes on, Then packets keep their distance instead of catching up."""
    pacer = Pacer()
    pacer.seconds_to_wait(0.0, 100.0)
    assert pacer.seconds_to_wait(0.1, 103.1) == 0
    assert abs(pacer.seconds_to_wait(0.2, 103.1) - 0.1) < 1e-9


@given(media=st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=1, max_size=40))
def test_no_wait_is_long_whatever_times_the_media_claims(media: list[float | None]) -> None:
    """Given times that jump, go back or are missing, When they are paced, Then no wait is longer than one step."""
    pacer, now = Pacer(), 50.0
    for seconds in media:
        wait = pacer.seconds_to_wait(seconds, now)
        assert 0 <= wait <= LONGEST_STEP_SECONDS + 1e-6
        now += wait


def test_a_live_camera_with_a_fast_clock_leaves_nothing_waiting() -> None:
    """Given media whose clock runs 0.5 % fast, When it is played for an hour, Then it is never seconds behind."""
    pacer, now, worst = Pacer(LIVE_SPEED), 0.0, 0.0
    for number in range(36_000):
        arrives = number * 0.1
        now = max(now, arrives)
        now += pacer.seconds_to_wait(number * 0.1005, now)
        worst = max(worst, now - arrives)
    assert worst < 0.5
