"""What a camera costs, from measured CPU time: smoothed, so that placement does not follow every flicker. Pure."""

import math
from typing import Final

#: Seconds over which a rate is smoothed: longer than a busy scene flickers, shorter than it takes to move a camera.
SMOOTHING_SECONDS: Final = 10.0
#: Seconds that must have been measured before a rate is told.
LEAST_SECONDS: Final = 5.0
#: Weight of the newest of many values.
NEWEST_WEIGHT: Final = 0.1
#: Values that must have been measured before a mean is told: the first ones also pay for what is done once.
LEAST_VALUES: Final = 5


class Rate:
    """Growth per second of a total that only rises, weighted towards the last seconds. Not thread-safe."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._measured_seconds = 0.0
        self._seconds = 0.0
        self._growth = 0.0

    def add(self, at: float, total: float) -> None:
        """Take note of the total at a moment, in monotonic seconds."""
        if self._last is not None:
            seconds = at - self._last[0]
            if seconds <= 0:
                return
            decay = math.exp(-seconds / SMOOTHING_SECONDS)
            self._seconds = self._seconds * decay + seconds
            self._growth = self._growth * decay + max(0.0, total - self._last[1])
            self._measured_seconds += seconds
        self._last = (at, total)

    def pause(self) -> None:
        """Leave out what follows until the next total: the camera is not online, and costs something else."""
        self._last = None

    @property
    def value(self) -> float | None:
        """Growth per second; None until enough was measured."""
        return self._growth / self._seconds if self._measured_seconds >= LEAST_SECONDS else None


class Mean:
    """Mean of values, weighted towards the last ones. Not thread-safe."""

    def __init__(self, *, least_weight: float = NEWEST_WEIGHT) -> None:
        """Begin; `least_weight` is that of the newest of many values."""
        self._least_weight = least_weight
        self._count = 0
        self._mean = 0.0

    def add(self, value: float) -> None:
        """Take note of a value."""
        self._count += 1
        self._mean += (value - self._mean) * max(self._least_weight, 1 / self._count)

    @property
    def value(self) -> float | None:
        """The mean; None until enough was measured."""
        return self._mean if self._count >= LEAST_VALUES else None


def detection_cpu_seconds(*, wall: float, process_cpu: float, threads: int) -> float:
    """Return the CPU-seconds of one call of a detector that runs on the CPU.

    Neither is right alone, and neither can be too small: the process's CPU time counts what other threads (captures)
    did meanwhile, and the wall time of all its threads counts when they had no core, or nothing to do. So the smaller
    one is the better one; the runtime's threads have no clocks that could be asked.

    Args:
        wall: Seconds that the call took.
        process_cpu: CPU-seconds of the whole process during the call.
        threads: Of the detector.
    """
    return min(wall * threads, process_cpu)
