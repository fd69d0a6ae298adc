"""A TCP proxy before a real server: adds TLS, or changes bytes of the answers, and can be cut."""

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
        self._thread.join(5)

    def cut(self) -> None:
        """End every connection that is open now."""
        for connection in self._open:
            connection.close()
        self._open.clear()

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
            far = socket.create_connection(("127.0.0.1", self._upstream_port))
            self._open += [near, far]
            threading.Thread(target=_pump, args=(near, far, bytes), daemon=True).start()
            threading.Thread(target=_pump, args=(far, near, self._change_answer), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes]) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(change(data))
    except OSError:  # cut
        pass
    finally:
        source.close()
        sink.close()
