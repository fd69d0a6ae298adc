"""A real RTSP server on loopback, in its own process, that a test can stop, freeze and bring back.

with RtspServer(clips.folder) as server:
    url = server.url("squares")      # endless; url("squares", play_count=1) ends after one round
    server.freeze()                  # connected, but nothing comes any more
"""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self
from urllib.parse import quote

import psutil

PROJECT_DIR: Final = Path(__file__).resolve().parents[2]
_HOST: Final = "127.0.0.1"
#: Seconds the process may take to listen, or to end.
_PATIENCE_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True)
class Credentials:
    """What the server asks for before it shows a clip."""

    username: str
    password: str
    scheme: Literal["basic", "digest"] = "digest"


def free_port() -> int:
    """Return a TCP port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


class RtspServer:
    """Serves the ``.mp4``, ``.mkv`` and ``.ts`` files (H.264, H.265, AAC) of a folder, each as an endless camera."""

    def __init__(self, folder: Path, *, credentials: Credentials | None = None, fail_with: int = 0) -> None:
        """Prepare a server.

        Args:
            folder: Its files are served; files may be added and replaced while it runs.
            credentials: Ask for these; None: for none.
            fail_with: RTSP status code to answer every DESCRIBE with; 0: answer properly.
        """
        self._folder = folder
        self._credentials = credentials
        self._fail_with = fail_with
        self._process: subprocess.Popen[str] | None = None
        self.port = free_port()

    def url(self, name: str, *, play_count: int = 0, credentials: bool = True) -> str:
        """Return the URL of clip `name` (ending optional).

        Args:
            name: File in the folder.
            play_count: Rounds after which the stream ends; 0: never.
            credentials: Whether the URL carries the user name and password, where the server asks for some.
        """
        known = self._credentials if credentials else None
        user = f"{quote(known.username, safe='')}:{quote(known.password, safe='')}@" if known else ""
        query = f"?play_count={play_count}" if play_count else ""
        return f"rtsp://{user}{_HOST}:{self.port}/{name}{query}"

    def start(self) -> None:
        """Start it on its port and wait until it answers."""
        assert self._process is None
        command = [sys.executable, "-m", "tests.support.rtsp_server_process"]
        command += ["--dir", str(self._folder), "--port", str(self.port), "--fail-with", str(self._fail_with)]
        if self._credentials is not None:
            known = self._credentials
            command += ["--auth", known.scheme, "--username", known.username, "--password", known.password]
        self._process = subprocess.Popen(command, cwd=PROJECT_DIR, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: self._answers() or self._has_ended(), "the RTSP server listens")
        if self._has_ended():
            assert self._process.stderr is not None
            raise RuntimeError(f"the RTSP server ended at once: {self._process.stderr.read()}")

    def stop(self) -> None:
        """End it: every stream is cut and the port refuses connections."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()

    def restart(self) -> None:
        """Stop it if it runs, and start it on the same port."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let it hang: connections stay, the kernel even accepts new ones, but nothing is sent."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def sessions(self) -> int:
        """Return how many clients are connected now."""
        if self._process is None:
            return 0
        connections = psutil.Process(self._process.pid).net_connections("tcp")
        return sum(
            connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == self.port
            for connection in connections
            if connection.laddr
        )

    def wait_for_sessions(self, count: int, *, seconds: float = 10.0) -> None:
        """Wait until exactly `count` clients are connected; fail after `seconds`."""
        wait_until(lambda: self.sessions() == count, f"{count} clients are connected", seconds=seconds)

    def memory_bytes(self) -> int:
        """Return the resident memory of the server's process."""
        assert self._process is not None
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _answers(self) -> bool:
        try:
            with socket.create_connection((_HOST, self.port), timeout=1.0) as client:
                client.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
                return client.recv(4) == b"RTSP"
        except OSError:
            return False


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = _PATIENCE_SECONDS) -> None:
    """Poll `condition` until it holds.

    Raises:
        AssertionError: It did not within `seconds`; names `what`.
    """
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        pause.wait(_POLL_SECONDS)
