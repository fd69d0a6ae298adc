"""What a worker's stages cost and how long frames wait before them, over the last ten seconds.

Many threads add, some hundred times a second each: that is a lock around a few additions. Nothing is kept but sums by
the second, and of waits a histogram with bins that grow by a fifth, which holds a percentile to within that.
"""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from contract.workers import Stage, StageFigures
from runtime.clock import Clock

#: Whole seconds over which figures are told; the one that has just begun is left out.
WINDOW_SECONDS: Final = 10
#: The window, and the second that has just begun.
_SLOTS: Final = WINDOW_SECONDS + 1
#: Waits of at most so many seconds are in the first bin.
_SHORTEST_SECONDS: Final = 0.0005
_BINS_PER_OCTAVE: Final = 4
#: The last bin begins at a minute.
_BINS: Final = 17 * _BINS_PER_OCTAVE
_NO_WAITS: Final = (0,) * _BINS
_PERCENTILE: Final = 0.95
#: Seconds between two times at which a thread's clock is read.
TELL_SECONDS: Final = 1.0


class _Window:
    """Sums of one stage by the second. Times are seconds since the meter began. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: Which second each slot is about; -1: none yet.
        self._seconds = [-1] * _SLOTS
        self._cpu, self._wall, self._longest = [0.0] * _SLOTS, [0.0] * _SLOTS, [0.0] * _SLOTS
        self._counts = [0] * _SLOTS
        self._waits = [list(_NO_WAITS) for _ in range(_SLOTS)]

    def add(self, now: float, cpu: float, wall: float, count: int) -> None:
        with self._lock:
            slot = self._slot(int(now))
            self._cpu[slot] += cpu
            self._wall[slot] += wall
            self._counts[slot] += count

    def waited(self, now: float, seconds: float) -> None:
        number = _bin(seconds)
        with self._lock:
            slot = self._slot(int(now))
            self._waits[slot][number] += 1
            self._longest[slot] = max(self._longest[slot], seconds)

    def _slot(self, second: int) -> int:
        """Return the slot of a second, emptied of what it held before."""
        slot = second % _SLOTS
        if self._seconds[slot] < second:  # a thread that was held up between clock and lock adds to a later second
            self._seconds[slot] = second
            self._cpu[slot] = self._wall[slot] = self._longest[slot] = 0.0
            self._counts[slot] = 0
            self._waits[slot][:] = _NO_WAITS
        return slot

    def figures(self, now: float) -> StageFigures | None:
        """Return the figures of the last whole seconds; None where nothing was added in them."""
        end = int(now)
        seconds = min(WINDOW_SECONDS, end)
        with self._lock:
            slots = [slot for slot in range(_SLOTS) if end - seconds <= self._seconds[slot] < end]
            if not slots:
                return None
            cpu, wall = (sum(sums[slot] for slot in slots) for sums in (self._cpu, self._wall))
            count = sum(self._counts[slot] for slot in slots)
            longest = max(self._longest[slot] for slot in slots)
            waits = [sum(self._waits[slot][number] for slot in slots) for number in range(_BINS)]
        return StageFigures(
            cpu_cores=round(cpu / seconds, 5),
            busy=round(wall / seconds, 5),
            items_per_second=round(count / seconds, 2),
            wall_ms=round(wall / count * 1000, 3) if count else 0.0,
            wait_p95_ms=round(min(_percentile(waits), longest) * 1000, 1),
            wait_max_ms=round(longest * 1000, 1),
        )


class _Counts:
    """Counts by name and second. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def add(self, now: float, name: str, count: int) -> None:
        with self._lock:
            window = self._windows.get(name)
            if window is None:
                window = self._windows[name] = _Window()
        window.add(now, 0.0, 0.0, count)

    def per_second(self, now: float) -> dict[str, float]:
        with self._lock:
            windows = dict(self._windows)
        told = {name: window.figures(now) for name, window in sorted(windows.items())}
        return {name: each.items_per_second for name, each in told.items() if each and each.items_per_second}


