"""The pipeline's own duties: one camera's trouble stays its own, and nothing captured is lost in order."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest
import redis

from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraState, DetectOn, SaveMode
from contract.events import Event
from runtime.clock import SystemClock
from runtime.crop_store import CropStore
from runtime.farm_reader import FarmReader
from runtime.frame_store import FrameStore
from runtime.recording_feed import RecordingFeed
from runtime.spool import Spool
from runtime.worker_link import WorkerLink
from tests.support.hand_fed import CLASS_NAMES, TOO_LARGE, BreakableDetector, HandFedCapture
from tests.support.rtsp_server import wait_until
from workers.capture.state import CaptureState
from workers.crops.camera_crops import CameraCrops
from workers.crops.memory import CropMemory
from workers.crops.saver import CropSaver
from workers.detection_thread import DetectionSettings
from workers.frames import Detections, Frame
from workers.media import MediaTap
from workers.motion.attention import Attention
from workers.pictures import Picture
from workers.pipeline import Pipeline, Stages
from workers.recording.recorder import Recorder, RecorderSettings
from workers.saving.saver import FrameSaver
from workers.stage_meter import StageMeter
from workers.tracking.byte_track import ByteTrackCameraTracker
from workers.tracking.tracker import CameraTracker
from workers.watched_cameras import Capture

CLOCK = SystemClock()


class FailingTracker:
    """A tracker with a defect."""

    frames_untracked = 0

    def update(
        self,
        detections: Detections,
        *,
        captured_monotonic: float,
        frame_size: tuple[int, int],
        picture: Picture | None = None,
    ) -> Detections:
        """Fail."""
        raise ZeroDivisionError(f"{detections} {captured_monotonic} {frame_size} {picture}")


class Bench:
    """A pipeline with hand-fed cameras."""

    def __init__(self, client: redis.Redis, folder: Path) -> None:
        self.client = client
        self.link = WorkerLink(client, "w", frame_index_size=100)
        self.captures: dict[str, HandFedCapture] = {}
        self.detector = BreakableDetector()
        self.trackers: list[CameraTracker] = []
        self.reader = FarmReader(client)
        stages = Stages(
            open_capture=self._open,
            detector=self.detector,
            new_tracker=lambda: self.trackers.pop() if self.trackers else ByteTrackCameraTracker(CLASS_NAMES),
            new_attention=lambda _: Attention(),
            new_crops=lambda: CameraCrops({"person"}, CropMemory()),
            saver=FrameSaver(FrameStore(folder), jpeg_quality=80, preview_size=160),
            crop_saver=CropSaver(CropStore(folder)),
            recorder=Recorder(RecorderSettings(folder, 1_000_000), RecordingFeed(client), worker_id="w", clock=CLOCK),
            link=self.link,
            spool=Spool.own(folder / "spool", "w", 1_000_000, CLOCK),
            meter=StageMeter(CLOCK),
        )
        self.pipeline = Pipeline(
            DetectionSettings(0.05), stages, worker_id="w", clock=CLOCK, on_superseded=lambda: None
        )
        self.pipeline.start()

    def _open(
        self,
        assignment: Assignment,
        on_frame: Callable[[Frame], None],
        on_state: Callable[[CaptureState], None],
        _tap: MediaTap,
        /,
    ) -> Capture:
        on_state(CaptureState(state=CameraState.ONLINE))
        self.captures[assignment.camera_id] = HandFedCapture(assignment, on_frame)
        return self.captures[assignment.camera_id]

    def watch(self, *camera_ids: str, epoch: int = 1, save: SaveMode = SaveMode.NONE, url: str = "rtsp://h/x") -> None:
        """Give the pipeline cameras, as the service does."""
        assignments = {name: Assignment(camera_id=name, url=url, epoch=epoch) for name in camera_ids}
        for assignment in assignments.values():
            assignment.settings.save_frames = save
            assignment.settings.detect_on = DetectOn.EVERY_FRAME  # pictures that never change shall be looked at
        self.pipeline.apply(assignments, accepted=self.link.accepted_numbers(assignments.values()))

    def feed(self, camera_id: str, count: int = 1, size: tuple[int, int] = (64, 48)) -> None:
        """Let frames arrive, each when the one before is published."""
        for _ in range(count):
            before = self.pipeline.totals().analysed
            self.captures[camera_id].feed(size)
            wait_until(lambda: self.pipeline.totals().analysed > before, "it is published")  # noqa: B023 - used here

    def stream(self, camera_id: str) -> list[str]:
        """Return the ids of a camera's results."""
        found = cast("list[tuple[bytes, object]]", self.client.xrange(keys.camera_results(camera_id)))
        return [entry_id.decode() for entry_id, _ in found]

    def events(self) -> list[Event]:
        """Return all events."""
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", self.client.xrange(keys.events()))
        return [Event.model_validate_json(fields[b"event"]) for _, fields in found]

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


