"""What must change in Redis for a plan to come true: assignments, handovers, fences, and the history of moves."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from camera_ctrler.planning.assigner import Plan
from camera_ctrler.planning.connect_budget import ConnectBudget
from camera_ctrler.planning.plan_publisher import Operations
from camera_ctrler.planning.plan_state import Handover, Placed, PlanState
from camera_ctrler.registry import RegisteredCamera
from contract.cameras import CameraState
from contract.moves import Move, MoveReason
from runtime.clock import Clock
from runtime.farm_reader import FarmReader

#: Milliseconds after which a status says nothing of a camera any more.
STALE_MS: Final = 10_000

log = structlog.get_logger(__name__)


class PlanChanges:
    """Turns plans into operations, and keeps count. Changes `state` to what will hold once they are carried out."""

    def __init__(
        self,
        state: PlanState,
        reader: FarmReader,
        connects: ConnectBudget,
        clock: Clock,
        *,
        handover_seconds: float,
        next_epochs: Callable[[Iterable[str]], dict[str, int]],
    ) -> None:
        self._state = state
        self._reader = reader
        self._connects = connects
        self._clock = clock
        self._handover_seconds = handover_seconds
        self._next_epochs = next_epochs
        self.placed_total = self.moved_total = self.withdrawn_total = 0
        self.by_reason: Counter[MoveReason] = Counter()

    def finish_handovers(self, operations: Operations, alive: set[str], able: Iterable[str]) -> bool:
        """End the former worker's part where the new one has written, or took too long, or the former is gone.

        Args:
            operations: Where changes are added.
            alive: Workers whose lease is held.
            able: Workers that may be given cameras: one of these gets a camera back whose new worker died.

        Returns:
            Whether anything changed.
        """
        handovers = self._state.handovers
        fences = self._reader.camera_epochs(sorted(handovers))
        now = self._clock.monotonic()
        before = len(handovers)
        for camera_id, handover in list(handovers.items()):
            taken_over = fences.get(camera_id, 0) >= handover.epoch
            placed = self._state.placed.get(camera_id)
            goes_back = placed is not None and placed.worker_id not in alive and handover.from_worker in able
            if not taken_over and handover.from_worker in alive and (now < handover.deadline or goes_back):
                continue
            if not taken_over:
                operations.fence(camera_id, handover.epoch)
                log.warning("handover_forced", camera=camera_id, from_worker=handover.from_worker)
            operations.withdraw(handover.from_worker, camera_id)
            del handovers[camera_id]
        return len(handovers) < before

    def withdraw(self, operations: Operations, leaving: Iterable[str], known: Mapping[str, RegisteredCamera]) -> None:
        """Take cameras away that nobody shall, or can, watch any more; forget those that are not `known`."""
        state = self._state
        leaving = list(leaving)
        fences = self._next_epochs(leaving) if leaving else {}
        for camera_id in leaving:
            placed = state.placed.pop(camera_id)
            handover = state.handovers.pop(camera_id, None)
            operations.fence(camera_id, fences[camera_id])
            # Withdrawn last: should this stop half-way, the next manager sees by the assignment that it must go on.
            if camera_id in known:
                operations.hide_camera(camera_id)
            else:
                operations.forget_camera(camera_id)
            for worker_id in sorted({placed.worker_id, handover.from_worker if handover else placed.worker_id}):
                operations.withdraw(worker_id, camera_id)
            self.withdrawn_total += 1
            self._note(operations, camera_id, MoveReason.WITHDRAWN, fences[camera_id], from_worker=placed.worker_id)

    def assign(
        self,
        operations: Operations,
        plan: Plan,
        cameras: Mapping[str, RegisteredCamera],
        alive: set[str],
        restarted: set[str],
    ) -> None:
        """Give out cameras that are new, that move, whose settings changed, or whose worker is another process."""
        state = self._state
        changed = {
            camera_id: worker_id
            for camera_id, worker_id in plan.placement.items()
            if (placed := state.placed.get(camera_id)) is None
            or placed.worker_id != worker_id
            or worker_id in restarted
            or placed.fingerprint != cameras[camera_id].fingerprint
        }
        if not changed:
            return
        epochs = self._next_epochs(changed)
        sources = self._sources(changed, alive)
        deadline = self._clock.monotonic() + self._handover_seconds
        for camera_id, worker_id in changed.items():
            camera, epoch = cameras[camera_id], epochs[camera_id]
            before, pending = state.placed.get(camera_id), state.handovers.pop(camera_id, None)
            reason = _why(camera_id, worker_id, before, plan, alive, restarted)
            source = sources.get(camera_id)
            if source is not None:
                state.handovers[camera_id] = Handover(source, _epoch_of(source, before, pending), epoch, deadline)
            holders = {held.worker_id for held in [before] if held} | {held.from_worker for held in [pending] if held}
            for former in sorted(holders - {worker_id, source}):
                operations.withdraw(former, camera_id)
            moves_from = before.worker_id if before is not None and before.worker_id != worker_id else None
            self.moved_total += moves_from is not None
            self.placed_total += before is None
            if reason is not MoveReason.CHANGED:
                self._connects.spend(camera.host)
            # Handed back to the worker that was handing it over, which never stopped: what it wrote meanwhile, and may
            # have kept while Redis was away, counts until its first result under the new epoch, as in any handover.
            goes_on = pending is not None and pending.from_worker == worker_id and worker_id in alive - restarted
            operations.assign(worker_id, camera.assignment(epoch), fence=source is None and not goes_on)
            state.placed[camera_id] = Placed(worker_id, epoch, camera.fingerprint)
            self._note(operations, camera_id, reason, epoch, from_worker=moves_from, to_worker=worker_id)

    def restore(self, operations: Operations, camera: RegisteredCamera, worker_id: str, epoch: int) -> None:
        """Write an assignment again that Redis has lost, as it was."""
        operations.assign(worker_id, camera.assignment(epoch), fence=True)
        self._state.placed[camera.id] = Placed(worker_id, epoch, camera.fingerprint)
        self._state.epochs[camera.id] = max(epoch, self._state.epochs.get(camera.id, 0))
        log.info("camera_restored", camera=camera.id, worker=worker_id, epoch=epoch)

    def _sources(self, changed: dict[str, str], alive: set[str]) -> dict[str, str]:
        """Return camera id -> another live worker that watches it now and shall go on until the new one does.

        Cameras that are not online have none: nothing is lost by leaving them at once, and no first result of the
        new worker would ever end the wait.
        """
        if self._handover_seconds <= 0:
            return {}
        sources = {}
        for camera_id, worker_id in changed.items():
            placed, pending = self._state.placed.get(camera_id), self._state.handovers.get(camera_id)
            # While a camera is handed over it is still the former worker's.
            holders = [*([pending.from_worker] if pending else []), *([placed.worker_id] if placed else [])]
            source = next((holder for holder in holders if holder in alive), None)
            if source is not None and source != worker_id:
                sources[camera_id] = source
        online = {
            camera_id
            for camera_id, heard in self._reader.heard_statuses(sorted(sources)).items()
            if heard.message.state is CameraState.ONLINE and heard.age_ms <= STALE_MS
        }
        return {camera_id: source for camera_id, source in sources.items() if camera_id in online}

    def _note(
        self,
        operations: Operations,
        camera_id: str,
        reason: MoveReason,
        epoch: int,
        *,
        from_worker: str | None = None,
        to_worker: str | None = None,
    ) -> None:
        self.by_reason[reason] += 1
        move = Move(
            at_ms=self._clock.now_ms(),
            camera_id=camera_id,
            reason=reason,
            from_worker=from_worker,
            to_worker=to_worker,
            epoch=epoch,
        )
        operations.note(move)
        log.info("camera_moved", camera=camera_id, why=reason.value, from_worker=from_worker, to_worker=to_worker)


def _epoch_of(source: str, before: Placed | None, pending: Handover | None) -> int:
    """Return the epoch under which `source` watches a camera that it is to hand over."""
    if pending is not None and pending.from_worker == source:
        return pending.from_epoch
    return before.epoch if before is not None else 0


def _why(
    camera_id: str, worker_id: str, before: Placed | None, plan: Plan, alive: set[str], restarted: set[str]
) -> MoveReason:
    """Return why a camera is given to a worker."""
    if before is None:
        return MoveReason.PLACED
    if before.worker_id == worker_id:
        return MoveReason.WORKER_RESTARTED if worker_id in restarted else MoveReason.CHANGED
    if before.worker_id not in alive:
        return MoveReason.WORKER_DIED
    return plan.reasons.get(camera_id, MoveReason.WORKER_DRAINS)
