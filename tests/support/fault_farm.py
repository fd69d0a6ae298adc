"""A small farm with real cameras for tests of failures, and what they all look at from outside."""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import psutil
import redis

from contract import keys
from contract.moves import Move, MoveReason
from runtime.farm_reader import FarmReader
from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.result_watcher import ResultWatcher
from tests.support.rtsp_server import RtspServer
from tests.support.tcp_proxy import TcpProxy
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n

CAMERAS: Final = ("a", "b", "c", "d")
#: Small pictures, few threads and short time limits of cameras: what is tested is who watches what, not how fast. The
#: lease is longer than by default (3 s), so that no process loses it because the machine is busy.
SETTINGS: Final = {
    "FARM_DETECT_SIZE": "160",
    "FARM_DETECT_THREADS": "1",
    "FARM_LEASE_SECONDS": "5",
    "FARM_CONNECT_TIMEOUT_SECONDS": "4",
    "FARM_STALL_TIMEOUT_SECONDS": "4",
    "FARM_RECONNECT_MAX_SECONDS": "2",
}
#: What the product does by default, for benchmarks.
PRODUCT_TIMES: Final = {
    "FARM_LEASE_SECONDS": "3",
    "FARM_CONNECT_TIMEOUT_SECONDS": "8",
    "FARM_STALL_TIMEOUT_SECONDS": "8",
    "FARM_RECONNECT_MAX_SECONDS": "15",
}
#: The promise is 5 s with the default lease, and `benchmarks/takeover.py` measures it; this is for a longer lease and
#: a busy machine.
TAKEOVER_SECONDS: Final = 30.0
#: Analysed frames per second of every camera, where nothing else is said.
ANALYSE_FPS: Final = 2.0
#: Of a camera that nothing happened to: two frames are 500 ms apart, the rest is for a busy machine. What lost
#: its worker or its stream is away for longer than that in every test; the benchmarks count single frames.
LONGEST_GAP_MS: Final = 3_500


