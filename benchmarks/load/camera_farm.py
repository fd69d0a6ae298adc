"""A whole farm of real processes in front of many cameras, measured from outside: streams in Redis, files, CPU."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

import redis

from benchmarks.load.analysed import Analysed, analysed, read_results
from benchmarks.load.camera_server import CameraServer, UnreadBytes
from benchmarks.load.machine import Usage, usage_of
from contract import keys
from runtime.cpus import usable_cpus
from runtime.farm_reader import FarmReader
from tests.support.farm import Farm
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n

#: What the product does by default where the tests' farm has something else; results are read after the measurement.
SETTINGS: Final = {"FARM_RESULT_STREAM_SIZE": "20000"}
#: As the embedded server of `./farm up` has it.
VALKEY: Final = ("--appendfsync", "everysec")


@dataclass(frozen=True, slots=True)
class Measured:
    """One span of a farm's life."""

    analysed: Analysed
    #: CPU-seconds a second of: workers, controller, valkey, cameras (server and publishers).
    cores: dict[str, float]
    #: Of all workers at the end.
    worker_memory_bytes: int
    #: Seconds of stream that lay unread in sockets: 95th percentile over connections and moments, and the most.
    unread_p95_seconds: float
    unread_max_seconds: float
    #: Unix seconds.
    since: float
    until: float


class CameraFarm:
    """Valkey, controller and workers in front of a `CameraServer`."""

    def __init__(
        self,
        server: CameraServer,
        *,
        workers: int = 1,
        settings: Mapping[str, str] | None = None,
        camera: Mapping[str, object] | None = None,
    ) -> None:
        """Prepare a farm.

        Args:
            server: Where its cameras are.
            workers: Worker processes; they share the cores, as `./farm up` has it.
            settings: ``FARM_*`` of all processes.
            camera: Fields of every camera, as the API takes them.
        """
        self._server = server
        self._workers = workers
        self._stack = ExitStack()
        self._camera = dict(camera or {})
        self._valkey = ValkeyServer(*VALKEY)
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="farm")))
        threads = {"FARM_DETECT_THREADS": str(max(1, usable_cpus() // workers))} if workers > 1 else {}
        self.farm = Farm(
            self._folder, self._valkey.url, api_port=free_port(), **{**SETTINGS, **threads, **(settings or {})}
        )
        self.cameras: list[str] = []
        #: Of all workers before they had a camera.
        self.empty_memory_bytes = 0
        self._client: redis.Redis | None = None

    def __enter__(self) -> Self:
        yolo11n()
        self._stack.callback(self._valkey.close)
        self._valkey.start()
        self._client = self._stack.enter_context(self._valkey.client())
        self._stack.enter_context(self.farm)
        self.farm.start_controller()
        for number in range(self._workers):
            self.farm.start_worker(f"w{number}")
        self.empty_memory_bytes = self.worker_usage().memory_bytes
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def client(self) -> redis.Redis:
        """A client of the farm's Valkey."""
        assert self._client is not None
        return self._client

    def add(self, until: int, *, fields: Mapping[str, object] | None = None) -> None:
        """Register cameras until there are so many, and wait until each has a result."""
        new = [f"cam{number:04}" for number in range(len(self.cameras), until)]
        for name in new:
            self.add_one(name, self._server.url(len(self.cameras)), fields=fields)
        self.farm.wait_for(lambda: self._have_results(new), f"results of {len(new)} new cameras", 60 + len(new))

    def add_one(self, name: str, url: str, *, fields: Mapping[str, object] | None = None) -> None:
        """Register one camera."""
        self.farm.add_camera(name, url, **{**self._camera, **(fields or {})})
        self.cameras.append(name)

    def change(self, name: str, **fields: object) -> None:
        """Change a camera's settings."""
        status, answer = self.farm.call("PATCH", f"/api/v1/cameras/{name}", fields)
        assert status == 200, answer

    def measure(self, seconds: float) -> Measured:
        """Watch the farm for a while, doing nothing; results are read when it is over."""
        before, since = self._usages(), time.time()
        with UnreadBytes(self._server.port) as unread:
            time.sleep(seconds)
        after, until = self._usages(), time.time()
        for name, process in self.farm.processes.items():
            assert process.poll() is None, f"{name} ended\n{self.farm.log(name)[-2000:]}"
        lags = sorted(size / self._server.bytes_per_second for size in unread.seen) or [0.0]
        return Measured(
            analysed=analysed(read_results(self.client, self.cameras), self.cameras, since, until),
            cores={name: after[name].cores_since(before[name], until - since) for name in after},
            worker_memory_bytes=after["workers"].memory_bytes,
            unread_p95_seconds=lags[int(0.95 * (len(lags) - 1))],
            unread_max_seconds=lags[-1],
            since=since,
            until=until,
        )

    def worker_usage(self) -> Usage:
        """Return what all workers have used."""
        return usage_of(process.pid for name, process in self.farm.processes.items() if name != "controller")

    def drops(self) -> dict[str, int]:
        """Return reason -> frames that were due and have no result, of all cameras."""
        statuses = cast("list[bytes | None]", self.client.mget([keys.camera_status(name) for name in self.cameras]))
        found: Counter[str] = Counter()
        for status in statuses:
            found.update(json.loads(status)["frames_dropped"] if status else {})
        return dict(found)

    def stages(self) -> dict[str, float]:
        """Return stage -> CPU-seconds a second of all workers over the last seconds, as they say themselves."""
        found: Counter[str] = Counter()
        for worker in FarmReader(self.client).workers():
            told = worker.status.stages if worker.status is not None else None
            found.update({stage.value: figures.cpu_cores for stage, figures in (told or {}).items()})
        return dict(found)

    def files(self, name: str) -> list[Path]:
        """Return a camera's footage in time order."""
        return sorted((self.farm.frames_dir / name / "recordings").rglob("*.mp4"))

    def _usages(self) -> dict[str, Usage]:
        return {
            "workers": self.worker_usage(),
            "controller": usage_of([self.farm.processes["controller"].pid]),
            "valkey": usage_of([int(self.client.info("server")["process_id"])]),
            "cameras": self._server.usage(),
        }

    def _have_results(self, names: list[str]) -> bool:
        pipe = self.client.pipeline(transaction=False)
        for name in names:
            pipe.exists(keys.camera_results(name))
        return all(pipe.execute())
