"""What cameras cost: smoothed over seconds, told only when enough was measured."""

import pytest

from contract.assignments import Assignment
from contract.cameras import CameraState
from tests.support.clocks import SetClock
from workers.camera_run import CameraRun
from workers.capture.state import CaptureState
from workers.costs import LEAST_SECONDS, LEAST_VALUES, Mean, Rate, detection_cpu_seconds


def test_a_rate_is_told_after_some_seconds_and_is_exact_when_it_is_steady() -> None:
    """Given a total that grows evenly, the rate is that growth, however often the total is looked at."""
    rate = Rate()
    for tick in range(10):
        rate.add(tick * LEAST_SECONDS / 10, tick * LEAST_SECONDS / 10 * 0.25)
        assert rate.value is None
    rate.add(LEAST_SECONDS, LEAST_SECONDS * 0.25)
    assert rate.value == pytest.approx(0.25)
    rate.add(LEAST_SECONDS + 7, (LEAST_SECONDS + 7) * 0.25)
    assert rate.value == pytest.approx(0.25)


def test_a_rate_follows_what_changes_within_some_ten_seconds() -> None:
    """Given a rate that doubles, after ten seconds most of the change is seen, after a minute all of it."""
    rate, total = Rate(), 0.0
    for second in range(1, 121):
        total += 0.1 if second <= 60 else 0.2
        rate.add(float(second), total)
        if second == 70:
            assert 0.155 < (rate.value or 0) < 0.19
    assert rate.value == pytest.approx(0.2, rel=0.01)


def test_a_pause_is_left_out() -> None:
    """Given a camera that was away for an hour, what its thread did meanwhile is not part of the rate."""
    rate = Rate()
    for second in range(11):
        rate.add(float(second), second * 0.5)
    rate.pause()
    rate.add(3600.0, 100.0)
    assert rate.value == pytest.approx(0.5)
    rate.add(3601.0, 100.5)
    assert rate.value == pytest.approx(0.5)


def test_a_clock_that_stands_still_does_not_divide_by_zero() -> None:
    """Given two totals at the same moment, the second is left out."""
    rate = Rate()
    rate.add(1.0, 1.0)
    rate.add(1.0, 2.0)
    assert rate.value is None


def test_a_mean_forgets_what_was_only_at_the_beginning() -> None:
    """Given a slow first value, the mean is told after some, and is that of the last ones soon after."""
    mean = Mean()
    mean.add(1.0)
    for _ in range(LEAST_VALUES - 2):
        mean.add(0.01)
    assert mean.value is None
    mean.add(0.01)
    assert mean.value == pytest.approx((1.0 + 4 * 0.01) / 5)
    for _ in range(60):
        mean.add(0.01)
    assert mean.value == pytest.approx(0.01, rel=0.25)


def test_the_cost_of_detection_is_the_smaller_of_two_upper_bounds() -> None:
    """Given a host with other work, the wall clock says too much; given busy captures, the process's CPU time does."""
    assert detection_cpu_seconds(wall=0.100, process_cpu=0.030, threads=1) == 0.030
    assert detection_cpu_seconds(wall=0.020, process_cpu=0.075, threads=2) == 0.040


def test_a_camera_costs_what_its_threads_used() -> None:
    """Given a stream with 0.02 cores and frames of 3 ms, the holding says so; unknown before it is measured."""
    clock = SetClock()
    run = CameraRun(Assignment(camera_id="c", url="rtsp://h/x", epoch=2), "w", clock)
    run.capture_changed(CaptureState(CameraState.CONNECTING, cpu_seconds=5.0))
    assert (run.holding.epoch, run.holding.stream_cores, run.holding.frame_seconds) == (2, None, None)
    for second in range(20):
        run.capture_changed(CaptureState(CameraState.ONLINE, cpu_seconds=5.0 + second * 0.02))
        run.spent(0.002)
        run.spent(0.001)
        run.analysed(clock.monotonic())
        clock.advance(1)
    assert run.holding.stream_cores == pytest.approx(0.02)
    assert run.holding.frame_seconds == pytest.approx(0.003)
    run.capture_changed(CaptureState(CameraState.OFFLINE, cpu_seconds=99.0))
    clock.advance(100)
    run.capture_changed(CaptureState(CameraState.ONLINE, cpu_seconds=120.0))
    assert run.holding.stream_cores == pytest.approx(0.02), "what it costs while it is online"
