"""The manager: turns registry and live workers into assignments in Redis, with as few moves as possible.

Several managers may run; the one that holds the controller lease leads. Its plan is rebuilt from Redis when it
takes the lead, so that a change of leader moves no camera, and it is written by a script that checks the lease, so
that one that slept cannot publish an old plan.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.planning.assigner import Limits, Plan, make_plan
from camera_ctrler.planning.connect_budget import ConnectBudget
from camera_ctrler.planning.costs import CostBook
from camera_ctrler.planning.expected_workers import ExpectedWorkers
from camera_ctrler.planning.load_board import CameraNeed, WorkerOffer
from camera_ctrler.planning.lost_cameras import LostCameras
from camera_ctrler.planning.patient_registry import PatientRegistry
from camera_ctrler.planning.plan_changes import PlanChanges
from camera_ctrler.planning.plan_publisher import NotLeadingError, Operations, PlanPublisher
from camera_ctrler.planning.plan_state import PlanState
from camera_ctrler.planning.sizing import load_cores, required_workers
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
#: Seconds between two looks at what workers measured: costs change slowly, and each change means planning anew.
COST_SECONDS: Final = 10.0
#: Seconds for one look at the workers from which on the server must have hung meanwhile.
SLOW_READ_SECONDS: Final = 1.0
#: Seconds between two reports when nothing happens.
REPORT_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ManagerSettings:
    """How a manager plans."""

    #: Seconds the former worker may go on with a moved camera while the new one connects.
    handover_seconds: float = 10.0
    #: Cameras that may be on their way between live workers at a time, for the sake of balance.
    max_moves_at_once: int = 16
    #: New connections to one camera host in a second.
    connects_per_host: int = 16
    #: Seconds in which workers are waited for after Redis lost its data.
    patience_seconds: float = 5.0
    #: Seconds without a death or an outage of Redis before cameras move for the sake of balance: as long as a lease.
    calm_seconds: float = 3.0


class Manager:
    """Plans for the farm while it leads. Not thread-safe: one thread calls `step`."""

    def __init__(
        self,
        registry: Registry,
        reader: FarmReader,
        publisher: PlanPublisher,
        *,
        controller_id: str,
        settings: ManagerSettings | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._registry = PatientRegistry(registry)
        self._reader = reader
        self._publisher = publisher
        self._controller_id = controller_id
        self._settings = settings or ManagerSettings()
        self._clock = clock or SystemClock()
        self._costs = CostBook()
        self._connects = ConnectBudget(self._clock, self._settings.connects_per_host)
        self._lost = LostCameras(self._clock, self._settings.patience_seconds)
        self._state = PlanState()
        self._changes = PlanChanges(
            self._state,
            reader,
            self._connects,
            self._clock,
            handover_seconds=self._settings.handover_seconds,
            next_epochs=self._next_epochs,
        )
        self._cameras: dict[str, RegisteredCamera] = {}
        #: What enabled cameras ask for; made anew when cameras or costs change.
        self._needs: dict[str, CameraNeed] = {}
        self._revision = -1
        self._read_at = self._heard_costs_at = self._reported_at = self._adopted_at = float("-inf")
        #: Whether the registry was ever read: without knowing the cameras, nothing may be withdrawn.
        self._knows_cameras = False
        self._database_error = ""
        self._leading_since_ms = 0
        self._must_adopt = True
        self._expected = ExpectedWorkers(self._clock, self._settings.patience_seconds)
        #: Whether Redis holds the mark of a plan; where it does not, it is new or has lost its data.
        self._is_marked = False
        self._reported_errors = ("", "")
        #: Cameras whose rows cannot be read.
        self._unreadable: set[str] = set()
        #: Cameras that were removed from the registry, to be forgotten.
        self._removed: set[str] = set()
        #: Camera id -> epoch given out while the database was away, to be written there.
        self._unrecorded: dict[str, int] = {}
        self._alive: set[str] = set()
        #: Monotonic seconds when a worker was last found to be gone, or Redis to be back.
        self._restless_at = float("-inf")
        #: Worker id -> when its process started, for workers that live.
        self._started: dict[str, int] = {}
        self._offers: dict[str, WorkerOffer] = {}
        #: The newest plan; None: something changed since.
        self._plan: Plan | None = None
        self._load: dict[str, float] = {}
        #: Cameras that no worker analyses, and why.
        self._unplaced: dict[str, StatusReason] = {}
        self.camera_source_error = ""
        #: Plans that were not written because another manager led; kept from one term to the next.
        self.refused_plans = 0
        #: Controllers that run, as far as this one has heard.
        self.controllers: list[str] = []

    def take_lead(self) -> None:
        """Begin to lead: adopt what Redis says is assigned, with the next step."""
        self._leading_since_ms = self._clock.now_ms()
        self._must_adopt = True
        self._revision = -1

    def redis_was_away(self, seconds_ago: float = 0.0) -> None:
        """Wait for the workers that hold cameras to have their leases back, before any of them counts as dead.

        While Redis is away no lease can be renewed: when it is back, none of them says anything about its worker.
        """
        self._expected.leases_ran_out(seconds_ago)
        self._restless_at = max(self._restless_at, self._clock.monotonic() - seconds_ago)
        self._must_adopt = True

    @property
    def unfinished(self) -> bool:
        """Whether the newest plan left something to be done by the next step."""
        return self._plan is None

    def step(self) -> None:
        """Look at registry and workers once and publish what must change.

        While the database is away, the plan goes on with the cameras known, and the report says so.

        Raises:
            NotLeadingError: Another manager leads.
            redis.RedisError: Redis is away; the next step makes up for it.
        """
        now = self._clock.monotonic()
        adopting = self._must_adopt or now - self._adopted_at >= AUDIT_SECONDS
        if adopting:
            self._state.adopt(self._reader, now + self._settings.handover_seconds)
            self._adopted_at, self._plan = now, None
        self._check_for_a_hang(now)
        self._follow_registry()
        looking_since = self._clock.monotonic()
        workers = self._reader.workers(with_ages=False)
        self._check_for_a_hang(looking_since)
        self._hear_costs(workers)
        offers = self._costs.offers(workers)
        if offers != self._offers:
            self._offers, self._plan = offers, None
        if self._expected.look(workers, self._state.holders()):
            self._plan = None
        if not self._knows_cameras:
            self._report()
            return
        if adopting:
            self._expect_lost()
        # Until all of it is written: whatever fails from here on, the plan is read again from what Redis then holds.
        self._must_adopt = True
        operations = Operations()
        try:
            self._make_operations(operations, workers)
            self._publisher.publish(operations)
            self._removed.clear()
            self._is_marked = self._is_marked or not len(self._lost)
        except NotLeadingError:
            self.refused_plans += 1
            raise
        self._must_adopt = False
        if len(operations) or now - self._reported_at >= REPORT_SECONDS or self._reported_errors != self._errors:
            self._report()

    def _check_for_a_hang(self, since: float) -> None:
        """Take note of a server that hung during a read and answered it all the same; leases ran out meanwhile."""
        if self._clock.monotonic() - since > SLOW_READ_SECONDS:
            self.redis_was_away()

    def _make_operations(self, operations: Operations, workers: list[WorkerView]) -> None:
        """Decide what has to change."""
        alive = {worker.worker_id for worker in workers if worker.alive} | self._expected.waiting
        for worker_id, camera_id in self._state.strays:
            operations.withdraw(worker_id, camera_id)
        self._state.strays = []
        if self._alive - alive:
            self._restless_at = self._clock.monotonic()
        self._alive = alive
        self._restore_lost(operations, workers)
        if not self._is_marked and not len(self._lost):
            operations.mark()
        if self._changes.finish_handovers(operations, alive, self._offers):
            self._plan = None
        restarted = self._restarted(workers)
        if self._plan is None or restarted:
            plan = self._make_plan(alive)
            placed = self._state.placed
            leaving = [
                name
                for name in placed
                if (name not in self._needs and name not in self._unreadable) or name in plan.unplaced
            ]
            self._changes.withdraw(operations, leaving, self._cameras)
            self._changes.assign(operations, plan, self._cameras, alive, restarted)
            analysed = {camera_id for camera_id, where in placed.items() if where.worker_id in alive}
            waiting = dict.fromkeys(set(plan.waiting) - analysed, StatusReason.HOST_BUSY)
            self._unplaced = plan.unplaced | waiting
            self._load = {worker_id: round(load, 3) for worker_id, load in plan.load.items()}
            self._plan = None if plan.unfinished else plan
        self._forget_removed(operations)
        gone = {worker.worker_id for worker in workers} - alive
        for worker_id in sorted(gone):
            operations.dismiss_worker(worker_id)
        # What they still have, because it waits for its host's turn, must be given anew even to them, should they be
        # back: nothing in Redis says any more that it is theirs.
        self._state.invalidate(gone)
        operations.wake_only(alive)

    def _make_plan(self, alive: set[str]) -> Plan:
        state = self._state
        current = {}
        for camera_id, placed in state.placed.items():
            handover = state.handovers.get(camera_id)
            # The worker that was to take over is dead, and the former one still watches: it may go on.
            back = handover is not None and placed.worker_id not in alive and handover.from_worker in self._offers
            current[camera_id] = handover.from_worker if handover is not None and back else placed.worker_id
        # Workers that die together are found out one after the other: what evens out the first gap is in the way
        # of the second. And what workers kept while Redis was away must arrive before another one writes.
        calm = self._clock.monotonic() - self._restless_at >= self._settings.calm_seconds
        calm = calm and not self._expected.waiting
        limits = Limits(
            moves=max(0, self._settings.max_moves_at_once - len(state.handovers)) if calm else 0,
            connects=self._connects.left(need.host for need in self._needs.values()),
            pinned=state.handovers.keys(),
        )
        needs = self._needs
        if len(self._lost) or self._expected.waiting:
            kept = self._state.held_by(self._expected.waiting)
            needs = {name: need for name, need in needs.items() if name not in self._lost and name not in kept}
        return make_plan(needs, self._offers, current, limits)

    def _restarted(self, workers: list[WorkerView]) -> set[str]:
        """Return workers that came back under the same id: another process, which must not reuse an epoch."""
        started = {
            worker.worker_id: worker.status.started_at_ms for worker in workers if worker.alive and worker.status
        }
        known, self._started = self._started, started
        return {worker_id for worker_id, at in started.items() if known.get(worker_id, at) != at}

    # --- what is known -------------------------------------------------------------------------------------------

    def _follow_registry(self) -> None:
        """Read the cameras if they may have changed; keep those known while the database is away."""
        try:
            self._read_registry()
            if self._unrecorded:
                self._registry.record_epochs(dict(self._unrecorded))
                self._unrecorded.clear()
        except SQLAlchemyError as error:
            self._note_database(error)
        else:
            self._note_database(None)

    def _note_database(self, error: SQLAlchemyError | None) -> None:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0] if error is not None else ""
        if said != self._database_error:
            log.warning("database_away" if said else "database_back", error=said)
        self._database_error = said

    def _read_registry(self) -> None:
        now = self._clock.monotonic()
        revision, listing = self._registry.read(self._revision if now - self._read_at < FULL_READ_SECONDS else -1)
        if listing is None:
            return
        # A row that was edited into nonsense is no reason to stop watching, whoever leads.
        self._unreadable = set(listing.unreadable)
        kept = {name: self._cameras[name] for name in listing.unreadable if name in self._cameras}
        cameras = {camera.id: camera for camera in listing.cameras} | kept
        if cameras != self._cameras:
            self._removed |= self._cameras.keys() - cameras.keys() - self._unreadable
            self._cameras = cameras
            self._costs.forget_all_but(cameras)
            self._reckon_needs()
        self._revision, self._read_at, self._knows_cameras = revision, now, True

    def _forget_removed(self, operations: Operations) -> None:
        """Delete what Redis holds of cameras that are not registered any more, also of those nobody watched."""
        for camera_id in sorted(self._removed - self._cameras.keys() - self._state.placed.keys()):
            operations.forget_camera(camera_id)

    def _hear_costs(self, workers: list[WorkerView]) -> None:
        now = self._clock.monotonic()
        if now - self._heard_costs_at < COST_SECONDS:
            return
        self._heard_costs_at = now
        version = self._costs.version
        self._costs.hear(workers)
        if self._costs.version != version:
            self._reckon_needs()

    def _reckon_needs(self) -> None:
        self._needs = {
            camera_id: self._costs.need(camera) for camera_id, camera in self._cameras.items() if camera.enabled
        }
        self._plan = None

    def _next_epochs(self, camera_ids: Iterable[str]) -> dict[str, int]:
        """Return an epoch for each camera, greater than all that are in use; also while the database is away."""
        ids = sorted(camera_ids)
        # An epoch that is given out and never used would make the worker's own one look outdated.
        self._publisher.check_lead()
        fences = self._reader.camera_epochs(ids)
        known = self._state.epochs
        used = {camera_id: max(fences[camera_id], known.get(camera_id, 0)) for camera_id in ids}
        # Redis and this manager know the newest epochs unless Redis lost its data just now; then the audit, which
        # finds what is fenced off, makes up for it.
        epochs = {camera_id: epoch + 1 for camera_id, epoch in used.items()}
        recorded = False
        if not self._database_error:
            try:
                epochs, recorded = self._registry.next_epochs(ids, above=used), True
            except SQLAlchemyError as error:
                self._note_database(error)
        if not recorded:
            self._unrecorded |= epochs
        known.update(epochs)
        return epochs

    # --- cameras that Redis has lost -----------------------------------------------------------------------------

    def _expect_lost(self) -> None:
        """Find cameras that were given out once and of which Redis knows nothing because it has lost its data."""
        self._is_marked = self._publisher.is_marked()
        if self._is_marked:
            self._state.lost_handovers.clear()
            return
        missing = [camera_id for camera_id in self._needs if camera_id not in self._state.placed]
        fences = self._reader.camera_epochs(missing)
        epochs = {camera_id: epoch for camera_id in missing if (epoch := self._state.epochs.get(camera_id, 0))}
        try:
            for camera_id, epoch in self._registry.epochs(missing).items():
                epochs[camera_id] = max(epoch, epochs.get(camera_id, 0))
        except SQLAlchemyError as error:
            self._note_database(error)
        # A worker that was back before this manager has written its fence again, with the epoch that stands.
        epochs = {camera_id: epoch for camera_id, epoch in epochs.items() if fences[camera_id] <= epoch}
        # Another manager may have led meanwhile: what this one remembers counts where nobody gave out a newer epoch.
        remembered = {} if self._database_error else self._state.lost_handovers
        handovers = {name: known for name, known in remembered.items() if known.epoch == epochs.get(name)}
        self._lost.expect(epochs, handovers)
        if epochs:
            log.warning("assignments_lost", cameras=len(epochs))

    def _restore_lost(self, operations: Operations, workers: list[WorkerView]) -> None:
        """Give cameras back to the workers that still watch them, under the epoch they have."""
        for camera_id, worker_id, epoch in self._lost.found(workers):
            camera = self._cameras.get(camera_id)
            if camera is not None and camera_id in self._needs:
                self._changes.restore(operations, camera, worker_id, epoch)
                self._plan, self._restless_at = None, self._clock.monotonic()
        for camera_id, epoch in self._lost.given_up().items():
            operations.fence(camera_id, epoch)
            self._plan = None

    @property
    def _errors(self) -> tuple[str, str]:
        return (self._database_error, self.camera_source_error)

    def _report(self) -> None:
        self._reported_at, self._reported_errors = self._clock.monotonic(), self._errors
        needs = self._needs.values()
        self._publisher.report(
            PlanReport(
                controller_id=self._controller_id,
                updated_at_ms=self._clock.now_ms(),
                leading_since_ms=self._leading_since_ms,
                cameras=len(self._cameras),
                workers=len(self._offers),
                unplaced=self._unplaced,
                handing_over=sorted(self._state.handovers),
                placed_total=self._changes.placed_total,
                moved_total=self._changes.moved_total,
                withdrawn_total=self._changes.withdrawn_total,
                refused_plans=self.refused_plans,
                moves_by_reason=dict(self._changes.by_reason),
                controllers=self.controllers,
                load_cores=round(load_cores(needs, self._offers), 3),
                capacity_cores=round(sum(offer.cores for offer in self._offers.values()), 3),
                load=self._load,
                required_workers=required_workers(needs, self._offers),
                camera_source_error=self.camera_source_error,
                database_error=self._database_error,
            )
        )
