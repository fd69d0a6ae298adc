"""What rounds take is counted once, however many run side by side, and a round that hangs is noticed beside others."""

import threading
import time

import numpy as np
import pytest

from runtime.clock import SystemClock
from tests.support.clocks import SetClock
from workers.detection_ledger import DetectionLedger, unserved_since


@pytest.fixture
def clock() -> SetClock:
    """A clock that is set by hand."""
    return SetClock()


def test_time_that_two_rounds_share_is_counted_once(clock: SetClock) -> None:
    """Given two rounds that overlap, then together they took as long as from the first's begin to the second's end."""
    ledger = DetectionLedger(clock, threads=2)
    first = ledger.begin()
    clock.advance(1.0)
    second = ledger.begin()
    clock.advance(2.0)
    spent = [ledger.end(first, frames=1, inputs=1.0, on_cpu=False)]
    clock.advance(0.5)
    spent.append(ledger.end(second, frames=1, inputs=1.0, on_cpu=False))
    assert [each.wall for each in spent] == [3.0, 0.5]
    assert [each.cpu for each in spent] == [3.0, 0.5]  # on a device: the time of the thread that waits
    clock.advance(7.0)
    third = ledger.begin()
    clock.advance(0.25)
    assert ledger.end(third, frames=1, inputs=1.0, on_cpu=False).wall == 0.25


def test_a_rounds_own_work_is_in_its_cost() -> None:
    """Given a round whose thread computes for a while, then its cost on a CPU is about what the thread has spent."""
    ledger = DetectionLedger(SystemClock(), threads=4)
    began, before = ledger.begin(), time.thread_time()
    while time.thread_time() - before < 0.2:
        np.sort(np.random.default_rng(1).random(10_000))
    spent = ledger.end(began, frames=2, inputs=1.0, on_cpu=True)
    assert spent.cpu >= 0.2
    assert ledger.detect_ms == pytest.approx(spent.wall * 500)


def test_a_round_that_hangs_is_noticed_although_others_succeed(clock: SetClock) -> None:
    """Given a round that does not end, when others beside it succeed, frames have gone unserved since it began."""
    ledger = DetectionLedger(clock, threads=2)
    hanging = ledger.begin()
    for _ in range(5):
        clock.advance(1.0)
        other = ledger.begin()
        ledger.end(other, frames=1, inputs=1.0, on_cpu=True)
        ledger.succeeded()
    assert ledger.unserved_seconds == 5.0
    ledger.end(hanging, frames=1, inputs=1.0, on_cpu=True)
    ledger.succeeded()
    assert ledger.unserved_seconds == 0.0


def test_while_every_round_fails_the_time_grows_and_silence_adds_little(clock: SetClock) -> None:
    """Given rounds that fail, then time without success grows while frames come, and a long silence is cut short."""
    ledger = DetectionLedger(clock, threads=2)
    assert ledger.unserved_seconds == 0.0
    for _ in range(4):
        began = ledger.begin()
        clock.advance(2.0)
        ledger.end(began, frames=1, inputs=0.0, on_cpu=True)
    assert ledger.unserved_seconds == 8.0
    clock.advance(300.0)
    assert ledger.unserved_seconds == 8.0
    ledger.begin()
    assert ledger.unserved_seconds == 18.0
    assert ledger.detect_seconds is None


def test_threads_may_use_it_side_by_side() -> None:
    """Given many rounds on four threads, then their walls add up to no more than the time that went by."""
    ledger = DetectionLedger(SystemClock(), threads=1)
    walls: list[float] = []

    def work() -> None:
        for _ in range(200):
            began = ledger.begin()
            walls.append(ledger.end(began, frames=1, inputs=1.0, on_cpu=True).wall)
            ledger.succeeded()

    start = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(walls) >= 0
    assert sum(walls) <= time.monotonic() - start
    assert ledger.unserved_seconds == 0.0


@pytest.mark.parametrize(("since", "quiet_since", "expected"), [(None, 0, 500), (100, 497, 100), (100, 101, 489)])
def test_a_long_silence_counts_as_a_short_one(since: float | None, quiet_since: float, expected: float) -> None:
    """Given a round at 500 s, of the time since the one before at most 10 s count as time without success."""
    assert unserved_since(since, quiet_since, 500) == expected
