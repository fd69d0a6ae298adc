"""How much of this machine's CPU the process may use."""

import math
import os
from pathlib import Path
from typing import Final

CGROUP_LIMIT: Final = Path("/sys/fs/cgroup/cpu.max")


def usable_cpus(limit_file: Path = CGROUP_LIMIT) -> int:
    """Return the CPUs this process may use, at least 1.

    A container with ``--cpus=2`` on a large machine sees every core; threads beyond its share only throttle it.

    Args:
        limit_file: cgroup v2 ``cpu.max``: microseconds of CPU in each period, or ``max``, and the period.
    """
    try:
        cpus = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        cpus = os.cpu_count() or 1
    try:
        quota, period = limit_file.read_text().split()
        share = cpus if quota == "max" else math.ceil(int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        share = cpus
    return max(1, min(cpus, share))
