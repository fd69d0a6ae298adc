"""What the threads of a worker leave for the one that writes to Redis: bounded, in order, never blocking."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contract.detections import AnalysisResult
from contract.events import Event
from workers.camera_run import CameraRun

#: Records waiting for the publisher, without pictures: more than all cameras of a worker make while Redis does not
#: answer and the first time-out runs. After it they go to disk.
OUTBOX_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True)
class Waiting:
    """One record that is to be published."""

    run: CameraRun
    record: AnalysisResult | Event
    #: Of a result: monotonic seconds when its frame arrived.
    captured_monotonic: float = 0.0
    #: Monotonic seconds when it was left for the publisher.
    left_at: float = 0.0


class Outbox:
    """A queue with one reader. When it is full the oldest record is pushed out."""

    def __init__(self, length: int = OUTBOX_LENGTH) -> None:
        self._length = length
        self._changed = threading.Condition()
        self._waiting: deque[Waiting] = deque()
        self._closing = False

    def put(self, item: Waiting) -> Waiting | None:
        """Leave a record; return the one that is lost for it: the oldest, or this one once it is being closed."""
        with self._changed:
            if self._closing:
                return item
            pushed_out = self._waiting.popleft() if len(self._waiting) >= self._length else None
            self._waiting.append(item)
            self._changed.notify()
            return pushed_out

    def take(self, limit: int, seconds: float) -> list[Waiting]:
        """Wait at most `seconds` for records and return at most `limit` of them, in order."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing, seconds)
            return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def put_back(self, items: Sequence[Waiting]) -> None:
        """Give back records that were taken and not dealt with, in front of what waits."""
        with self._changed:
            self._waiting.extendleft(reversed(items))
            self._changed.notify()

    def close(self) -> None:
        """Take no more; what waits can still be taken."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    @property
    def finished(self) -> bool:
        """Whether it is closed and empty."""
        with self._changed:
            return self._closing and not self._waiting

    def __len__(self) -> int:
        with self._changed:
            return len(self._waiting)
