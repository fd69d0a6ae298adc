"""What is wrong with the farm, worst first, and one sentence for it. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from camera_ctrler.api.diagnosis.cameras import camera_findings
from camera_ctrler.api.diagnosis.history import Past
from camera_ctrler.api.diagnosis.recognising import recognition_findings
from camera_ctrler.api.diagnosis.storage import event_findings, volume_findings
from camera_ctrler.api.diagnosis.workers import manager_findings, spool_findings, worker_findings
from camera_ctrler.api.farm_schemas import FarmTotals
from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.health_schemas import CameraCounts, FarmHealth, FarmState, Finding, Severity
from camera_ctrler.api.schemas import CameraStatusView
from camera_ctrler.api.worker_profile import worker_profiles
from contract.cameras import CameraState
from contract.errors import StatusReason

#: Findings of cameras that say the same as one of the whole farm, which then goes without them.
_SAID_ALREADY: Final = {"no_worker": StatusReason.NO_WORKER, "no_manager": StatusReason.NO_MANAGER}


def diagnose(look: FarmLook, totals: FarmTotals, past: Past | None, floor_bytes: int) -> list[Finding]:
    """Return what is wrong with the farm, for who may see all of it; worst first.

    Args:
        look: The farm at one moment.
        totals: What comes of it.
        past: Its counts before; None: not known, and so nothing is said of what grows.
        floor_bytes: What must be free on the frames volume.
    """
    profiles = worker_profiles(look)
    whole = [
        *manager_findings(totals),
        *worker_findings(totals, profiles),
        *volume_findings(totals, floor_bytes),
        *spool_findings(totals, profiles, past),
        *event_findings(totals, past),
        *recognition_findings(totals, past),
    ]
    told = {_SAID_ALREADY[finding.code] for finding in whole if finding.code in _SAID_ALREADY}
    cameras = [finding for finding in camera_findings(look.statuses.values()) if finding.reason not in told]
    return worst_first([*cameras, *whole])


def diagnose_some(look: FarmLook, sees: Callable[[str], bool]) -> list[Finding]:
    """Return what is wrong with some cameras, for who may see no others and nothing of the farm as a whole."""
    return worst_first(camera_findings(seen(look, sees)))


def seen(look: FarmLook, sees: Callable[[str], bool]) -> list[CameraStatusView]:
    """Return how the cameras do that somebody may see."""
    return [status for name, status in look.statuses.items() if sees(name)]


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by how bad they are; those alike in the order in which they come: causes before consequences."""
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def health(at_ms: int, findings: Sequence[Finding], statuses: Iterable[CameraStatusView]) -> FarmHealth:
    """Return findings with the sentence that comes of them."""
    cameras = _counts(statuses)
    if not findings:
        return FarmHealth(at_ms=at_ms, state=FarmState.OK, sentence=_all_is_well(cameras), findings=[], cameras=cameras)
    worst = findings[0]
    return FarmHealth(
        at_ms=at_ms,
        state=FarmState(worst.severity.value),
        sentence=" ".join(part for part in (worst.text, worst.remedy) if part),
        findings=list(findings),
        cameras=cameras,
    )


def _counts(statuses: Iterable[CameraStatusView]) -> CameraCounts:
    states = [status.state for status in statuses]
    return CameraCounts(
        registered=len(states),
        enabled=sum(state is not CameraState.DISABLED for state in states),
        connecting=sum(state in {CameraState.PENDING, CameraState.CONNECTING} for state in states),
    )


def _all_is_well(cameras: CameraCounts) -> str:
    enabled, starting = cameras.enabled, cameras.connecting
    if not enabled:
        return "No camera is switched on. Add one to begin." if not cameras.registered else "No camera is switched on."
    if starting:
        return f"All is well; {starting} of {enabled} cameras {'is' if starting == 1 else 'are'} being connected to."
    return "All is well: the camera is watched." if enabled == 1 else f"All is well: all {enabled} cameras are watched."
