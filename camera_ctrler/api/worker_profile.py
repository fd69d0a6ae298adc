"""What a worker's time goes into, from what it says of itself and what is known of its cameras. Pure."""

from dataclasses import dataclass

from camera_ctrler.api.farm_schemas import HeldCamera, WorkerInfo
from camera_ctrler.api.farm_view import worker_infos
from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.schemas import CameraStatusView
from camera_ctrler.planning.bottleneck import Bottleneck, find_bottleneck
from camera_ctrler.planning.remedies import WatchedCamera, dearest
from contract.camera_specs import Camera
from contract.cameras import CameraState
from contract.workers import Holding, WorkerStatus


@dataclass(frozen=True, slots=True)
class WorkerProfile:
    """One worker that lives and says how it does."""

    info: WorkerInfo
    status: WorkerStatus
    #: Those that it watches, dearest first.
    cameras: list[WatchedCamera]
    bottleneck: Bottleneck


def worker_profiles(look: FarmLook) -> list[WorkerProfile]:
    """Return the profile of every worker that lives and says how it does, by id."""
    profiles = []
    for info in worker_infos(look.workers, look.cameras, look.plan):
        if not info.alive or info.status is None:
            continue
        cameras = dearest(_watched(info.status, info.holdings, look))
        limit = find_bottleneck(info.status, info.capacity_cores, cameras)
        profiles.append(WorkerProfile(info, info.status, cameras, limit))
    return profiles


def _watched(status: WorkerStatus, held: dict[str, HeldCamera], look: FarmLook) -> list[WatchedCamera]:
    """Return the cameras that a worker watches and that are registered; one that was just removed has no settings."""
    return [
        _camera(look.cameras[name], look.statuses.get(name), holding, held[name].cost_cores, status.worker_id)
        for name, holding in status.holdings.items()
        if name in look.cameras
    ]


def _camera(
    camera: Camera, view: CameraStatusView | None, holding: Holding, cost_cores: float | None, worker_id: str
) -> WatchedCamera:
    # While a camera moves, what is known of it may be another worker's.
    seen = view if view is not None and view.worker_id == worker_id else None
    return WatchedCamera(
        camera_id=camera.id,
        is_online=seen is not None and seen.state is CameraState.ONLINE,
        asked_fps=camera.analyse_fps,
        analysed_fps=seen.analysed_fps if seen is not None else 0.0,
        stream_fps=seen.stream_fps if seen is not None else 0.0,
        frames_analysed=seen.frames_analysed if seen is not None else 0,
        decode_mode=seen.decode_mode if seen is not None else "",
        width=seen.width if seen is not None else 0,
        height=seen.height if seen is not None else 0,
        has_main_url=camera.main_url is not None,
        save_frames=camera.save_frames,
        record=camera.record,
        stream_cores=holding.stream_cores,
        cost_cores=cost_cores,
    )