class StageMeter:
    """Measures one worker. Safe to use from several threads; no call blocks longer than a few additions take."""

    def __init__(self, clock: Clock) -> None:
        """Begin to measure; `clock` tells to which second something belongs."""
        self._clock = clock
        self._began = clock.monotonic()
        self._windows = {stage: _Window() for stage in Stage}
        self._drops = _Counts()

    def add(self, stage: Stage, *, cpu: float = 0.0, wall: float = 0.0, count: int = 1) -> None:
        """Take note of what was done just now.

        Args:
            stage: Where.
            cpu: CPU-seconds that it took.
            wall: Seconds that it took of the thread that did it.
            count: Items that it was done to; 0 adds cost to items that are counted elsewhere.
        """
        self._windows[stage].add(self._now(), cpu, wall, count)

    def timing(self, stage: Stage, *, count: int = 1) -> "Timing":
        """Measure a block that one thread runs: ``with meter.timing(Stage.TRACK): ...``. Also where it raises."""
        return Timing(self, stage, count)

    def waited(self, stage: Stage, seconds: float) -> None:
        """Take note of how long an item has waited in the queue before a stage that begins with it now."""
        self._windows[stage].waited(self._now(), seconds)

    def drop(self, reason: str, count: int = 1) -> None:
        """Take note of frames that were due and have no result."""
        self._drops.add(self._now(), reason, count)

    def figures(self) -> dict[Stage, StageFigures] | None:
        """Return what was done in the last seconds, without stages that did nothing; None in the first second."""
        now = self._now()
        if now < 1:
            return None
        told = {stage: window.figures(now) for stage, window in self._windows.items()}
        return {stage: each for stage, each in told.items() if each is not None}

    def drops_per_second(self) -> dict[str, float]:
        """Return reason -> frames a second."""
        return self._drops.per_second(self._now())

    def _now(self) -> float:
        return self._clock.monotonic() - self._began


class Timing:
    """One block that is measured; `cpu` and `wall` are its seconds once it has ended."""

    __slots__ = ("_began_cpu", "_began_wall", "_meter", "_stage", "count", "cpu", "wall")

    def __init__(self, meter: StageMeter, stage: Stage, count: int) -> None:
        self._meter = meter
        self._stage = stage
        #: May be set within the block, where it is known only then.
        self.count = count
        self.cpu = self.wall = 0.0

    def __enter__(self) -> Self:
        self._began_cpu, self._began_wall = time.thread_time(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cpu = time.thread_time() - self._began_cpu
        self.wall = time.perf_counter() - self._began_wall
        self._meter.add(self._stage, cpu=self.cpu, wall=self.wall, count=self.count)


class ThreadCosts:
    """What one thread spends on a stage: all that it does besides the blocks that are another stage's.

    To read a thread's clock is a system call, and to make two for each of thousands of packets a second costs more than
    it tells. So the whole of the thread is read about once a second, and what was timed apart is taken off.
    Used by that thread alone; it may be made by another.
    """

    def __init__(self, meter: StageMeter, stage: Stage) -> None:
        """Prepare; it begins with the first call of any method."""
        self._meter = meter
        self._stage = stage
        self._count = 0
        self._apart = 0.0
        #: CPU-seconds of the thread, and the moment, when it was told last.
        self._told: tuple[float, float] | None = None

    def item(self, at: float) -> None:
        """Count one item of the stage, at a moment in monotonic seconds; now and then the costs are told."""
        self._count += 1
        if self._told is None:
            self._told = (time.thread_time(), at)
        elif at - self._told[1] >= TELL_SECONDS:
            spent = time.thread_time()
            self._meter.add(self._stage, cpu=max(0.0, spent - self._told[0] - self._apart), count=self._count)
            self._told, self._count, self._apart = (spent, at), 0, 0.0

    def leave_out(self, cpu: float) -> None:
        """Take off CPU-seconds of this thread that were another stage's, and told there."""
        self._apart += cpu

    @contextmanager
    def apart(self, stage: Stage | None, *, count: int = 1) -> Iterator[None]:
        """Time a block that is of another stage; None: of one that is measured inside of it."""
        began_cpu, began_wall = time.thread_time(), time.perf_counter()
        try:
            yield
        finally:
            cpu = time.thread_time() - began_cpu
            self._apart += cpu
            if stage is not None:
                self._meter.add(stage, cpu=cpu, wall=time.perf_counter() - began_wall, count=count)


def _bin(seconds: float) -> int:
    if seconds <= _SHORTEST_SECONDS:
        return 0
    return min(_BINS - 1, math.ceil(math.log2(seconds / _SHORTEST_SECONDS) * _BINS_PER_OCTAVE))


def _percentile(bins: list[int]) -> float:
    """Return the upper end of the bin in which the percentile lies, in seconds; 0 where nothing was counted."""
    wanted = math.ceil(sum(bins) * _PERCENTILE)
    if not wanted:
        return 0.0
    passed = 0
    for number, count in enumerate(bins):
        passed += count
        if passed >= wanted:
            return _SHORTEST_SECONDS * 2 ** (number / _BINS_PER_OCTAVE) if number < _BINS - 1 else math.inf
    raise AssertionError("a percentile lies in one of the bins")
