"""What the manager knows of the plan: who was given what, read from Redis when it takes the lead and now and then."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from contract.assignments import Assignment
from runtime.farm_reader import FarmReader


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a camera is assigned now."""

    worker_id: str
    epoch: int
    #: What the worker was told, empty where it no longer holds; a change of it makes a new assignment.
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Handover:
    """A camera that `from_worker` goes on with until `epoch` has its first result."""

    from_worker: str
    #: Epoch under which `from_worker` watches.
    from_epoch: int
    epoch: int
    #: Monotonic seconds after which the former worker is fenced off in any case.
    deadline: float


@dataclass
class PlanState:
    """The plan as Redis holds it."""

    placed: dict[str, Placed] = field(default_factory=dict)
    handovers: dict[str, Handover] = field(default_factory=dict)
    #: Camera id -> newest epoch that was seen or given out.
    epochs: dict[str, int] = field(default_factory=dict)
    #: (worker id, camera id) of assignments left behind by plans that stopped half-way.
    strays: list[tuple[str, str]] = field(default_factory=list)
    #: Handovers that were under way when Redis lost its data.
    lost_handovers: dict[str, Handover] = field(default_factory=dict)
    #: Camera id -> an assignment that was read, and its fingerprint: most are the same the next time.
    _prints: dict[str, tuple[Assignment, str]] = field(default_factory=dict)

    def adopt(self, reader: FarmReader, deadline: float) -> None:
        """Read from Redis who has which camera.

        Args:
            reader: Reads Redis.
            deadline: Of handovers that were not known, monotonic seconds.
        """
        workers = [worker.worker_id for worker in reader.workers(with_ages=False)]
        holders: dict[str, list[tuple[str, Assignment]]] = {}
        for worker_id, assignments in reader.assignments(workers).items():
            for camera_id, found in assignments.items():
                holders.setdefault(camera_id, []).append((worker_id, found))
        fences = reader.camera_epochs(sorted(holders))
        # Nothing is forgotten before all is read: Redis may go away meanwhile.
        pending, self.handovers = self.handovers, {}
        self.placed, self.strays = {}, []
        for camera_id, its in holders.items():
            (newest_holder, newest), *older = sorted(its, key=lambda one: one[1].epoch, reverse=True)
            self.epochs[camera_id] = max(newest.epoch, self.epochs.get(camera_id, 0))
            placed = Placed(newest_holder, newest.epoch, self._fingerprint(newest))
            # Fenced off, by a worker that outlived a restored registry or by a plan cut short before it withdrew the
            # camera: all its writes are refused, so it must be given out anew.
            fenced_off = fences[camera_id] > newest.epoch
            self.placed[camera_id] = replace(placed, fingerprint="") if fenced_off else placed
            if older:
                handover = Handover(older[0][0], older[0][1].epoch, newest.epoch, deadline)
                known = pending.get(camera_id)
                if known is not None and (known.from_worker, known.epoch) == (handover.from_worker, handover.epoch):
                    handover = known  # its deadline stands
                self.handovers[camera_id] = handover
                self.strays += [(worker_id, camera_id) for worker_id, _ in older[1:]]
        self._prints = {camera_id: self._prints[camera_id] for camera_id in holders}
        self.lost_handovers |= {name: handover for name, handover in pending.items() if name not in holders}

    def holders(self) -> set[str]:
        """Return the workers that have cameras."""
        placed = {placed.worker_id for placed in self.placed.values()}
        return placed | {handover.from_worker for handover in self.handovers.values()}

    def held_by(self, workers: Collection[str]) -> set[str]:
        """Return the cameras that any of `workers` watches, or is to watch."""
        placed = {camera_id for camera_id, where in self.placed.items() if where.worker_id in workers}
        return placed | {camera_id for camera_id, former in self.handovers.items() if former.from_worker in workers}

    def invalidate(self, workers: Collection[str]) -> None:
        """Take note that Redis no longer says what `workers` have."""
        if workers:
            for camera_id in self.held_by(workers) & self.placed.keys():
                self.placed[camera_id] = replace(self.placed[camera_id], fingerprint="")

    def _fingerprint(self, assignment: Assignment) -> str:
        known = self._prints.get(assignment.camera_id)
        if known is None or known[0] is not assignment:
            known = (assignment, assignment.model_copy(update={"epoch": 1}).model_dump_json())
            self._prints[assignment.camera_id] = known
        return known[1]
