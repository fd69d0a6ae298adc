"""Which frames are due, and which must be decoded to get them. Pure: time is passed in."""

from collections import deque
from enum import StrEnum
from statistics import median
from typing import Final

#: Keyframes may come this much later than the sampling interval and still serve it.
KEYFRAME_SLACK: Final = 1.15
#: Intervals that the keyframe interval is judged by.
_KEPT: Final = 5


class DecodeMode(StrEnum):
    """Which packets are given to the decoder."""

    ALL = "all"
    KEYFRAMES = "keyframes"


class Sampler:
    """Chooses due frames at a rate, by the times at which frames arrive and never by what the camera declares.

    Args:
        rate: Frames per second that shall be analysed.
    """

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._next_due: float | None = None
        self._last_arrival: float | None = None
        #: Seconds between frames that were offered, smoothed; half of it decides which of two frames is nearer.
        self._spacing = 0.0

    def set_rate(self, rate: float) -> None:
        """Choose frames at another rate from now on."""
        self._interval = 1 / rate
        if self._next_due is not None and self._last_arrival is not None:
            self._next_due = min(self._next_due, self._last_arrival + self._interval)

    @property
    def interval(self) -> float:
        """Seconds between two due frames."""
        return self._interval

    def restart(self) -> None:
        """Make the next frame due at once: the stream was opened anew."""
        self._next_due = self._last_arrival = None

    def expect_spacing(self, seconds: float) -> None:
        """Take note that frames are offered `seconds` apart from now on; 0: not known, measure it."""
        self._spacing = seconds

    def is_due(self, arrived: float) -> bool:
        """Tell whether the frame that arrived at `arrived` (monotonic seconds) is to be analysed.

        Slots that were missed are not made up for: a stream that stalled for ten seconds gives one frame, not ten.
        """
        if self._last_arrival is not None:
            gap = arrived - self._last_arrival
            self._spacing = gap if self._spacing == 0 else self._spacing + 0.2 * (gap - self._spacing)
        self._last_arrival = arrived
        if self._next_due is None:
            self._next_due = arrived + self._interval
            return True
        nearer = min(self._spacing, self._interval) / 2
        if arrived < self._next_due - nearer:
            return False
        late = arrived - self._next_due
        # Keeps the cadence while it can be kept, so that jitter does not add up to a lower rate.
        self._next_due = self._next_due + self._interval if late < self._interval else arrived + self._interval
        return True


class KeyframeMeter:
    """Finds out how far apart keyframes are, and so which decode mode serves a sampling interval."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._intervals: deque[float] = deque(maxlen=_KEPT)

    def saw_keyframe(self, arrived: float) -> None:
        """Take note of a keyframe that arrived at `arrived` (monotonic seconds)."""
        if self._last is not None:
            self._intervals.append(arrived - self._last)
        self._last = arrived

    @property
    def interval(self) -> float:
        """Seconds between keyframes, 0 while it is not known."""
        return median(self._intervals) if self._intervals else 0.0

    def mode(self, interval: float, now: float) -> DecodeMode:
        """Return the cheapest mode that gives a frame every `interval` seconds.

        Args:
            interval: Seconds between due frames.
            now: Monotonic seconds; a keyframe that is overdue means that they have become rarer.
        """
        if not self._intervals or self._last is None:
            return DecodeMode.ALL
        longest = max(median(self._intervals), now - self._last)
        return DecodeMode.KEYFRAMES if longest <= interval * KEYFRAME_SLACK else DecodeMode.ALL


class RateMeter:
    """Frames per second over the last `window` seconds."""

    def __init__(self, window: float = 5.0) -> None:
        self._window = window
        self._arrivals: deque[float] = deque(maxlen=512)

    def saw(self, arrived: float) -> None:
        """Count one frame that arrived at `arrived` (monotonic seconds)."""
        self._arrivals.append(arrived)

    def rate(self, now: float) -> float:
        """Return frames per second, 0 when none came."""
        while self._arrivals and now - self._arrivals[0] > self._window:
            self._arrivals.popleft()
        if len(self._arrivals) < 2:
            return 0.0
        return (len(self._arrivals) - 1) / max(self._arrivals[-1] - self._arrivals[0], 1e-3)
