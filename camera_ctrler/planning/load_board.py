"""Who holds which cameras and how much that costs, while a plan is being made. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from typing import Final

#: CPU-seconds a second that any camera is placed by on top of what was measured: its share of what is lost when a
#: worker dies. It also keeps noise in small measured costs from moving cameras about. How many workers are needed is
#: reckoned without it, for a camera may cost less than this.
BASE_CORES: Final = 0.02


@dataclass(frozen=True, slots=True)
class CameraNeed:
    """What one camera asks of its worker."""

    #: CPU-seconds a second to receive and decode.
    stream_cores: float = 0.0
    #: Frames a second that shall be analysed.
    analyse_fps: float = 1.0
    #: CPU-seconds to track, encode, save and publish one frame.
    frame_seconds: float = 0.0
    #: Share of a full input of the detector that one frame takes; a full one costs the worker's `detect_seconds`.
    detect_share: float = 1.0
    require: frozenset[str] = frozenset()
    prefer: frozenset[str] = frozenset()
    #: The camera's host, where connections are spread over time; empty: no matter.
    host: str = ""


@dataclass(frozen=True, slots=True)
class WorkerOffer:
    """What one worker can take."""

    #: CPU-seconds a second that its cameras may cost.
    cores: float
    max_cameras: int
    #: CPU-seconds of detection for one full input.
    detect_seconds: float = 0.0
    labels: frozenset[str] = frozenset()


def cost(need: CameraNeed, offer: WorkerOffer) -> float:
    """Return what a camera is placed by on a worker, in CPU-seconds a second."""
    return _cost(need, offer.detect_seconds)


def spent(need: CameraNeed, offer: WorkerOffer) -> float:
    """Return what a camera really takes on a worker, by what was measured, in CPU-seconds a second."""
    return cost(need, offer) - BASE_CORES


def _cost(need: CameraNeed, detect_seconds: float) -> float:
    return BASE_CORES + need.stream_cores + need.analyse_fps * (need.frame_seconds + need.detect_share * detect_seconds)


class LoadBoard:
    """Cameras on workers, with the load that makes; changed move by move."""

    def __init__(self, cameras: Mapping[str, CameraNeed], workers: Mapping[str, WorkerOffer]) -> None:
        self._needs = cameras
        self._offers = workers
        self.held: dict[str, set[str]] = {name: set() for name in sorted(workers)}
        self._cores = dict.fromkeys(self.held, 0.0)
        offers = workers.values()
        self._least_detect = min((offer.detect_seconds for offer in offers), default=0.0)
        #: Whether all workers are alike, so that the least loaded one has the most room.
        self.alike = len({(offer.cores, offer.detect_seconds, offer.max_cameras) for offer in offers}) <= 1
        self._tiers: dict[tuple[frozenset[str], frozenset[str]], list[list[str]]] = {}

    # --- asking --------------------------------------------------------------------------------------------------

    def cost(self, camera: str, worker: str) -> float:
        """Return what `camera` costs on `worker`."""
        return cost(self._needs[camera], self._offers[worker])

    def cheapest(self, worker: str) -> float:
        """Return the least that any of its cameras would cost anywhere; 0 where it has none."""
        needs = (self._needs[camera] for camera in self.held[worker])
        return min((_cost(need, self._least_detect) for need in needs), default=0.0)

    def cores(self, worker: str) -> float:
        """Return the CPU-seconds a second that its cameras may cost."""
        return self._offers[worker].cores

    def ratio(self, worker: str) -> float:
        """Return a worker's load ÷ what it may spend; over 1: it is over capacity."""
        return self._cores[worker] / self._offers[worker].cores

    def ratio_with(self, worker: str, camera: str) -> float:
        """Return what `ratio` would be with one more camera."""
        return (self._cores[worker] + self.cost(camera, worker)) / self._offers[worker].cores

    def spare(self, worker: str) -> float:
        """Return the CPU-seconds a second that it may still spend; negative: over capacity."""
        return self._offers[worker].cores - self._cores[worker]

    def most_room(self) -> float:
        """Return the most CPU-seconds a second that any worker which takes another camera may still spend."""
        return max((self.spare(worker) for worker in self.held if not self.is_full(worker)), default=0.0)

    def mean_ratio(self) -> float:
        """Return the load of all ÷ what all may spend."""
        cores = sum(offer.cores for offer in self._offers.values())
        return sum(self._cores.values()) / cores if cores else 0.0

    def is_full(self, worker: str) -> bool:
        """Tell whether it has as many cameras as it takes."""
        return len(self.held[worker]) >= self._offers[worker].max_cameras

    def may_have(self, worker: str, camera: str) -> bool:
        """Tell whether it has the labels that the camera requires."""
        return self._needs[camera].require <= self._offers[worker].labels

    def has_room(self, worker: str, camera: str) -> bool:
        """Tell whether it stays within its capacity with one more camera."""
        return not self.is_full(worker) and self.ratio_with(worker, camera) <= 1.0

    def liking(self, camera: str, worker: str) -> int:
        """Return how many of the labels that the camera prefers the worker has."""
        return len(self._needs[camera].prefer & self._offers[worker].labels)

    def tiers(self, camera: str) -> list[list[str]]:
        """Return the workers that may have the camera, grouped by `liking`, best first."""
        need = self._needs[camera]
        known = self._tiers.get((need.require, need.prefer))
        if known is None:
            grouped: dict[int, list[str]] = {}
            for worker in self.held:
                if self.may_have(worker, camera):
                    grouped.setdefault(self.liking(camera, worker), []).append(worker)
            known = [grouped[liking] for liking in sorted(grouped, reverse=True)]
            self._tiers[need.require, need.prefer] = known
        return known

    def by_ratio(self) -> list[str]:
        """Return the workers, least loaded first."""
        return sorted(self.held, key=lambda worker: (self.ratio(worker), worker))

    def loads(self) -> dict[str, float]:
        """Return `ratio` of every worker."""
        return {worker: self.ratio(worker) for worker in self.held}

    def placement(self) -> dict[str, str]:
        """Return camera -> worker."""
        return {camera: worker for worker, cameras in self.held.items() for camera in cameras}

    def placement_of_picky(self) -> list[tuple[str, str]]:
        """Return (camera, worker) of cameras that prefer labels, by camera."""
        return sorted((name, where) for where, names in self.held.items() for name in names if self._needs[name].prefer)

    # --- changing ------------------------------------------------------------------------------------------------

    def put(self, camera: str, worker: str) -> None:
        """Give a camera that nobody holds to a worker."""
        self.held[worker].add(camera)
        self._cores[worker] += self.cost(camera, worker)

    def move(self, camera: str, giver: str, taker: str) -> None:
        """Give a camera from one worker to another."""
        self.held[giver].remove(camera)
        # Summed anew: differences would leave a remainder that makes the same input give different plans.
        self._cores[giver] = sum(self.cost(name, giver) for name in sorted(self.held[giver]))
        self.put(camera, taker)


class LeastLoaded:
    """Finds the least loaded of a group of workers again and again, while their loads only rise."""

    def __init__(self, board: LoadBoard, workers: Iterable[str]) -> None:
        self._board = board
        self._heap = [(board.ratio(worker), worker) for worker in workers]
        heapify(self._heap)

    def first(self) -> str | None:
        """Return the least loaded worker that is not full; None where all are."""
        while self._heap:
            ratio, worker = self._heap[0]
            if self._board.is_full(worker):
                heappop(self._heap)
            elif ratio != self._board.ratio(worker):
                heapreplace(self._heap, (self._board.ratio(worker), worker))
            else:
                return worker
        return None

    def all(self) -> Iterator[str]:
        """Yield the workers that are not full, in no order."""
        return (worker for _, worker in self._heap if not self._board.is_full(worker))
