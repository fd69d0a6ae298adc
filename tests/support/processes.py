"""Looks at real processes: does one run, wait until something is so."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def is_running(pid: int) -> bool:
    """Tell whether a process has this id and is not a zombie."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Return as soon as `condition` holds; fail naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.05)


def processes_below(folder: Path) -> list[str]:
    """Return the command lines of running processes that name `folder`."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(folder) in line and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(line)
    return found
