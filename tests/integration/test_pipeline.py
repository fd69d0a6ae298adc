"""The pipeline's own duties: one camera's trouble stays its own, and nothing captured is lost in order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import redis

from contract.assignments import Assignment
from contract.cameras import CameraState, SaveMode
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader
from runtime.frame_store import FrameStore
from runtime.spool import Spool
from runtime.worker_link import WorkerLink
from tests.support.clips import picture
from tests.support.rtsp_server import wait_until
from workers.capture.state import CaptureState
from workers.detection.detector import DetectorError
from workers.frames import BgrImage, Detections, Frame
from workers.pipeline import Capture, Pipeline, PipelineSettings, Stages
from workers.saving.saver import FrameSaver
from workers.tracking.byte_track import ByteTrackCameraTracker
from workers.tracking.tracker import CameraTracker

CLOCK = SystemClock()
CLASS_NAMES = {0: "person"}


class HandFedCapture:
    """A capture whose frames a test hands in."""

    def __init__(self, assignment: Assignment, on_frame: Callable[[Frame], None]) -> None:
        self._assignment = assignment
        self._on_frame = on_frame
        self.stopped = False

    def feed(self) -> None:
        """Let one frame arrive."""
        image = np.ascontiguousarray(picture(1, (64, 48)))
        self._on_frame(
            Frame(self._assignment.camera_id, self._assignment.epoch, CLOCK.now_ms(), CLOCK.monotonic(), image)
        )

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""
        self.stopped = True

    def join(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the protocol's name
        """Tell whether it has ended."""
        return self.stopped

    def update(self, *, analyse_fps: float, epoch: int) -> None:
        """Change nothing: frames carry the epoch they were opened under."""


class BreakableDetector:
    """Finds nothing, and fails while it is told to."""

    device, runtime, input_size, max_batch, boxes_dropped = "cpu", "test", (64, 64), 8, 0

    def __init__(self) -> None:
        self.broken = False

    @property
    def class_names(self) -> Mapping[int, str]:
        """Name of every class."""
        return CLASS_NAMES

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:  # noqa: ARG002
        """Find nothing, or fail."""
        if self.broken:
            raise DetectorError("the device is gone")
        return [Detections() for _ in images]

    def close(self) -> None:
        """Give nothing back."""


class FailingTracker:
    """A tracker with a defect."""

    frames_untracked = 0

    def update(self, detections: Detections, *, captured_monotonic: float, frame_size: tuple[int, int]) -> Detections:
        """Fail."""
        raise ZeroDivisionError(f"{detections} {captured_monotonic} {frame_size}")


class Bench:
    """A pipeline with hand-fed cameras."""

    def __init__(self, client: redis.Redis, folder: Path) -> None:
        self.captures: dict[str, HandFedCapture] = {}
        self.detector = BreakableDetector()
        self.trackers: list[CameraTracker] = []
        self.reader = FarmReader(client)
        stages = Stages(
            open_capture=self._open,
            detector=self.detector,
            new_tracker=lambda: self.trackers.pop() if self.trackers else ByteTrackCameraTracker(CLASS_NAMES),
            saver=FrameSaver(FrameStore(folder), jpeg_quality=80, preview_size=160),
            link=WorkerLink(client, "w", frame_index_size=100),
            spool=Spool.own(folder / "spool", "w", 1_000_000, CLOCK),
        )
        self.pipeline = Pipeline(
            PipelineSettings(8, 0.05), stages, worker_id="w", clock=CLOCK, on_superseded=lambda: None
        )
        self.pipeline.start()

    def _open(
        self,
        assignment: Assignment,
        on_frame: Callable[[Frame], None],
        on_state: Callable[[CaptureState], None],
        /,
    ) -> Capture:
        on_state(CaptureState(state=CameraState.ONLINE))
        self.captures[assignment.camera_id] = HandFedCapture(assignment, on_frame)
        return self.captures[assignment.camera_id]

    def watch(self, *camera_ids: str) -> None:
        """Give the pipeline cameras."""
        assignments = {name: Assignment(camera_id=name, url="rtsp://h/x", epoch=1) for name in camera_ids}
        for assignment in assignments.values():
            assignment.settings.save_frames = SaveMode.NONE
        self.pipeline.apply(assignments)

    def dropped(self, camera_id: str) -> dict[str, int]:
        """Return what was dropped of a camera."""
        statuses = {status.camera_id: status for _, status in self.pipeline.statuses()}
        return statuses[camera_id].frames_dropped


@pytest.fixture
def bench(redis_client: redis.Redis, tmp_path: Path) -> Iterator[Bench]:
    """A running pipeline without cameras."""
    made = Bench(redis_client, tmp_path)
    yield made
    made.pipeline.close(5)


def test_one_cameras_tracker_that_fails_costs_the_others_nothing_and_is_replaced(bench: Bench) -> None:
    """Given three cameras in one batch, when the tracker of one fails, then it alone loses one frame."""
    bench.trackers.append(FailingTracker())
    bench.watch("bad", "b", "c")
    for capture in bench.captures.values():
        capture.feed()
    wait_until(lambda: set(bench.reader.results(["bad", "b", "c"])) == {"b", "c"}, "the others have results")
    assert bench.dropped("bad") == {"tracking_failed": 1}
    assert bench.dropped("b") == {}
    bench.captures["bad"].feed()
    wait_until(lambda: "bad" in bench.reader.results(["bad"]), "it goes on with a new tracker")


def test_a_detector_that_fails_is_noticed_counted_and_forgiven(bench: Bench) -> None:
    """Given a detector that breaks, frames are counted as dropped and the time grows; when it works, it is over."""
    bench.watch("a")
    bench.detector.broken = True
    assert bench.pipeline.unserved_seconds == 0
    bench.captures["a"].feed()
    wait_until(lambda: bench.dropped("a") == {"detector_failed": 1}, "the frame is counted")
    wait_until(lambda: bench.pipeline.unserved_seconds > 0.1, "the time grows")
    bench.detector.broken = False
    bench.captures["a"].feed()
    wait_until(lambda: bench.pipeline.unserved_seconds == 0, "it is over")


def test_what_was_captured_before_the_end_is_published(bench: Bench) -> None:
    """Given frames that wait for the detector, when the pipeline is closed, then their results are published."""
    names = [f"cam{number}" for number in range(20)]
    bench.watch(*names)
    for capture in bench.captures.values():
        capture.feed()
    bench.pipeline.close(10)
    assert set(bench.reader.results(names)) == set(names)
    assert all(capture.stopped for capture in bench.captures.values())