@dataclass
class FaultFarm:
    """Valkey, API, manager, workers and cameras, each a process of its own, and a watcher of all results."""

    folder: Path
    valkey: ValkeyServer
    host: RtspServer
    farm: Farm
    client: redis.Redis
    watcher: ResultWatcher
    cameras: tuple[str, ...]
    #: Worker id -> settings it is started with.
    workers: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Process -> the proxy through which alone it reaches Redis.
    proxies: dict[str, TcpProxy] = field(default_factory=dict)

    # --- facts ---------------------------------------------------------------------------------------------------

    def held_by(self, worker_id: str) -> set[str]:
        """Return the cameras that a live worker says it watches."""
        status = self.farm.live_workers().get(worker_id, {}).get("status")
        return set(status["holdings"]) if status else set()

    def analysed_by(self, worker_id: str) -> set[str]:
        """Return the cameras whose newest result is this worker's."""
        newest = {name: self.watcher.newest(name) for name in self.cameras}
        return {name for name, result in newest.items() if result is not None and result.worker_id == worker_id}

    def epochs(self) -> dict[str, int]:
        """Return the epoch of each camera's newest result; 0 for none."""
        newest = {name: self.watcher.newest(name) for name in self.cameras}
        return {name: result.epoch if result else 0 for name, result in newest.items()}

    def _assigned(self) -> dict[str, tuple[int, str]]:
        """Return the newest epoch under which each camera is assigned, and to whom."""
        reader = FarmReader(self.client)
        held = reader.assignments([worker.worker_id for worker in reader.workers()])
        found: dict[str, tuple[int, str]] = {}
        for worker_id, assignments in held.items():
            for camera_id, assignment in assignments.items():
                found[camera_id] = max((assignment.epoch, worker_id), found.get(camera_id, (0, "")))
        return found

    def assigned_epochs(self) -> dict[str, int]:
        """Return the newest epoch under which each camera is assigned."""
        return {camera_id: epoch for camera_id, (epoch, _) in self._assigned().items()}

    def moves_besides(self, *reasons: MoveReason, since_ms: int) -> list[Move]:
        """Return why the manager has given or taken cameras since then, but for some reasons."""
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", self.client.xrange(keys.moves()))
        told = [Move.model_validate_json(fields[b"move"]) for _, fields in entries]
        return [move for move in told if move.at_ms >= since_ms and move.reason not in reasons]

    def assigned_to(self, worker_id: str) -> set[str]:
        """Return the cameras that a worker shall have when nothing is being handed over any more."""
        return {camera_id for camera_id, (_, assigned) in self._assigned().items() if assigned == worker_id}

    def leader(self) -> str:
        """Return the name of the process whose manager leads; empty: none does."""
        token = self.client.get(keys.controller_lease())
        if not isinstance(token, bytes):
            return ""
        controller = token.decode().partition(":")[0]
        return next((name for name in self.farm.processes if f'"controller": "{controller}"' in self.log(name)), "")

    def log(self, name: str) -> str:
        """Return what a process has written so far."""
        return self.farm.log(name)

    def pids(self) -> dict[str, int]:
        """Return the process ids of what was started and still runs."""
        return {name: process.pid for name, process in self.farm.processes.items() if process.poll() is None}

    # --- waiting -------------------------------------------------------------------------------------------------

    def wait_spread(self, *worker_ids: str, seconds: float = 60) -> None:
        """Wait until these workers analyse all cameras, none of them without one, and no camera is on its way."""

        def is_spread() -> bool:
            held = {name: self.held_by(name) for name in worker_ids}
            # How many each of them has depends on what cameras cost, as measured here and now.
            return sum(map(len, held.values())) == len(self.cameras) and all(
                its and its == self.analysed_by(name) == self.assigned_to(name) for name, its in held.items()
            )

        self.farm.wait_for(is_spread, f"{', '.join(worker_ids)} share the cameras", seconds)

    def wait_analysed(self, *cameras: str, seconds: float = 30) -> float:
        """Wait until each camera (default: all) has a result that was captured from now on; return seconds."""
        names = cameras or self.cameras
        before = {name: len(self.watcher.acceptances(name)) for name in names}
        # One more than one: the first may have been captured before.
        return self.farm.wait_for(
            lambda: all(len(self.watcher.acceptances(name)) >= before[name] + 2 for name in names),
            f"new results of {', '.join(names)}",
            seconds,
        )

    def wait_analysed_by(self, worker_id: str, *cameras: str, seconds: float = TAKEOVER_SECONDS) -> float:
        """Wait until each camera's newest result is this worker's; return seconds."""
        return self.farm.wait_for(
            lambda: set(cameras) <= self.analysed_by(worker_id), f"{worker_id} analyses {', '.join(cameras)}", seconds
        )

    def wait_handed_over(self, before: dict[str, int], seconds: float = TAKEOVER_SECONDS) -> float:
        """Wait until each camera's newest result is of a newer epoch than this one; return seconds."""
        return self.farm.wait_for(
            lambda: all(self.epochs()[name] > epoch for name, epoch in before.items()),
            f"results of newer epochs than {before}",
            seconds,
        )

    def wait_detached(self, *names: str, seconds: float = 40) -> None:
        """Wait until these processes know that they cannot know whether their lease is still theirs."""
        for name in names:
            self.farm.wait_for(
                lambda name=name: '"state": "detached"' in self.log(name),  # type: ignore[misc]
                f"{name} is detached",
                seconds,
            )

    def wait_status(self, camera_id: str, *, seconds: float = 40, **wanted: object) -> dict[str, Any]:
        """Wait until a camera's status has these values; return it."""
        found: dict[str, Any] = {}

        def fits() -> bool:
            found.update(self.farm.camera_status(camera_id))
            return all(found[name] == value for name, value in wanted.items())

        self.farm.wait_for(fits, f"{camera_id}: {wanted}", seconds)
        return found

    # --- processes -----------------------------------------------------------------------------------------------

    def freeze(self, name: str) -> None:
        """Stop a process as it is; `farm.processes` keeps it."""
        self.farm.processes[name].send_signal(signal.SIGSTOP)

    def thaw_until_end(self, name: str, seconds: float = 30) -> int:
        """Let a frozen process go on until it ends by itself; return its exit code."""
        process = self.farm.processes.pop(name)
        process.send_signal(signal.SIGCONT)
        return process.wait(seconds)

    def heal(self) -> None:
        """Start the workers that are not there any more, and wait until all share the cameras."""
        for name, settings in self.workers.items():
            if name not in self.farm.processes:
                self.farm.start_worker(name, **settings)
        self.wait_spread(*self.workers)

    # --- what must hold ------------------------------------------------------------------------------------------

    def assert_no_write_of_an_older_epoch(self) -> None:
        """Check that from the first result of an epoch on, none of an older one was accepted."""
        assert [name for name in self.cameras if self.watcher.went_back(name)] == []

    def assert_undisturbed(self, *cameras: str, since_ms: int) -> None:
        """Check that cameras that nothing happened to were analysed all the time since `since_ms`."""
        gaps = {name: self.watcher.longest_gap_ms(name, since_ms=since_ms) for name in cameras}
        assert {name: gap for name, gap in gaps.items() if gap > LONGEST_GAP_MS} == {}
        for name in cameras:
            results = [result for result in self.watcher.results(name) if result.captured_at_ms > since_ms]
            assert len(results) > 1, f"{name} was not analysed"
            assert len({result.epoch for result in results}) == 1, f"{name} was moved"
            assert [result.seq for result in results] == list(range(results[0].seq, results[-1].seq + 1)), name


