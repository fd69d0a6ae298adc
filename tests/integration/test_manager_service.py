"""The manager as a process lives it: takes the lead, keeps it through outages, follows the external table."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from camera_ctrler.manager import AUDIT_SECONDS
from camera_ctrler.manager_service import ManagerService
from contract import keys
from contract.camera_specs import CameraCreate
from database.engine import DatabaseError
from runtime import exit_codes
from runtime.farm_reader import FarmReader
from runtime.worker_link import Written
from tests.support.event_stores import StoredEvents, event
from tests.support.planned_farm import SimulatedWorker
from tests.support.running_manager import RunningManager
from tests.support.running_manager import until as until_it_is
from tests.support.valkey_server import ValkeyServer

#: Less than the time after which a manager audits its plan without any reason.
PATIENCE_SECONDS = AUDIT_SECONDS / 2


def until(fact: Callable[[], object], what: str) -> None:
    """Wait for a fact, for less than an audit would take."""
    until_it_is(fact, what, PATIENCE_SECONDS)


@pytest.fixture
def managers(own_valkey: ValkeyServer, tmp_path: Path) -> Iterator[Callable[..., RunningManager]]:
    """Makes managers of one farm; they are stopped when the test is over."""
    made: list[RunningManager] = []

    def make(**settings: object) -> RunningManager:
        made.append(RunningManager(own_valkey, tmp_path, **settings))
        return made[-1]

    yield make
    for manager in made:
        manager.stop()


def test_it_leads_places_cameras_and_gives_the_lead_back(
    own_valkey: ValkeyServer, managers: Callable[..., RunningManager]
) -> None:
    """Given a camera and a worker, a started manager places it; stopped, it leaves no lease behind."""
    manager = managers()
    manager.registry.add(CameraCreate(id="a", url="rtsp://h/x"))
    with own_valkey.client() as client:
        worker = SimulatedWorker(client, "w1", 5)
        manager.start()
        until(lambda: worker.assignments().keys() == {"a"}, "the camera is placed")
        manager.stop()
        assert manager.exit_code == exit_codes.DONE
        assert client.get(keys.controller_lease()) is None


def test_of_two_managers_one_leads_and_the_other_takes_over(
    own_valkey: ValkeyServer, managers: Callable[..., RunningManager]
) -> None:
    """Given two managers, when the leading one stops, the other leads soon and moves nothing."""
    first, second = managers(), managers()
    first.registry.add(CameraCreate(id="a", url="rtsp://h/x"))
    with own_valkey.client() as client:
        worker = SimulatedWorker(client, "w1", 5)
        first.start()
        until(worker.assignments, "the camera is placed")
        second.start()
        before, leader = worker.assignments(), client.get(keys.controller_lease())
        first.stop()
        until(lambda: client.get(keys.controller_lease()) not in {None, leader}, "the second leads")
        second.registry.add(CameraCreate(id="b", url="rtsp://h/x"))
        until(lambda: worker.assignments().keys() == {"a", "b"}, "the second plans")
        assert worker.assignments()["a"] == before["a"]


@pytest.mark.parametrize("keep_data", [True, False])
def test_after_an_outage_everything_is_assigned_again(
    own_valkey: ValkeyServer, managers: Callable[..., RunningManager], keep_data: bool
) -> None:
    """Given a server that is away for longer than the lease and may lose all, workers get their cameras back.

    Whichever of two managers leads then, and though no call of it may have failed.
    """
    manager, standby = managers(), managers()
    manager.registry.add_many([CameraCreate(id=name, url="rtsp://h/x") for name in "ab"])
    with own_valkey.client() as client:
        worker = SimulatedWorker(client, "w1", 5)
        manager.start()
        standby.start()
        until(lambda: len(worker.assignments()) == 2, "the cameras are placed")
        before = worker.assignments()
        worker.work()
        own_valkey.freeze()
        threading.Event().wait(1.2)
        if keep_data:
            own_valkey.thaw()
        else:
            own_valkey.restart(keep_data=False)

        def is_back() -> bool:
            worker.appear()
            return True

        until(is_back, "the worker is back")
        until(lambda: len(worker.assignments()) == 2, "the cameras are assigned")
        assert set(worker.work().values()) == {Written.ACCEPTED}
        assert worker.assignments() == before


def test_a_server_that_hangs_when_a_manager_starts_makes_nobody_dead(
    own_valkey: ValkeyServer, managers: Callable[..., RunningManager]
) -> None:
    """Given a first answer that comes after all leases have run out, the new leader waits for the workers."""
    first, second = managers(), managers()
    first.registry.add(CameraCreate(id="a", url="rtsp://h/x"))
    with own_valkey.client() as client:
        worker = SimulatedWorker(client, "w1", 5)
        first.start()
        until(worker.assignments, "the camera is placed")
        worker.work()
        first.stop()
        SimulatedWorker(client, "w2", 5)
        before = worker.assignments()
        # A server that was started lately is itself a reason to wait.
        until(lambda: client.info("server")["uptime_in_seconds"] > 3, "it has run for a while")
        client.pexpire(keys.worker_lease("w1"), 500)
        own_valkey.freeze()
        second.start()
        threading.Event().wait(1.2)
        own_valkey.thaw()
        until(lambda: client.exists(keys.controller_lease()), "the second leads")
        threading.Event().wait(0.5)
        worker.appear()
        threading.Event().wait(0.5)
        assert worker.assignments() == before


def test_the_external_table_is_followed_and_its_faults_are_reported(
    own_valkey: ValkeyServer, managers: Callable[..., RunningManager], tmp_path: Path
) -> None:
    """Given an external table, its rows reach the worker; when it is dropped, that is reported and cameras stay."""
    theirs = create_engine(f"sqlite:///{tmp_path}/theirs.sqlite3")
    with theirs.begin() as connection:
        connection.execute(text("CREATE TABLE cameras (id TEXT, camera_url TEXT)"))
        connection.execute(text("INSERT INTO cameras VALUES ('gate', 'rtsp://h/1')"))
    manager = managers(camera_source_url=f"sqlite:///{tmp_path}/theirs.sqlite3", camera_source_poll_seconds=0.2)
    with own_valkey.client() as client:
        worker = SimulatedWorker(client, "w1", 5)
        manager.start()
        until(lambda: worker.assignments().keys() == {"gate"}, "the row is followed")
        with theirs.begin() as connection:
            connection.execute(text("DROP TABLE cameras"))

        def problem() -> str:
            heard = FarmReader(client).heard_plan()
            return heard.message.camera_source_error if heard else ""

        until(lambda: "no such table" in problem(), "the fault is reported")
        assert worker.assignments().keys() == {"gate"}
    theirs.dispose()


def test_a_camera_source_that_cannot_be_a_database_ends_the_process_with_its_name(
    managers: Callable[..., RunningManager],
) -> None:
    """Given a source URL that cannot be used, the service ends with an error that names the setting."""
    manager = managers(camera_source_url="nonsense")
    with pytest.raises(DatabaseError, match="FARM_CAMERA_SOURCE_URL"):
        ManagerService(manager.settings, manager.registry, manager.shutdown).run()


def test_every_manager_stores_events_whether_it_leads_or_not(
    own_valkey: ValkeyServer, managers: Callable[..., RunningManager]
) -> None:
    """Given two managers, both write events; when they have left, what was told is stored and no lease is held."""
    both = [managers(), managers()]
    for manager in both:
        manager.start()
    with own_valkey.client() as client:
        stored = StoredEvents(both[0].registry.engine, client)
        until(lambda: stored.feed.backlog().writers == 2, "both write")
        stored.publish(event(1), event(2))
        until(lambda: stored.feed.backlog().waiting == 0, "the events are stored")
        for manager in both:
            manager.stop()
        assert stored.ids() == ["lobby:1:1", "lobby:1:2"]
        until(lambda: stored.feed.backlog().writers == 0, "the leases are given back, or over")
