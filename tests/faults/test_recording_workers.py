"""Workers that are killed, that hand over, that cannot detect: what their cameras' footage looks like afterwards."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
import redis

from contract.assignments import Assignment
from contract.recordings import RecordingSettings, RecordMode
from runtime.clock import SystemClock
from runtime.frame_store import FrameStore
from runtime.recording_feed import RecordingFeed
from runtime.settings import WorkerSettings
from runtime.spool import Spool
from runtime.worker_link import WorkerLink
from tests.support.fault_farm import FaultFarm, fault_farm
from tests.support.hand_fed import CLASS_NAMES, BreakableDetector
from tests.support.live_recording import FileContents, contents_of, packet_times
from tests.support.rtsp_server import RtspServer, wait_until
from workers.capture.opening import capture_opener
from workers.frames import BgrImage, Detections
from workers.pipeline import Pipeline, PipelineSettings, Stages
from workers.recording.recorder import Recorder, RecorderSettings
from workers.saving.saver import FrameSaver
from workers.tracking.byte_track import ByteTrackCameraTracker

CAMERAS: Final = ("a", "b", "c", "d")
#: Seconds of footage that a killed worker may cost: a fragment that was not whole, and what came since the last round.
#: The promise is 1.5, on a machine that is not busy with a farm and its tests.
LOST_SECONDS: Final = 2.5


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultFarm]:
    """A farm of two workers that records all its cameras."""
    with fault_farm(tmp_path_factory.mktemp("farm"), cameras=CAMERAS) as started:
        for name in CAMERAS:
            status, answer = started.farm.call("PATCH", f"/api/v1/cameras/{name}", {"record": "continuous"})
            assert status == 200, answer
        yield started


@pytest.fixture
def farm(shared: FaultFarm) -> FaultFarm:
    """The farm, whole again, some seconds of every camera recorded."""
    shared.heal()
    for name in CAMERAS:
        wait_recorded(shared, name, 4)
    return shared


def recorded_seconds(farm: FaultFarm, name: str) -> float:
    """Return how much its worker has recorded of a camera."""
    return float(farm.farm.camera_status(name)["recording"]["seconds"])


def wait_recorded(farm: FaultFarm, name: str, seconds: float) -> None:
    """Wait until the worker that has a camera has recorded so much of it."""
    farm.farm.wait_for(lambda: recorded_seconds(farm, name) >= seconds, f"{seconds} s of {name}", 60)


def footage(farm: FaultFarm, name: str) -> list[FileContents]:
    """Decode all footage of a camera."""
    return contents_of(farm.farm.frames_dir, name)


@pytest.mark.slow
def test_a_killed_worker_costs_little_more_than_a_second_of_each_camera_and_every_file_plays(farm: FaultFarm) -> None:
    """Given a worker that is killed in the middle of its files, then they decode to just before its end."""
    orphans = farm.held_by("two")
    epochs = farm.assigned_epochs()
    killed_at = time.time()
    farm.farm.stop("two", signal.SIGKILL)
    for name in orphans:
        its = [each for each in footage(farm, name) if each.epoch == epochs[name]]
        assert its, f"nothing was recorded of {name}"
        lost = killed_at - packet_times(its)[-1]
        assert -0.5 < lost < LOST_SECONDS, f"{name}: {lost:.2f} s"
        assert all(each.begins_with_keyframe and len(each.shown) == len(each.decoded) for each in its)
    farm.wait_analysed_by("one", *orphans)
    for name in orphans:
        wait_recorded(farm, name, 3)
        assert footage(farm, name)[-1].epoch > epochs[name]


@pytest.mark.slow
def test_a_camera_that_changes_hands_is_recorded_without_a_gap(farm: FaultFarm) -> None:
    """Given a worker that leaves in order, then the footage of both, put together, misses nothing."""
    moved = farm.held_by("two")
    assert farm.farm.stop("two", signal.SIGTERM) == 0
    farm.wait_analysed_by("one", *moved)
    for name in moved:
        wait_recorded(farm, name, 3)
        found = footage(farm, name)
        since = found[-1].start_ms / 1000 - 8
        times = sorted(at for at in packet_times(found) if at > since)
        assert len({each.epoch for each in found}) > 1
        assert max(after - before for before, after in pairwise(times)) < 1.0


@pytest.mark.slow
def test_the_status_of_a_camera_says_how_its_recording_does(farm: FaultFarm) -> None:
    """Given a camera that is recorded, when recording is switched off, then its status says both."""
    name = CAMERAS[0]
    recording = farm.farm.camera_status(name)["recording"]
    assert (recording["state"], recording["reason"], recording["remedy"]) == ("recording", None, "")
    assert recording["size_bytes"] > 0
    farm.farm.call("PATCH", f"/api/v1/cameras/{name}", {"record": "off"})
    farm.farm.wait_for(lambda: farm.farm.camera_status(name)["recording"]["state"] == "off", "it is off", 30)
    files = len(footage(farm, name))
    farm.wait_analysed(name)
    assert len(footage(farm, name)) == files
    farm.farm.call("PATCH", f"/api/v1/cameras/{name}", {"record": "continuous"})
    wait_recorded(farm, name, 1)


class StuckDetector(BreakableDetector):
    """A detector that never answers, once it is told to hang."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Wait."""
        self.may_answer.wait(60)
        return super().detect(images, confidence=confidence)


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["hangs", "fails"])
def test_a_detector_in_trouble_does_not_touch_recording_nor_its_motion(
    tmp_path: Path, redis_client: redis.Redis, steady: RtspServer, trouble: str
) -> None:
    """Given a detector that hangs or fails, then a camera is recorded on, also one that is recorded for motion."""
    clock, frames = SystemClock(), tmp_path / "frames"
    detector = StuckDetector()
    if trouble == "fails":
        detector.broken = True
        detector.may_answer.set()
    settings = WorkerSettings(data_dir=tmp_path, frames_dir=frames)
    recorder = Recorder(RecorderSettings(frames, 4_000_000), RecordingFeed(redis_client), worker_id="w", clock=clock)
    stages = Stages(
        open_capture=capture_opener(settings, clock),
        detector=detector,
        new_tracker=lambda: ByteTrackCameraTracker(CLASS_NAMES),
        saver=FrameSaver(FrameStore(frames), jpeg_quality=80, preview_size=160),
        recorder=recorder,
        link=WorkerLink(redis_client, "w", frame_index_size=100),
        spool=Spool.own(tmp_path / "spool", "w", 1_000_000, clock),
    )
    pipeline = Pipeline(PipelineSettings(8, 0.01), stages, worker_id="w", clock=clock, on_superseded=lambda: None)
    pipeline.start()
    pipeline.apply(
        {
            mode.value: Assignment(
                camera_id=mode.value, url=steady.url("cam"), epoch=1, recording=RecordingSettings(record=mode)
            )
            for mode in (RecordMode.CONTINUOUS, RecordMode.MOTION)
        }
    )

    def least_recorded() -> float:
        return min(status.recording.seconds for _, status in pipeline.statuses())

    try:
        wait_until(lambda: least_recorded() >= 8, "both are recorded", seconds=60)
        assert all(status.frames_analysed == 0 for _, status in pipeline.statuses())
    finally:
        detector.may_answer.set()
        pipeline.close(10)
    assert sum(each.decoded[-1] for each in contents_of(frames, "continuous")) > 7
