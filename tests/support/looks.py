"""A farm at one moment, as `FarmWatch` would see it: one camera works, one does not; one worker of three lives."""

from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.status_view import Surroundings, status_view
from contract.camera_specs import Camera
from contract.cameras import CameraState, CameraStatus
from contract.errors import StatusReason
from contract.moves import MoveReason
from contract.plan import PlanReport
from contract.workers import Holding, WorkerStatus
from runtime.farm_reader import Heard, WorkerView

NOW_MS = 1_800_000_000_000


def camera(camera_id: str) -> Camera:
    """Return a registered camera."""
    return Camera(
        id=camera_id,
        name=f"[bold]{camera_id}",  # looks like markup, and is not
        url="rtsp://192.0.2.1/",
        has_credentials=False,
        enabled=True,
        origin="farm",
        created_at_ms=0,
        updated_at_ms=0,
    )


def status(camera_id: str, state: CameraState, reason: StatusReason | None = None) -> CameraStatus:
    """Return what a worker says of it."""
    return CameraStatus(
        camera_id=camera_id,
        worker_id="w-1",
        epoch=1,
        state=state,
        reason=reason,
        updated_at_ms=NOW_MS - 500,
        last_frame_at_ms=NOW_MS - 1_500,
        stream_fps=25.0,
        analysed_fps=1.04,
    )


def worker(worker_id: str, *, alive: bool) -> WorkerView:
    """Return a worker with its status."""
    known = WorkerStatus(
        worker_id=worker_id,
        host="north",
        pid=1,
        version="0",
        started_at_ms=0,
        updated_at_ms=NOW_MS,
        device="cpu",
        detector="openvino",
        model="yolo11n",
        cores=2,
        max_cameras=64,
        holdings={"gate": Holding(epoch=1)},
        draining=True,
        detect_ms=28.04,
    )
    return WorkerView(worker_id, alive=alive, lease_ms=2_400 if alive else 0, status=known)


def look() -> FarmLook:
    """Return a farm with one camera that works, one that does not, and three workers; no manager leads."""
    around = Surroundings(None, workers_alive=1)
    cameras = {name: camera(name) for name in ("gate", "yard")}
    statuses = {
        "gate": status("gate", CameraState.ONLINE),
        "yard": status("yard", CameraState.OFFLINE, StatusReason.AUTH_FAILED),
    }
    views = {name: status_view(cameras[name], Heard(statuses[name], 500), None, around) for name in cameras}
    silent = WorkerView("w-3", alive=False, lease_ms=0, status=None)
    workers = [worker("w-1", alive=True), worker("w-2", alive=False), silent]
    return FarmLook(NOW_MS, cameras, views, workers, plan=None, moves_last_hour={})


def led_look(cameras: int = 2, workers: int = 2, **plan_fields: object) -> FarmLook:
    """Return a farm that is led, whose names are as long as real ones; cameras go round the workers.

    Each camera was measured and costs 0.02 + 0.03 + 1 * (0.01 + 0.06) cores; each worker has two cores.
    """
    camera_ids = [f"cam-{number:016x}" for number in range(cameras)]
    worker_ids = [f"a-host-with-a-name-{number:06x}" for number in range(workers)]
    holders = {name: worker_ids[number % workers] for number, name in enumerate(camera_ids)}
    views = []
    for worker_id in worker_ids:
        known = worker(worker_id, alive=True).status
        assert known is not None
        held = {
            name: Holding(epoch=12, stream_cores=0.03, frame_seconds=0.01, detect_share=1.0)
            for name, holder in holders.items()
            if holder == worker_id
        }
        said = known.model_copy(
            update={"holdings": held, "detect_seconds": 0.06, "draining": False, "cores_shared": False}
        )
        views.append(WorkerView(worker_id, alive=True, lease_ms=2_400, status=said))
    report = PlanReport(
        controller_id="a-host-with-a-name-77ab31",
        updated_at_ms=NOW_MS,
        leading_since_ms=NOW_MS - 11_230_000,
        cameras=cameras,
        workers=workers,
        load=dict.fromkeys(worker_ids, 0.5),
        load_cores=1.0,
        capacity_cores=2.0 * workers,
        required_workers=workers,
        controllers=["a", "b"],
    ).model_copy(update=plan_fields)
    around = Surroundings(Heard(report, 0), workers_alive=workers)
    registered = {name: camera(name) for name in camera_ids}
    statuses = {
        name: status(name, CameraState.ONLINE).model_copy(update={"worker_id": holders[name], "epoch": 12})
        for name in camera_ids
    }
    shown = {name: status_view(registered[name], Heard(statuses[name], 500), None, around) for name in camera_ids}
    return FarmLook(NOW_MS, registered, shown, views, report, {MoveReason.WORKER_DIED: 4, MoveReason.PLACED: 9})
