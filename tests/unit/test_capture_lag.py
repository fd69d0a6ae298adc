"""Whether a capture has read all that its camera has sent."""

import math

import pytest

from workers.capture.lag import CatchingUp, Lag


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


def test_decoding_is_left_out_from_a_second_behind_until_reading_has_caught_up() -> None:
    """Given a capture that was held up for 1.5 s, When it reads on, Then decoding rests until it is abreast again."""
    lag = Lag()
    catching_up = CatchingUp(lag)

    def leaves_out(at: float, media: float) -> bool:
        return catching_up.leaves_out(lag.behind(at, media), at)

    assert not any(leaves_out(100 + n / 25, n / 25) for n in range(25))
    held_up = [leaves_out(102.5 + n * 0.001, 1 + n / 25) for n in range(45)]
    assert held_up[0]
    assert held_up.index(False) == pytest.approx((1.5 - 0.2) * 25, abs=2)
    assert not any(held_up[held_up.index(False) :])


def test_a_clock_that_has_jumped_is_not_taken_for_a_delay_for_long() -> None:
    """Given a stream whose clock falls back by 5 s, When 3 s have passed, Then it is decoded again."""
    lag = Lag()
    catching_up = CatchingUp(lag)
    at = [100 + n / 25 for n in range(250)]
    media = [n / 25 - (5 if n >= 50 else 0) for n in range(250)]
    left_out = [catching_up.leaves_out(lag.behind(a, m), a) for a, m in zip(at, media, strict=True)]
    assert sum(left_out) == pytest.approx(3 * 25, abs=2)
    assert not any(left_out[130:])


def test_nothing_is_left_out_of_a_stream_that_says_no_times() -> None:
    """Given packets without times, How late they are is not known, and all are decoded."""
    lag = Lag()
    catching_up = CatchingUp(lag)
    assert not any(catching_up.leaves_out(lag.behind(float(n), None), float(n)) for n in range(10))
