"""Keeps a group of child processes running: starts them in order, restarts them, stops them in reverse order."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from contract.errors import FarmError
from runtime import exit_codes
from runtime.child_process import Child, ChildFailedError, ChildProcess, Echo, exit_text
from runtime.shutdown import Shutdown

__all__ = ["Child", "ChildFailedError", "ProcessGroup", "StoppedWhileStartingError", "restart_delay"]

_POLL_SECONDS: Final = 0.1
#: How often a child that is to come up is asked whether it has.
_READY_POLL_SECONDS: Final = 0.05
FIRST_RESTART_SECONDS: Final = 0.5
LONGEST_RESTART_SECONDS: Final = 30.0
#: A child that lived this long has worked: the next restart begins with the short pause again.
SETTLED_SECONDS: Final = 10.0
#: From this many early ends in a row on, the report shows the child's last lines.
_TELL_MORE_AFTER: Final = 3

log = structlog.get_logger(__name__)


class StoppedWhileStartingError(FarmError):
    """The group was asked to stop before all of it was up."""

    def __init__(self) -> None:
        super().__init__("stopped before everything was up")


def restart_delay(early_ends: int, share: float) -> float:
    """Return the pause before a restart, in seconds: exponential with full range jitter in its upper half.

    Args:
        early_ends: How many times in a row the child ended soon after its start; at least 1.
        share: In [0, 1), random, so that many children that failed together do not all come back together.
    """
    longest = min(LONGEST_RESTART_SECONDS, FIRST_RESTART_SECONDS * 2.0 ** min(early_ends - 1, 16))
    return longest * (0.5 + share / 2)


class _Keeper:
    """One child, over its restarts."""

    def __init__(self, process: ChildProcess) -> None:
        self.process: ChildProcess | None = process
        self.child: Final = process.child
        self.has_worked = False
        self.early_ends = 0
        self.restart_at = 0.0


class ProcessGroup:
    """Children that live and die together.

    Use it as a context manager, from the main thread: leaving the block stops every child, the last started first;
    children that were started by one call stop together. Nothing of them is left then.
    """

    def __init__(
        self,
        children: Sequence[Child] = (),
        *,
        log_dir: Path | None = None,
        echo: Echo | None = None,
        report: Callable[[str], None] | None = None,
        shutdown: Shutdown | None = None,
    ) -> None:
        """Prepare the group; nothing runs yet.

        Args:
            children: What `run` starts, one after the other.
            log_dir: Each child's output goes to `<name>.log` there, bounded in size.
            echo: Called with every line that a child writes, from a thread of its own, one line at a time.
            report: Called with a sentence when a child ended and is restarted; default: the log.
            shutdown: Ends the group; default: a new one that hears SIGTERM and SIGINT.
        """
        self._children = list(children)
        self._log_dir = log_dir
        self._echo = _one_at_a_time(echo) if echo is not None else None
        self._report = report or (lambda text: log.warning("child_ended", detail=text))
        self._shutdown = shutdown or _listening()
        self._batches: list[list[_Keeper]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def pids(self) -> dict[str, int]:
        """Return the process id of every child that runs, by name."""
        return {keeper.child.name: keeper.process.pid for keeper in self._keepers() if keeper.process is not None}

    def run(self) -> int:
        """Start all, keep them running until asked to stop, stop all; return an exit code.

        Raises:
            ChildFailedError: A child did not come up.
        """
        with self:
            try:
                for child in self._children:
                    self.start(child)
            except StoppedWhileStartingError:
                return exit_codes.DONE
            return self.supervise()

    def start(self, *children: Child) -> None:
        """Start `children` together and wait until all are ready; they are stopped together too.

        Raises: see `start_batches`.
        """
        self.start_batches(children)

    def start_batches(self, *batches: Sequence[Child]) -> None:
        """Start all batches together and wait until all are ready; the last batch is stopped first.

        Raises:
            ChildFailedError: One of them ended, or was not ready in time.
            StoppedWhileStartingError: SIGTERM or SIGINT came meanwhile.
        """
        started: list[_Keeper] = []
        for children in batches:
            batch: list[_Keeper] = []
            self._batches.append(batch)
            for child in children:
                batch.append(_Keeper(self._spawn(child)))
                started.append(batch[-1])
        waiting = list(started)
        while waiting:
            waiting = [keeper for keeper in waiting if not self._came_up(keeper)]
            self._look_after(set(map(id, started)))
            if self._shutdown.wait(_READY_POLL_SECONDS if waiting else 0):
                raise StoppedWhileStartingError

    def wait_for(self, fact: Callable[[], bool], seconds: float) -> bool:
        """Wait until `fact` holds, for at most `seconds`, and look after the children meanwhile.

        Returns:
            Whether it holds.

        Raises:
            StoppedWhileStartingError: SIGTERM or SIGINT came meanwhile.
            ChildFailedError: As `supervise`.
        """
        deadline = time.monotonic() + seconds
        while not fact():
            self._look_after()
            if self._shutdown.wait(_POLL_SECONDS):
                raise StoppedWhileStartingError
            if time.monotonic() > deadline:
                return False
        return True

    def supervise(self) -> int:
        """Restart what ends until asked to stop, or until a child that must not be restarted has ended.

        Returns:
            An exit code: 0 when asked to stop, else that of the child that ended.

        Raises:
            ChildFailedError: A child that has never worked says that starting it again will not help.
        """
        while not self._shutdown.wait(_POLL_SECONDS):
            code = self._look_after()
            if code is not None:
                return code
        return exit_codes.DONE

    def close(self) -> None:
        """Stop all that still runs, in reverse order; a second signal, or one that came, kills what is left."""
        while self._batches:
            _stop_together([keeper.process for keeper in self._batches[-1] if keeper.process], self._shutdown)
            self._batches.pop()

    # --- inner workings ------------------------------------------------------------------------------------------

    def _keepers(self) -> list[_Keeper]:
        return [keeper for batch in self._batches for keeper in batch]

    def _spawn(self, child: Child) -> ChildProcess:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started by the main thread only: they die with the thread that did")
        return ChildProcess(child, log_dir=self._log_dir, echo=self._echo)

    def _came_up(self, keeper: _Keeper) -> bool:
        process = keeper.process
        assert process is not None
        code = process.exit_code()
        if code is not None and (keeper.child.restart or code != exit_codes.DONE):
            raise process.failure(exit_text(code))
        if code is None and not process.is_ready():
            if process.age_seconds > keeper.child.ready_timeout_seconds:
                raise process.failure(f"was not ready after {keeper.child.ready_timeout_seconds:.0f} s")
            return False
        # Without a sign of readiness only time shows whether it works.
        keeper.has_worked = keeper.child.ready is not None or keeper.child.ready_line is not None
        return True

    def _look_after(self, starting: set[int] | None = None) -> int | None:
        """Restart what has ended, other than the children `starting`; return an exit code that ends the group."""
        for keeper in self._keepers():
            if starting and id(keeper) in starting:
                continue
            if keeper.process is None:
                if time.monotonic() >= keeper.restart_at:
                    keeper.process = self._spawn(keeper.child)
                continue
            code = keeper.process.exit_code()
            if code is None:
                if keeper.process.age_seconds > SETTLED_SECONDS:
                    keeper.has_worked, keeper.early_ends = True, 0
            elif not keeper.child.restart:
                return code
            else:
                self._plan_restart(keeper, keeper.process, code)
        return None

    def _plan_restart(self, keeper: _Keeper, process: ChildProcess, code: int) -> None:
        process.kill_group()  # what it left behind would be in the way of the next one
        if code in keeper.child.hopeless_codes and not keeper.has_worked:
            raise process.failure(exit_text(code))
        keeper.early_ends = 1 if process.age_seconds > SETTLED_SECONDS else keeper.early_ends + 1
        delay = restart_delay(keeper.early_ends, random.random())  # noqa: S311 - spreads restarts, guards nothing
        keeper.process, keeper.restart_at = None, time.monotonic() + delay
        what = f"{exit_text(code)}, is started again in {delay:.1f} s"
        if keeper.early_ends >= _TELL_MORE_AFTER:
            self._report(str(process.failure(f"{what}; that was the {keeper.early_ends}th time in a row")))
        else:
            self._report(f"{keeper.child.name} {what}")


def _stop_together(processes: Sequence[ChildProcess], shutdown: Shutdown) -> None:
    for process in processes:
        process.ask_to_stop()
    began = time.monotonic()
    # Not `shutdown.wait`: that returns at once when we stop because we were asked to.
    pause = threading.Event()
    left = list(processes)
    while left and not shutdown.forced:
        spent = time.monotonic() - began
        left = [process for process in left if process.exit_code() is None and spent < process.child.stop_grace_seconds]
        if left:
            pause.wait(_READY_POLL_SECONDS)
    for process in processes:
        process.kill_group()


def _one_at_a_time(echo: Echo) -> Echo:
    lock = threading.Lock()

    def locked(name: str, line: str) -> None:
        with lock:
            echo(name, line)

    return locked


def _listening() -> Shutdown:
    shutdown = Shutdown()
    shutdown.listen()
    return shutdown
