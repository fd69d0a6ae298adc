"""Hands frames from many captures to one detector: a slot per camera, the newest frame wins, all are served fairly."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from runtime.clock import Clock
from workers.due_frame import DueFrame
from workers.frames import Wanted

#: Share of a round's time that is left when the next one is begun: enough to make it ready.
AHEAD: Final = 0.35
#: Weight of the newest round in the mean of their times.
SMOOTHING: Final = 0.2


class Round(Protocol):
    """What one call of the detector holds."""

    def takes(self, width: int, height: int, wanted: Wanted) -> bool:
        """Tell whether one more frame fits in, and if so count it in; the first one always does."""
        ...


class Place(Enum):
    """What became of a frame that was put into the mailbox."""

    #: It waits for the detector.
    WAITS = auto()
    #: Nothing of it is to be looked at, and no older frame of its camera is on its way: it needs no detector.
    PASSES = auto()


@dataclass(slots=True)
class _Waiting:
    due: DueFrame
    #: Virtual time at which it is to be served.
    start: float


class Mailbox:
    """Bounded by the number of cameras: a frame that was not taken in time makes room for a newer one.

    Who is served next, start-time fair queueing says: each camera's share is in proportion to the rate that it is to be
    analysed at, however many cannot be served, and whoever has been served less comes first. A frame of which nothing
    is to be looked at costs no share, and waits only behind an older one of its camera.

    Source:
        Goyal, Vin and Cheng, "Start-time Fair Queueing", IEEE/ACM Transactions on Networking 5(5), 1997.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: dict[str, _Waiting] = {}
        #: Cameras of which a frame was taken and is not done with.
        self._taken: set[str] = set()
        self._now = 0.0
        #: Camera id -> virtual time up to which it has had its share.
        self._served: dict[str, float] = {}
        self._closed = False
        #: Rounds that were taken and are not done with, and whether one is being filled.
        self._rounds_out = 0
        self._is_filling = False
        #: Monotonic seconds since when the oldest of them has had the detector, and how long a round has it, lately.
        self._busy_since = 0.0
        self._round_seconds = 0.0

    def is_idle(self, camera_id: str) -> bool:
        """Tell whether no frame of a camera waits, or is being looked at."""
        with self._changed:
            return camera_id not in self._waiting and camera_id not in self._taken

    def put(self, due: DueFrame) -> tuple[Place, DueFrame | None]:
        """Leave a frame for the detector; return its place, and the older one that it pushed out. Never blocks."""
        camera_id = due.frame.camera_id
        with self._changed:
            before = self._waiting.get(camera_id)
            if before is None and camera_id not in self._taken and due.wanted.is_nothing:
                return Place.PASSES, None
            if before is not None:
                before.due, pushed_out = due, before.due
                return Place.WAITS, pushed_out
            self._waiting[camera_id] = _Waiting(due, max(self._now, self._served.get(camera_id, 0.0)))
            self._changed.notify_all()
            return Place.WAITS, None

    def discard(self, camera_id: str) -> DueFrame | None:
        """Forget what waits of a camera that this worker gave up; return it."""
        with self._changed:
            self._served.pop(camera_id, None)
            waiting = self._waiting.pop(camera_id, None)
            return None if waiting is None else waiting.due

    def take(self, new_round: Callable[[], Round], gather_seconds: float) -> list[DueFrame]:
        """Wait for frames and return as many as one round holds; empty once closed and emptied.

        Several threads may take rounds, of which one at a time is filled. While another one is on its way there is
        time to fill the next: it is begun shortly before that one will be done, for frames that are taken earlier are
        older when they are looked at, and goes when it is full, or the other one done.

        Args:
            new_round: Makes what is filled.
            gather_seconds: How long to wait for more while there is room, after the first one is there and nothing is
                on its way.
        """
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._is_ready() or (self._closed and not self._waiting))
                self._is_filling = True
                try:
                    chosen = self._filled(new_round(), gather_seconds)
                finally:
                    self._is_filling = False
                    self._changed.notify_all()
                if chosen:
                    self._busy_since = self._busy_since if self._rounds_out else self._clock.monotonic()
                    self._rounds_out += 1
                # All that waited may have been discarded meanwhile, and an empty list says that nothing will come.
                if chosen or (self._closed and not self._waiting):
                    return chosen

    def _filled(self, current: Round, gather_seconds: float) -> list[DueFrame]:
        chosen: list[DueFrame] = []
        if self._rounds_out:
            begin_at = self._busy_since + self._round_seconds * (1 - AHEAD)
            wait_seconds = max(0.0, begin_at - self._clock.monotonic())
            self._changed.wait_for(lambda: self._closed or not self._rounds_out, wait_seconds)
        deadline = self._clock.monotonic() + gather_seconds
        while self._choose(current, chosen) and not self._closed:
            left = deadline - self._clock.monotonic()
            if self._rounds_out:
                self._changed.wait()
            elif left <= 0 or not self._changed.wait(left):
                break
        return chosen

    def _is_ready(self) -> bool:
        return not self._is_filling and any(camera_id not in self._taken for camera_id in self._waiting)

    def _choose(self, current: Round, chosen: list[DueFrame]) -> bool:
        """Move what fits from the waiting frames to the chosen ones; False: it is full, or need not wait for more."""
        for camera_id, waiting in sorted(self._waiting.items(), key=lambda item: item[1].start):
            if camera_id in self._taken:
                continue
            frame, wanted = waiting.due.frame, waiting.due.wanted
            if not wanted.is_nothing:
                if not current.takes(frame.width, frame.height, wanted):
                    return False
                self._now = max(self._now, waiting.start)
                self._served[camera_id] = waiting.start + 1 / waiting.due.weight
            del self._waiting[camera_id]
            self._taken.add(camera_id)
            chosen.append(waiting.due)
        return any(not due.wanted.is_nothing for due in chosen)

    def done(self, dues: list[DueFrame]) -> None:
        """Say that the frames of a round have been handed on, or dropped."""
        with self._changed:
            self._taken.difference_update(due.frame.camera_id for due in dues)
            if dues:
                self._rounds_out -= 1
                now = self._clock.monotonic()
                took, self._busy_since = now - self._busy_since, now
                self._round_seconds += SMOOTHING * (took - self._round_seconds)
            self._changed.notify_all()

    def close(self) -> None:
        """Wake whoever waits, for the last time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
