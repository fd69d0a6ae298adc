"""The machine a benchmark ran on, and what processes used of it, seen from outside."""

import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes have used."""

    cpu_seconds: float = 0.0
    #: Memory of their own plus their share of what they share (PSS), where the system tells; else resident memory.
    memory_bytes: int = 0

    def cores_since(self, before: "Usage", seconds: float) -> float:
        """Return the CPU-seconds a second since `before`."""
        return (self.cpu_seconds - before.cpu_seconds) / seconds


def usage_of(pids: Iterable[int], *, memory: bool = True) -> Usage:
    """Return what these processes and those that they started use; one that is gone counts as nothing."""
    cpu, size = 0.0, 0
    for process in _with_children(pids):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            cpu += times.user + times.system
            size += _memory_bytes(process) if memory else 0
    return Usage(cpu, size)


def _with_children(pids: Iterable[int]) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            found |= {one.pid: one for one in (process, *process.children(recursive=True))}
    return list(found.values())


def _memory_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (AttributeError, psutil.AccessDenied):
        return int(process.memory_info().rss)


def use_cores(count: int) -> None:
    """Keep this process, and all that it starts from now on, on the first `count` of its cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def described() -> dict[str, Any]:
    """Return the machine, the day and its load, for JSON."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "amx": "amx_tile" in _cpu_info(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "load_average": [round(one, 2) for one in os.getloadavg()],
    }


def _cpu_info() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""


def _cpu_name() -> str:
    names = [line.split(":", 1)[1].strip() for line in _cpu_info().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()
