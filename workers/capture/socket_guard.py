"""Ends reads of libav that last too long, or are wanted no more, by shutting their connection down from outside.

PyAV can time reads out by itself, but it takes the interpreter's lock to look at the clock before every single read of
a socket, thousands of times a second and camera: with eight cameras of 7 Mbit/s that was more than half of the CPU time
of receiving. So libav reads without a limit here, and one thread for all cameras looks at their deadlines.

libav does not say which descriptor it reads from. So those who connect to one address and port take turns, and whose
turn it is has the connection that was not there before; the turn ends as soon as that one is seen.
"""

import fcntl
import os
import socket
import termios
import threading
from array import array
from collections import defaultdict
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog

from workers.capture.watch import Watch

log = structlog.get_logger(__name__)

#: Has a link for each open file of this process.
_FILES: Final = Path("/proc/self/fd")
#: Seconds between two looks at the deadlines.
LOOK_SECONDS: Final = 0.25
#: The same for the connection of one that is being opened.
CONNECT_SECONDS: Final = 0.005
#: Seconds that an opening waits for its turn; then it does without a guard, and reading costs up to thrice as much.
#: A turn takes as long as a connection is made: of a hundred cameras behind one address the last waits for a second.
TURN_SECONDS: Final = 20.0
#: Seconds between two looks at the stop request meanwhile.
_TICK_SECONDS: Final = 0.1
#: Ports of URLs that name none.
DEFAULT_PORTS: Final = {"rtsp": 554, "rtsps": 322}

#: Addresses and port.
_Peer = tuple[frozenset[str], int]


class GuardedConnection:
    """A second descriptor of one connection, which stays good whatever libav does with its own."""

    def __init__(self, connection: socket.socket, watch: Watch) -> None:
        self._connection = connection
        self._watch = watch

    @property
    def is_overdue(self) -> bool:
        """Whether what its reader expects has not come in time."""
        return self._watch.is_overdue

    @property
    def unread_bytes(self) -> int:
        """How much has come and was not read yet; 0 also where the connection has ended."""
        size = array("i", [0])
        with suppress(OSError, ValueError):  # it was closed
            fcntl.ioctl(self._connection.fileno(), termios.FIONREAD, size)
        return size[0]

    def cut(self) -> None:
        """End whatever is read from it; from any thread, also after `close`."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the descriptor back."""
        _guard.forget(self)
        self._connection.close()


@dataclass(slots=True)
class _Queue:
    """Those who connect to one peer."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    #: Who connects without a turn now, and how many ever have.
    strangers: int = 0
    strangers_ever: int = 0


class Opening:
    """The time in which one connection to a peer is made."""

    def __init__(self, peer: _Peer, queue: _Queue) -> None:
        """Begin, holding the turn."""
        self._peer = peer
        self._queue = queue
        #: Strangers that were done before, and all that there were when the turn ended: another one may have connected.
        self._strangers_before = queue.strangers_ever - queue.strangers
        self._strangers_after = self._strangers_before
        self._lock = threading.Lock()
        self._has_turn = True
        #: What names all sockets that there were, whoever's: they need not be looked at again.
        self._before = sockets()
        #: What names the new connections.
        self._new: set[str] = set()

    def look(self) -> bool:
        """Look for the new connection; return whether there is no need to look again. From any thread."""
        with self._lock:
            if self._has_turn:
                self._new = set(_connections(self._peer, besides=self._before))
                if self._new:
                    self._end_turn()
            return not self._has_turn

    def end(self) -> None:
        """Give the turn back, if that was not done yet."""
        with self._lock:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._strangers_after = self._queue.strangers_ever
            self._queue.turn.release()

    def made(self, watch: Watch) -> list[GuardedConnection] | None:
        """Return the connection that was made meanwhile, guarded; none where it has ended already.

        None: it was not seen, or cannot be told from others.
        """
        self.look()
        self.end()
        if len(self._new) != 1 or self._strangers_after != self._strangers_before:
            return None
        taken = [_taken(name, self._peer) for name in self._new]
        guarded = [GuardedConnection(connection, watch) for connection in taken if connection is not None]
        for each in guarded:
            _guard.add(each)
        return guarded


class _Guard:
    """Looks at the deadlines of all connections, and for new ones, on a thread that begins with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guarded: set[GuardedConnection] = set()
        self._openings: set[Opening] = set()
        self._queues: defaultdict[_Peer, _Queue] = defaultdict(_Queue)
        #: What names sockets that are none of libav's.
        self.others: set[str] = set()
        self._opens = threading.Event()
        self._thread: threading.Thread | None = None

    def queue(self, peer: _Peer) -> _Queue:
        """Return who connects to a peer."""
        with self._lock:
            return self._queues[peer]

    @contextmanager
    def stranger(self, queue: _Queue) -> Iterator[None]:
        """Connect without a turn: whose turn it is cannot tell the connections apart meanwhile."""
        with self._lock:
            queue.strangers += 1
            queue.strangers_ever += 1
        try:
            yield
        finally:
            with self._lock:
                queue.strangers -= 1

    def follow(self, its: Opening) -> None:
        """Look for the connection of an opening until it is there, or the opening ends."""
        with self._lock:
            self._openings.add(its)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="socket-guard", daemon=True)
                self._thread.start()
        self._opens.set()

    def add(self, connection: GuardedConnection) -> None:
        """Look after a connection."""
        with self._lock:
            self._guarded.add(connection)

    def forget(self, connection: GuardedConnection) -> None:
        """Look after it no more."""
        with self._lock:
            self._guarded.discard(connection)

    def _run(self) -> None:
        while True:
            # While one connects, its turn is all that others wait for.
            self._opens.wait(CONNECT_SECONDS if self._openings else LOOK_SECONDS)
            self._opens.clear()
            with self._lock:
                openings = list(self._openings)
                overdue = [connection for connection in self._guarded if connection.is_overdue]
            for connection in overdue:
                connection.cut()
            done = {its for its in openings if _looked(its)}
            with self._lock:
                self._openings -= done


