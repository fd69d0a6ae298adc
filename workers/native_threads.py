"""CPU time, and place in the queue for CPUs, of threads that Python has not started: those of the detector's runtime.

Linux has a clock for each thread of a process, and anybody in the process may read it by the thread's number: the
clock's id is made of it as in the kernel's `include/linux/posix-timers.h` (``~tid << 3 | PERTHREAD | SCHED``).
"""

import contextlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

#: Has a folder for each thread of this process.
_TASKS: Final = Path("/proc/self/task")
#: Bits of a clock's id: of one thread, and by the scheduler's account.
_OF_THREAD: Final = 4 | 2
#: Seconds for which the list of threads is believed: a runtime starts its own once.
_LIST_SECONDS: Final = 5.0


class NativeThreads:
    """Sums their CPU time. For one thread alone."""

    def __init__(self, niceness: int | None = None) -> None:
        """Begin to count.

        Args:
            niceness: Given to every such thread, so that others of the process come first: a capture that is late
                loses its slot, a detector that is late looks at a newer frame. None: they stay as they are.
        """
        self._niceness = niceness
        self._threads: list[int] = []
        self._list_until = float("-inf")
        #: Those that were here when they were listed last, and those whose niceness was set.
        self._seen: set[int] = set()
        self._nice: set[int] = set()
        #: Thread -> its CPU-seconds when it was looked at last.
        self._known: dict[int, float] = {}
        self._sum = 0.0

    def cpu_seconds(self) -> float | None:
        """Return CPU-seconds since this was made; what a thread had spent when it was first seen is not in it.

        Some 0.3 µs for each such thread. None where the system has no such clocks (not Linux).
        """
        if sys.platform != "linux":
            return None
        if time.monotonic() >= self._list_until:
            self._list()
        for thread in self._threads:
            try:
                spent = time.clock_gettime(~thread << 3 | _OF_THREAD)
            except OSError:
                continue  # it has ended, and its last moments with it
            self._sum += max(0.0, spent - self._known.get(thread, spent))
            self._known[thread] = spent
        return self._sum

    def _list(self) -> None:
        own = {thread.native_id for thread in threading.enumerate()}
        self._threads = [number for number in (int(path.name) for path in _TASKS.iterdir()) if number not in own]
        self._step_back()
        self._known = {thread: spent for thread, spent in self._known.items() if thread in self._threads}
        self._list_until = time.monotonic() + _LIST_SECONDS

    def _step_back(self) -> None:
        """Give the niceness to threads that are here for the second time: one that Python starts right now is not."""
        seen = set(self._threads)
        for thread in (seen & self._seen) - self._nice if self._niceness is not None else ():
            with contextlib.suppress(OSError):  # it has ended, or the system does not let us
                os.setpriority(os.PRIO_PROCESS, thread, self._niceness or 0)
            self._nice.add(thread)
        self._seen, self._nice = seen, self._nice & seen
