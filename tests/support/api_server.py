"""The API served by gunicorn in a process of its own, as it is in production."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.settings import ENV_PREFIX, ControllerSettings
from tests.support.processes import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class ApiServer:
    """One running server."""

    settings: ControllerSettings
    log_path: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "camera_ctrler", "--only", "api"],
                cwd=REPOSITORY,
                env=kept | environment_of(self.settings),
                stdout=log,
                stderr=log,
            )
        wait_until(self.answers, "the API to answer", 20)

    def answers(self) -> bool:
        """Tell whether it answers; fails when it has ended."""
        assert self.process.poll() is None, self.log_path.read_text()
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def connection(self) -> http.client.HTTPConnection:
        """Return a new connection."""
        return http.client.HTTPConnection("127.0.0.1", self.settings.api_port, timeout=15)

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Return status and body."""
        connection = self.connection()
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    @contextmanager
    def stream(self, path: str) -> Iterator["PictureStream"]:
        """Open a stream of pictures; the connection is cut at the end of the block."""
        connection = self.connection()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            yield PictureStream(answer)
        finally:
            connection.close()

    @contextmanager
    def events(self) -> Iterator["EventListener"]:
        """Listen to events; the connection is cut at the end of the block."""
        connection = self.connection()
        try:
            connection.request("GET", "/api/v1/events/stream")
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            yield EventListener(answer)
        finally:
            connection.close()

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 15) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(
                f"still running {seconds} s after {number.name}\n{self.log_path.read_text()}"
            ) from None


@dataclass
class PictureStream:
    """Reads the parts of a ``multipart/x-mixed-replace`` answer."""

    answer: http.client.HTTPResponse

    def read(self) -> bytes | None:
        """Return the next picture, or None at the end of the stream."""
        length = -1
        while True:
            line = self.answer.readline()
            if not line:
                return None
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            if line == b"\r\n" and length >= 0:
                return self.answer.read(length)

    def read_all(self) -> list[bytes]:
        """Return all pictures until the stream ends."""
        return list(iter(self.read, None))

    def collect(self, into: list[bytes]) -> threading.Thread:
        """Read on a thread of its own until the stream ends."""
        thread = threading.Thread(target=lambda: into.extend(self.read_all()), daemon=True)
        thread.start()
        return thread


@dataclass
class EventListener:
    """Reads server-sent events."""

    answer: http.client.HTTPResponse

    def read(self) -> str | None:
        """Return the id of the next event, or None at the end of the stream."""
        while line := self.answer.readline():
            if line.startswith(b"data: "):
                return str(json.loads(line.removeprefix(b"data: "))["event_id"])
        return None


def environment_of(settings: ControllerSettings) -> dict[str, str]:
    """Return the settings as the variables of a process."""
    values: dict[str, Any] = {
        "redis_url": settings.redis_url,
        "data_dir": settings.data_dir,
        "frames_dir": settings.frames_dir,
        "secret_key": settings.secret_key.get_secret_value(),
        "api_port": settings.api_port,
        "api_threads": settings.api_threads,
        "env_file": settings.data_dir / "no.env",
        "log_format": "json",
        "auth": "on" if settings.auth else "off",
        "admin_password": settings.admin_password.get_secret_value(),
        "trusted_proxies": settings.trusted_proxies,
        **{name: getattr(settings, name) for name in ("tls_cert", "tls_key") if getattr(settings, name) is not None},
    }
    return {f"{ENV_PREFIX}{name.upper()}": str(value) for name, value in values.items()}
