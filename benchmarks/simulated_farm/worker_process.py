"""A process with many simulated workers: real leases, real assignments, real fenced writes, and no video.

Run by `benchmarks.control_plane`: python -m benchmarks.simulated_farm.worker_process --first 0 --count 150 ...
Each worker has what a real one has: a lease that `LeaseKeeper` renews on a thread and a connection of its own, a
connection on which it waits for the manager's word, and one for what it says. Only the last is shared out by one
thread for all workers of the process, because a thousand threads that wake every second would measure Python.
"""

import argparse
import heapq
import os
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Final

import redis
import structlog

from benchmarks.simulated_farm.cameras import DETECT_SECONDS, SimulatedCamera, draw_cameras
from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraState, CameraStatus
from contract.detections import AnalysisResult
from contract.workers import Holding, WorkerStatus
from runtime import exit_codes
from runtime.clock import SystemClock
from runtime.lease import Lease, LeaseKeeper, LeaseState
from runtime.redis_client import connect
from runtime.settings import WorkerSettings
from runtime.shutdown import Shutdown
from runtime.version import VERSION
from runtime.worker_link import WorkerLink, Written

#: Seconds between two statuses of a worker, as `workers.service` has it.
STATUS_SECONDS: Final = 1.0
#: Seconds to wait for a word of the manager before assignments are read anyway, as `workers.service` has it.
SYNC_SECONDS: Final = 1.0
#: Seconds from an assignment to the first result: connecting, and waiting for a keyframe.
FIRST_RESULT_SECONDS: Final = (0.3, 0.8)
#: CPU-seconds a second that a worker may spend.
WORKER_CORES: Final = 4.0
#: Seconds between two looks at what is due to be said.
TICK_SECONDS: Final = 0.02

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Held:
    """One camera that a worker watches."""

    epoch: int
    seq: int = 0


class SimulatedWorker:
    """One worker: two threads of its own, and `speak` called by the thread that all share."""

    def __init__(self, settings: WorkerSettings, worker_id: str, cameras: dict[str, SimulatedCamera]) -> None:
        name = f"camfarm-worker-{worker_id}"
        self.worker_id = worker_id
        self._cameras = cameras
        self._clock = SystemClock()
        self._link = WorkerLink(connect(settings, name=name), worker_id, frame_index_size=settings.frame_index_size)
        self._data = WorkerLink(
            connect(settings, name=f"{name}-data"), worker_id, frame_index_size=settings.frame_index_size
        )
        lease_client = connect(settings, name=f"{name}-lease", timeout_seconds=settings.lease_seconds / 3)
        self._lease = Lease(lease_client, keys.worker_lease(worker_id), settings.lease_seconds, value=worker_id)
        self._keeper = LeaseKeeper(self._lease, settings.lease_seconds, self._lease_changed)
        self._lost = threading.Event()
        self._started_at_ms = self._clock.now_ms()
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        #: Cameras that were given since the last call of `newly_held`, with their epochs.
        self._new: list[tuple[str, int]] = []
        self.frames_analysed = self.refused_writes = 0

    def start(self, stop: threading.Event) -> None:
        """Take the lease and begin to follow assignments."""
        if not self._lease.take():
            raise RuntimeError(f"the lease of {self.worker_id} is taken; is another run on this server?")
        self._keeper.start()
        threading.Thread(target=self._follow, args=(stop,), name=self.worker_id, daemon=True).start()

    def give_back(self) -> None:
        """Give the lease back."""
        self._keeper.stop()

    def _lease_changed(self, state: LeaseState) -> None:
        log.warning("lease", worker=self.worker_id, state=state)
        if state is LeaseState.LOST:
            self._lost.set()

    def _follow(self, stop: threading.Event) -> None:
        while not stop.is_set() and not self._lost.is_set():
            try:
                self._link.wait_for_change(SYNC_SECONDS)
                self._apply(self._link.orders().assignments)
            except redis.RedisError as error:
                log.warning("redis_away", worker=self.worker_id, error=str(error))
                stop.wait(0.5)

    def _apply(self, assignments: dict[str, Assignment]) -> None:
        with self._lock:
            self._held = {name: held for name, held in self._held.items() if name in assignments}
            for name, assigned in assignments.items():
                held = self._held.get(name)
                if held is None or held.epoch < assigned.epoch:
                    self._held[name] = _Held(assigned.epoch)
                    self._new.append((name, assigned.epoch))

    def newly_held(self) -> list[tuple[str, int]]:
        """Return cameras, with their epochs, that were given since the last call."""
        with self._lock:
            new, self._new = self._new, []
        return new

    def say_status(self) -> None:
        """Say how this worker does."""
        with self._lock:
            holdings = {name: self._holding(name, held) for name, held in self._held.items()}
        self._data.announce()
        self._data.publish_worker(
            WorkerStatus(
                worker_id=self.worker_id,
                # A host each: what workers of one host share is not asked here.
                host=self.worker_id,
                pid=os.getpid(),
                version=VERSION,
                started_at_ms=self._started_at_ms,
                updated_at_ms=self._clock.now_ms(),
                device="cpu",
                detector="openvino",
                model="yolo11n",
                cores=WORKER_CORES,
                max_cameras=256,
                holdings=holdings,
                frames_analysed=self.frames_analysed,
                refused_writes=self.refused_writes,
                detect_seconds=DETECT_SECONDS,
            )
        )

    def _holding(self, camera_id: str, held: _Held) -> Holding:
        if held.seq == 0:
            return Holding(epoch=held.epoch)
        camera = self._cameras[camera_id]
        return Holding(epoch=held.epoch, stream_cores=camera.stream_cores, frame_seconds=camera.frame_seconds)

    def say_camera(self, camera_id: str, epoch: int) -> bool:
        """Publish a result and the status of one camera; False if it is not this worker's any more."""
        with self._lock:
            held = self._held.get(camera_id)
            if held is None or held.epoch != epoch:
                return False
            held.seq += 1
            seq = held.seq
        now_ms = self._clock.now_ms()
        result = AnalysisResult(
            camera_id=camera_id,
            epoch=epoch,
            seq=seq,
            worker_id=self.worker_id,
            captured_at_ms=now_ms,
            published_at_ms=now_ms,
            width=640,
            height=360,
        )
        if self._data.publish_result(result, None) is Written.REFUSED:
            self.refused_writes += 1
            return False
        self.frames_analysed += 1
        self._data.publish_statuses(
            [
                CameraStatus(
                    camera_id=camera_id,
                    worker_id=self.worker_id,
                    epoch=epoch,
                    state=CameraState.ONLINE,
                    updated_at_ms=now_ms,
                    last_frame_at_ms=now_ms,
                    frames_analysed=seq,
                    codec="h264",
                )
            ]
        )
        return True


