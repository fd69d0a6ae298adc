"""Live RTSP cameras for benchmarks: a few encoded loops, played on and on, that any number of clients can watch.

go2rtc serves and one ffmpeg process per source publishes into it, without decoding. Where one of them is missing the
demo cameras' server in Python plays the loops, which takes several times the CPU. Either way its CPU is told apart.
"""

import json
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from benchmarks.load.footage_loops import bytes_per_second
from benchmarks.load.go2rtc import ServerMissingError, go2rtc
from benchmarks.load.machine import Usage, usage_of
from tests.support.processes import wait_until
from tests.support.rtsp_server import RtspServer, free_port

_DIE_WITH_PARENT: Final = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def ffmpeg() -> str:
    """Return the program; empty where there is none."""
    return shutil.which("ffmpeg") or ""


class CameraServer:
    """Serves `sources` streams; camera `n` is stream ``n % sources``."""

    def __init__(self, loops: list[Path], *, sources: int = 0) -> None:
        """Prepare a server.

        Args:
            loops: Encoded files.
            sources: Streams, each of which plays one of the loops; 0: as many as there are loops. They begin while
                they are started, so that their keyframes come at different moments.
        """
        self._loops = loops
        self._sources = sources or len(loops)
        self._folder = Path(tempfile.mkdtemp(prefix="cameras"))
        self._processes: list[subprocess.Popen[bytes]] = []
        self._fallback: RtspServer | None = None
        self.port = free_port()
        #: What serves, for people.
        self.name = ""
        #: Mean bytes a second of one stream.
        self.bytes_per_second = sum(map(bytes_per_second, loops)) / len(loops)

    def url(self, number: int) -> str:
        """Return the URL of camera `number`; every camera has one of its own."""
        source = number % self._sources
        if self._fallback is not None:
            return self._fallback.url(self._loops[source % len(self._loops)].stem)
        return f"rtsp://127.0.0.1:{self.port}/source{source:02}?camera={number}"

    def usage(self) -> Usage:
        """Return what server and publishers have used so far."""
        if self._fallback is not None:
            assert self._fallback._process is not None
            return usage_of([self._fallback._process.pid])
        return usage_of([process.pid for process in self._processes])

    def sessions(self) -> int:
        """Return how many clients are connected, publishers included."""
        return sum(
            one.status == psutil.CONN_ESTABLISHED and one.laddr[1:] == (self.port,)
            for one in psutil.net_connections("tcp4")
        )

    def __enter__(self) -> Self:
        try:
            self._start(go2rtc())
        except ServerMissingError as error:
            print(f"{error}: the demo cameras' server plays instead")
            self._start_fallback()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fallback is not None:
            self._fallback.stop()
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, program: Path) -> None:
        publisher = ffmpeg()
        if not publisher:
            raise ServerMissingError("ffmpeg is not installed")
        self.name = "go2rtc"
        config = self._folder / "go2rtc.yaml"
        # JSON is YAML.
        config.write_text(json.dumps(self._configuration(publisher)))
        self._run(str(program), "-config", str(config))
        wait_until(self._listens, "go2rtc listens")
        # Each is published by a client of its own.
        wait_until(lambda: self.sessions() >= self._sources, "all sources are published", 60)

    def _configuration(self, publisher: str) -> dict[str, object]:
        streams = {}
        for number in range(self._sources):
            path = self._loops[number % len(self._loops)]
            streams[f"source{number:02}"] = (
                f"exec:{publisher} -nostdin -loglevel error -re -stream_loop -1 -i {path} -c copy "
                "-rtsp_transport tcp -f rtsp {output}"
            )
        return {
            "rtsp": {"listen": f"127.0.0.1:{self.port}"},
            "api": {"listen": ""},
            "webrtc": {"listen": ""},
            "srtp": {"listen": ""},
            "log": {"level": "warn"},
            "streams": streams,
            # Published from the start and when nobody watches.
            "preload": dict.fromkeys(streams, "video"),
        }

    def _start_fallback(self) -> None:
        self.name = "the demo cameras' server"
        self._sources = len(self._loops)
        for path in self._loops:
            (self._folder / path.name).symlink_to(path)
        self._fallback = RtspServer(self._folder)
        self._fallback.start()
        self.port = self._fallback.port

    def _run(self, *command: str) -> None:
        with (self._folder / "log").open("ab") as log:
            self._processes.append(subprocess.Popen([*_DIE_WITH_PARENT, *command], stdout=log, stderr=log))

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False


class UnreadBytes:
    """Looks now and then at what the kernel holds of streams that their receivers have not read yet.

    A worker stamps a frame when it reads it: how late it reads, only the sockets tell.
    """

    def __init__(self, port: int, *, interval_seconds: float = 1.0) -> None:
        self._port = port
        self._interval = interval_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        #: Bytes, one entry for each connection and look.
        self.seen: list[int] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self.seen += unread_bytes(Path("/proc/net/tcp"), self._port)


def unread_bytes(table: Path, remote_port: int) -> list[int]:
    """Return the receive queue of every open connection to `remote_port`; empty where the system does not tell."""
    if not table.exists():
        return []
    remote, found = f":{remote_port:04X}", []
    for line in table.read_text().splitlines()[1:]:
        columns = line.split()
        if columns[2].endswith(remote) and columns[3] == "01":
            found.append(int(columns[4].split(":")[1], 16))
    return found
