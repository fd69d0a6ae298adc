"""A real server of S3-compatible storage, as a process of its own: stopped, continued, killed and started again."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pytest
import requests
import s3fs

from tests.support.valkey_server import free_port

_DIE_WITH_PARENT: Final = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
#: Seconds a server may take to answer: it imports a lot.
PATIENCE_SECONDS: Final = 40.0
BUCKET: Final = "footage"


class S3Server:
    """Storage in memory, on loopback, with one bucket; what it holds is lost with the process."""

    def __init__(self, log: Path) -> None:
        self.port: Final = free_port()
        self.endpoint: Final = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self, *, with_bucket: bool = True) -> None:
        """Start it and wait until it answers."""
        arguments = ["-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_DIE_WITH_PARENT, sys.executable, *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"AWS_EC2_METADATA_DISABLED": "true"},
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            assert time.monotonic() < deadline, f"no answer within {PATIENCE_SECONDS} s"
            time.sleep(0.1)
        if with_bucket:
            self.make_bucket()

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.endpoint}/moto-api/", timeout=2).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """End it at once, with all that it holds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it answer nothing, and end no connection."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def files(self) -> Any:
        """Return what looks into it, apart from the farm's own code."""
        return s3fs.S3FileSystem(
            key="k",
            secret="s",  # noqa: S106 - not a secret
            endpoint_url=self.endpoint,
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    def make_bucket(self) -> None:
        """Make the bucket."""
        self.files().mkdir(BUCKET)

    def objects(self) -> dict[str, int]:
        """Return the keys of all objects without the bucket, and their sizes."""
        found = self.files().find(BUCKET, detail=True)
        return {name.partition("/")[2]: info["size"] for name, info in found.items()}


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server for all tests of a file; each begins with an empty bucket."""
    with S3Server(tmp_path_factory.mktemp("s3") / "s3.log") as server:
        yield server


@pytest.fixture
def s3(s3_server: S3Server) -> S3Server:
    """The server, with an empty bucket."""
    files = s3_server.files()
    if files.exists(BUCKET):
        files.rm(BUCKET, recursive=True)
    s3_server.make_bucket()
    return s3_server
