"""A manager service on a thread of the test's process, and waiting for what it does."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import redis
from cryptography.fernet import Fernet

from camera_ctrler.manager_service import ManagerService
from camera_ctrler.registry import Registry
from runtime.secret_box import SecretBox
from runtime.settings import ControllerSettings
from runtime.shutdown import Shutdown
from tests.support.valkey_server import ValkeyServer

#: Seconds in which a busy machine does what takes a few.
PATIENCE_SECONDS = 40.0


def until(fact: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a fact; the server may be away meanwhile."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < deadline:
        try:
            if fact():
                return
        except redis.ConnectionError:
            pass
        pause.wait(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class RunningManager:
    """A manager service on a thread."""

    def __init__(self, server: ValkeyServer, folder: Path, **settings: object) -> None:
        values = {"redis_url": server.url, "lease_seconds": 0.6, "data_dir": folder, "frames_dir": folder / "frames"}
        self.settings = ControllerSettings.model_validate(values | settings)
        self.registry = Registry(f"sqlite:///{folder}/farm.sqlite3", SecretBox(Fernet.generate_key().decode()))
        self.registry.migrate()
        self.shutdown = Shutdown()
        self.exit_code: int | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.exit_code = ManagerService(self.settings, self.registry, self.shutdown).run()

    def start(self) -> None:
        """Start it."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to stop and wait until it has."""
        self.shutdown.ask()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE_SECONDS)
            assert not self._thread.is_alive()
        self.registry.close()
