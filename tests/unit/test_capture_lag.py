"""Whether a capture has read all that its camera has sent."""

import math

import pytest

from workers.capture.lag import Lag


def test_a_packet_that_is_read_late_is_behind_until_reading_has_caught_up() -> None:
    """Given packets read as they come, when one is read late, it is behind by that, and those behind it by less."""
    lag = Lag()
    assert [lag.behind(100 + n / 25 + 0.01, n / 25) for n in range(50)] == pytest.approx([0.0] * 50, abs=0.001)
    late = [lag.behind(102.5 + n * 0.001, 2 + n / 25) for n in range(12)]
    assert late[0] == pytest.approx(0.49, abs=0.01)
    assert late[-1] == pytest.approx(0.06, abs=0.01)


def test_a_clock_that_is_slow_or_jumps_is_followed() -> None:
    """Given a camera's clock that loses a second in twenty minutes, nothing is behind; after a jump neither."""
    lag = Lag()
    slow = [lag.behind(float(second), second * (1 - 1 / 1200)) for second in range(600)]
    assert max(slow) < 0.01
    assert lag.behind(600.0, 5_000.0) == 0.0
    assert lag.behind(601.0, 5_001.0) == pytest.approx(0.0, abs=0.01)
    assert lag.behind(602.0, 12.0) == 0.0


def test_a_stream_without_stamps_is_never_said_to_be_caught_up() -> None:
    """Given packets without times, nobody knows how late they are."""
    assert math.isinf(Lag().behind(1.0, None))
