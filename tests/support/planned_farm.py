"""A manager with a real server and registry, and workers that hold real leases but watch no streams."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import redis
from cryptography.fernet import Fernet

from camera_ctrler.manager import Manager, ManagerSettings
from camera_ctrler.planning.plan_publisher import PlanPublisher
from camera_ctrler.registry import Registry
from contract import keys
from contract.assignments import Assignment
from contract.camera_specs import CameraCreate
from contract.cameras import CameraState, CameraStatus
from contract.detections import AnalysisResult
from contract.plan import PlanReport
from contract.workers import Holding, WorkerStatus
from runtime.farm_reader import FarmReader
from runtime.lease import Lease
from runtime.secret_box import SecretBox
from runtime.worker_link import WorkerLink, Written
from tests.support.clocks import SetClock

#: Long enough for a test; leases end in tests because they are given back or deleted.
LEASE_SECONDS = 60.0
HANDOVER_SECONDS = 10.0


class SimulatedWorker:
    """A worker's side of Redis, driven by a test."""

    def __init__(self, client: redis.Redis, name: str, capacity: int, labels: Sequence[str] = ()) -> None:
        self.name = name
        self._labels = list(labels)
        #: CPU-seconds that a stream and a frame cost here; None: not measured.
        self.measured: tuple[float, float] | None = None
        self._client = client
        self._capacity = capacity
        self._link = WorkerLink(client, name, frame_index_size=100)
        self._lease = Lease(client, keys.worker_lease(name), LEASE_SECONDS, value=name)
        self._seq = count(1)
        #: Camera id -> epoch under which it watches.
        self.holds: dict[str, int] = {}
        self.appear()

    def appear(self, *, draining: bool = False, started_at_ms: int = 1) -> None:
        """Take the lease if it is free, and say how this worker does."""
        self._lease.take()
        self._link.announce()
        self._link.publish_worker(
            WorkerStatus(
                worker_id=self.name,
                host="host",
                pid=1,
                version="0.1.0",
                started_at_ms=started_at_ms,
                updated_at_ms=1,
                device="cpu",
                detector="openvino",
                model="yolo11n",
                cores=2,
                max_cameras=self._capacity,
                labels=self._labels,
                detect_seconds=0.05 if self.measured else None,
                holdings={name: self._holding(epoch) for name, epoch in self.holds.items()},
                draining=draining,
            )
        )

    def _holding(self, epoch: int) -> Holding:
        stream_cores, frame_seconds = self.measured or (None, None)
        return Holding(epoch=epoch, stream_cores=stream_cores, frame_seconds=frame_seconds, detect_share=1.0)

    def expect_plan(self) -> None:
        """Write from now on as a worker does that knows of a manager."""
        self._link.expects_plan = True

    def die(self) -> None:
        """Stop renewing the lease for longer than it lives."""
        self._client.delete(keys.worker_lease(self.name))

    def assignments(self) -> dict[str, Assignment]:
        """Return what this worker is told to watch."""
        return self._link.orders().assignments

    def publish(self, camera_id: str, epoch: int) -> Written:
        """Publish one result with a picture and an entry of the frame index."""
        number = next(self._seq)
        result = AnalysisResult(
            camera_id=camera_id,
            epoch=epoch,
            seq=number,
            worker_id=self.name,
            captured_at_ms=number,
            published_at_ms=number,
            width=2,
            height=2,
            frame_path=f"{camera_id}/19700101/00/{number}.jpg",
        )
        return self._link.publish_result(result, b"jpeg")

    def say(self, camera_id: str, state: CameraState) -> None:
        """Publish the status of one camera that this worker holds."""
        self._link.publish_statuses(
            [
                CameraStatus(
                    camera_id=camera_id,
                    worker_id=self.name,
                    epoch=self.assignments()[camera_id].epoch,
                    state=state,
                    updated_at_ms=1,
                )
            ]
        )

    def work(self) -> dict[str, Written]:
        """Watch what is assigned, and publish one result and one status for every camera."""
        self.holds = {name: assigned.epoch for name, assigned in self.assignments().items()}
        written = {name: self.publish(name, assigned.epoch) for name, assigned in self.assignments().items()}
        for name in self.assignments():
            self.say(name, CameraState.ONLINE)
        return written


class PlannedFarm:
    """The parts that a manager works with."""

    def __init__(self, client: redis.Redis, folder: Path, database_url: str = "") -> None:
        self.client = client
        self.database_url = database_url or f"sqlite:///{folder}/farm.sqlite3"
        self.clock = SetClock()
        self.folder = folder
        self.box = SecretBox(Fernet.generate_key().decode())
        self.registry = Registry(self.database_url, self.box)
        self.registry.migrate()
        self.reader = FarmReader(client)
        self.lease = self.new_lease()
        self.lease.take()
        self.manager = self.new_manager(self.lease)
        self._workers: dict[str, SimulatedWorker] = {}

    def new_lease(self) -> Lease:
        """Return the lease of another controller, not yet taken."""
        return Lease(self.client, keys.controller_lease(), LEASE_SECONDS)

    def new_manager(self, lease: Lease) -> Manager:
        """Return a manager that has just taken the lead under `lease`."""
        manager = Manager(
            self.registry,
            self.reader,
            PlanPublisher(self.client, lease.token),
            controller_id="controller",
            settings=ManagerSettings(handover_seconds=HANDOVER_SECONDS),
            clock=self.clock,
        )
        manager.take_lead()
        return manager

    def change_leader(self) -> Manager:
        """Let the leader give up and another manager lead; return the former one."""
        former = self.manager
        self.lease.release()
        self.lease = self.new_lease()
        assert self.lease.take()
        self.manager = self.new_manager(self.lease)
        return former

    def cameras(self, *camera_ids: str) -> None:
        """Register cameras."""
        self.registry.add_many([CameraCreate(id=name, url=f"rtsp://h/{name}") for name in camera_ids])

    def worker(self, name: str, capacity: int = 64, labels: Sequence[str] = ()) -> SimulatedWorker:
        """Start a worker."""
        self._workers[name] = SimulatedWorker(self.client, name, capacity, labels)
        return self._workers[name]

    def worker_of(self, name: str) -> SimulatedWorker:
        """Return a worker that was started."""
        return self._workers[name]

    def settle(self) -> None:
        """Step and let every worker publish until nothing is being handed over."""
        for _ in range(8):
            self.manager.step()
            for worker in self._workers.values():
                if self.client.exists(keys.worker_lease(worker.name)):
                    worker.work()
            if not self.report().handing_over and not self.manager.unfinished:
                return
        raise AssertionError("handovers do not end")

    def placement(self) -> dict[str, list[str]]:
        """Return camera id -> workers that are told to watch it."""
        found: dict[str, list[str]] = {}
        for name in self._workers:
            for camera_id in self.reader.assignments([name])[name]:
                found.setdefault(camera_id, []).append(name)
        return found

    def fence(self, camera_id: str) -> int:
        """Return the oldest epoch that may still write for a camera."""
        return self.reader.camera_epochs([camera_id])[camera_id]

    def report(self) -> PlanReport:
        """Return what the manager said last."""
        heard = self.reader.heard_plan()
        assert heard is not None
        return heard.message

    def close(self) -> None:
        """Give the database back."""
        self.registry.close()
