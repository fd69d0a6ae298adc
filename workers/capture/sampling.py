"""Which frames of a stream are looked at, and so which must be decoded. Pure: time is passed in.

A keyframe decodes alone, so a stream whose keyframes come often enough costs one decoded frame per analysed one.
Rates are measured from what arrives: cameras declare 25 fps and send 10.
"""

from collections import deque
from enum import StrEnum
from typing import Final

#: Keyframes count as often enough up to this multiple of the sampling interval, ...
ENTER_TOLERANCE: Final = 1.1
#: ... and as too rare beyond this one; the gap keeps a camera near the limit from changing to and fro.
LEAVE_TOLERANCE: Final = 1.25
#: Seconds a keyframe may be late beyond that before all frames are decoded again.
LATE_SECONDS: Final = 0.5
#: Keyframe intervals that must agree before only keyframes are decoded.
AGREEING_INTERVALS: Final = 2
#: Share by which they may differ where decoding rests until the next one.
REGULAR_TOLERANCE: Final = 0.1
#: Share of the sampling interval by which a keyframe may be early for its slot and is taken all the same: slots that
#: lie on keyframes leave most to skip.
EARLY_KEYFRAME: Final = 0.25
#: Longest rest of a capture between two looks at its socket, and how early a keyframe may come.
REST_SECONDS: Final = 0.2
#: Bytes that may gather in a socket meanwhile: any system takes so many, and no camera has to wait with the next ones.
REST_BYTES: Final = 65_536
KEYFRAME_EARLY_SECONDS: Final = 0.1
#: Longest believable time between keyframes; more is a jump of the stream's clock.
LONGEST_INTERVAL_SECONDS: Final = 60.0
#: Frames that no other frame needs are left out where there are this many frames for each analysed one.
SPARE_FRAMES: Final = 4
#: Seconds over which the frame rate is measured.
RATE_WINDOW_SECONDS: Final = 5.0
#: Arrivals remembered for that: 5 s of 100 frames per second.
_RATE_MEMORY: Final = 512


class DecodeMode(StrEnum):
    """Which packets are given to the decoder."""

    ALL = "all"
    KEYFRAMES = "keyframes"


class RateMeter:
    """Arrivals per second over the last seconds."""

    def __init__(self) -> None:
        self._arrivals: deque[float] = deque(maxlen=_RATE_MEMORY)

    def add(self, at: float) -> None:
        """Take note of an arrival at `at` (monotonic seconds)."""
        self._arrivals.append(at)
        while self._arrivals[0] < at - RATE_WINDOW_SECONDS:
            self._arrivals.popleft()

    def per_second(self) -> float:
        """Return the rate; 0 while fewer than two arrivals are known."""
        if len(self._arrivals) < 2:
            return 0.0
        span = self._arrivals[-1] - self._arrivals[0]
        return (len(self._arrivals) - 1) / span if span > 0 else 0.0


class DueSlots:
    """One slot per sampling interval. A slot that nothing came for is lost, never made up for in a burst."""

    def __init__(self, interval_seconds: float) -> None:
        self._interval = interval_seconds
        self._next_due: float | None = None

    @property
    def interval_seconds(self) -> float:
        """Seconds between two slots."""
        return self._interval

    def change_interval(self, interval_seconds: float, at: float) -> None:
        """Change the rate; the next slot comes no later than one new interval from `at`."""
        self._interval = interval_seconds
        if self._next_due is not None:
            self._next_due = min(self._next_due, at + interval_seconds)

    def restart(self) -> None:
        """Make the next frame due at once, as after opening a stream."""
        self._next_due = None

    def is_due(self, at: float, spacing_seconds: float = 0.0) -> bool:
        """Tell whether a frame at `at` is the nearest to the next slot, where one comes every `spacing_seconds`."""
        if self._next_due is None:
            return True
        return at >= self._next_due - min(self._interval, spacing_seconds) / 2

    def seconds_until_due(self, at: float) -> float:
        """Return how long after `at` the next slot is; 0 if it is there."""
        return 0.0 if self._next_due is None else max(0.0, self._next_due - at)

    def is_due_by(self, at: float) -> bool:
        """Tell whether the next slot comes before `at`."""
        return self._next_due is None or self._next_due < at

    def taken(self, at: float) -> None:
        """Use up the slot for a frame at `at`."""
        if self._next_due is None or at >= self._next_due + self._interval:
            self._next_due = at + self._interval
        else:
            self._next_due += self._interval


