"""Shows the profile of the farm's workers, once, for ever, or as JSON."""

import json
import threading
from dataclasses import asdict
from functools import partial
from typing import Any

from camera_ctrler.api.farm_watch import FarmLook, FarmWatch
from camera_ctrler.api.worker_profile import WorkerProfile, worker_profiles
from cli.connection import joined, open_redis, open_registry
from cli.profile_tables import ProfileTables
from cli.screen import screen
from cli.status_view import watch_farm
from runtime.clock import SystemClock
from runtime.drain import WorkerNotFoundError
from runtime.farm_reader import FarmReader
from runtime.settings import DatabaseSettings


def show_profile(worker_id: str | None, *, as_json: bool, watch: bool) -> None:
    """Print the profile once, or keep showing it until Ctrl-C.

    Raises:
        WorkerNotFoundError: No live worker is called `worker_id`.
    """
    settings = joined(DatabaseSettings.load())
    with open_registry(settings) as registry, open_redis(settings, "camfarm-cli") as client:
        farm = FarmWatch(registry, FarmReader(client), SystemClock())
        look = farm.look()
        if worker_id is not None:
            find_worker(look, worker_id)
        if as_json:
            print(json.dumps(as_document(look, worker_id), indent=2))
        elif watch:
            watch_farm(farm, threading.Event(), partial(ProfileTables, worker_id=worker_id))
        else:
            screen().print(ProfileTables(look, worker_id=worker_id))


def find_worker(look: FarmLook, worker_id: str) -> WorkerProfile:
    """Return the profile of one worker.

    Raises:
        WorkerNotFoundError: No live worker has this id, or it does not say how it does.
    """
    for profile in worker_profiles(look):
        if profile.info.worker_id == worker_id:
            return profile
    raise WorkerNotFoundError(worker_id)


def as_document(look: FarmLook, worker_id: str | None = None) -> dict[str, Any]:
    """Return the profile as JSON has it; times are Unix milliseconds UTC."""
    return {
        "at_ms": look.now_ms,
        "workers": [_document(each) for each in worker_profiles(look) if worker_id in (None, each.info.worker_id)],
    }


def _document(profile: WorkerProfile) -> dict[str, Any]:
    said = profile.status.model_dump(
        mode="json",
        include={"worker_id", "host", "version", "device", "detector", "model"}
        | {"stages", "drops_per_second", "cpu_cores", "host_busy_cores", "host_cores"},
    )
    return said | {
        "capacity_cores": profile.info.capacity_cores,
        "bottleneck": asdict(profile.bottleneck),
        "cameras": [asdict(camera) for camera in profile.cameras],
    }
