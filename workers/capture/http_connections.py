"""Knows the connections of one HTTP client, so that another thread can cut them even before an answer is there."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Final
from weakref import WeakSet

import requests
import urllib3
import urllib3.connection
from requests.adapters import HTTPAdapter

#: Told of each connection that this thread makes.
_made: ContextVar[Callable[[socket.socket], None] | None] = ContextVar("_made", default=None)


def _tell(connection: urllib3.connection.HTTPConnection) -> None:
    told = _made.get()
    if told is not None and connection.sock is not None:
        told(connection.sock)


class _Connection(urllib3.connection.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _tell(self)


class _SecureConnection(urllib3.connection.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _tell(self)


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class HttpConnections:
    """The open connections of one `requests.Session`, which one thread uses."""

    def __init__(self, session: requests.Session) -> None:
        self._lock: Final = threading.Lock()
        self._sockets: Final[WeakSet[socket.socket]] = WeakSet()
        self._cut = False
        for scheme in ("http://", "https://"):
            adapter = HTTPAdapter()
            adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
            session.mount(scheme, adapter)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """While inside, note the connections that this thread makes."""
        token = _made.set(self._note)
        try:
            yield
        finally:
            _made.reset(token)

    def _note(self, connection: socket.socket) -> None:
        with self._lock:
            self._sockets.add(connection)
            if self._cut:
                _shut_down(connection)

    @property
    def were_cut(self) -> bool:
        """Whether `cut` was called: then no answer can be trusted to be whole, and no other request can be made."""
        return self._cut

    def cut(self) -> None:
        """End what another thread reads or writes, now and on connections to come; does not block."""
        with self._lock:
            self._cut = True
            for connection in self._sockets:
                _shut_down(connection)


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):  # closed already
        # Not the method of a TLS socket: it takes away what the other thread reads with.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
