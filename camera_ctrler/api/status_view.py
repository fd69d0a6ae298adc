"""Decides what people are told of a camera from what registry, worker and manager say of it. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from camera_ctrler.api.schemas import CameraStatusView, RecordingStatusView
from contract.camera_specs import Camera
from contract.cameras import CameraState, CameraStatus
from contract.detections import AnalysisResult
from contract.errors import REMEDIES, StatusReason
from contract.plan import PlanReport
from runtime.farm_reader import Heard

#: Workers report once a second; after this many milliseconds without a report a status is no longer believed.
STALE_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """A camera's state with its reason."""

    state: CameraState
    reason: StatusReason | None = None
    detail: str = ""
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds for all cameras at one moment."""

    #: What a manager reported last.
    heard_plan: Heard[PlanReport] | None
    workers_alive: int

    @property
    def plan(self) -> PlanReport | None:
        """The manager's report, or None while no manager reports."""
        heard = self.heard_plan
        return heard.message if heard is not None and heard.age_ms <= STALE_MS else None

    @property
    def led(self) -> bool:
        """Whether a manager reported lately."""
        return self.plan is not None


def judge(camera: Camera, heard: Heard[CameraStatus] | None, around: Surroundings) -> Verdict:
    """Return the state that people are shown."""
    if not camera.enabled:
        return Verdict(CameraState.DISABLED, StatusReason.DISABLED)
    unplaced = around.plan.unplaced.get(camera.id) if around.plan is not None else None
    if heard is None:
        return _waiting(unplaced, around)
    status = heard.message
    if heard.age_ms <= STALE_MS:
        return Verdict(status.state, status.reason, status.detail)
    if unplaced is not None:
        return Verdict(CameraState.PENDING, unplaced, stale=True)
    detail = f"Worker {status.worker_id} has not reported on it for {heard.age_ms // 1000} s"
    return Verdict(CameraState.OFFLINE, StatusReason.WORKER_SILENT, detail, stale=True)


def _waiting(unplaced: StatusReason | None, around: Surroundings) -> Verdict:
    if unplaced is None and not around.led:
        unplaced = StatusReason.NO_MANAGER
    elif unplaced is None and around.workers_alive == 0:
        unplaced = StatusReason.NO_WORKER
    detail = "" if unplaced is not None else "It waits for its worker's first report"
    return Verdict(CameraState.PENDING, unplaced, detail)


def status_view(
    camera: Camera, heard: Heard[CameraStatus] | None, result: AnalysisResult | None, around: Surroundings
) -> CameraStatusView:
    """Return all that people are shown of one camera's status."""
    verdict = judge(camera, heard, around)
    online = verdict.state is CameraState.ONLINE
    seen: Counter[str] = Counter(item.class_name for item in result.detections) if result and online else Counter()
    known = _known_figures(heard)
    if not online:
        known |= {"stream_fps": 0.0, "analysed_fps": 0.0}
    return CameraStatusView(
        camera_id=camera.id,
        name=camera.name,
        state=verdict.state,
        reason=verdict.reason,
        remedy=REMEDIES[verdict.reason] if verdict.reason is not None else "",
        detail=verdict.detail,
        stale=verdict.stale,
        objects=dict(sorted(seen.items())),
        result_key=f"{result.epoch}-{result.seq}" if result is not None else "",
        **known,
    )


#: Fields that are shown as the worker says them.
_FIGURES: Final = (
    "worker_id",
    "epoch",
    "updated_at_ms",
    "last_frame_at_ms",
    "stream_fps",
    "analysed_fps",
    "age_ms",
    "width",
    "height",
    "codec",
    "decode_mode",
    "frames_analysed",
    "frames_saved",
    "frames_dropped",
    "frames_unsaved",
    "crops_saved",
    "crops_unsaved",
    "reconnects",
    "saving_reason",
)
_NOTHING_RECORDED: Final = RecordingStatusView()
_NOTHING_KNOWN: Final[dict[str, Any]] = {
    **CameraStatus(camera_id="x", worker_id="x", epoch=0, state=CameraState.PENDING, updated_at_ms=0).model_dump(
        include=set(_FIGURES)
    ),
    "worker_id": None,
    "epoch": None,
    "updated_at_ms": None,
    "recording": _NOTHING_RECORDED,
}


def _known_figures(heard: Heard[CameraStatus] | None) -> dict[str, Any]:
    if heard is None:
        return _NOTHING_KNOWN | {"last_frame_age_ms": None}
    status = heard.message
    figures: dict[str, Any] = {name: getattr(status, name) for name in _FIGURES}
    recording = status.recording
    remedy = REMEDIES[recording.reason] if recording.reason else ""
    figures["recording"] = RecordingStatusView(**recording.model_dump(), remedy=remedy)
    last = status.last_frame_at_ms
    # Both times are the worker's own: whether its clock is right does not matter.
    figures["last_frame_age_ms"] = None if last is None else max(0, status.updated_at_ms - last) + heard.age_ms
    return figures


def count_states(views: Iterable[CameraStatusView]) -> dict[str, int]:
    """Return how many cameras are in each state; states without any are 0."""
    found = Counter(view.state for view in views)
    return {state.value: found[state] for state in CameraState}


def summary(online: int, enabled: int, workers: int, objects: int) -> str:
    """Return the farm's state as one sentence."""
    if enabled == 0:
        return f"No camera is switched on · {_counted(workers, 'worker')}"
    return f"{online} of {_counted(enabled, 'camera')} online · {_counted(workers, 'worker')} · " + (
        f"{_counted(objects, 'object')} in view"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