def event_names(events: Sequence[Event]) -> list[tuple[str, str]]:
    """Return id and kind."""
    return [(event.event_id, event.kind.value) for event in events]


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

    def grows() -> bool:
        bench.captures["a"].feed()
        return bench.pipeline.unserved_seconds > 0.1

    wait_until(grows, "the time grows")
    bench.detector.broken = False
    bench.captures["a"].feed()
    wait_until(lambda: bench.pipeline.unserved_seconds == 0, "it is over")


def test_silence_after_a_frame_that_failed_says_nothing_of_the_detector(bench: Bench) -> None:
    """Given one frame that failed and none after it, the detector does not look as if it had hung since."""
    bench.watch("a")
    bench.detector.broken = True
    bench.captures["a"].feed()
    wait_until(lambda: bench.dropped("a") == {"detector_failed": 1}, "the frame is counted")
    time.sleep(1.0)
    assert bench.pipeline.unserved_seconds < 0.8


def test_a_camera_comes_back_under_its_epoch_with_the_settings_of_now(bench: Bench) -> None:
    """Given an assignment of the same epoch with other settings, they count, and numbers go on."""
    bench.watch("a")
    bench.feed("a", 2)
    bench.watch("a", save=SaveMode.ALL)
    bench.feed("a", 1)
    [(run, status)] = bench.pipeline.statuses()
    assert (run.assignment.settings.save_frames, status.frames_saved) == (SaveMode.ALL, 1)
    assert bench.stream("a") == ["1-1", "1-2", "1-3"]


def test_a_camera_that_comes_back_under_its_epoch_with_another_url_is_connected_anew(bench: Bench) -> None:
    """Given an assignment of the same epoch with another URL, late frames of the former count for nothing."""
    bench.watch("a")
    bench.feed("a", 2)
    former = bench.captures["a"]
    bench.watch("a", url="rtsp://h/other")
    assert former.stopped
    assert bench.captures["a"].url == "rtsp://h/other"
    former.feed()
    bench.feed("a", 1)
    bench.pipeline.close(5)
    assert bench.stream("a") == ["1-1", "1-2", "1-3"]
    assert [event.number for event in bench.events()] == [1, 2]


def test_what_was_captured_before_the_end_is_published(bench: Bench) -> None:
    """Given frames that wait for the detector, when the pipeline is closed, then their results are published."""
    names = [f"cam{number}" for number in range(20)]
    bench.watch(*names)
    for capture in bench.captures.values():
        capture.feed()
    bench.pipeline.close(10)
    assert set(bench.reader.results(names)) == set(names)
    assert all(capture.stopped for capture in bench.captures.values())


# --- numbers and events -------------------------------------------------------------------------------------------


def test_a_camera_that_is_taken_again_under_its_epoch_goes_on_counting(bench: Bench) -> None:
    """Given a camera that was given up and taken again, nothing of it looks as if it had been there before."""
    bench.watch("a", epoch=3)
    bench.feed("a", 2)
    bench.watch()
    bench.watch("a", epoch=3)
    bench.feed("a", 2)
    bench.pipeline.close(5)
    assert bench.stream("a") == ["3-1", "3-2", "3-3", "3-4"]
    assert event_names(bench.events()) == [("a:3:1", "camera_online"), ("a:3:2", "camera_online")]


