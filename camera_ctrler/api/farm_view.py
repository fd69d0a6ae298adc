"""What people are told of workers and of the farm as a whole. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from camera_ctrler.api.farm_schemas import (
    EventTotals,
    FarmTotals,
    HeldCamera,
    Leader,
    RecognitionTotals,
    SpoolTotals,
    UnplacedCamera,
    VolumeTotals,
    WorkerInfo,
)
from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.status_view import count_states, summary
from camera_ctrler.planning.costs import DETECT_SHARE, CostBook
from camera_ctrler.planning.load_board import CameraNeed, WorkerOffer, cost
from contract.camera_specs import Camera
from contract.errors import REMEDIES
from contract.footage_report import FootageReport
from contract.plan import PlanReport
from contract.recognition import RecognitionState
from contract.workers import Holding, WorkerStatus
from runtime.farm_reader import WorkerView
from runtime.version import VERSION

#: Unplaced cameras that are named; the manager's report has all of them.
UNPLACED_SHOWN: Final = 100


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
    share = DETECT_SHARE if holding.detect_share is None else holding.detect_share
    need = CameraNeed(stream_cores, camera.analyse_fps, frame_seconds, share)
    return round(cost(need, WorkerOffer(status.cores, status.max_cameras, detect_seconds)), 4)


def farm_totals(look: FarmLook) -> FarmTotals:
    """Return what people are shown of the farm as a whole."""
    plan = look.plan
    statuses = living(look.workers)
    enabled = sum(camera.enabled for camera in look.cameras.values())
    return FarmTotals(
        now_ms=look.now_ms,
        version=VERSION,
        summary=summary(look.online, enabled, look.workers_alive, look.objects_in_view),
        cameras_total=len(look.cameras),
        cameras_by_state=count_states(look.statuses.values()),
        workers_alive=look.workers_alive,
        objects_in_view=look.objects_in_view,
        leader=_leader(plan) if plan is not None else None,
        load_cores=plan.load_cores if plan is not None else None,
        capacity_cores=plan.capacity_cores if plan is not None else None,
        required_workers=plan.required_workers if plan is not None else None,
        moves_last_hour=look.moves_last_hour,
        unplaced_total=len(plan.unplaced) if plan is not None else 0,
        unplaced=_unplaced(plan) if plan is not None else [],
        refused_writes=sum(status.refused_writes for status in statuses),
        refused_plans=plan.refused_plans if plan is not None else 0,
        spool=_spool(statuses),
        volume=_volume(look.footage) if look.footage is not None else None,
        events=_events(look),
        recognitions=_recognitions(look),
        plan=plan,
    )


def _leader(plan: PlanReport) -> Leader:
    return Leader(
        controller_id=plan.controller_id, leading_since_ms=plan.leading_since_ms, controllers=plan.controllers
    )


def _unplaced(plan: PlanReport) -> list[UnplacedCamera]:
    """Return the first cameras that no worker has, by id."""
    found = sorted(plan.unplaced.items())[:UNPLACED_SHOWN]
    return [UnplacedCamera(camera_id=name, reason=reason, remedy=REMEDIES[reason]) for name, reason in found]


def _volume(report: FootageReport) -> VolumeTotals:
    return VolumeTotals(
        free_bytes=report.free_bytes,
        total_bytes=report.total_bytes,
        fill_bytes_per_second=report.fill_bytes_per_second,
        footage_bytes=sum(report.bytes.values()),
        archive_bytes=sum(report.archive_bytes.values()),
        conditions=report.conditions,
    )


def _events(look: FarmLook) -> EventTotals | None:
    if look.events is None:
        return None
    totals, backlog = look.events
    return EventTotals(
        stored=totals.stored,
        waiting=backlog.waiting,
        # By two clocks, the controller's and that of Redis: what comes out below 0 is their difference.
        waiting_seconds=0.0 if backlog.oldest_ms is None else max(0, look.now_ms - backlog.oldest_ms) / 1000,
        lost=backlog.lost,
        dead_letters=totals.dead_letters,
        writers=backlog.writers,
    )


def _recognitions(look: FarmLook) -> RecognitionTotals | None:
    if look.recognitions is None:
        return None
    counts, workers = look.recognitions
    living_ones = [each.status for each in workers if each.alive and each.status is not None]
    return RecognitionTotals(
        waiting=counts[RecognitionState.WAITING],
        queued=counts[RecognitionState.QUEUED],
        dead=counts[RecognitionState.DEAD],
        workers=sum(each.alive for each in workers),
        problems=sorted({status.problem for status in living_ones if status.problem}),
    )


def _spool(statuses: Iterable[WorkerStatus]) -> SpoolTotals:
    totals = SpoolTotals(records=0, size_bytes=0, lost=0)
    for status in statuses:
        totals.records += status.spool_records
        totals.size_bytes += status.spool_bytes
        totals.lost += status.spool_lost
    return totals


def living(workers: Iterable[WorkerView]) -> list[WorkerStatus]:
    """Return what live workers say."""
    return [worker.status for worker in workers if worker.alive and worker.status is not None]
