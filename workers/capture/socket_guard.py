"""Ends reads of libav that last too long, or are wanted no more, by shutting their connection down from outside.

PyAV can time reads out by itself, but it takes the interpreter's lock to look at the clock before every single read of
a socket, thousands of times a second and camera: with eight cameras of 7 Mbit/s that was more than half of the CPU time
of receiving. So libav reads without a limit here, and one thread for all cameras looks at their deadlines.
"""

import os
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from workers.capture.watch import Watch

#: Has a link for each open file of this process.
_FILES: Final = Path("/proc/self/fd")
#: Seconds between two looks at the deadlines.
LOOK_SECONDS: Final = 0.25
#: Seconds that an opening waits for others of the same host and port; then it does without a guard.
TURN_SECONDS: Final = 0.5
#: Port of a URL that names none.
RTSP_PORT: Final = 554


class GuardedConnection:
    """A second descriptor of one connection, which stays good whatever libav does with its own."""

    def __init__(self, connection: socket.socket, watch: Watch) -> None:
        self._connection = connection
        self._watch = watch

    @property
    def is_overdue(self) -> bool:
        """Whether what its reader expects has not come in time."""
        return self._watch.is_overdue

    def cut(self) -> None:
        """End whatever is read from it; from any thread, also after `close`."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the descriptor back."""
        _guard.forget(self)
        self._connection.close()


class Opening:
    """The time in which one connection to a host and port is made."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._before = _connections(port)

    def made(self, watch: Watch) -> list[GuardedConnection] | None:
        """Return the connection that was made meanwhile, guarded; none where it has ended already.

        None: it cannot be told which one it is.
        """
        new = [number for inode, number in _connections(self._port).items() if inode not in self._before]
        if len(new) > 1:
            return None
        guarded = []
        with suppress(OSError):
            guarded = [GuardedConnection(socket.socket(fileno=os.dup(number)), watch) for number in new]
        for each in guarded:
            _guard.add(each)
        return guarded


class _Guard:
    """Looks at the deadlines of all connections, on a thread that begins with the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guarded: set[GuardedConnection] = set()
        self._turns: defaultdict[tuple[str, int], threading.Lock] = defaultdict(threading.Lock)
        self._thread: threading.Thread | None = None

    def turn(self, host: str, port: int) -> threading.Lock:
        """Return what one holds while connecting there."""
        with self._lock:
            return self._turns[host, port]

    def add(self, connection: GuardedConnection) -> None:
        """Look after it."""
        with self._lock:
            self._guarded.add(connection)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="socket-guard", daemon=True)
                self._thread.start()

    def forget(self, connection: GuardedConnection) -> None:
        """Look after it no more."""
        with self._lock:
            self._guarded.discard(connection)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_SECONDS):
            with self._lock:
                overdue = [connection for connection in self._guarded if connection.is_overdue]
            for connection in overdue:
                connection.cut()


_guard: Final = _Guard()


@contextmanager
def opening(url: str) -> Iterator[Opening | None]:
    """Connect within, alone among those that connect to the same host and port; None: do without a guard."""
    parts = urlsplit(url)
    port = parts.port or RTSP_PORT
    turn = _guard.turn(parts.hostname or "", port)
    if not _FILES.is_dir() or not turn.acquire(timeout=TURN_SECONDS):
        yield None
        return
    try:
        yield Opening(port)
    finally:
        turn.release()


def _connections(port: int) -> dict[str, int]:
    """Return what names a connection of this process to a port -> its descriptor."""
    found = {}
    for path in _FILES.iterdir():
        with suppress(OSError):  # it was closed this moment
            name = str(path.readlink())
            if name.startswith("socket:"):
                with socket.socket(fileno=os.dup(int(path.name))) as connection:
                    if connection.family in {socket.AF_INET, socket.AF_INET6} and connection.getpeername()[1] == port:
                        found[name] = int(path.name)
    return found