@contextmanager
def fault_farm(
    folder: Path,
    *,
    workers: tuple[str, ...] = ("one", "two"),
    cameras: tuple[str, ...] = CAMERAS,
    managers: tuple[str, ...] = ("manager",),
    analyse_fps: float = ANALYSE_FPS,
    proxied: tuple[str, ...] = (),
    environments: dict[str, dict[str, str]] | None = None,
    defaults: Mapping[str, str] = SETTINGS,
    **settings: str,
) -> Iterator[FaultFarm]:
    """Start a farm and wait until every camera is analysed.

    Args:
        folder: For logs, database, frames and clips.
        workers: Ids of its workers.
        cameras: Ids of its cameras, each on the same real RTSP server.
        managers: Names of its managers' processes; they are started in this order.
        analyse_fps: Analysed frames per second of each camera.
        proxied: Names of managers and workers that reach Redis only through a proxy of their own.
        environments: Process, or ``valkey``, -> variables that only it gets.
        defaults: ``FARM_*`` for all processes, where `settings` has nothing else.
        settings: ``FARM_*`` for all processes.
    """
    yolo11n()
    media = folder / "media"
    media.mkdir()
    Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
    with ExitStack() as stack:
        own = dict(environments or {})
        valkey = ValkeyServer(tcp=True, environment=own.pop("valkey", None))
        stack.callback(valkey.close)
        valkey.start()
        proxies = {name: stack.enter_context(TcpProxy(valkey.port)) for name in proxied}
        for name, proxy in proxies.items():
            own[name] = {"FARM_REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0"} | own.get(name, {})
        host = stack.enter_context(RtspServer(media))
        farm = Farm(folder, valkey.url, api_port=free_port(), **(dict(defaults) | settings))
        stack.enter_context(farm)
        stack.callback(_kill_all, farm)
        client = stack.enter_context(valkey.client())
        watcher = stack.enter_context(ResultWatcher(valkey.client()))
        of_workers = {name: own.get(name, {}) for name in workers}
        started = FaultFarm(folder, valkey, host, farm, client, watcher, cameras, of_workers, proxies)
        farm.start_api()
        for name in managers:
            farm.start_manager(name, **own.get(name, {}))
            farm.wait_for(lambda: bool(started.leader()), "a manager leads", 60)
        for name in workers:
            farm.start(name, "workers", FARM_WORKER_ID=name, **own.get(name, {}))
        farm.wait_for(lambda: set(workers) <= set(farm.live_workers()), "the workers are there", 60)
        for name in cameras:
            farm.add_camera(name, host.url("squares.mp4"), analyse_fps=analyse_fps)
        started.wait_spread(*workers)
        yield started


def now_ms() -> int:
    """Return Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def _kill_all(farm: Farm) -> None:
    # Nothing is tested any more: no handing over. Under libfaketime a library's forked helper can outlive its parent.
    running = [process.pid for process in farm.processes.values() if process.poll() is None]
    helpers = [child for pid in running for child in psutil.Process(pid).children(recursive=True)]
    for name in list(farm.processes):
        farm.stop(name, signal.SIGKILL)
    for child in helpers:
        with suppress(psutil.NoSuchProcess):
            child.kill()
