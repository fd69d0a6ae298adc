"""A whole farm in real processes: Valkey, controller, workers; for tests and benchmarks that look from outside."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from cryptography.fernet import Fernet

REPOSITORY: Final = Path(__file__).resolve().parents[2]
#: So that tests that are killed leave no process behind; where util-linux is missing they may.
_DIE_WITH_PARENT: Final = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


class Farm:
    """Starts and stops the farm's processes; every method waits for a fact, never for a fixed time."""

    def __init__(self, folder: Path, redis_url: str, *, api_port: int, **settings: str) -> None:
        self.folder = folder
        self.frames_dir = folder / "frames"
        self.base_url = f"http://127.0.0.1:{api_port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FARM_")}
        self.environment = kept | {
            "FARM_ENV_FILE": str(folder / "no.env"),
            "FARM_REDIS_URL": redis_url,
            "FARM_DATA_DIR": str(folder / "data"),
            "FARM_FRAMES_DIR": str(self.frames_dir),
            "FARM_MODELS_DIR": str(REPOSITORY / ".farm" / "models"),
            "FARM_SECRET_KEY": Fernet.generate_key().decode(),
            "FARM_API_PORT": str(api_port),
            "FARM_FRAMES_MIN_FREE_BYTES": "0",
            "FARM_LOG_FORMAT": "json",
            "FARM_AUTH": "off",
            **settings,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.frames_dir.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(list(self.processes)):
            self.stop(name, signal.SIGKILL if kind else signal.SIGTERM)

    # --- processes -----------------------------------------------------------------------------------------------

    def start(self, name: str, *module: str, **settings: str) -> subprocess.Popen[bytes]:
        """Start ``python -m module...`` as process `name`; its output goes to ``<folder>/<name>.log``."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*_DIE_WITH_PARENT, sys.executable, "-m", *module],
                cwd=REPOSITORY,
                env=self.environment | settings,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes[name] = process
        return process

    def start_controller(self) -> None:
        """Start manager and API and wait until the API is ready."""
        self.start("controller", "camera_ctrler")
        self.wait_for(self.is_ready, "the API is ready", 60)

    def start_api(self) -> None:
        """Start the API alone and wait until it is ready."""
        self.start("api", "camera_ctrler", "--only", "api")
        self.wait_for(self.is_ready, "the API is ready", 60)

    def start_manager(self, name: str, **settings: str) -> None:
        """Start one more manager; whether it leads is for the others to say, too."""
        self.start(name, "camera_ctrler", "--only", "manager", **settings)

    def start_worker(self, worker_id: str, **settings: str) -> None:
        """Start one worker and wait until the farm lists it; settings in capitals go into its environment."""
        self.start(worker_id, "workers", FARM_WORKER_ID=worker_id, **settings)
        self.wait_for(lambda: worker_id in self.live_workers(), f"worker {worker_id} is there", 60)

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM, seconds: float = 40) -> int:
        """Send a signal, wait for the end, return the exit code."""
        process = self.processes.pop(name)
        process.send_signal(number)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{name} did not stop within {seconds} s\n{self.log(name)[-4000:]}") from None

    def log(self, name: str) -> str:
        """Return what a process has written so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    # --- API -----------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Call the API; return status and decoded JSON (or bytes of other kinds)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the scheme is http, see base_url
            self.base_url + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, _decoded(answer)
        except urllib.error.HTTPError as error:
            return error.code, _decoded(error)

    def add_camera(self, camera_id: str, url: str, **fields: object) -> None:
        """Register a camera through the API."""
        status, answer = self.call("POST", "/api/v1/cameras", {"id": camera_id, "url": url, **fields})
        assert status == 201, answer

    def is_ready(self) -> bool:
        """Tell whether the API says it is ready."""
        try:
            return self.call("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def live_workers(self) -> dict[str, dict[str, Any]]:
        """Return live workers, by id."""
        status, answer = self.call("GET", "/api/v1/workers")
        assert status == 200, answer
        return {worker["worker_id"]: worker for worker in answer["items"] if worker["alive"]}

    def camera_status(self, camera_id: str) -> dict[str, Any]:
        """Return one camera's status."""
        status, answer = self.call("GET", f"/api/v1/cameras/{camera_id}/status")
        assert status == 200, answer
        return dict(answer)

    def wait_online(self, *camera_ids: str, seconds: float = 30) -> None:
        """Wait until the cameras are online and have been analysed."""
        for camera_id in camera_ids:
            self.wait_for(
                lambda name=camera_id: self.camera_status(name)["frames_analysed"] > 0,  # type: ignore[misc]
                f"camera {camera_id} is analysed",
                seconds,
            )

    def wait_for(self, fact: Callable[[], bool], what: str, seconds: float) -> float:
        """Wait until `fact` holds; return how many seconds it took."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise AssertionError(f"{name} ended with {process.returncode}\n{self.log(name)[-4000:]}")
            if fact():
                return time.monotonic() - started
            time.sleep(0.05)
        logs = "\n".join(f"--- {name}\n{self.log(name)[-2000:]}" for name in self.processes)
        raise AssertionError(f"not within {seconds} s: {what}\n{logs}")


def _decoded(answer: Any) -> Any:
    data = answer.read()
    return json.loads(data) if "json" in answer.headers.get("Content-Type", "") else data
