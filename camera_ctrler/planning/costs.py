"""What cameras cost and workers can spend, from what workers measure; estimates until they have."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Final

from camera_ctrler.planning.load_board import BASE_CORES, CameraNeed, WorkerOffer
from camera_ctrler.registry import RegisteredCamera
from contract.workers import Holding, WorkerStatus
from runtime.farm_reader import WorkerView

#: CPU-seconds a frame and a second, until anything was measured: yolo11n at 640 px and a stream of 1080p keyframes.
DETECT_SECONDS: Final = 0.08
FRAME_SECONDS: Final = 0.01
STREAM_CORES: Final = 0.02
#: Share of a full input that one frame takes, until it was measured: a scene in which something moves at times.
DETECT_SHARE: Final = 0.5
#: A measured cost that differs by less than this share from the one reckoned with changes nothing: a plan that
#: follows every flicker moves cameras for nothing.
CHANGE: Final = 0.25


@dataclass(frozen=True, slots=True)
class _Figures:
    """What one camera costs; see `CameraNeed`."""

    stream_cores: float = STREAM_CORES
    frame_seconds: float = FRAME_SECONDS
    detect_share: float = DETECT_SHARE

    @property
    def total(self) -> float:
        """What one frame a second costs: none of the figures matters by itself."""
        return BASE_CORES + self.stream_cores + self.frame_seconds + self.detect_share * DETECT_SECONDS


class CostBook:
    """Remembers what was measured. `version` rises when a figure changed by enough to plan anew."""

    def __init__(self) -> None:
        self._cameras: dict[str, _Figures] = {}
        self._detect: dict[str, float] = {}
        #: Camera id -> camera, figures, and what was made of the two: most are the same the next time.
        self._needs: dict[str, tuple[RegisteredCamera, _Figures, CameraNeed]] = {}
        self._heard: dict[str, WorkerStatus] = {}
        self._typical = _Figures()
        self.version = 0

    def hear(self, workers: Iterable[WorkerView]) -> None:
        """Take note of what workers have measured since the last time."""
        before = self.version
        heard = {worker.worker_id: worker.status for worker in workers if worker.status is not None}
        for worker_id, status in heard.items():
            if self._heard.get(worker_id) is status:
                continue
            if status.detect_seconds is not None:
                self._note_detect(worker_id, status.detect_seconds)
            for camera_id, holding in status.holdings.items():
                self._note_camera(camera_id, holding)
        self._heard = heard
        self._detect = {worker_id: seconds for worker_id, seconds in self._detect.items() if worker_id in heard}
        if self.version != before and self._cameras:
            known = self._cameras.values()
            self._typical = _Figures(
                median(figures.stream_cores for figures in known),
                median(figures.frame_seconds for figures in known),
                median(figures.detect_share for figures in known),
            )

    def forget_all_but(self, camera_ids: Iterable[str]) -> None:
        """Drop what is known of cameras that are gone."""
        kept = set(camera_ids)
        self._cameras = {camera_id: costs for camera_id, costs in self._cameras.items() if camera_id in kept}
        self._needs = {camera_id: known for camera_id, known in self._needs.items() if camera_id in kept}

    def _note_detect(self, worker_id: str, seconds: float) -> None:
        if _differs(seconds, self._detect.get(worker_id)):
            self._detect[worker_id] = seconds
            self.version += 1

    def _note_camera(self, camera_id: str, holding: Holding) -> None:
        if holding.stream_cores is None or holding.frame_seconds is None:
            return
        known = self._cameras.get(camera_id)
        share = DETECT_SHARE if holding.detect_share is None else holding.detect_share
        new = _Figures(holding.stream_cores, holding.frame_seconds, share)
        if _differs(new.total, None if known is None else known.total):
            self._cameras[camera_id] = new
            self.version += 1

    def need(self, camera: RegisteredCamera) -> CameraNeed:
        """Return what a camera asks for; the typical cost of others where its own was not measured yet."""
        figures = self._cameras.get(camera.id, self._typical)
        known = self._needs.get(camera.id)
        if known is None or known[0] is not camera or known[1] != figures:
            known = (camera, figures, self._need(camera, figures))
            self._needs[camera.id] = known
        return known[2]

    @staticmethod
    def _need(camera: RegisteredCamera, figures: _Figures) -> CameraNeed:
        wishes = camera.placement
        return CameraNeed(
            stream_cores=figures.stream_cores,
            analyse_fps=camera.settings().analyse_fps,
            frame_seconds=figures.frame_seconds,
            detect_share=figures.detect_share,
            require=frozenset(wishes.require_labels),
            prefer=frozenset(wishes.prefer_labels),
            host=camera.host,
        )

    def offers(self, workers: Iterable[WorkerView]) -> dict[str, WorkerOffer]:
        """Return what workers can take that live and do not leave; those of one host share its cores evenly."""
        able = {
            worker.worker_id: worker.status
            for worker in workers
            if worker.alive and worker.status is not None and not worker.status.draining
        }
        sharing: dict[str, int] = {}
        for status in able.values():
            if status.cores_shared:
                sharing[status.host] = sharing.get(status.host, 0) + 1
        typical = median(self._detect.values()) if self._detect else DETECT_SECONDS
        return {
            worker_id: WorkerOffer(
                cores=status.cores / (sharing[status.host] if status.cores_shared else 1),
                max_cameras=status.max_cameras,
                detect_seconds=self._detect.get(worker_id, typical),
                labels=frozenset(status.labels),
            )
            for worker_id, status in able.items()
        }


def _differs(new: float, known: float | None) -> bool:
    return known is None or abs(new - known) > CHANGE * known
