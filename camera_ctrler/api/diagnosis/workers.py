"""What is wrong with workers and with what places cameras on them. Pure."""

from collections.abc import Sequence

from camera_ctrler.api.diagnosis.history import Past
from camera_ctrler.api.diagnosis.wording import LISTED, are, counted, lost_since, named, split
from camera_ctrler.api.farm_schemas import FarmTotals
from camera_ctrler.api.health_schemas import Finding, Severity
from camera_ctrler.api.worker_profile import WorkerProfile
from contract.cameras import CameraState
from contract.errors import REMEDIES, StatusReason


def manager_findings(totals: FarmTotals) -> list[Finding]:
    """Return what is wrong with the manager, and with what it reads cameras from."""
    plan = totals.plan
    if plan is None:
        return [
            Finding(
                code="no_manager",
                severity=Severity.BROKEN,
                text="No manager leads: cameras that are added or lose their worker get none, and nothing is deleted "
                "from the frames volume.",
                remedy="Start one with: ./farm controller",
                setting="./farm controller",
            )
        ]
    found = []
    if plan.database_error:
        found.append(
            Finding(
                code="database_away",
                severity=Severity.BROKEN,
                text="The manager cannot use the database: changes of cameras are not followed, events are not stored.",
                remedy="Check that it runs, and FARM_DATABASE_URL. Cameras go on with what was known before.",
                setting="FARM_DATABASE_URL",
                detail=plan.database_error,
            )
        )
    if plan.camera_source_error:
        found.append(
            Finding(
                code="camera_table_away",
                severity=Severity.WARNING,
                text="The external table of cameras cannot be followed.",
                remedy="Mend what it says below, or check FARM_CAMERA_SOURCE_URL. Cameras stay as they were.",
                setting="FARM_CAMERA_SOURCE_URL",
                detail=plan.camera_source_error,
            )
        )
    return found


def worker_findings(totals: FarmTotals, profiles: Sequence[WorkerProfile]) -> list[Finding]:
    """Return which workers are missing, and which do not keep up and what would help them."""
    enabled = totals.cameras_total - totals.cameras_by_state.get(CameraState.DISABLED, 0)
    if totals.workers_alive == 0:
        return [_no_worker(enabled)] if enabled else []
    found = [_overload(profile) for profile in profiles if profile.bottleneck.is_felt]
    required = totals.required_workers or 0
    if not found and required > totals.workers_alive:
        found.append(
            Finding(
                code="too_few_workers",
                severity=Severity.WARNING,
                text=f"The cameras cost more than the workers may spend: {counted(required, 'worker')} would carry "
                f"them, and {totals.workers_alive} {are(totals.workers_alive)} running.",
                remedy="Start another one, on another host where this one's cores are all in use: ./farm worker",
                setting="./farm worker",
                figures={"required": required, "running": totals.workers_alive},
            )
        )
    return found


def _no_worker(enabled: int) -> Finding:
    return Finding(
        code="no_worker",
        severity=Severity.BROKEN,
        text=f"No worker is running, so {counted(enabled, 'camera')} {are(enabled)} not watched.",
        remedy=split(REMEDIES[StatusReason.NO_WORKER])[1],
        setting="./farm worker",
        count=enabled,
    )


def _overload(profile: WorkerProfile) -> Finding:
    limit = profile.bottleneck
    remedy = next(iter(limit.remedies), None)
    return Finding(
        code="worker_overloaded",
        severity=Severity.WARNING,
        text=f"Worker {profile.status.worker_id} does not keep up with its cameras.",
        remedy=f"What would help most: {remedy.text}." if remedy is not None else "",
        setting=remedy.setting if remedy is not None else None,
        detail="; or ".join([limit.text, *(each.text for each in limit.remedies[1:])]),
        count=len(profile.cameras),
        cameras=list(remedy.cameras[:LISTED]) if remedy is not None else [],
        workers=[profile.status.worker_id],
    )


def spool_findings(totals: FarmTotals, profiles: Sequence[WorkerProfile], past: Past | None) -> list[Finding]:
    """Return what waits on workers' disks for Redis to take it, and what was lost of it in the last minutes."""
    found = []
    if lost := lost_since(totals.spool.lost, past.oldest.spool_lost if past else None):
        found.append(
            Finding(
                code="spool_lost",
                severity=Severity.BROKEN,
                text=f"{counted(lost, 'record')} of the last minutes {are(lost)} lost: a worker's disk had no room for "
                "what Redis does not take.",
                remedy="Make Redis reachable for the workers, or give them more room: FARM_SPOOL_MAX_BYTES.",
                setting="FARM_SPOOL_MAX_BYTES",
                count=lost,
            )
        )
    records = totals.spool.records
    if records:
        holders = [profile.status.worker_id for profile in profiles if profile.status.spool_records]
        grows = past is not None and records > past.recent.spool_records
        on = f" of {named(holders)}" if holders else ""
        found.append(
            Finding(
                code="spool_grows" if grows else "spool_waits",
                severity=Severity.WARNING if grows else Severity.NOTE,
                text=f"{records:,} results and events wait on the disk{on} until Redis takes them"
                f"{', and they become more' if grows else ''}.",
                remedy="Check the network between these workers and Redis, and what its slow log says (SLOWLOG GET)."
                if grows
                else "",
                count=records,
                workers=holders[:LISTED],
                figures={"bytes": totals.spool.size_bytes},
            )
        )
    return found
