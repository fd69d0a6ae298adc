"""What a worker makes of what Redis says it shall do, and of what Redis does not say."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
import redis

from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraState
from contract.errors import StatusReason
from contract.events import Event
from runtime.clock import SystemClock
from runtime.settings import WorkerSettings
from runtime.shutdown import Shutdown
from tests.support.hand_fed import BreakableDetector, HandFedCapture
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer
from workers import service
from workers.capture.state import CaptureState
from workers.frames import Frame
from workers.media import MediaTap
from workers.service import WorkerService
from workers.watched_cameras import Capture

LEASE_SECONDS = 2.0


class Worker:
    """A worker with hand-fed cameras, in this process."""

    def __init__(self, server: ValkeyServer, folder: Path) -> None:
        self.captures: dict[str, HandFedCapture] = {}
        self._on_state: dict[str, Callable[[CaptureState], None]] = {}
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
        self,
        assignment: Assignment,
        on_frame: Callable[[Frame], None],
        on_state: Callable[[CaptureState], None],
        _tap: MediaTap,
        /,
    ) -> Capture:
        self._on_state[assignment.camera_id] = on_state
        self.captures[assignment.camera_id] = HandFedCapture(assignment, on_frame)
        return self.captures[assignment.camera_id]

    def say(self, camera_id: str, state: CaptureState) -> None:
        """Let a camera's capture say how it does."""
        self._on_state[camera_id](state)

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
    """Given Redis that comes back empty and nobody who plans, it watches on and writes nothing until somebody does."""
    own_valkey.restart(keep_data=False)
    with own_valkey.client() as client:
        wait_until(lambda: bool(client.exists(keys.worker_lease("w"))), "it has its lease again", 20)
        until = time.monotonic() + service.REBUILD_SECONDS + 3 * service.SYNC_SECONDS
        while time.monotonic() < until:
            worker.captures["a"].feed()
            assert worker.cameras == ["a", "b"]
            time.sleep(0.1)
        assert client.xlen(keys.camera_results("a")) == 0
        write_plan(client, "b")
        wait_until(lambda: worker.cameras == ["b"], "the plan counts", 10)
        wait_until(lambda: client.xlen(keys.camera_results("a")) > 0, "what it kept is delivered", 10)


@pytest.mark.parametrize("fenced", [False, True])
def test_a_camera_is_said_to_be_offline_only_when_it_is_this_workers(
    own_valkey: ValkeyServer, worker: Worker, fenced: bool
) -> None:
    """Given a camera that does not let the new worker in, that is an event only once the former one is fenced."""
    with own_valkey.client() as client:
        client.set(keys.camera_epoch("a"), 7 if fenced else 6)
        client.set(keys.camera_epoch("b"), 7)
        worker.say("a", CaptureState(CameraState.OFFLINE, StatusReason.REFUSED))
        worker.say("b", CaptureState(CameraState.ONLINE))
        expected = {("a", "camera_offline"), ("b", "camera_online")} if fenced else {("b", "camera_online")}
        wait_until(lambda: told(client) == expected, "what is known is told", 10)
        until = time.monotonic() + 2 * service.STATUS_SECONDS
        while time.monotonic() < until:
            assert told(client) == expected
            time.sleep(0.1)
        worker.say("a", CaptureState(CameraState.ONLINE))
        worker.captures["a"].feed()
        wait_until(lambda: ("a", "camera_online") in told(client), "its first result makes it ours", 10)
        assert told(client) == expected | {("a", "camera_online")}


def told(client: redis.Redis) -> set[tuple[str, str]]:
    """Return camera and kind of all events."""
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.events()))
    events = [Event.model_validate_json(fields[b"event"]) for _, fields in found]
    return {(event.camera_id, event.kind.value) for event in events}
