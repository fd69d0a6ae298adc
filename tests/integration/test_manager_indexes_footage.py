"""The manager as a process indexes footage beside its planning, and a database that is stuck stops only the former."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine

from camera_ctrler.manager_service import ManagerService
from camera_ctrler.recordings.index import SegmentIndex
from camera_ctrler.registry import Registry
from contract import keys
from contract.camera_specs import CameraCreate
from contract.recordings import KeptFor, RecordMode, Segment
from runtime.recording_feed import RecordingFeed
from runtime.secret_box import SecretBox
from runtime.settings import ControllerSettings
from runtime.shutdown import Shutdown
from tests.support.recorded_volume import RecordedVolume
from tests.support.segment_index import segment
from tests.support.valkey_server import ValkeyServer

PATIENCE_SECONDS = 30.0
LEASE_SECONDS = 1.0


class Running:
    """A manager on a thread, with what it works on."""

    def __init__(self, server: ValkeyServer, folder: Path, frames_dir: Path) -> None:
        self.database = folder / "farm.sqlite3"
        settings = ControllerSettings.model_validate(
            {
                "redis_url": server.url,
                "lease_seconds": LEASE_SECONDS,
                "data_dir": folder,
                "frames_dir": frames_dir,
                "frames_min_free_bytes": 0,
            }
        )
        self.registry = Registry(f"sqlite:///{self.database}", SecretBox(Fernet.generate_key().decode()))
        self.registry.migrate()
        self.shutdown = Shutdown()
        self.thread = threading.Thread(target=ManagerService(settings, self.registry, self.shutdown).run)
        self.index = SegmentIndex(self.registry.engine)
        self.client = server.client()
        self.feed = RecordingFeed(self.client)

    def indexed(self) -> list[Segment]:
        """Return all that the index has of the camera."""
        return [each.segment for each in self.index.find("lobby", 0, 10**15)]


@pytest.fixture
def running(own_valkey: ValkeyServer, volume: RecordedVolume, tmp_path: Path) -> Iterator[Running]:
    """A manager that has not started yet."""
    running = Running(own_valkey, tmp_path, volume.store.root)
    yield running
    running.shutdown.ask()
    running.thread.join(PATIENCE_SECONDS)
    assert not running.thread.is_alive()
    running.registry.close()


def eventually(fact: Callable[[], object], what: str) -> None:
    """Wait for a fact."""
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    while not fact():
        assert time.monotonic() < deadline, what
        pause.wait(0.05)


def now_ms() -> int:
    """Return the time."""
    return time.time_ns() // 1_000_000


def test_a_manager_that_leads_indexes_what_workers_finish_and_what_lies_on_the_volume(
    running: Running, volume: RecordedVolume
) -> None:
    """Given a file on the volume that nobody tells of and one that a worker tells of, both are in the index soon."""
    running.registry.add(CameraCreate(id="lobby", url="rtsp://h/x", record=RecordMode.MOTION))
    found = volume.write(now_ms() - 600_000)
    running.thread.start()
    eventually(running.indexed, "the volume is looked at")
    told = segment(now_ms() - 10_000)
    running.feed.publish([told], [])
    eventually(lambda: len(running.indexed()) == 2, "the stream is copied")
    assert running.indexed() == [found.model_copy(update={"kept_for": KeptFor.MOTION}), told]


def test_a_database_that_is_stuck_holds_up_neither_the_lead_nor_the_index_for_longer(running: Running) -> None:
    """Given another process that locks the file while footage is finished, the lead stays; then it is indexed."""
    running.thread.start()
    told = [segment(now_ms() - 60_000 + 10_000 * number) for number in range(3)]
    running.feed.publish(told[:1], [])
    eventually(lambda: len(running.indexed()) == 1, "the first file is indexed")
    leader = running.client.get(keys.controller_lease())
    other = create_engine(f"sqlite:///{running.database}")
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        running.feed.publish(told[1:], [])
        deadline, pause = time.monotonic() + 4 * LEASE_SECONDS, threading.Event()
        while time.monotonic() < deadline:
            assert running.client.get(keys.controller_lease()) == leader
            pause.wait(0.1)
        assert len(running.indexed()) == 1
        connection.rollback()
    other.dispose()
    eventually(lambda: running.indexed() == told, "what came meanwhile is indexed")
    assert running.client.get(keys.controller_lease()) == leader
