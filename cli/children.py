"""The farm's own processes as children of a process group."""

import os
import socket
import sys
from pathlib import Path
from typing import Final

import requests
import urllib3

from runtime.child_process import Child
from runtime.farm_reader import FarmReader
from runtime.redis_client import RedisAwayError, connect
from runtime.reid_reader import ReidReader
from runtime.settings import PROJECT_DIR, CommonSettings, ControllerSettings, ReidSettings, WorkerSettings

#: Loading a model into a detector takes seconds; exporting one for the first time takes longer.
WORKER_READY_SECONDS: Final = 180.0
CONTROLLER_READY_SECONDS: Final = 60.0
#: What a process may take beyond its own time to drain before it is killed.
_MARGIN_SECONDS: Final = 5.0


def shared_environment(settings: CommonSettings) -> dict[str, str]:
    """Return what the farm's processes must agree on, with paths that mean the same from everywhere."""
    environment = {
        "FARM_REDIS_URL": settings.redis_url,
        "FARM_DATA_DIR": str(settings.data_dir.absolute()),
        "FARM_FRAMES_DIR": str(settings.frames_dir.absolute()),
        "FARM_MODELS_DIR": str(settings.models_path.absolute()),
    }
    if os.environ.get("FARM_ENV_FILE"):
        environment["FARM_ENV_FILE"] = str(Path(os.environ["FARM_ENV_FILE"]).absolute())
    return environment


def controller(settings: ControllerSettings) -> Child:
    """Return the manager and the API."""
    return Child(
        "controller",
        [sys.executable, "-m", "camera_ctrler"],
        env=shared_environment(settings),
        cwd=PROJECT_DIR,
        ready=lambda _pid: api_answers(settings, "/readyz"),
        ready_timeout_seconds=CONTROLLER_READY_SECONDS,
        stop_grace_seconds=20.0,
    )


def workers(settings: WorkerSettings, count: int) -> list[Child]:
    """Return `count` workers; each is ready when it has taken its lease."""
    environment = shared_environment(settings) | {"FARM_SPOOL_DIR": str(settings.spool_path.absolute())}
    if count > 1:
        environment["FARM_WORKER_ID"] = ""  # each makes its own
    if settings.detect_threads == 0 and count > 1:
        # Detectors that each start a thread for every core slow each other down.
        environment["FARM_DETECT_THREADS"] = str(max(1, usable_cores() // count))

    def has_lease(pid: int) -> bool:
        return pid in live_worker_pids(settings)

    return [
        Child(
            f"worker-{number}",
            [sys.executable, "-m", "workers"],
            env=environment,
            cwd=PROJECT_DIR,
            ready=has_lease,
            ready_timeout_seconds=WORKER_READY_SECONDS,
            stop_grace_seconds=settings.drain_seconds + _MARGIN_SECONDS,
        )
        for number in range(1, count + 1)
    ]


def reid_workers(settings: ReidSettings, count: int, recognisers: str) -> list[Child]:
    """Return `count` ReID workers with those recognisers; each is ready when it has said what it does."""
    environment = shared_environment(settings) | {"FARM_RECOGNISERS": recognisers}
    if settings.reid_threads == 0 and count > 1:
        # Embedders that each start a thread for every core slow each other down.
        environment["FARM_REID_THREADS"] = str(max(1, usable_cores() // count))

    def has_lease(pid: int) -> bool:
        return pid in live_reid_pids(settings)

    return [
        Child(
            f"reid-{number}",
            [sys.executable, "-m", "reid"],
            env=environment,
            cwd=PROJECT_DIR,
            ready=has_lease,
            ready_timeout_seconds=WORKER_READY_SECONDS,
            stop_grace_seconds=settings.reid_timeout_seconds + _MARGIN_SECONDS,
        )
        for number in range(1, count + 1)
    ]


def live_reid_pids(settings: CommonSettings) -> set[int]:
    """Return the process ids of ReID workers of this host that hold a lease."""
    try:
        with connect(settings, name="camfarm-cli", timeout_seconds=2) as client:
            found = ReidReader(client).workers()
    except RedisAwayError:
        return set()
    host = socket.gethostname()
    return {worker.status.pid for worker in found if worker.alive and worker.status and worker.status.host == host}


def live_worker_pids(settings: CommonSettings) -> set[int]:
    """Return the process ids of workers of this host that hold a lease."""
    try:
        with connect(settings, name="camfarm-cli", timeout_seconds=2) as client:
            found = FarmReader(client).workers()
    except RedisAwayError:
        return set()
    host = socket.gethostname()
    return {worker.status.pid for worker in found if worker.alive and worker.status and worker.status.host == host}


def api_url(settings: ControllerSettings) -> str:
    """Return the address under which this machine reaches the API."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.api_host, settings.api_host)  # noqa: S104 - compared
    scheme = "http" if settings.tls_cert is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.api_port}"


def api_answers(settings: ControllerSettings, path: str) -> bool:
    """Tell whether the API answers `path` with 200."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the machine's is not for its own processes
        # The certificate is for the name under which others reach it; this asks the own process whether it answers.
        session.verify = False
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        try:
            return session.get(api_url(settings) + path, timeout=2).ok
        except requests.RequestException:
            return False


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
