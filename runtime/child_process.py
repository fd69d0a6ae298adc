"""One child process: its start in a process group of its own, its output, its end."""

import collections
import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from contract.errors import FarmError
from runtime import exit_codes

#: A log file is renamed to `<name>.log.1` at this size; one such old file is kept.
LOG_MAX_BYTES: Final = 5_000_000
#: Last lines of a child that an error shows.
TAIL_LINES: Final = 15
#: Longer lines are cut, so that a child that never ends its line cannot fill our memory.
_MAX_LINE_BYTES: Final = 16_384
_KILL_TIMEOUT_SECONDS: Final = 5.0
_DIE_WITH_PARENT: Final = Path(__file__).with_name("die_with_parent.py")

#: Takes the child's name and one line that it wrote, without the line's end.
Echo = Callable[[str, str], None]


@dataclass(frozen=True)
class Child:
    """A process to be kept running."""

    #: Unique in its group; names the log file.
    name: str
    argv: Sequence[str]
    #: Added to this process's environment.
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    #: Given the process id, tells whether it does its work; asked again and again, should answer at once.
    ready: Callable[[int], bool] | None = None
    #: Ready only when it has written a line in which this is found (a regular expression).
    ready_line: str | None = None
    ready_timeout_seconds: float = 30.0
    #: Time to end by itself after SIGTERM, before its whole process group gets SIGKILL.
    stop_grace_seconds: float = 10.0
    #: Start it again when it ends; otherwise its end ends the group.
    restart: bool = True
    #: Exit codes that say that starting again will not help; believed only while it has never worked.
    hopeless_codes: frozenset[int] = frozenset({exit_codes.UNUSABLE})


class ChildFailedError(FarmError):
    """A child did not come up, or keeps ending; the text has the last lines it wrote."""

    def __init__(self, name: str, what: str, tail: Sequence[str], log_path: Path | None) -> None:
        lines = "".join(f"\n  | {line}" for line in tail)
        where = f" (more in {log_path})" if log_path else ""
        super().__init__(f"{name} {what}{where}{lines}")


def exit_text(code: int) -> str:
    """Return how a process ended, for people."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


class ChildProcess:
    """A running child. Made and stopped only by the main thread: on Linux it dies with the thread that made it."""

    def __init__(self, child: Child, *, log_dir: Path | None, echo: Echo | None) -> None:
        """Start `child`; without `log_dir` and `echo` it writes where this process writes.

        Raises:
            ChildFailedError: The program cannot be started.
        """
        self.child = child
        self.started_at = time.monotonic()
        self.log_path = log_dir / f"{child.name}.log" if log_dir else None
        self._tail: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)
        self._line_seen = threading.Event()
        self._pump: threading.Thread | None = None
        captured = log_dir is not None or echo is not None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), *child.argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if captured else None,
                stderr=subprocess.STDOUT if captured else None,
                env={**os.environ, **(child.env or {})},
                cwd=child.cwd,
                process_group=0,  # a Ctrl-C at the terminal reaches only us, and we stop it in its turn
            )
        except OSError as error:
            raise ChildFailedError(child.name, f"cannot be started: {error}", [], None) from error
        if captured:
            self._pump = threading.Thread(target=self._copy_output, args=(echo,), name=f"log-{child.name}", daemon=True)
            self._pump.start()

    @property
    def pid(self) -> int:
        """Its process id, which is also the id of its process group."""
        return self._process.pid

    @property
    def age_seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self.started_at

    def exit_code(self) -> int | None:
        """Return its exit code (minus the signal that killed it), or None while it runs."""
        return self._process.poll()

    def is_ready(self) -> bool:
        """Tell whether it does its work, as far as `Child` says how to know."""
        if self.child.ready_line is not None and not self._line_seen.is_set():
            return False
        return self.child.ready is None or self.child.ready(self.pid)

    def failure(self, what: str) -> ChildFailedError:
        """Return an error that says `what` and shows its last lines."""
        if self._pump is not None and self.exit_code() is not None:
            self._pump.join(1.0)
        return ChildFailedError(self.child.name, what, list(self._tail), self.log_path)

    def ask_to_stop(self) -> None:
        """Send it SIGTERM."""
        if self.exit_code() is None:
            self._process.terminate()

    def kill_group(self) -> None:
        """Kill it and everything in its process group, also what it left behind when it ended."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        except PermissionError:  # macOS says this of a group that has only zombies
            return
        finally:
            # Bounded: a process that hangs inside the kernel cannot be waited for.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_KILL_TIMEOUT_SECONDS)
            if self._pump is not None:
                self._pump.join(1.0)

    def _copy_output(self, echo: Echo | None) -> None:
        assert self._process.stdout is not None
        log = _log_file(self.log_path)
        pattern = re.compile(self.child.ready_line) if self.child.ready_line is not None else None
        try:
            while raw := self._process.stdout.readline(_MAX_LINE_BYTES):
                line = raw.decode(errors="replace").rstrip()
                self._tail.append(line)
                if log is not None:
                    log.emit(logging.makeLogRecord({"msg": line}))
                if echo is not None:
                    echo(self.child.name, line)
                if pattern is not None and pattern.search(line):
                    self._line_seen.set()
        finally:
            self._process.stdout.close()
            if log is not None:
                log.close()


def _log_file(path: Path | None) -> RotatingFileHandler | None:
    if path is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return RotatingFileHandler(path, maxBytes=LOG_MAX_BYTES, backupCount=1, encoding="utf-8")
