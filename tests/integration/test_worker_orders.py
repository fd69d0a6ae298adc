"""What a worker makes of what Redis says it shall do, and of what Redis does not say."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraState
from runtime.clock import SystemClock
from runtime.settings import WorkerSettings
from runtime.shutdown import Shutdown
from tests.support.hand_fed import BreakableDetector, HandFedCapture
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer
from workers import service
from workers.capture.state import CaptureState
from workers.frames import Frame
from workers.service import WorkerService
from workers.watched_cameras import Capture

LEASE_SECONDS = 2.0


class Worker:
    """A worker with hand-fed cameras, in this process."""

    def __init__(self, server: ValkeyServer, folder: Path) -> None:
        self.captures: dict[str, HandFedCapture] = {}
        self._shutdown = Shutdown()
        settings = WorkerSettings.model_validate(
            {
                "redis_url": server.url,
                "lease_seconds": LEASE_SECONDS,
                "data_dir": folder,
                "frames_dir": folder / "frames",
                "worker_id": "w",
            }
        )
        self.service = WorkerService(
            settings,
            detector=BreakableDetector(),
            model="m",
            open_capture=self._open,
            shutdown=self._shutdown,
            clock=SystemClock(),
        )
        self._thread = threading.Thread(target=self.service.run, daemon=True)
        self._thread.start()

    def _open(
        self, assignment: Assignment, on_frame: Callable[[Frame], None], on_state: Callable[[CaptureState], None], /
    ) -> Capture:
        on_state(CaptureState(CameraState.ONLINE))
        self.captures[assignment.camera_id] = HandFedCapture(assignment, on_frame)
        return self.captures[assignment.camera_id]

    @property
    def cameras(self) -> list[str]:
        """What it watches."""
        return sorted(self.service.status().holdings)

    def close(self) -> None:
        """Ask it to leave."""
        self._shutdown.ask()
        self._thread.join(10)


@pytest.fixture
def worker(own_valkey: ValkeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker that watches two cameras of a planned server."""
    monkeypatch.setattr(service, "REBUILD_SECONDS", 0.5)
    with own_valkey.client() as client:
        write_plan(client, "a", "b")
        made = Worker(own_valkey, tmp_path)
        wait_until(lambda: made.cameras == ["a", "b"], "it watches both")
        yield made
        made.close()


def write_plan(client: redis.Redis, *camera_ids: str) -> None:
    """Give the worker cameras, and mark the server as a manager does."""
    client.delete(keys.assignments("w"))
    for name in camera_ids:
        assignment = Assignment(camera_id=name, url="rtsp://h/x", epoch=7)
        client.hset(keys.assignments("w"), name, assignment.model_dump_json())
    client.set(keys.plan_mark(), "1")


def test_an_emptied_server_without_a_manager_takes_no_camera_away(own_valkey: ValkeyServer, worker: Worker) -> None:
    """Given Redis that comes back empty and nobody who plans, it watches on, until a plan says otherwise."""
    own_valkey.restart(keep_data=False)
    with own_valkey.client() as client:
        wait_until(lambda: bool(client.exists(keys.worker_lease("w"))), "it has its lease again", 20)
        until = time.monotonic() + service.REBUILD_SECONDS + 3 * service.SYNC_SECONDS
        while time.monotonic() < until:
            worker.captures["a"].feed()
            assert worker.cameras == ["a", "b"]
            time.sleep(0.1)
        assert client.xlen(keys.camera_results("a")) > 0
        write_plan(client, "b")
        wait_until(lambda: worker.cameras == ["b"], "the plan counts", 10)
