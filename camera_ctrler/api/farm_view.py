"""What people are told of workers and of the farm as a whole. Pure."""

from collections.abc import Iterable, Mapping

from camera_ctrler.api.farm_schemas import HeldCamera, Leader, SpoolTotals, UnplacedCamera, WorkerInfo
from camera_ctrler.costs import CostBook
from camera_ctrler.load_board import CameraNeed, WorkerOffer, cost
from contract.camera_specs import Camera
from contract.errors import REMEDIES
from contract.plan import PlanReport
from contract.workers import Holding, WorkerStatus
from runtime.farm_reader import WorkerView


def worker_infos(
    workers: Iterable[WorkerView], cameras: Mapping[str, Camera], plan: PlanReport | None
) -> list[WorkerInfo]:
    """Return what people are shown of the workers.

    Args:
        workers: As Redis shows them.
        cameras: Registered cameras, by id.
        plan: The leading manager's report, or None while no manager leads.
    """
    listed = list(workers)
    offers = CostBook().offers(listed)
    return [_worker_info(worker, offers.get(worker.worker_id), cameras, plan) for worker in listed]


def _worker_info(
    worker: WorkerView, offer: WorkerOffer | None, cameras: Mapping[str, Camera], plan: PlanReport | None
) -> WorkerInfo:
    status = worker.status
    own_cores = status.cores if status is not None and worker.alive else 0.0
    return WorkerInfo(
        worker_id=worker.worker_id,
        alive=worker.alive,
        lease_ms=worker.lease_ms,
        status_age_ms=worker.status_age_ms,
        drain_asked=worker.drain_asked,
        labels=status.labels if status is not None else [],
        holdings=_holdings(status, cameras) if status is not None else {},
        load=plan.load.get(worker.worker_id) if plan is not None else None,
        capacity_cores=offer.cores if offer is not None else own_cores,
        status=status,
    )


def _holdings(status: WorkerStatus, cameras: Mapping[str, Camera]) -> dict[str, HeldCamera]:
    return {
        name: HeldCamera(epoch=holding.epoch, cost_cores=_cost_cores(holding, cameras.get(name), status))
        for name, holding in sorted(status.holdings.items())
    }


def _cost_cores(holding: Holding, camera: Camera | None, status: WorkerStatus) -> float | None:
    """Return what a camera costs by what was measured last; None where something was not measured yet."""
    measured = (holding.stream_cores, holding.frame_seconds, status.detect_seconds)
    if camera is None or None in measured:
        return None
    stream_cores, frame_seconds, detect_seconds = (figure or 0.0 for figure in measured)
    need = CameraNeed(stream_cores, camera.analyse_fps, frame_seconds)
    return round(cost(need, WorkerOffer(status.cores, status.max_cameras, detect_seconds)), 4)


def leader_of(plan: PlanReport | None) -> Leader | None:
    """Return who leads."""
    if plan is None:
        return None
    return Leader(
        controller_id=plan.controller_id, leading_since_ms=plan.leading_since_ms, controllers=plan.controllers
    )


def unplaced_of(plan: PlanReport | None, limit: int) -> list[UnplacedCamera]:
    """Return the first cameras that no worker has, by id."""
    found = sorted(plan.unplaced.items())[:limit] if plan is not None else []
    return [UnplacedCamera(camera_id=name, reason=reason, remedy=REMEDIES[reason]) for name, reason in found]


def spool_totals(workers: Iterable[WorkerView]) -> SpoolTotals:
    """Return what waits at all live workers."""
    statuses = living(workers)
    return SpoolTotals(
        records=sum(status.spool_records for status in statuses),
        size_bytes=sum(status.spool_bytes for status in statuses),
        lost=sum(status.spool_lost for status in statuses),
    )


def refused_writes(workers: Iterable[WorkerView]) -> int:
    """Return how many late writes live workers were refused."""
    return sum(status.refused_writes for status in living(workers))


def living(workers: Iterable[WorkerView]) -> list[WorkerStatus]:
    """Return what live workers say."""
    return [worker.status for worker in workers if worker.alive and worker.status is not None]
