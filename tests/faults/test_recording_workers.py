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

from contract.recordings import RecordMode
from tests.support.fault_farm import FaultFarm, fault_farm
from tests.support.hand_fed import BreakableDetector
from tests.support.live_recording import FileContents, contents_of, packet_times
from tests.support.recording_pipeline import recording_pipeline
from tests.support.rtsp_server import RtspServer, wait_until
from workers.frames import Detections
from workers.pictures import BgrImage

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
    """The farm, whole again, some seconds of every camera recorded by the worker that has it."""
    shared.heal()
    for name in CAMERAS:
        wait_recorded(shared, name, 4, epoch=shared.assigned_epochs()[name])
    return shared


def wait_recorded(farm: FaultFarm, name: str, seconds: float, *, epoch: int) -> None:
    """Wait until the volume has so much of a camera under this epoch or a later one."""

    def recorded() -> bool:
        its = [each for each in footage(farm, name) if each.epoch >= epoch and each.decoded]
        return sum(each.decoded[-1] - each.decoded[0] for each in its) >= seconds

    farm.farm.wait_for(recorded, f"{seconds} s of {name} under epoch {epoch}", 60)


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
        its = [each for each in footage(farm, name) if each.epoch == epochs[name] and each.decoded]
        assert its, f"nothing was recorded of {name}"
        lost = killed_at - packet_times(its)[-1]
        assert -0.5 < lost < LOST_SECONDS, f"{name}: {lost:.2f} s"
        assert all(each.begins_with_keyframe and len(each.shown) == len(each.decoded) for each in its)
    farm.wait_analysed_by("one", *orphans)
    for name in orphans:
        wait_recorded(farm, name, 3, epoch=epochs[name] + 1)


@pytest.mark.slow
def test_a_camera_that_changes_hands_is_recorded_without_a_gap(farm: FaultFarm) -> None:
    """Given a worker that leaves in order, then the footage of both, put together, misses nothing."""
    moved = farm.held_by("two")
    epochs = farm.assigned_epochs()
    assert farm.farm.stop("two", signal.SIGTERM) == 0
    farm.wait_analysed_by("one", *moved)
    for name in moved:
        wait_recorded(farm, name, 3, epoch=epochs[name] + 1)
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
    farm.farm.wait_for(lambda: len(footage(farm, name)) > files, "it is recorded again", 30)


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
    detector = StuckDetector()
    if trouble == "fails":
        detector.broken = True
        detector.may_answer.set()
    with recording_pipeline(tmp_path, redis_client, detector) as running:
        running.watch(steady.url("cam"), continuous=RecordMode.CONTINUOUS, motion=RecordMode.MOTION)
        for name in ("continuous", "motion"):
            wait_until(lambda name=name: running.seconds(name) >= 8, f"{name} is recorded", seconds=60)  # type: ignore[misc]
            assert running.status(name).frames_analysed == 0
        detector.may_answer.set()
    assert sum(each.decoded[-1] for each in contents_of(running.frames, "continuous")) > 7
