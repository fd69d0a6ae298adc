"""Cameras that exist only in the registry: their hosts, their rates, and what each would cost a worker."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from camera_ctrler.planning.load_board import BASE_CORES
from contract.camera_specs import CameraCreate

#: Cameras behind one address, as a video recorder with 16 channels has.
CAMERAS_PER_HOST: Final = 16
#: Analysed frames per second and how many cameras of a hundred have them.
_RATES: Final = {0.5: 10, 1.0: 60, 2.0: 20, 5.0: 10}
#: CPU-seconds of one detection, the same for all.
DETECT_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class SimulatedCamera:
    """One camera and its cost, in the terms of `contract.workers.Holding`."""

    camera_id: str
    url: str
    analyse_fps: float
    stream_cores: float
    frame_seconds: float

    @property
    def cost_cores(self) -> float:
        """CPU-seconds a second that it is reckoned with, what any camera costs beside its own included."""
        return BASE_CORES + self.stream_cores + self.analyse_fps * (self.frame_seconds + DETECT_SECONDS)

    def spec(self) -> CameraCreate:
        """Return what is registered."""
        return CameraCreate(id=self.camera_id, url=self.url, analyse_fps=self.analyse_fps)


def draw_cameras(count: int, seed: int) -> dict[str, SimulatedCamera]:
    """Draw `count` cameras; the same seed gives the same ones, in every process."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated, not to be guessed
    rates = rng.choices(list(_RATES), list(_RATES.values()), k=count)
    return {camera.camera_id: camera for camera in (_draw(number, rate, rng) for number, rate in enumerate(rates))}


def _draw(number: int, rate: float, rng: random.Random) -> SimulatedCamera:
    host, channel = divmod(number, CAMERAS_PER_HOST)
    return SimulatedCamera(
        camera_id=f"cam-{number:05}",
        url=f"rtsp://10.{host >> 16}.{host >> 8 & 255}.{host & 255}/channel{channel + 1}",
        analyse_fps=rate,
        # Decoding depends on the size of the picture and the distance of keyframes: a few cameras cost many times
        # what most do.
        stream_cores=rng.lognormvariate(-4.8, 0.6),
        frame_seconds=rng.lognormvariate(-5.0, 0.3),
    )


def loads_of(
    placement: Mapping[str, str], cameras: Mapping[str, SimulatedCamera], workers: Iterable[str]
) -> dict[str, float]:
    """Return worker id -> cores that its cameras cost, also for workers without any."""
    loads = dict.fromkeys(workers, 0.0)
    for camera_id, worker_id in placement.items():
        loads[worker_id] = loads.get(worker_id, 0.0) + cameras[camera_id].cost_cores
    return loads


def imbalance(loads: Iterable[float]) -> float:
    """Return the greatest load ÷ the mean load; 1 where there is nothing."""
    values = list(loads)
    total = sum(values)
    return max(values) * len(values) / total if total else 1.0


def minimum_moves(placement: Mapping[str, str], cameras: Mapping[str, SimulatedCamera], most_cores: float) -> int:
    """Return how many cameras must move at least until no worker carries more than `most_cores`.

    A lower bound that no plan can pass: every worker gives its dearest cameras away first, and where they go is not
    asked. A mover that spreads what it takes over cheap and dear cameras needs more.
    """
    held: dict[str, list[float]] = {}
    for camera_id, worker_id in placement.items():
        held.setdefault(worker_id, []).append(cameras[camera_id].cost_cores)
    moves = 0
    for costs in held.values():
        excess = sum(costs) - most_cores
        for cost in sorted(costs, reverse=True):
            if excess <= 1e-9:
                break
            excess -= cost
            moves += 1
    return moves
