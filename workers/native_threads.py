"""CPU time of threads that Python has not started: those of the detector's runtime.

Linux has a clock for each thread of a process, and anybody in the process may read it by the thread's number: the
clock's id is made of it as in the kernel's `include/linux/posix-timers.h` (``~tid << 3 | PERTHREAD | SCHED``).
"""

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

    def __init__(self) -> None:
        self._threads: list[int] = []
        self._list_until = float("-inf")
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
        self._known = {thread: spent for thread, spent in self._known.items() if thread in self._threads}
        self._list_until = time.monotonic() + _LIST_SECONDS
