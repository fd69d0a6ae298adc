"""Event writers as processes, to be frozen and killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from runtime.settings import ENV_PREFIX, ControllerSettings
from tests.support.api_server import REPOSITORY, environment_of

#: Seconds between two tries to catch a writer with something in hand.
_PAUSE_SECONDS = 0.005


class WriterProcess:
    """One event writer."""

    def __init__(self, settings: ControllerSettings, log_path: Path) -> None:
        self._settings = settings
        self._log_path = log_path
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._process is not None:
            return
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
        lease = {f"{ENV_PREFIX}LEASE_SECONDS": str(self._settings.lease_seconds)}
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "camera_ctrler", "--only", "event-writer"],
                cwd=REPOSITORY,
                env=kept | environment_of(self._settings) | lease,
                stdout=log,
                stderr=log,
            )

    def freeze(self) -> None:
        """Let it stand still."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        assert self._process.poll() is None, self._log_path.read_text()
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, frozen or not."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def freeze_when(writers: Sequence[WriterProcess], fact: Callable[[], bool], seconds: float) -> None:
    """Let writers stand still at a moment at which a fact holds, and goes on to hold while they do."""
    deadline = time.monotonic() + seconds
    while True:
        if fact():
            for each in writers:
                each.freeze()
            if fact():
                return
            for each in writers:
                each.thaw()
        assert time.monotonic() < deadline, f"not so within {seconds:.0f} s"
        time.sleep(_PAUSE_SECONDS)
