"""Hands frames from many captures to one detector: one slot per camera, the newest frame wins."""

import threading
from collections import OrderedDict

from runtime.clock import Clock
from workers.frames import Frame


class Mailbox:
    """Bounded by the number of cameras: a frame that was not taken in time makes room for a newer one.

    Cameras are served in the order in which they have waited, so that a quick camera cannot starve a slow one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, Frame] = OrderedDict()
        self._closed = False

    def put(self, frame: Frame) -> Frame | None:
        """Leave a frame for the detector; return the older one that it pushed out, if any. Never blocks."""
        with self._changed:
            pushed_out = self._waiting.get(frame.camera_id)
            # Keeps the place in the queue: a camera that sends often does not go to the end each time.
            self._waiting[frame.camera_id] = frame
            self._changed.notify()
            return pushed_out

    def discard(self, camera_id: str) -> Frame | None:
        """Forget what waits of a camera that this worker gave up; return it."""
        with self._changed:
            return self._waiting.pop(camera_id, None)

    def take(self, limit: int, gather_seconds: float) -> list[Frame]:
        """Wait for frames and return at most `limit`, longest waiting first; empty once closed and emptied.

        Args:
            limit: Frames in one batch.
            gather_seconds: How long to wait for more after the first one is there.
        """
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                deadline = self._clock.monotonic() + gather_seconds
                while len(self._waiting) < limit and not self._closed:
                    left = deadline - self._clock.monotonic()
                    if left <= 0 or not self._changed.wait(left):
                        break
                # All that waited may have been discarded meanwhile, and an empty batch says that nothing will come.
                if self._waiting or self._closed:
                    break
            count = min(limit, len(self._waiting))
            return [self._waiting.popitem(last=False)[1] for _ in range(count)]

    def close(self) -> None:
        """Wake whoever waits, for the last time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
