"""How much CPU this process uses, and how much its host does: a worker may be slow because others are busy."""

import os
import resource
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workers.costs import Rate

#: Of the first line of this file; times since the machine was started, in ticks.
_STAT: Final = Path("/proc/stat")
#: Where in that line are what is no use of a core: idle and waiting for disks. Guests are counted in user time.
_IDLE: Final = (3, 4)
_COUNTED: Final = 8


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU-seconds a second, over the last seconds; None until measured, or where the system does not say."""

    own_cores: float | None
    host_busy_cores: float | None


class ProcessUsage:
    """Measures whenever it is asked. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own, self._host = Rate(), Rate()

    def look(self, at: float) -> Usage:
        """Return what is used at a moment, in monotonic seconds; to be asked about once a second."""
        with self._lock:
            self._own.add(at, own_cpu_seconds())
            busy = host_busy_seconds()
            if busy is not None:
                self._host.add(at, busy)
            return Usage(self._own.value, self._host.value)


def own_cpu_seconds() -> float:
    """Return CPU-seconds of this process since it began, all its threads together."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def host_busy_seconds() -> float | None:
    """Return CPU-seconds that were used on this host, by whomever; None where that is not told (not Linux)."""
    try:
        with _STAT.open() as file:
            return busy_seconds(file.readline(), os.sysconf("SC_CLK_TCK"))
    except OSError:
        return None


def busy_seconds(line: str, ticks_per_second: int) -> float | None:
    """Return the busy CPU-seconds of the first line of ``/proc/stat``, what a hypervisor took included; see proc(5)."""
    label, *fields = line.split() or [""]
    if label != "cpu" or len(fields) < _COUNTED or not all(field.isdigit() for field in fields):
        return None
    busy = sum(int(field) for number, field in enumerate(fields[:_COUNTED]) if number not in _IDLE)
    return busy / ticks_per_second if busy else None
