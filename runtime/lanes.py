"""Threads with a bounded queue each, for slow work that must not hold up others; one key's work keeps its order."""

import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import structlog

Work = TypeVar("Work")

#: Entries waiting in one lane; 32 frames of 1080p have some 200 MB.
LANE_LENGTH: Final = 32

log = structlog.get_logger(__name__)


class Lane(Generic[Work]):
    """One thread with a bounded queue: when it is full the oldest waiting entry is dropped and told of."""

    def __init__(
        self,
        name: str,
        work: Callable[[Work], None],
        dropped: Callable[[Work], None],
        length: int = LANE_LENGTH,
        *,
        failed: Callable[[Work], None] | None = None,
    ) -> None:
        """Start the thread.

        Args:
            name: Of the thread.
            work: Does one piece of work.
            dropped: Is told of work that was not begun: there was no room, or no time at the end.
            length: Pieces of work that may wait.
            failed: Is told of work that raised; None: `dropped` is.
        """
        self._work = work
        self._dropped = dropped
        self._failed = failed or dropped
        self._length = length
        self._queue: deque[Work] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: Work) -> None:
        """Leave work; never blocks. Once the lane is being closed it is dropped."""
        pushed_out = None
        with self._changed:
            if self._closing:
                pushed_out = item
            else:
                if len(self._queue) >= self._length:
                    pushed_out = self._queue.popleft()
                self._queue.append(item)
                self._changed.notify()
        if pushed_out is not None:
            self._dropped(pushed_out)

    def begin_close(self) -> None:
        """Take no more work; what waits is still done."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def close(self, timeout_seconds: float) -> int:
        """Finish what waits, for at most `timeout_seconds`; drop what is left then, and return how much that was.

        The one that is worked on at that moment is counted too, though it may yet be finished.
        """
        self.begin_close()
        self._thread.join(timeout_seconds)
        with self._changed:
            left = list(self._queue)
            self._queue.clear()
        for item in left:
            self._dropped(item)
        return len(left) + self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if not self._queue:
                    return
                item = self._queue.popleft()
            try:
                self._work(item)
            except Exception:  # the outermost loop of this thread: one bad frame must not end it
                log.exception("work_failed", lane=self._thread.name)
                self._failed(item)


class Lanes(Generic[Work]):
    """Several lanes; all work of one key goes to the same one, in order."""

    def __init__(
        self,
        count: int,
        name: str,
        work: Callable[[Work], None],
        dropped: Callable[[Work], None],
        *,
        failed: Callable[[Work], None] | None = None,
    ) -> None:
        """Start `count` threads; the rest as for `Lane`."""
        self._lanes = [Lane(f"{name}-{index}", work, dropped, failed=failed) for index in range(count)]

    def put(self, key: str, item: Work) -> None:
        """Leave work of one key (for example a camera id); never blocks."""
        self._lanes[zlib.crc32(key.encode()) % len(self._lanes)].put(item)

    def close(self, timeout_seconds: float) -> int:
        """Finish what waits, all lanes together for at most `timeout_seconds`; return how much was left undone."""
        for lane in self._lanes:
            lane.begin_close()
        deadline = time.monotonic() + timeout_seconds
        return sum(lane.close(max(0.0, deadline - time.monotonic())) for lane in self._lanes)