def test_a_process_that_takes_up_the_epoch_of_its_predecessor_goes_on_counting(
    bench: Bench, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """Given a worker that was killed and came back under its id, what it publishes is new."""
    bench.watch("a", epoch=3)
    bench.feed("a", 3)
    successor = Bench(redis_client, tmp_path / "again")
    successor.watch("a", epoch=3)
    successor.feed("a", 2)
    successor.pipeline.close(5)
    assert bench.stream("a") == ["3-1", "3-2", "3-3", "3-4", "3-5"]
    assert [event.number for event in bench.events()] == [1, 2]


def test_what_a_camera_shows_becomes_events_behind_the_results_they_come_from(bench: Bench) -> None:
    """Given a person who comes, when the camera is given up, start and end of the track are told, with a picture."""
    bench.detector.somebody_is_there = True
    bench.watch("a", save=SaveMode.ALL)
    bench.feed("a", 3)  # a track is confirmed by its second sighting
    bench.watch()
    wait_until(lambda: len(bench.events()) == 3, "all is told")
    online, started, ended = bench.events()
    assert event_names([online, started, ended]) == [
        ("a:1:1", "camera_online"),
        ("a:1:2", "track_started"),
        ("a:1:3", "track_ended"),
    ]
    assert (started.class_name, started.track_id) == ("person", ended.track_id)
    paths = bench.reader.indexed_frames("a", 0, 2**53)
    assert started.frame_path in paths
    assert ended.frame_path == paths[-1]


def test_a_newer_epoch_of_the_same_stream_tells_nothing_twice(bench: Bench) -> None:
    """Given a camera whose settings change, it is not said to come online again, and its tracks go on."""
    bench.detector.somebody_is_there = True
    bench.watch("a")
    bench.feed("a", 2)
    bench.watch("a", epoch=2)
    bench.feed("a", 2)
    assert event_names(bench.events()) == [("a:1:1", "camera_online"), ("a:1:2", "track_started")]
    assert bench.stream("a") == ["1-1", "1-2", "2-1", "2-2"]


def test_tracks_of_a_tracker_that_failed_end_before_their_ids_are_used_again(bench: Bench) -> None:
    """Given a person who is followed, when the tracker is replaced, the old track ends and a new one starts."""
    bench.detector.somebody_is_there = True
    bench.watch("a")
    bench.feed("a", 2)
    bench.pipeline.apply({})
    bench.trackers.append(OnceFailingTracker())
    bench.watch("a")
    bench.feed("a", 2)
    bench.captures["a"].feed()
    wait_until(lambda: bench.dropped("a") == {"tracking_failed": 1}, "the tracker has failed")
    bench.feed("a", 2)
    kinds = [event.kind.value for event in bench.events()]
    assert kinds == ["camera_online", "track_started", "track_ended"] * 2 + ["track_started"]


class OnceFailingTracker(ByteTrackCameraTracker):
    """A tracker that fails with the third frame."""

    def __init__(self) -> None:
        super().__init__(CLASS_NAMES)
        self._left = 2

    def update(
        self,
        detections: Detections,
        *,
        captured_monotonic: float,
        frame_size: tuple[int, int],
        picture: Picture | None = None,
    ) -> Detections:
        """Follow, or fail."""
        self._left -= 1
        if self._left < 0:
            raise ZeroDivisionError
        return super().update(detections, captured_monotonic=captured_monotonic, frame_size=frame_size, picture=picture)


def test_a_frame_that_cannot_be_made_a_picture_is_analysed_all_the_same(bench: Bench) -> None:
    """Given a frame too large for JPEG, its result is published, and it counts as not saved, and not as dropped."""
    bench.watch("a", save=SaveMode.ALL)
    bench.feed("a", 1, TOO_LARGE)
    [(_, status)] = bench.pipeline.statuses()
    assert (status.frames_analysed, status.frames_saved) == (1, 0)
    assert (status.frames_dropped, status.frames_unsaved) == ({}, {"unknown": 1})
    assert bench.reader.results(["a"])["a"].frame_path is None


def test_every_frame_ends_in_exactly_one_count(bench: Bench, redis_client: redis.Redis) -> None:
    """Given frames of which some fail and some are refused, analysed and dropped add up to all of them."""
    bench.watch("a")
    bench.feed("a", 3)
    bench.detector.broken = True
    bench.captures["a"].feed()
    wait_until(lambda: bench.dropped("a") == {"detector_failed": 1}, "it is counted")
    bench.detector.broken = False
    redis_client.set(keys.camera_epoch("a"), 9)
    bench.captures["a"].feed()
    wait_until(lambda: bench.pipeline.totals().dropped == 2, "it is counted")
    assert (bench.pipeline.totals().analysed, bench.pipeline.refused_writes) == (3, 1)


def test_what_a_frame_costs_is_measured(bench: Bench) -> None:
    """Given some frames, the holding says what they cost, in CPU time that they really took."""
    bench.watch("a", save=SaveMode.ALL)
    assert bench.pipeline.holdings()["a"].frame_seconds is None
    before = time.process_time()
    bench.feed("a", 20)
    spent = time.process_time() - before
    cost = bench.pipeline.holdings()["a"].frame_seconds
    assert cost is not None
    assert 0 < cost * 20 < spent
    assert bench.pipeline.detect_seconds is not None
    assert 0 < bench.pipeline.detect_seconds < spent
