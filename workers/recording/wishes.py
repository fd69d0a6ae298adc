"""What analysis says of a camera, and what follows from it: which packets are wanted, and why files are kept. Pure."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from contract.recordings import KeptFor, RecordingSettings, RecordMode

#: Seconds after a motion or an event that are wanted at least: frames are looked at one by one, and what lasts must
#: not be cut into as many files.
LEAST_POST_ROLL: Final = 3.0
#: Spans remembered of each kind; looks remembered: some minutes of a camera that is looked at ten times a second.
_SPANS: Final = 64
_LOOKS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Look:
    """One frame that was looked at."""

    #: Monotonic seconds when it arrived.
    at: float
    #: Whether something moved; None: this says nothing of motion.
    moved: bool | None = None
    #: Class name -> objects of it.
    seen: Mapping[str, int] = field(default_factory=dict)
    #: Whether one of them is being tracked.
    is_tracked: bool = False


class _Spans:
    """Spans of time, each longer than what made it by the rolls; those that meet are one."""

    def __init__(self) -> None:
        self._spans: deque[tuple[float, float]] = deque(maxlen=_SPANS)

    def add(self, start: float, end: float) -> None:
        while self._spans and start <= self._spans[-1][1]:
            known_start, known_end = self._spans.pop()
            start, end = min(start, known_start), max(end, known_end)
        self._spans.append((start, end))

    def meets(self, start: float, end: float) -> bool:
        return any(known_start < end and start <= known_end for known_start, known_end in reversed(self._spans))


class Wishes:
    """What is wanted of one camera. Not thread-safe. All times are monotonic seconds of arrival."""

    def __init__(self, settings: RecordingSettings) -> None:
        #: May be replaced at any time; what was wished for before stays.
        self.settings = settings
        self._motions, self._events = _Spans(), _Spans()

    def note(self, look: Look) -> None:
        """Take note of a frame that was looked at."""
        start = look.at - self.settings.pre_roll_seconds
        end = look.at + max(self.settings.post_roll_seconds, LEAST_POST_ROLL)
        if look.moved:
            self._motions.add(start, end)
        if look.is_tracked:
            self._events.add(start, end)

    def wants(self, start: float, end: float) -> bool:
        """Tell whether packets that arrived in this span are to be recorded."""
        mode = self.settings.record
        if mode is RecordMode.MOTION:
            return self._motions.meets(start, end) or self._events.meets(start, end)
        return mode is RecordMode.CONTINUOUS or (mode is RecordMode.EVENTS and self._events.meets(start, end))

    def kept_for(self, start: float, end: float) -> KeptFor:
        """Return the best reason to keep what arrived in this span."""
        if self._events.meets(start, end):
            return KeptFor.EVENT
        return KeptFor.MOTION if self._motions.meets(start, end) else KeptFor.CONTINUOUS


class Findings:
    """What was found in the frames of one camera, to be told of its files. Not thread-safe."""

    def __init__(self) -> None:
        self._looks: deque[Look] = deque(maxlen=_LOOKS)

    def note(self, look: Look) -> None:
        """Take note of a frame that was looked at."""
        self._looks.append(look)

    def between(self, start: float, end: float) -> tuple[float, dict[str, int]]:
        """Return what was found in frames with ``start <= at < end``.

        Returns:
            The share of those judged by motion in which something moved, in [0, 1], and class name -> most objects
            of it in one frame.
        """
        judged = moved = 0
        seen: dict[str, int] = {}
        for look in reversed(self._looks):
            if look.at >= end:
                continue
            if look.at < start - _DISORDER_SECONDS:
                break
            if look.at >= start:
                judged += look.moved is not None
                moved += bool(look.moved)
                for name, count in look.seen.items():
                    seen[name] = max(count, seen.get(name, 0))
        return (round(moved / judged, 4) if judged else 0.0), dict(sorted(seen.items()))


#: Seconds by which looks may come in another order than that of their frames: a slow detector answers late.
_DISORDER_SECONDS: Final = 60.0
