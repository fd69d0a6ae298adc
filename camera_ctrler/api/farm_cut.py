"""What of the farm somebody is shown who sees only some of its cameras. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from camera_ctrler.api.farm_watch import FarmLook
from contract.plan import PlanReport
from runtime.farm_reader import WorkerView


def look_of(look: FarmLook, visible: frozenset[str] | None) -> FarmLook:
    """Return the farm as if there were no other cameras; what cannot be cut by camera is not told.

    Args:
        look: The whole farm.
        visible: Cameras that whoever asks may see; None: all.
    """
    if visible is None:
        return look
    return replace(
        look,
        cameras={name: camera for name, camera in look.cameras.items() if name in visible},
        statuses={name: status for name, status in look.statuses.items() if name in visible},
        workers=workers_of(look.workers, visible),
        plan=plan_of(look.plan, visible),
        moves_last_hour={},
        footage=None,
        events=None,
        recognitions=None,
    )


def workers_of(workers: Iterable[WorkerView], visible: frozenset[str] | None) -> list[WorkerView]:
    """Return workers as if they held no other cameras."""
    return [worker if visible is None else _worker_of(worker, visible) for worker in workers]


def _worker_of(worker: WorkerView, visible: frozenset[str]) -> WorkerView:
    if worker.status is None:
        return worker
    held = {name: holding for name, holding in worker.status.holdings.items() if name in visible}
    return replace(worker, status=worker.status.model_copy(update={"holdings": held}))


def plan_of(plan: PlanReport | None, visible: frozenset[str] | None) -> PlanReport | None:
    """Return the manager's report without other cameras, and without what it counts over all of them."""
    if plan is None or visible is None:
        return plan
    return PlanReport(
        controller_id=plan.controller_id,
        updated_at_ms=plan.updated_at_ms,
        leading_since_ms=plan.leading_since_ms,
        cameras=len(visible),
        workers=plan.workers,
        unplaced={name: reason for name, reason in plan.unplaced.items() if name in visible},
        handing_over=[name for name in plan.handing_over if name in visible],
        controllers=plan.controllers,
        load_cores=plan.load_cores,
        capacity_cores=plan.capacity_cores,
        load=plan.load,
        required_workers=plan.required_workers,
        database_error=plan.database_error,
    )
