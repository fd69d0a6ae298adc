"""What a worker's stages cost: nothing is lost between threads, and what is past is forgotten."""

import threading

import pytest

from contract.workers import Stage
from tests.support.clocks import SetClock
from workers.stage_meter import WINDOW_SECONDS, StageMeter, ThreadCosts


def test_figures_are_those_of_the_last_whole_seconds() -> None:
    """Given work every second, when it is asked in the midst of one, the second that has just begun is left out."""
    clock = SetClock()
    meter = StageMeter(clock)
    for _ in range(25):
        meter.add(Stage.DECODE, cpu=0.2, wall=0.3, count=4)
        clock.advance(1)
    meter.add(Stage.DECODE, cpu=50.0, wall=50.0, count=50)
    figures = (meter.figures() or {})[Stage.DECODE]
    assert figures.cpu_cores == pytest.approx(0.2)
    assert figures.busy == pytest.approx(0.3)
    assert figures.items_per_second == pytest.approx(4)
    assert figures.wall_ms == pytest.approx(75)


def test_a_meter_that_has_just_begun_divides_by_the_seconds_that_there_were() -> None:
    """Given a worker of three seconds, its rates are right and not those of ten seconds; before the first: none."""
    clock = SetClock()
    meter = StageMeter(clock)
    meter.add(Stage.TRACK, cpu=0.5)
    clock.advance(0.9)
    assert meter.figures() is None
    assert meter.drops_per_second() == {}
    clock.advance(0.1)
    for _ in range(2):
        meter.add(Stage.TRACK, cpu=0.5)
        clock.advance(1)
    assert (meter.figures() or {})[Stage.TRACK].cpu_cores == pytest.approx(0.5)


def test_a_stage_that_stops_is_forgotten_second_by_second() -> None:
    """Given work that ends, its rate falls as its seconds leave the window, and then the stage is gone."""
    clock = SetClock()
    meter = StageMeter(clock)
    for _ in range(WINDOW_SECONDS):
        meter.add(Stage.SAVE, cpu=1.0, wall=1.0)
        meter.waited(Stage.SAVE, 3.0)
        clock.advance(1)
    told = []
    for _ in range(WINDOW_SECONDS):
        told.append((meter.figures() or {})[Stage.SAVE])
        clock.advance(1)
    assert [each.cpu_cores for each in told] == pytest.approx([1 - n / WINDOW_SECONDS for n in range(WINDOW_SECONDS)])
    assert {each.wait_max_ms for each in told} == {3000.0}
    assert meter.figures() == {}


@pytest.mark.parametrize("quiet_seconds", [11, 22, 4_000])
def test_what_was_before_a_long_silence_does_not_come_back(quiet_seconds: int) -> None:
    """Given a stage that was quiet for longer than the window, its new figures have nothing of the old ones."""
    clock = SetClock()
    meter = StageMeter(clock)
    meter.add(Stage.GATE, cpu=9.0)
    meter.waited(Stage.GATE, 9.0)
    clock.advance(quiet_seconds)
    meter.add(Stage.GATE, cpu=1.0)
    clock.advance(1)
    figures = (meter.figures() or {})[Stage.GATE]
    assert figures.cpu_cores == pytest.approx(1.0 / WINDOW_SECONDS)
    assert figures.wait_max_ms == 0


def test_waits_are_told_by_their_95th_percentile_and_maximum() -> None:
    """Given one long wait in fifty, it is the maximum and not the percentile, which is right to within a bin."""
    clock = SetClock()
    meter = StageMeter(clock)
    for number in range(100):
        meter.waited(Stage.DETECT, 40.0 if number % 50 == 0 else 0.001 * (number + 1))
    clock.advance(1)
    figures = (meter.figures() or {})[Stage.DETECT]
    assert figures.wait_max_ms == 40_000
    assert 97 <= figures.wait_p95_ms <= 97 * 2**0.25
    assert figures.items_per_second == 0


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 0.0005, 0.02, 1.0, 59.0, 600.0, 86_400.0])
def test_any_wait_is_held_to_within_a_bin(seconds: float) -> None:
    """Given waits that are all the same, from none to a day, the percentile is that wait."""
    clock = SetClock()
    meter = StageMeter(clock)
    for _ in range(20):
        meter.waited(Stage.PUBLISH, seconds)
    clock.advance(1)
    assert (meter.figures() or {})[Stage.PUBLISH].wait_p95_ms == pytest.approx(seconds * 1000, abs=0.06)


