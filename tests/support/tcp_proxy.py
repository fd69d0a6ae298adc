"""A TCP proxy before a real server: adds TLS, changes bytes of the answers, can be cut, or can swallow everything."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self


class TcpProxy:
    """Forwards connections on 127.0.0.1 to `upstream_port` until it is closed."""

    def __init__(
        self,
        upstream_port: int,
        *,
        tls: ssl.SSLContext | None = None,
        change_answer: Callable[[bytes], bytes] = lambda data: data,
    ) -> None:
        self._upstream_port = upstream_port
        self._tls = tls
        self._change_answer = change_answer
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._passes = threading.Event()
        self._passes.set()
        self._awaited = b""
        #: Set when the request that `hold_at` awaits has come, and when it was delivered after all.
        self.held, self.delivered = threading.Event(), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: Final = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self.pass_on()
        self._thread.join(5)

    def cut(self) -> None:
        """End every connection that is open now."""
        with self._lock:
            for connection in self._open:
                _end(connection)
            self._open.clear()

    def black_hole(self) -> None:
        """Swallow everything in both directions, as a network that has gone away: no connection ends, none answers.

        What is sent meanwhile arrives late, with `pass_on`, as it does when a network comes back.
        """
        self._passes.clear()

    def hold_at(self, part: bytes) -> None:
        """Become a black hole with the first request that has `part` in it; that one is on its way meanwhile.

        `part` must stand at the beginning of what the client sends at once.
        """
        self.held.clear()
        self.delivered.clear()
        self._awaited = part

    def pass_on(self) -> None:
        """Let everything through again."""
        self._passes.set()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:  # closed
                return
            try:
                near = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
            except OSError:  # the client does not trust us: that is for the client to say
                plain.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._upstream_port))
            except OSError:  # the server is away
                near.close()
                continue
            with self._lock:
                self._open += [near, far]
            threading.Thread(target=self._pump, args=(near, far, self._hold), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, self._change), daemon=True).start()

    def _hold(self, data: bytes, sink: socket.socket) -> None:
        awaited = bool(self._awaited) and self._awaited in data
        if awaited:
            self._awaited = b""
            self.black_hole()
            self.held.set()
        self._passes.wait()
        sink.sendall(data)
        if awaited:
            self.delivered.set()

    def _change(self, data: bytes, sink: socket.socket) -> None:
        self._passes.wait()
        sink.sendall(self._change_answer(data))

    def _pump(
        self, source: socket.socket, sink: socket.socket, forward: Callable[[bytes, socket.socket], None]
    ) -> None:
        try:
            while data := source.recv(65536):
                forward(data, sink)
            self._passes.wait()
        except OSError:  # cut
            pass
        finally:
            _end(source)
            _end(sink)


def _end(connection: socket.socket) -> None:
    # Closing alone would neither wake a thread that reads from it nor tell the other side.
    with contextlib.suppress(OSError):  # it has ended already
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
