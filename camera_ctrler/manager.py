"""The manager: turns registry and live workers into assignments in Redis, with as few moves as possible.

Several managers may run; the one that holds the controller lease leads. Its plan is rebuilt from Redis when it
takes the lead, so that a change of leader moves no camera, and it is written by a script that checks the lease, so
that one that slept cannot publish an old plan.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.assigner import make_plan
from camera_ctrler.plan_publisher import NotLeadingError, Operations, PlanPublisher
from camera_ctrler.registry import RegisteredCamera, Registry
from contract.errors import StatusReason
from contract.plan import PlanReport
from runtime.clock import Clock, SystemClock
from runtime.farm_reader import FarmReader, WorkerView

#: Seconds after which the whole registry is read again even if its revision says that nothing changed: somebody
#: may have edited the table by hand.
FULL_READ_SECONDS: Final = 5.0
#: Seconds after which the assignments in Redis are read again even if nothing seems to have happened: a server that
#: was started again quickly may have lost its last second of writes without anybody having noticed.
AUDIT_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where a camera is assigned now."""

    worker_id: str
    epoch: int
    #: What the worker was told, empty where it no longer holds; a change of it makes a new assignment.
    fingerprint: str


@dataclass(frozen=True, slots=True)
class _Handover:
    """A camera that `from_worker` goes on with until `epoch` has its first result."""

    from_worker: str
    epoch: int
    #: Monotonic seconds after which the former worker is fenced off in any case.
    deadline: float