def test_nothing_is_lost_between_threads() -> None:
    """Given eight threads that add to the same stage while another reads, the sums are exact."""
    clock = SetClock()
    meter = StageMeter(clock)
    stop = threading.Event()

    def work() -> None:
        for _ in range(2_000):
            meter.add(Stage.DETECT, cpu=0.5, wall=1.0, count=2)
            meter.waited(Stage.DETECT, 0.5)
            meter.drop("overload")

    def read() -> None:
        while not stop.is_set():
            meter.figures()
            meter.drops_per_second()

    reader, threads = threading.Thread(target=read), [threading.Thread(target=work) for _ in range(8)]
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    reader.join()
    clock.advance(1)
    figures = (meter.figures() or {})[Stage.DETECT]
    assert (figures.cpu_cores, figures.busy, figures.items_per_second) == (8_000, 16_000, 32_000)
    assert meter.drops_per_second() == {"overload": 16_000}


def test_a_thread_that_is_held_up_half_way_undoes_nothing_of_another() -> None:
    """Given a wait that is being noted, when another thread notes a longer one meanwhile, the longer one stands."""
    clock = SetClock()
    meter = StageMeter(clock)
    other = threading.Thread(target=meter.waited, args=(Stage.SAVE, 9.0))

    class HeldUp(float):
        def __gt__(self, known: float) -> bool:
            other.start()
            other.join(0.2)
            return float(self) > known

    meter.waited(Stage.SAVE, HeldUp(2.0))
    other.join()
    clock.advance(1)
    assert (meter.figures() or {})[Stage.SAVE].wait_max_ms == 9_000


def test_drops_are_told_by_reason_and_forgotten() -> None:
    """Given drops of two reasons, each has its rate, and none is told once it is ten seconds past."""
    clock = SetClock()
    meter = StageMeter(clock)
    meter.drop("overload", 5)
    clock.advance(1)
    meter.drop("given_up")
    clock.advance(1)
    assert meter.drops_per_second() == {"given_up": 0.5, "overload": 2.5}
    clock.advance(WINDOW_SECONDS)
    assert meter.drops_per_second() == {}


def test_a_timed_block_counts_its_own_threads_cpu_and_its_wait() -> None:
    """Given a block that works and then waits, its wall time has the wait and its CPU time has not; so if it raises."""
    clock = SetClock()
    meter = StageMeter(clock)

    def work() -> None:
        with meter.timing(Stage.SAVE) as timing:
            while sum(range(1000)) and timing.count < 200:
                timing.count += 1
            threading.Event().wait(0.2)
            raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        work()
    clock.advance(1)
    figures = (meter.figures() or {})[Stage.SAVE]
    assert figures.items_per_second == 200
    assert 0 < figures.cpu_cores < figures.busy
    assert figures.busy >= 0.2
    assert figures.wall_ms == pytest.approx(figures.busy * 1000 / 200, rel=0.01)


def test_a_threads_costs_are_told_once_and_without_what_is_another_stages() -> None:
    """Given a thread that receives and decodes for two seconds, each second is told once, and decoding apart."""
    clock = SetClock()
    meter = StageMeter(clock)
    costs = ThreadCosts(meter, Stage.RECEIVE)
    for _ in range(33):
        costs.item(clock.monotonic())
        with costs.apart(Stage.DECODE, count=2):
            sum(range(20_000))
        with costs.apart(None):
            sum(range(20_000))
        clock.advance(1 / 16)
    clock.advance(1)
    told = meter.figures() or {}
    assert told[Stage.RECEIVE].items_per_second == 11
    assert told[Stage.DECODE].items_per_second == 22
    assert told[Stage.DECODE].cpu_cores > 4 * told[Stage.RECEIVE].cpu_cores > 0
    assert told[Stage.DECODE].busy > 0


def test_a_block_that_raises_is_another_stages_all_the_same() -> None:
    """Given decoding that fails, what it took is told of decoding and not of receiving."""
    clock = SetClock()
    meter = StageMeter(clock)
    costs = ThreadCosts(meter, Stage.RECEIVE)

    def decode() -> None:
        with costs.apart(Stage.DECODE):
            sum(range(300_000))
            raise ValueError("damaged")

    costs.item(clock.monotonic())
    with pytest.raises(ValueError, match="damaged"):
        decode()
    clock.advance(1)
    costs.item(clock.monotonic())
    clock.advance(1)
    told = meter.figures() or {}
    assert told[Stage.DECODE].cpu_cores > 4 * told[Stage.RECEIVE].cpu_cores > 0
