"""Knows the connections of one HTTP client: where they may lead, and how another thread cuts them at any moment."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Final, Protocol
from weakref import WeakSet

import requests
import urllib3
import urllib3.connection
from requests.adapters import HTTPAdapter


class _Owner(Protocol):
    def judged(self, host: str, port: int) -> list[str]: ...

    def note(self, connection: socket.socket) -> None: ...


#: Whose connections this thread makes.
_owner: ContextVar[_Owner | None] = ContextVar("_owner", default=None)


class _Judged(urllib3.connection.HTTPConnection):
    """Connects only to addresses that were judged, and tells of each connection."""

    def connect(self) -> None:
        super().connect()
        owner = _owner.get()
        if owner is not None and self.sock is not None:
            owner.note(self.sock)

    def _new_conn(self) -> socket.socket:
        owner = _owner.get()
        if owner is None:
            return super()._new_conn()
        name = self._dns_host
        judged = owner.judged(name, self.port)
        try:
            # The name stays what requests and certificates go by; only what is connected to is the address.
            for address in judged[:-1]:
                self._dns_host = address
                with suppress(urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
                    return super()._new_conn()
            self._dns_host = judged[-1]
            return super()._new_conn()
        finally:
            self._dns_host = name


class _Connection(_Judged):
    pass


class _SecureConnection(_Judged, urllib3.connection.HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class HttpConnections:
    """The open connections of one `requests.Session`, which one thread uses."""

    def __init__(self, session: requests.Session, judged: Callable[[str, int], list[str]]) -> None:
        """Take over the session's connections.

        Args:
            session: Used by one thread.
            judged: Returns the addresses of a host's name and port, one at least, and raises where one is refused.
        """
        self.judged: Final = judged
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
        token = _owner.set(self)
        try:
            yield
        finally:
            _owner.reset(token)

    def note(self, connection: socket.socket) -> None:
        """Take note of a connection that was made."""
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