class Sampler:
    """Chooses the decode mode from the keyframes seen, and the frames that are due."""

    def __init__(self, interval_seconds: float) -> None:
        self.slots = DueSlots(interval_seconds)
        self._forget()

    def _forget(self) -> None:
        self.frames = RateMeter()
        self.mode = DecodeMode.ALL
        self._trusts_keyframes = True
        self._intervals: deque[float] = deque(maxlen=AGREEING_INTERVALS)
        #: Bytes since the last keyframe, and a second of the GOP before.
        self._bytes = 0
        self._bytes_per_second = 0.0
        self._keyframe_at: float | None = None
        self._keyframe_media_seconds: float | None = None

    def restart(self) -> None:
        """Forget the stream: another one, or the same opened again, is coming, and its first frame is due at once."""
        self.slots.restart()
        self._forget()

    def distrust_keyframes(self) -> None:
        """Have all frames decoded until `restart`: this stream's keyframes do not give a picture alone."""
        self._trusts_keyframes = False
        self.mode = DecodeMode.ALL

    def change_interval(self, interval_seconds: float, at: float) -> None:
        """Sample at another rate from now on."""
        if interval_seconds == self.slots.interval_seconds:
            return
        self.slots.change_interval(interval_seconds, at)
        if self._intervals and max(self._intervals) > LEAVE_TOLERANCE * interval_seconds:
            self.mode = DecodeMode.ALL

    def saw_packet(self, *, is_keyframe: bool, at: float, media_seconds: float | None, size: int = 0) -> None:
        """Take note of a packet.

        Args:
            is_keyframe: Whether it decodes alone.
            at: Monotonic seconds of its arrival.
            media_seconds: Its time by the stream's own clock, None where it has none. Packets arrive in bursts, so
                this tells the distance of keyframes better; where it jumps, arrival decides.
            size: In bytes.
        """
        self.frames.add(at)
        self._bytes += size
        if is_keyframe:
            self._saw_keyframe(at, media_seconds)
        elif self._keyframe_at is not None and self.mode is DecodeMode.KEYFRAMES:
            allowed = LEAVE_TOLERANCE * max(self.slots.interval_seconds, *self._intervals) + LATE_SECONDS
            if at - self._keyframe_at > allowed:
                self._intervals.clear()
                self.mode = DecodeMode.ALL

    def _saw_keyframe(self, at: float, media_seconds: float | None) -> None:
        if self._keyframe_at is not None:
            interval = at - self._keyframe_at
            if interval > 0:
                self._bytes_per_second = self._bytes / interval
            self._bytes = 0
            if media_seconds is not None and self._keyframe_media_seconds is not None:
                by_media = media_seconds - self._keyframe_media_seconds
                interval = by_media if 0 < by_media <= LONGEST_INTERVAL_SECONDS else interval
            self._intervals.append(interval)
        self._keyframe_at, self._keyframe_media_seconds = at, media_seconds
        self._choose_mode()

    def _choose_mode(self) -> None:
        if not self._intervals or not self._trusts_keyframes:
            return
        if max(self._intervals) > LEAVE_TOLERANCE * self.slots.interval_seconds:
            self.mode = DecodeMode.ALL
        elif (
            len(self._intervals) == AGREEING_INTERVALS
            and max(self._intervals) <= ENTER_TOLERANCE * self.slots.interval_seconds
        ):
            self.mode = DecodeMode.KEYFRAMES

    def is_due(self, at: float, *, is_keyframe: bool = False) -> bool:
        """Tell whether a frame that arrived at `at` shall be analysed; `is_keyframe`: where all are decoded."""
        if self.mode is DecodeMode.KEYFRAMES:
            return self.slots.is_due(at, min(self._intervals))
        rate = self.frames.per_second()
        spacing = 1 / rate if rate else 0.0
        if is_keyframe and self._is_regular():
            spacing = max(spacing, 2 * EARLY_KEYFRAME * self.slots.interval_seconds)
        return self.slots.is_due(at, spacing)

    def _is_regular(self) -> bool:
        known = self._intervals
        return (
            self._trusts_keyframes
            and len(known) == AGREEING_INTERVALS
            and max(known) <= (1 + REGULAR_TOLERANCE) * min(known)
        )

    @property
    def bytes_per_frame(self) -> float:
        """Mean size of the frames of the last GOP; 0 while none is known."""
        rate = self.frames.per_second()
        return self._bytes_per_second / rate if rate else 0.0

    def seconds_to_rest(self, at: float) -> float:
        """Return how long after `at` packets may lie unread, because only keyframes are looked at and none is due.

        To be woken for each of thousands of packets a second costs more than to read them: they are as well read a few
        at a time. 0: the next one may be a keyframe.
        """
        if self.mode is not DecodeMode.KEYFRAMES or self._keyframe_at is None:
            return 0.0
        longest = min(REST_SECONDS, REST_BYTES / max(self._bytes_per_second, 1.0))
        return max(0.0, min(longest, self._keyframe_at + min(self._intervals) - KEYFRAME_EARLY_SECONDS - at))

    def rests_until(self, at: float) -> float | None:
        """Return when the next keyframe is due, if nothing that arrives after `at` and before it is needed.

        None: what comes next must be decoded. Where all frames are decoded for want of keyframes, those between the
        last slot before a keyframe and that keyframe serve nobody.
        """
        if self.mode is DecodeMode.KEYFRAMES or self._keyframe_at is None or not self._is_regular():
            return None
        next_keyframe = self._keyframe_at + min(self._intervals)
        early = EARLY_KEYFRAME * self.slots.interval_seconds
        if next_keyframe <= at or self.slots.is_due_by(next_keyframe - early):
            return None
        return next_keyframe

    def keyframe_is_late(self) -> None:
        """Trust no regularity of keyframes until they have shown it anew."""
        self._intervals.clear()

    def may_skip_unreferenced(self) -> bool:
        """Tell whether frames that no other frame needs can be left out without missing slots."""
        return self.frames.per_second() * self.slots.interval_seconds >= SPARE_FRAMES
