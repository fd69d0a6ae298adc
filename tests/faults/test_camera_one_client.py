"""Cameras that serve one client at a time."""

import socket
import threading
from typing import Final, Self

from tests.support.rtsp_server import RtspServer
from tests.support.watched_camera import WatchedCamera


class OneClient:
    """Stands before a camera that serves one client: whoever connects while another is there is thrown out."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream = upstream_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: Final = int(self._listener.getsockname()[1])
        self.thrown_out = 0
        self._busy = threading.Semaphore(1)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            # A moment's grace, for the one who has just hung up.
            if self._busy.acquire(timeout=0.2):
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
            else:
                self.thrown_out += 1
                client.close()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._upstream)) as camera:
            back = threading.Thread(target=_pump, args=(camera, client), daemon=True)
            back.start()
            _pump(client, camera)
            back.join(5)
        self._busy.release()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)
    except OSError:  # one of them has hung up
        return


def test_a_camera_that_serves_one_client_is_not_upset_by_being_reached_for_first(steady: RtspServer) -> None:
    """Given a camera that throws a second client out, when it is watched three times, then none of us is thrown out."""
    with OneClient(steady.port) as one_client:
        url = steady.url("cam").replace(str(steady.port), str(one_client.port))
        for _ in range(3):
            with WatchedCamera(url) as camera:
                camera.wait_frames(3)
                assert camera.reasons == []
        assert one_client.thrown_out == 0
