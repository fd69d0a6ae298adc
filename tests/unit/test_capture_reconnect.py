"""How long a camera is left alone after a failure."""

from hypothesis import given
from hypothesis import strategies as st

from contract.errors import StatusReason
from workers.capture.reconnect import SHORTEST_SECONDS, pause_seconds

DRAWS = st.floats(0, 1, exclude_max=True)


@given(
    reason=st.sampled_from(StatusReason),
    failures=st.integers(1, 10**9),
    outage=st.floats(0, 1e9),
    longest=st.floats(0.5, 600),
    draw=DRAWS,
)
def test_no_pause_is_longer_than_allowed_or_none_at_all(
    reason: StatusReason, failures: int, outage: float, longest: float, draw: float
) -> None:
    """Given any history, When a pause is chosen, Then it is at least the shortest and at most the longest."""
    pause = pause_seconds(reason, failures=failures, outage_seconds=outage, longest_seconds=longest, draw=draw)
    assert SHORTEST_SECONDS <= pause <= longest


@given(failures=st.integers(1, 1_000), outage=st.floats(0, 59.9), draw=DRAWS)
def test_in_the_first_minute_a_camera_is_tried_about_twice_a_second(failures: int, outage: float, draw: float) -> None:
    """Given a camera that went away just now, When it fails again, Then it is tried again within a second."""
    pause = pause_seconds(StatusReason.REFUSED, failures=failures, outage_seconds=outage, longest_seconds=15, draw=draw)
    assert pause <= 1.0


def test_the_limit_doubles_every_minute_and_is_jittered_in_full() -> None:
    """Given a long outage, When pauses are drawn, Then they lie anywhere between nothing and a growing limit."""

    def pause(minutes: float, draw: float) -> float:
        return pause_seconds(
            StatusReason.TIMEOUT, failures=50, outage_seconds=minutes * 60, longest_seconds=15, draw=draw
        )

    assert [pause(minutes, 1.0) for minutes in (0.5, 1, 2, 3, 4, 60)] == [1, 2, 4, 8, 15, 15]
    assert pause(60, 0.5) == 7.5


@given(failures=st.integers(1, 1_000), draw=DRAWS)
def test_a_wrong_password_is_not_tried_often(failures: int, draw: float) -> None:
    """Given refused credentials, When the camera is tried again, Then rarely: many cameras lock the account."""
    pause = pause_seconds(StatusReason.AUTH_FAILED, failures=failures, outage_seconds=1, longest_seconds=15, draw=draw)
    assert pause >= 7.5
