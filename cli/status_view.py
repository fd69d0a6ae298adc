"""What every camera and worker does now, as tables or JSON."""

import json
import sys
import threading
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from camera_ctrler.api.farm_watch import FarmLook, FarmWatch
from camera_ctrler.api.schemas import CameraStatusView
from cli.connection import joined, open_redis, open_registry
from cli.screen import screen
from contract.cameras import CameraState
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader, WorkerView
from runtime.settings import DatabaseSettings

_COLOURS = {
    CameraState.ONLINE: "green",
    CameraState.CONNECTING: "yellow",
    CameraState.PENDING: "yellow",
    CameraState.OFFLINE: "red",
    CameraState.DISABLED: "dim",
}


def show_status(*, as_json: bool, watch: bool) -> None:
    """Print the farm once, or keep showing it until Ctrl-C."""
    settings = joined(DatabaseSettings.load())
    with open_registry(settings) as registry, open_redis(settings, "camfarm-cli") as client:
        farm = FarmWatch(registry, FarmReader(client), SystemClock())
        if as_json:
            print(json.dumps(as_document(farm.look()), indent=2))
        elif watch:
            _watch(farm)
        else:
            screen().print(as_tables(farm.look()))


def _watch(farm: FarmWatch) -> None:
    pause = threading.Event()
    with Live(as_tables(farm.look()), screen=sys.stdout.isatty(), auto_refresh=False) as live:
        while not pause.wait(0.5):  # until Ctrl-C
            live.update(as_tables(farm.look()), refresh=True)


def as_document(look: FarmLook) -> dict[str, Any]:
    """Return the farm as JSON has it; times are Unix milliseconds UTC."""
    return {
        "at_ms": look.now_ms,
        "cameras": [view.model_dump(mode="json") for view in look.statuses.values()],
        "workers": [_worker_document(worker) for worker in look.workers],
    }


def _worker_document(worker: WorkerView) -> dict[str, Any]:
    known = worker.status.model_dump(mode="json") if worker.status else {}
    return {**known, "worker_id": worker.worker_id, "alive": worker.alive, "lease_ms": worker.lease_ms}


def as_tables(look: FarmLook) -> Group:
    """Return the farm as two tables."""
    cameras = Table("camera", "name", "state", "reason", "worker", "fps", "last frame", box=None, header_style="bold")
    for view in look.statuses.values():
        cameras.add_row(*map(_plain, _camera_cells(view)))
    workers = Table("worker", "host", "device", "cameras", "ms/frame", "lease", box=None, header_style="bold")
    for worker in look.workers:
        workers.add_row(*map(_plain, _worker_cells(worker)))
    nobody = Text("no manager leads; is the controller running?", style="red")
    return Group(cameras, Text(), workers, *([] if look.plan else [Text(), nobody]))


def _plain(cell: str | Text) -> Text:
    """Keep what people wrote from being read as markup."""
    return cell if isinstance(cell, Text) else Text(cell)


def _camera_cells(view: CameraStatusView) -> list[str | Text]:
    age = "" if view.last_frame_age_ms is None else f"{view.last_frame_age_ms / 1000:.1f} s ago"
    return [
        view.camera_id,
        view.name,
        Text(view.state.value, style=_COLOURS[view.state]),
        " ".join(filter(None, [view.reason.value if view.reason else "", view.detail])),
        view.worker_id or "",
        f"{view.analysed_fps:.1f}/{view.stream_fps:.0f}",
        age,
    ]


def _worker_cells(worker: WorkerView) -> list[str | Text]:
    known = worker.status
    lease = Text(f"{worker.lease_ms / 1000:.1f} s") if worker.alive else Text("lost", style="red")
    if known is None:
        return [worker.worker_id, "", "", "", "", lease]
    return [
        worker.worker_id,
        known.host,
        f"{known.device} ({known.detector})",
        f"{len(known.camera_ids)}/{known.max_cameras}{' draining' if known.draining else ''}",
        f"{known.detect_ms:.1f}",
        lease,
    ]
