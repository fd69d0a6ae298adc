"""What detection takes, and whether it succeeds: the account that all threads of a worker that detect keep together."""

import threading
import time
from dataclasses import dataclass
from typing import Final

from runtime.clock import Clock
from workers.costs import Mean, detection_cpu_seconds
from workers.native_threads import NativeThreads

#: Weight of the newest round in the running mean of detection time.
SMOOTHING: Final = 0.1
#: Seconds without a frame that count, at most, as time in which none was served: a camera that is gone says nothing
#: of the detector, and one of which a frame is wanted every minute must not hide that none succeeds.
QUIET_SECONDS: Final = 10.0
#: Of the runtime's threads. Those of Python keep their own: one that waits for a CPU while it has the interpreter
#: would hold up all others.
NICENESS: Final = 5


@dataclass(frozen=True, slots=True)
class Began:
    """When a round began, monotonic seconds, and the CPU-seconds of its thread up to then."""

    at: float
    thread_cpu: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What a round took. Of time and work that two rounds share each has a part, and no part is counted twice."""

    cpu: float
    wall: float


class DetectionLedger:
    """Safe to use from several threads; a thread has one round at a time."""

    def __init__(self, clock: Clock, *, threads: int) -> None:
        """Begin to count.

        Args:
            clock: Times rounds.
            threads: Threads of the detector on the CPU.
        """
        self._clock = clock
        self._threads = threads
        self._lock = threading.Lock()
        #: Milliseconds of detection per frame, lately.
        self.detect_ms = 0.0
        self._cost = Mean()
        self._native = NativeThreads(NICENESS)
        #: CPU-seconds of the runtime's threads, or of the process, that rounds were charged with.
        self._charged = self._cpu()
        #: Monotonic seconds since when frames have been waiting for a detection that has not succeeded; None: none.
        self._unserved_since: float | None = None
        #: Monotonic seconds when the last round was done with.
        self._ended_at = float("-inf")
        self._running: list[Began] = []

    @property
    def detect_seconds(self) -> float | None:
        """CPU-seconds of detection per full input; on a GPU, seconds of the thread that waits for it."""
        return self._cost.value

    @property
    def unserved_seconds(self) -> float:
        """For how long no detection has succeeded although frames came; it stands still while none come.

        0 while the detector works, or has never been asked.
        """
        with self._lock:
            if self._unserved_since is None:
                return 0.0
            until = self._clock.monotonic() if self._running else self._ended_at
            return max(0.0, until - self._unserved_since)

    def begin(self) -> Began:
        """Begin a round."""
        began = Began(self._clock.monotonic(), time.thread_time())
        with self._lock:
            quiet_since = began.at if self._running else self._ended_at
            self._unserved_since = unserved_since(self._unserved_since, quiet_since, began.at)
            self._running.append(began)
        return began

    def end(self, began: Began, *, frames: int, inputs: float, on_cpu: bool) -> Spent:
        """End a round.

        Args:
            began: What `begin` returned, to this thread.
            frames: In the round.
            inputs: That were run; a smaller one counts by its area as a share of the largest.
            on_cpu: Whether the detector runs on the CPU.
        """
        with self._lock:
            now = self._clock.monotonic()
            wall = now - max(began.at, self._ended_at)
            charged, self._charged = self._charged, self._cpu()
            cpu = self._charged - charged
            if not self._is_of_process:
                cpu += time.thread_time() - began.thread_cpu
            self._running.remove(began)
            self._ended_at = now
            cost = detection_cpu_seconds(wall=wall, process_cpu=cpu, threads=self._threads + 1) if on_cpu else wall
            took_ms = wall * 1000 / frames
            self.detect_ms = took_ms if self.detect_ms == 0 else self.detect_ms + SMOOTHING * (took_ms - self.detect_ms)
            if inputs:  # else it failed before anything was run
                self._cost.add(cost / inputs)
        return Spent(cost, wall)

    def succeeded(self) -> None:
        """Take note that objects were looked for in a frame, and the detector has answered."""
        with self._lock:
            # A round that hangs while others go on has been waiting since it began.
            self._unserved_since = min((began.at for began in self._running), default=None)

    def _cpu(self) -> float:
        """Return CPU-seconds of the runtime's threads; those of the process where these cannot be asked."""
        native = self._native.cpu_seconds()
        self._is_of_process = native is None
        return time.process_time() if native is None else native


def unserved_since(since: float | None, quiet_since: float, now: float) -> float:
    """Return since when no detection has succeeded, as a round begins; long silences are taken out.

    Args:
        since: The same for the round before; None: that one succeeded, or there was none.
        quiet_since: When the round before was done with; monotonic seconds, as all of these.
        now: When this one begins.
    """
    return now if since is None else since + max(0.0, now - quiet_since - QUIET_SECONDS)
