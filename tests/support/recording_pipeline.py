"""A worker's pipeline in this process, with real captures and a real recorder, and a detector that a test commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from contract.assignments import Assignment
from contract.cameras import CameraStatus, DetectOn
from contract.recordings import RecordingSettings, RecordMode, Segment
from runtime.clock import SystemClock
from runtime.crop_store import CropStore
from runtime.frame_store import FrameStore
from runtime.recording_feed import RecordingFeed
from runtime.settings import WorkerSettings
from runtime.spool import Spool
from runtime.worker_link import WorkerLink
from tests.support.hand_fed import CLASS_NAMES, BreakableDetector
from workers.capture.opening import capture_opener
from workers.crops.camera_crops import CameraCrops
from workers.crops.memory import CropMemory
from workers.crops.saver import CropSaver
from workers.detection_thread import DetectionSettings
from workers.motion.attention import Attention
from workers.pipeline import Pipeline, Stages
from workers.recording.recorder import Recorder, RecorderSettings
from workers.saving.saver import FrameSaver
from workers.stage_meter import StageMeter
from workers.tracking.byte_track import ByteTrackCameraTracker


@dataclass(frozen=True, slots=True)
class RecordingPipeline:
    """A running pipeline."""

    pipeline: Pipeline
    detector: BreakableDetector
    feed: RecordingFeed
    #: The frames volume.
    frames: Path

    def watch(
        self, url: str, *, main_url: str | None = None, epoch: int = 1, analyse_fps: float = 2.0, **modes: RecordMode
    ) -> None:
        """Watch the same stream as several cameras: name -> how it is recorded."""
        assignments = {}
        for name, mode in modes.items():
            recording = RecordingSettings(record=mode, pre_roll_seconds=2, post_roll_seconds=3)
            assignments[name] = Assignment(camera_id=name, url=url, main_url=main_url, epoch=epoch, recording=recording)
            assignments[name].settings.analyse_fps = analyse_fps
            # The detector finds somebody wherever it looks.
            assignments[name].settings.detect_on = DetectOn.EVERY_FRAME
        self.pipeline.apply(assignments)

    def status(self, camera_id: str) -> CameraStatus:
        """Return what is said of a camera."""
        return next(status for _, status in self.pipeline.statuses() if status.camera_id == camera_id)

    def seconds(self, camera_id: str) -> float:
        """Return how much is recorded of a camera."""
        return self.status(camera_id).recording.seconds

    def told(self, camera_id: str) -> list[Segment]:
        """Return what Redis was told of a camera's finished files."""
        return self.feed.hot(camera_id).finished


@contextmanager
def recording_pipeline(
    folder: Path, client: redis.Redis, detector: BreakableDetector | None = None
) -> Iterator[RecordingPipeline]:
    """Run a pipeline; what it records lies in ``folder/frames``."""
    clock, frames, detector = SystemClock(), folder / "frames", detector or BreakableDetector()
    settings = WorkerSettings(data_dir=folder, frames_dir=frames)
    feed = RecordingFeed(client)
    stages = Stages(
        open_capture=capture_opener(settings, clock),
        detector=detector,
        new_tracker=lambda: ByteTrackCameraTracker(CLASS_NAMES),
        new_attention=lambda _: Attention(),
        new_crops=lambda: CameraCrops({"person"}, CropMemory()),
        saver=FrameSaver(FrameStore(frames), jpeg_quality=80, preview_size=160),
        crop_saver=CropSaver(CropStore(frames)),
        recorder=Recorder(RecorderSettings(frames, 4_000_000), feed, worker_id="w", clock=clock),
        link=WorkerLink(client, "w", frame_index_size=100),
        spool=Spool.own(folder / "spool", "w", 1_000_000, clock),
        meter=StageMeter(clock),
    )
    pipeline = Pipeline(DetectionSettings(0.01), stages, worker_id="w", clock=clock, on_superseded=lambda: None)
    pipeline.start()
    try:
        yield RecordingPipeline(pipeline, detector, feed, frames)
    finally:
        pipeline.close(10)