@dataclass(order=True, slots=True)
class _Due:
    """Something to be said at `at` (monotonic seconds): a worker's status, or with `camera_id` a camera's result."""

    at: float
    worker: SimulatedWorker = field(compare=False)
    camera_id: str = field(compare=False, default="")
    epoch: int = field(compare=False, default=0)
    first: bool = field(compare=False, default=False)


class Speaker:
    """Says what is due, for all workers of this process, each on a connection of its own."""

    def __init__(self, workers: list[SimulatedWorker], camera_seconds: float, rng: random.Random) -> None:
        self._workers = workers
        self._camera_seconds = camera_seconds
        self._rng = rng
        now = time.monotonic()
        # Spread over a second: five hundred real workers do not speak at the same moment either.
        self._due = [_Due(now + rng.uniform(0, STATUS_SECONDS), worker) for worker in workers]
        heapq.heapify(self._due)

    def run(self, shutdown: Shutdown) -> None:
        """Speak until asked to stop."""
        while not shutdown.wait(TICK_SECONDS):
            now = time.monotonic()
            for worker in self._workers:
                for camera_id, epoch in worker.newly_held():
                    at = now + self._rng.uniform(*FIRST_RESULT_SECONDS)
                    heapq.heappush(self._due, _Due(at, worker, camera_id, epoch, first=True))
            while self._due and self._due[0].at <= now and not shutdown.asked:
                self._say(heapq.heappop(self._due))

    def _say(self, due: _Due) -> None:
        again = self._camera_seconds if due.camera_id else STATUS_SECONDS
        try:
            if not due.camera_id:
                due.worker.say_status()
            elif not due.worker.say_camera(due.camera_id, due.epoch):
                return
            elif due.first:
                # So that cameras which were given out at the same moment do not speak at the same moment for ever.
                again *= self._rng.random()
        except redis.RedisError as error:
            log.warning("redis_away", worker=due.worker.worker_id, error=str(error))
        heapq.heappush(self._due, _Due(max(due.at + again, time.monotonic()), due.worker, due.camera_id, due.epoch))


def main() -> int:
    """Run the workers until asked to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, required=True, help="number of the first worker")
    parser.add_argument("--count", type=int, required=True, help="workers in this process")
    parser.add_argument("--cameras", type=int, required=True, help="cameras of the whole farm")
    parser.add_argument("--camera-seconds", type=float, required=True, help="seconds between results of a camera")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    settings = WorkerSettings.load()
    shutdown = Shutdown()
    shutdown.listen()
    cameras = draw_cameras(options.cameras, options.seed)
    stop = threading.Event()
    numbers = range(options.first, options.first + options.count)
    workers = [SimulatedWorker(settings, f"sim-{number:04}", cameras) for number in numbers]
    for worker in workers:
        worker.start(stop)
    rng = random.Random(options.first)  # noqa: S311 - to be repeated, not to be guessed
    Speaker(workers, options.camera_seconds, rng).run(shutdown)
    stop.set()
    for worker in workers:
        worker.give_back()
    return exit_codes.DONE


if __name__ == "__main__":
    sys.exit(main())
