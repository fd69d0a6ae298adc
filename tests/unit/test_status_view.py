"""What `./farm status` shows of cameras and workers."""

import json

from rich.console import Console

from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.status_view import Surroundings, status_view
from cli.status_view import as_document, as_tables
from contract.camera_specs import Camera
from contract.cameras import CameraState, CameraStatus
from contract.errors import StatusReason
from contract.workers import WorkerStatus
from runtime.farm_reader import WorkerView

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
        capacity=64,
        camera_ids=["gate"],
        draining=True,
        detect_ms=28.04,
    )
    return WorkerView(worker_id, alive=alive, lease_ms=2_400 if alive else 0, status=known)


def look() -> FarmLook:
    """Return a farm with one camera that works, one that does not, and three workers."""
    around = Surroundings(NOW_MS, None, workers_alive=1)
    cameras = {name: camera(name) for name in ("gate", "yard")}
    statuses = {
        "gate": status("gate", CameraState.ONLINE),
        "yard": status("yard", CameraState.OFFLINE, StatusReason.AUTH_FAILED),
    }
    views = {name: status_view(cameras[name], statuses[name], None, around) for name in cameras}
    silent = WorkerView("w-3", alive=False, lease_ms=0, status=None)
    workers = [worker("w-1", alive=True), worker("w-2", alive=False), silent]
    return FarmLook(NOW_MS, cameras, views, workers, plan=None)


def shown() -> list[str]:
    """Return the lines of the tables."""
    console = Console(width=160, record=True, file=None)
    with console.capture() as capture:
        console.print(as_tables(look()))
    return capture.get().splitlines()


def test_a_camera_is_shown_with_state_reason_rates_and_age() -> None:
    """Given a working and a failing camera, each line has what an operator looks for, names as they are."""
    lines = shown()
    gate = next(line for line in lines if line.strip().startswith("gate"))
    assert gate.split() == ["gate", "[bold]gate", "online", "w-1", "1.0/25", "1.5", "s", "ago"]
    yard = next(line for line in lines if line.strip().startswith("yard"))
    assert yard.split()[:4] == ["yard", "[bold]yard", "offline", "auth_failed"]


def test_a_worker_is_shown_with_its_load_and_lease() -> None:
    """Given a live, a dead and a silent worker, the lines say which is which."""
    lines = [line.split() for line in shown()]
    assert ["w-1", "north", "cpu", "(openvino)", "1/64", "draining", "28.0", "2.4", "s"] in lines
    assert ["w-2", "north", "cpu", "(openvino)", "1/64", "draining", "28.0", "lost"] in lines
    assert ["w-3", "lost"] in lines


def test_a_farm_without_a_leading_manager_says_so() -> None:
    """Given no plan, the last line asks for the controller."""
    assert "no manager leads" in shown()[-1]


def test_the_document_is_json_with_the_same_facts() -> None:
    """Given the farm, the JSON has cameras by id and workers with their lease."""
    document = json.loads(json.dumps(as_document(look())))
    assert [(entry["camera_id"], entry["state"]) for entry in document["cameras"]] == [
        ("gate", "online"),
        ("yard", "offline"),
    ]
    assert [(entry["worker_id"], entry["alive"], entry["lease_ms"]) for entry in document["workers"]] == [
        ("w-1", True, 2_400),
        ("w-2", False, 0),
        ("w-3", False, 0),
    ]