class Manager:
    """Plans for the farm while it leads. Not thread-safe: one thread calls `step`."""

    def __init__(
        self,
        registry: Registry,
        reader: FarmReader,
        publisher: PlanPublisher,
        *,
        controller_id: str,
        handover_seconds: float,
        clock: Clock | None = None,
    ) -> None:
        self._registry = registry
        self._reader = reader
        self._publisher = publisher
        self._controller_id = controller_id
        self._handover_seconds = handover_seconds
        self._clock = clock or SystemClock()
        self._cameras: dict[str, RegisteredCamera] = {}
        self._revision = -1
        self._read_at = 0.0
        #: Whether the registry was ever read: without knowing the cameras, nothing may be withdrawn.
        self._knows_cameras = False
        self._database_error = ""
        #: Camera id -> newest epoch that this manager has seen or given out.
        self._epochs: dict[str, int] = {}
        self._placed: dict[str, _Placed] = {}
        self._handovers: dict[str, _Handover] = {}
        self._leading_since_ms = 0
        self._placed_total = self._moved_total = self._withdrawn_total = self._refused_plans = 0
        self._must_adopt = True
        self._adopted_at = 0.0
        #: (worker id, camera id) of assignments left behind by plans that stopped half-way.
        self._strays: list[tuple[str, str]] = []
        #: Worker id -> when its process started, for workers that live.
        self._started: dict[str, int] = {}
        self.camera_source_error = ""

    def take_lead(self) -> None:
        """Begin to lead: adopt what Redis says is assigned, with the next step."""
        self._leading_since_ms = self._clock.now_ms()
        self._must_adopt = True
        self._revision = -1

    def _adopt(self) -> None:
        """Read from Redis who has which camera."""
        pending, self._handovers = self._handovers, {}
        self._placed, self._strays = {}, []
        deadline = self._clock.monotonic() + self._handover_seconds
        held = self._reader.assignments([worker.worker_id for worker in self._reader.workers()])
        holders: dict[str, list[_Placed]] = {}
        for worker_id, assignments in held.items():
            for camera_id, found in assignments.items():
                here = _Placed(worker_id, found.epoch, found.model_copy(update={"epoch": 1}).model_dump_json())
                holders.setdefault(camera_id, []).append(here)
        fences = self._reader.camera_epochs(sorted(holders))
        for camera_id, its in holders.items():
            newest, *older = sorted(its, key=lambda placed: placed.epoch, reverse=True)
            self._epochs[camera_id] = max(newest.epoch, self._epochs.get(camera_id, 0))
            # Fenced off, by a worker that outlived a restored registry or by a plan cut short before it withdrew the
            # camera: all its writes are refused, so it must be given out anew.
            fenced_off = fences[camera_id] > newest.epoch
            self._placed[camera_id] = replace(newest, fingerprint="") if fenced_off else newest
            if older:
                handover, known = _Handover(older[0].worker_id, newest.epoch, deadline), pending.get(camera_id)
                if known is not None and (known.from_worker, known.epoch) == (handover.from_worker, handover.epoch):
                    handover = known  # its deadline stands
                self._handovers[camera_id] = handover
                self._strays += [(placed.worker_id, camera_id) for placed in older[1:]]
        self._adopted_at = self._clock.monotonic()

    def step(self) -> None:
        """Look at registry and workers once and publish what must change.

        While the database is away, the plan goes on with the cameras known, and the report says so.

        Raises:
            NotLeadingError: Another manager leads.
            redis.RedisError: Redis is away; the next step makes up for it.
        """
        if self._must_adopt:
            self._adopt()
            log.info("plan_adopted", cameras=len(self._placed), handovers=len(self._handovers))
        elif self._clock.monotonic() - self._adopted_at >= AUDIT_SECONDS:
            self._adopt()
        self._follow_registry()
        workers = self._reader.workers()
        able = {
            worker.worker_id: worker.status.max_cameras
            for worker in workers
            if worker.alive and worker.status is not None and not worker.status.draining
        }
        if not self._knows_cameras:
            self._must_adopt = False
            self._report(len(able), {})
            return
        alive = {worker.worker_id for worker in workers if worker.alive}
        wanted = {camera_id: camera for camera_id, camera in self._cameras.items() if camera.enabled}
        current = {camera_id: placed.worker_id for camera_id, placed in self._placed.items()}
        plan = make_plan(wanted, able, current)

        # Until all of it is written: whatever fails from here on, the plan is read again from what Redis then holds.
        self._must_adopt = True
        operations = Operations()
        for worker_id, camera_id in self._strays:
            operations.withdraw(worker_id, camera_id)
        self._strays = []
        self._finish_handovers(operations, alive)
        self._withdraw(operations, wanted, plan.unplaced, alive)
        self._assign(operations, plan.placement, alive, self._restarted(workers))
        for worker in workers:
            if not worker.alive:
                operations.dismiss_worker(worker.worker_id)
        self._publish(operations)
        self._must_adopt = False
        self._report(len(able), plan.unplaced)

    def _restarted(self, workers: list[WorkerView]) -> set[str]:
        """Return workers that came back under the same id: another process, which must not reuse an epoch."""
        started = {
            worker.worker_id: worker.status.started_at_ms for worker in workers if worker.alive and worker.status
        }
        known, self._started = self._started, started
        return {worker_id for worker_id, at in started.items() if known.get(worker_id, at) != at}

    def _follow_registry(self) -> None:
        """Read the cameras if they may have changed; keep those known while the database is away."""
        try:
            self._read_registry()
        except SQLAlchemyError as error:
            self._note_database(error)
        else:
            self._note_database(None)

    def _note_database(self, error: SQLAlchemyError | None) -> None:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0] if error is not None else ""
        if said != self._database_error:
            log.warning("database_away" if said else "database_back", error=said)
        self._database_error = said

    def _next_epochs(self, camera_ids: Iterable[str]) -> dict[str, int]:
        """Return an epoch for each camera, greater than all that are in use; also while the database is away."""
        ids = sorted(camera_ids)
        fences = self._reader.camera_epochs(ids)
        used = {camera_id: max(fences[camera_id], self._epochs.get(camera_id, 0)) for camera_id in ids}
        # Redis and this manager know the newest epochs unless Redis lost its data just now; then the audit, which
        # finds what is fenced off, makes up for it.
        epochs = {camera_id: epoch + 1 for camera_id, epoch in used.items()}
        if not self._database_error:
            try:
                epochs = self._registry.next_epochs(ids, above=used)
            except SQLAlchemyError as error:
                self._note_database(error)
        self._epochs |= epochs
        return epochs

    def _read_registry(self) -> None:
        revision = self._registry.revision()
        now = self._clock.monotonic()
        if revision == self._revision and now - self._read_at < FULL_READ_SECONDS:
            return
        listing = self._registry.list_all()
        # A row that was edited into nonsense is no reason to stop watching.
        kept = {name: self._cameras[name] for name in listing.unreadable if name in self._cameras}
        self._cameras = {camera.id: camera for camera in listing.cameras} | kept
        self._revision, self._read_at, self._knows_cameras = revision, now, True

    def _finish_handovers(self, operations: Operations, alive: set[str]) -> None:
        """End the former worker's part where the new one has written, or took too long, or the former is gone."""
        fences = self._reader.camera_epochs(sorted(self._handovers))
        now = self._clock.monotonic()
        for camera_id, handover in list(self._handovers.items()):
            taken_over = fences.get(camera_id, 0) >= handover.epoch
            if not taken_over and now < handover.deadline and handover.from_worker in alive:
                continue
            if not taken_over:
                operations.fence(camera_id, handover.epoch)
                log.warning("handover_forced", camera=camera_id, from_worker=handover.from_worker)
            operations.withdraw(handover.from_worker, camera_id)
            del self._handovers[camera_id]

    def _withdraw(
        self,
        operations: Operations,
        wanted: dict[str, RegisteredCamera],
        unplaced: dict[str, StatusReason],
        alive: set[str],
    ) -> None:
        """Take cameras away that nobody shall, or can, watch any more."""
        leaving = [camera_id for camera_id in self._placed if camera_id not in wanted or camera_id in unplaced]
        fences = self._next_epochs(leaving) if leaving else {}
        for camera_id in leaving:
            placed = self._placed.pop(camera_id)
            handover = self._handovers.pop(camera_id, None)
            operations.fence(camera_id, fences[camera_id])
            # Withdrawn last: should this stop half-way, the next manager sees by the assignment that it must go on.
            if camera_id in self._cameras:
                operations.hide_camera(camera_id)
            else:
                operations.forget_camera(camera_id)
            for worker_id in sorted({placed.worker_id, handover.from_worker if handover else placed.worker_id}):
                operations.withdraw(worker_id, camera_id)
            self._withdrawn_total += 1
            log.info("camera_withdrawn", camera=camera_id, worker=placed.worker_id, alive=placed.worker_id in alive)

    def _assign(self, operations: Operations, placement: dict[str, str], alive: set[str], restarted: set[str]) -> None:
        """Give out cameras that are new, that move, whose settings changed, or whose worker is another process."""
        changed = {
            camera_id: worker_id
            for camera_id, worker_id in placement.items()
            if (placed := self._placed.get(camera_id)) is None
            or placed.worker_id != worker_id
            or worker_id in restarted
            or placed.fingerprint != self._cameras[camera_id].fingerprint
        }
        if not changed:
            return
        epochs = self._next_epochs(changed)
        deadline = self._clock.monotonic() + self._handover_seconds
        for camera_id, worker_id in changed.items():
            camera, epoch = self._cameras[camera_id], epochs[camera_id]
            before = self._placed.get(camera_id)
            pending = self._handovers.pop(camera_id, None)
            if pending is not None and pending.from_worker != worker_id:
                operations.withdraw(pending.from_worker, camera_id)
            moved = before is not None and before.worker_id != worker_id
            hand_over = moved and before is not None and before.worker_id in alive and self._handover_seconds > 0
            if before is not None and moved:
                self._moved_total += 1
                log.info("camera_moved", camera=camera_id, worker=worker_id, from_worker=before.worker_id, epoch=epoch)
                if hand_over:
                    self._handovers[camera_id] = _Handover(before.worker_id, epoch, deadline)
                else:
                    operations.withdraw(before.worker_id, camera_id)
            elif before is None:
                self._placed_total += 1
                log.info("camera_placed", camera=camera_id, worker=worker_id, epoch=epoch)
            operations.assign(worker_id, camera.assignment(epoch), fence=not hand_over)
            self._placed[camera_id] = _Placed(worker_id, epoch, camera.fingerprint)

    def _publish(self, operations: Operations) -> None:
        try:
            self._publisher.publish(operations)
        except NotLeadingError:
            self._refused_plans += 1
            raise

    def _report(self, workers: int, unplaced: dict[str, StatusReason]) -> None:
        self._publisher.report(
            PlanReport(
                controller_id=self._controller_id,
                updated_at_ms=self._clock.now_ms(),
                leading_since_ms=self._leading_since_ms,
                cameras=len(self._cameras),
                workers=workers,
                unplaced=unplaced,
                handing_over=sorted(self._handovers),
                placed_total=self._placed_total,
                moved_total=self._moved_total,
                withdrawn_total=self._withdrawn_total,
                refused_plans=self._refused_plans,
                camera_source_error=self.camera_source_error,
                database_error=self._database_error,
            )
        )