def _looked(its: Opening) -> bool:
    """Look for the connection of an opening; no descriptor may be left to look with, and others' cameras go on."""
    try:
        return its.look()
    except OSError as error:
        log.error("connections_not_seen", error=str(error))
        return False


_guard: Final = _Guard()


@contextmanager
def opening(url: str, watch: Watch) -> Iterator[Opening | None]:
    """Connect within, in turn with others that connect to the same address and port; None: do without a guard.

    Raises:
        CaptureStoppedError: Asked to stop before its turn came.
    """
    peer = _peer_of(url)
    queue = _guard.queue(peer)
    if not peer[0] or not _FILES.is_dir() or not _has_turn(queue, watch):
        with _guard.stranger(queue):
            yield None
        return
    try:
        its = Opening(peer, queue)
    except OSError:  # no descriptor is left
        queue.turn.release()
        raise
    _guard.follow(its)
    try:
        yield its
    finally:
        its.end()


@contextmanager
def opening_without_turn(url: str) -> Iterator[None]:
    """Connect within without a guard: whoever's turn it is cannot tell the connections apart meanwhile."""
    with _guard.stranger(_guard.queue(_peer_of(url))):
        yield


def _has_turn(queue: _Queue, watch: Watch) -> bool:
    for _ in range(round(TURN_SECONDS / _TICK_SECONDS)):
        if queue.turn.acquire(timeout=_TICK_SECONDS):
            return True
        watch.sleep(0)
    return False


@contextmanager
def besides_libav(connection: socket.socket) -> Iterator[None]:
    """Connect within with a socket of one's own, so that it is not taken for one that libav opens meanwhile."""
    name = f"socket:[{os.fstat(connection.fileno()).st_ino}]"
    _guard.others.add(name)
    try:
        yield
    finally:
        _guard.others.discard(name)


def _peer_of(url: str) -> _Peer:
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError:  # libav will say what is wrong with the name
        found = []
    return frozenset(str(info[4][0]) for info in found), port


def sockets() -> set[str]:
    """Return what names the sockets of this process; none where this system does not tell."""
    if not _FILES.is_dir():
        return set()
    return {name for name, _ in _files() if name.startswith("socket:")}


def peers(*, besides: Set[str]) -> set[str]:
    """Return the addresses that this process is connected to, but for the sockets named."""
    found = set()
    for name, number in _files() if _FILES.is_dir() else ():
        if name.startswith("socket:") and name not in besides:
            with suppress(OSError), socket.socket(fileno=os.dup(number)) as connection:
                if connection.family in {socket.AF_INET, socket.AF_INET6}:
                    found.add(str(connection.getpeername()[0]))
    return found


def _connections(peer: _Peer, *, besides: Set[str] = frozenset()) -> dict[str, int]:
    """Return what names a connection of this process to a peer -> its descriptor, but for those named."""
    addresses, port = peer
    found = {}
    for name, number in _files():
        if name.startswith("socket:") and name not in besides and name not in _guard.others:
            with suppress(OSError), socket.socket(fileno=os.dup(number)) as connection:
                # Its number may be another's by now.
                if _name(connection.fileno()) != name or connection.family not in {socket.AF_INET, socket.AF_INET6}:
                    continue
                if connection.getpeername()[1] == port and connection.getpeername()[0] in addresses:
                    found[name] = number
    return found


def _files() -> Iterator[tuple[str, int]]:
    """Yield the name and number of every open descriptor."""
    for entry in os.scandir(_FILES):
        with suppress(OSError):  # it was closed this moment
            yield _name(int(entry.name)), int(entry.name)


def _taken(name: str, peer: _Peer) -> socket.socket | None:
    """Return a descriptor of our own of a connection; None where it has ended."""
    # A number may be that of another look at the same moment, and gone again.
    while (number := _connections(peer).get(name)) is not None:
        with suppress(OSError):
            connection = socket.socket(fileno=os.dup(number))
            if _name(connection.fileno()) == name:
                return connection
            connection.close()
    return None


def _name(number: int) -> str:
    return os.readlink(f"{_FILES}/{number}")  # noqa: PTH115 - asked of hundreds of files while cameras are opened
