"""Puts a stream's packets on a steady line of time, and that line on the wall clock. Pure: arrival is passed in.

A camera's time stamps are exact from one packet to the next but say nothing of the day, and they jump, wrap, begin
anew or run at a wrong rate. Arrival times are right in the long run but late by up to half a second from packet to
packet. So stamps say how far apart packets are, and arrival says where the line lies: a packet is never there before
its picture was taken, so the smallest delay seen over a while (the lower envelope of arrival minus stamp) is the line.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

#: Seconds of arrivals that share one minimum, and the number of minima that are remembered.
BUCKET_SECONDS: Final = 1.0
BUCKETS: Final = 30
#: Seconds in which the line follows most of a change: cameras drift by parts in ten thousand, delays come and go.
SLEW_SECONDS: Final = 10.0
#: Seconds from the first packet on in which the line moves at once; a stream often begins with an old GOP in a burst.
SETTLING_SECONDS: Final = 1.0
#: Seconds the line may be wrong by before it is set anew.
SNAP_SECONDS: Final = 1.5
#: Seconds a stamp may be ahead of what arrival allows, and, where decode times are missing, behind the one before it
#: (B-frames); beyond that the camera's clock has jumped.
JUMP_SECONDS: Final = 2.0
REORDER_SECONDS: Final = 1.0
#: Jumps in so many seconds after which stamps are not believed for as long.
JUMPS: Final = 3
JUMPS_SECONDS: Final = 60.0
#: Share by which stamps may run faster or slower than the wall clock, as measured over a long and over a short span
#: (seconds); beyond that arrival counts. The first is wide enough for every real clock.
RATE_TOLERANCE: Final = 0.05
RATE_SPAN: Final = 25.0
EARLY_RATE_TOLERANCE: Final = 0.3
EARLY_RATE_SPAN: Final = 6.0
#: Seconds by which the worker's wall clock may differ from its monotonic clock before that is a step.
STEP_SECONDS: Final = 0.5
#: Weight of the newest comparison of the two clocks: threads are interrupted between looking at the one and the other.
CLOCK_WEIGHT: Final = 0.05
#: Buckets that tell where the line lies when stamps are not believed any more.
_RECENT: Final = 5
#: Least seconds from one packet to the next.
LEAST_STEP: Final = 0.001


@dataclass(slots=True)
class Placed:
    """One packet on the line."""

    #: Seconds on the line at which it is decoded; strictly greater than those of the packet before.
    seconds: float
    #: Seconds after that at which its picture is shown, at least 0.
    shown_after: float
    #: Whether the line may not mean the same moments as before: a new file had better begin.
    jumped: bool


class MediaClock:
    """The line of one stream, video or sound, from its opening to its end. Not thread-safe."""

    def __init__(self) -> None:
        #: Stamp, arrival (monotonic seconds) and place of the last packet.
        self._stamp: float | None = None
        self._at = 0.0
        self._seconds: float | None = None
        self._first_at = 0.0
        #: What is added to a stamp to have its place on the line.
        self._shift = 0.0
        #: What is added to a place on the line to have the monotonic time of its picture.
        self._offset = 0.0
        #: What is added to monotonic time to have the wall clock's.
        self._wall = 0.0
        self._trusts_stamps = True
        #: (arrival, arrival minus place) with the least of the latter, for each of the last seconds.
        self._least: deque[tuple[float, float]] = deque(maxlen=BUCKETS)
        #: The least of all of them but the last.
        self._least_before = math.inf
        self._bucket_from = 0.0
        self._jumps: deque[float] = deque(maxlen=JUMPS)

    # --- what it says --------------------------------------------------------------------------------------------

    @property
    def is_settled(self) -> bool:
        """Whether enough has arrived to know where the line lies."""
        return self._seconds is not None and self._at - self._first_at >= SETTLING_SECONDS

    @property
    def trusts_stamps(self) -> bool:
        """Whether the stream's own time stamps count; else arrival does."""
        return self._trusts_stamps

    @property
    def shift(self) -> float:
        """What is added to a stamp (seconds) to have its place on the line."""
        return self._shift

    @property
    def offset(self) -> float:
        """What is added to a place on the line to have monotonic seconds."""
        return self._offset

    def wall_ms(self, seconds: float) -> int:
        """Return the wall clock (Unix ms UTC) of a place on the line."""
        return max(0, round((seconds + self._offset + self._wall) * 1000))

    # --- what it is told -----------------------------------------------------------------------------------------

    def place(self, decode: float | None, present: float | None, at: float, at_ms: int) -> Placed:
        """Put the next packet on the line.

        Args:
            decode: The stream's decode time in seconds, None where it gives none.
            present: Its presentation time in seconds, None where it gives none.
            at: Monotonic seconds when the packet arrived.
            at_ms: Unix ms UTC when it arrived.
        """
        stamp = present if decode is None else decode
        shown_after = 0.0 if decode is None or present is None else min(max(0.0, present - decode), JUMP_SECONDS)
        if self._seconds is None:
            return self._begin(stamp, shown_after, at, at_ms)
        at = max(at, self._at)
        stepped = self._follow_wall_clock(at_ms / 1000 - at)
        elapsed, last = at - self._at, self._seconds
        jumped = stamp is not None and self._has_jumped(stamp, elapsed, may_go_back=decode is None)
        if stamp is not None and (jumped or self._stamp is None):
            self._shift = last + max(elapsed, LEAST_STEP) - stamp
        seconds = last + elapsed if stamp is None or not self._trusts_stamps else stamp + self._shift
        self._seconds = max(seconds, last + LEAST_STEP)
        self._stamp, self._at = self._stamp if stamp is None else stamp, at
        if jumped:
            self._jumps.append(at)
        snapped = stamp is not None and self._arrived(at, at - (stamp + self._shift + shown_after), elapsed)
        return Placed(self._seconds, shown_after, jumped or snapped or stepped)

    def _begin(self, stamp: float | None, shown_after: float, at: float, at_ms: int) -> Placed:
        self._stamp, self._at, self._seconds, self._first_at = stamp, at, 0.0, at
        self._shift = 0.0 if stamp is None else -stamp
        self._offset = at - shown_after
        self._wall = at_ms / 1000 - at
        self._bucket_from = at
        self._least.append((at, self._offset))
        return Placed(0.0, shown_after, False)

    def _has_jumped(self, stamp: float, elapsed: float, *, may_go_back: bool) -> bool:
        if self._stamp is None:
            return False
        step = stamp - self._stamp
        return step < (-REORDER_SECONDS if may_go_back else 0.0) or step > elapsed + JUMP_SECONDS

    def _follow_wall_clock(self, wall: float) -> bool:
        if abs(wall - self._wall) > STEP_SECONDS:
            self._wall = wall
            return True
        self._wall += CLOCK_WEIGHT * (wall - self._wall)
        return False

    # --- the envelope --------------------------------------------------------------------------------------------

    def _arrived(self, at: float, delay: float, elapsed: float) -> bool:
        """Take note of a delay (arrival minus place); return whether the line was set anew."""
        snapped = False
        if at - self._bucket_from >= BUCKET_SECONDS:
            snapped = self._judge_stamps(at)
            self._bucket_from = at
            self._least_before = min((known for _, known in self._least), default=math.inf)
            self._least.append((at, delay))
        elif not self._least or delay < self._least[-1][1]:
            if self._least:
                self._least.pop()
            self._least.append((at, delay))
        if not self._trusts_stamps:
            return snapped
        least = min(self._least_before, self._least[-1][1])
        if at - self._first_at < SETTLING_SECONDS:
            self._offset = least
        elif abs(least - self._offset) > SNAP_SECONDS:
            self._offset, snapped = least, True
        else:
            self._offset += (least - self._offset) * -math.expm1(-elapsed / SLEW_SECONDS)
        return snapped

    def _judge_stamps(self, at: float) -> bool:
        """Decide anew whether stamps count; return whether that has changed the meaning of the line."""
        span, rate_error = self._rate_error()
        jumps = sum(at - known < JUMPS_SECONDS for known in self._jumps)
        if self._trusts_stamps:
            wrong = span >= RATE_SPAN and abs(rate_error) > RATE_TOLERANCE
            wrong |= span >= EARLY_RATE_SPAN and abs(rate_error) > EARLY_RATE_TOLERANCE
            if not wrong and jumps < JUMPS:
                return False
            self._trusts_stamps = False
            # The line goes on from here as arrival does. Where it lies now, the last seconds say, if what the stamps
            # were wrong by since is added.
            recent = list(self._least)[-_RECENT:]
            self._offset = min(delay + rate_error * (at - known) for known, delay in recent)
            self._least.clear()
            return True
        if span < RATE_SPAN or abs(rate_error) > RATE_TOLERANCE / 2 or jumps:
            return False
        self._trusts_stamps = True
        # From now on stamps count again; the line goes on without a step.
        if self._stamp is not None and self._seconds is not None:
            self._shift = self._seconds - self._stamp
        self._least.clear()
        self._least.append((at, self._offset))
        return True

    def _rate_error(self) -> tuple[float, float]:
        """Return the seconds over which delays are known, and how much they grow a second over that time."""
        if len(self._least) < 3:
            return 0.0, 0.0
        third = len(self._least) // 3
        known = list(self._least)
        early, late = min(known[:third], key=_delay), min(known[-third:], key=_delay)
        return known[-1][0] - known[0][0], (late[1] - early[1]) / max(BUCKET_SECONDS, late[0] - early[0])


def _delay(known: tuple[float, float]) -> float:
    return known[1]
