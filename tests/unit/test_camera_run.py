"""What a worker knows of a camera: counters, the message of a result, the status."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.assignments import Assignment
from contract.cameras import AnalysisSettings, CameraState
from contract.detections import AnalysisResult
from contract.errors import StatusReason
from contract.events import Event
from contract.zones import Zone, ZoneKind, mark_of_masks
from runtime.worker_link import Numbers
from tests.support.clocks import SetClock
from workers.camera_run import CameraRun, Tally, Totals, padded
from workers.capture.state import CaptureState
from workers.frames import Detections, Frame
from workers.pictures import BgrPicture

NAMES = {0: "person", 2: "car"}


def assignment(epoch: int = 1, **settings: object) -> Assignment:
    """Make an assignment."""
    return Assignment(camera_id="c", url="rtsp://h/x", epoch=epoch, settings=AnalysisSettings.model_validate(settings))


def frame(clock: SetClock, epoch: int = 1) -> Frame:
    """Make a frame captured now, 100 pixels wide and 60 high."""
    return Frame("c", epoch, clock.now_ms(), clock.monotonic(), BgrPicture(np.zeros((60, 100, 3), np.uint8)))


def found(*boxes: tuple[float, float, float, float], track_ids: list[int] | None = None) -> Detections:
    """Make detections of persons."""
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, 0.91234567, np.float32),
        np.zeros(count, np.int64),
        None if track_ids is None else np.array(track_ids, np.int64),
    )


def result_of(run: CameraRun, captured: Frame, detections: Detections) -> AnalysisResult:
    """Make the message for a frame that was captured under the epoch of the assignment."""
    result = run.result(captured, detections, NAMES)
    assert result is not None
    return result


def test_results_count_from_one_in_every_epoch() -> None:
    """Given a camera that goes on under a newer epoch, its sequence begins again and its counters go on."""
    clock, tally = SetClock(), Tally()
    run = CameraRun(assignment(), "w", clock, tally=tally)
    assert [result_of(run, frame(clock), found()).seq for _ in range(3)] == [1, 2, 3]
    run.analysed(clock.monotonic())
    run.reassign(assignment(epoch=2))
    assert run.result(frame(clock, 1), found(), NAMES) is None, "a late frame of the former epoch"
    assert result_of(run, frame(clock, 2), found()).seq == 1
    assert tally.totals == Totals(analysed=1, dropped=0)


def test_a_run_goes_on_after_the_numbers_that_were_used_under_its_epoch() -> None:
    """Given numbers of the same epoch, results and events go on after them; those of another epoch do not count."""
    clock = SetClock()
    run = CameraRun(assignment(4), "w", clock, numbers=Numbers(4, seq=17, event=5))
    assert result_of(run, frame(clock, 4), found()).seq == 18
    told: list[Event] = []
    run.tell(lambda events: events.accepted(4), told.append)
    run.tell(lambda events: events.capture_changed(CaptureState(CameraState.ONLINE), 1), told.append)
    assert [event.event_id for event in told] == ["c:4:6"]
    assert run.numbers == Numbers(4, 18, 6)
    run.reassign(assignment(5))
    assert run.numbers == Numbers(5, 0, 0)
    assert result_of(CameraRun(assignment(5), "w", clock, numbers=Numbers(4, 17, 5)), frame(clock, 5), found()).seq == 1


def test_nothing_is_told_of_a_camera_that_another_worker_has() -> None:
    """Given a camera whose write was refused, its events are not sent, for they would be refused too."""
    run = CameraRun(assignment(), "w", SetClock())
    told: list[Event] = []
    run.tell(lambda events: events.accepted(1), told.append)
    run.refused(1)
    run.tell(lambda events: events.capture_changed(CaptureState(CameraState.ONLINE), 1), told.append)
    assert told == []


def test_a_result_says_which_masks_its_frame_has() -> None:
    """Given a camera with a mask, its results have its mark; a zone that hides nothing makes none."""
    zones = [Zone(id=kind, kind=kind, points=[(0, 0), (1, 0), (1, 1)]) for kind in (ZoneKind.ZONE, ZoneKind.MASK)]
    clock = SetClock()
    for drawn in (zones[:1], zones):
        run = CameraRun(assignment().model_copy(update={"zones": drawn}), "w", clock)
        assert result_of(run, frame(clock), found()).masks == mark_of_masks(drawn)
    assert mark_of_masks(zones[:1]) == ""
    assert mark_of_masks(zones)


def test_a_result_says_boxes_names_and_only_confirmed_tracks() -> None:
    """Given two boxes of which one has a confirmed track, the message has pixels, names and that track alone."""
    clock = SetClock()
    run = CameraRun(assignment(box_padding=0.1), "w", clock)
    result = result_of(run, frame(clock), found((10, 10, 30, 20), (90, 50, 100, 60), track_ids=[7, -1]))
    assert [each.xyxy for each in result.detections] == [(8.0, 9.0, 32.0, 21.0), (89.0, 49.0, 100.0, 60.0)]
    assert [each.track_id for each in result.detections] == [7, None]
    assert [(each.class_name, each.confidence) for each in result.detections] == [("person", 0.9123)] * 2
    assert (result.width, result.height, result.worker_id) == (100, 60, "w")


def test_a_refused_write_of_an_older_epoch_does_not_end_the_newer_one() -> None:
    """Given a camera that was assigned anew meanwhile, when a late write is refused, then the worker keeps it."""
    run = CameraRun(assignment(epoch=1), "w", SetClock())
    run.reassign(assignment(epoch=2))
    assert not run.refused(1)
    assert [run.superseded] == [False]
    assert run.refused(2)
    assert [run.superseded] == [True]
    run.reassign(assignment(epoch=3))
    assert [run.superseded] == [False]


def test_age_and_rate_are_measured_over_the_last_seconds_only() -> None:
    """Given results of different age, the status has the median age and the rate of the last ten seconds."""
    clock = SetClock()
    run = CameraRun(assignment(), "w", clock)
    old = clock.monotonic()
    clock.advance(5)
    run.analysed(old)
    clock.advance(60)
    for age in (0.1, 0.2, 0.3, 0.4):
        captured = clock.monotonic()
        clock.advance(age)
        run.analysed(captured)
    run.analysed(old, spooled=True)
    status = run.status(NAMES)
    assert status.age_ms == pytest.approx(250, abs=1), "what went to disk has no age"
    assert status.analysed_fps == pytest.approx(0.5)
    assert status.frames_analysed == 6


def test_crops_that_are_not_saved_are_counted_and_said_once() -> None:
    """Given a full volume, crops are counted by reason; that they are lost is news once, until some are saved again."""
    run = CameraRun(assignment(), "w", SetClock())
    assert [run.crops_lost(StatusReason.DISK_FULL, 3), run.crops_lost(StatusReason.DISK_FULL, 1)] == [True, False]
    run.crops_saved(2)
    assert run.crops_lost(StatusReason.DISK_FULL, 1)
    run.crops.dropped = 4
    status = run.status(NAMES)
    assert (status.crops_saved, status.crops_unsaved) == (2, {"disk_full": 5, "memory": 4})


def test_a_full_volume_shows_until_a_frame_is_saved_again() -> None:
    """Given a frame that could not be saved, the status says why until saving works."""
    run = CameraRun(assignment(), "w", SetClock())
    run.saving_failed(StatusReason.DISK_FULL)
    assert run.status(NAMES).saving_reason is StatusReason.DISK_FULL
    assert run.status(NAMES).frames_unsaved == {"disk_full": 1}
    assert run.status(NAMES).frames_dropped == {}, "it was analysed all the same"
    run.saved()
    assert run.status(NAMES).saving_reason is None
    assert run.status(NAMES).frames_saved == 1


def test_classes_that_the_model_does_not_know_are_named() -> None:
    """Given a misspelt class, the status of the camera names it."""
    status = CameraRun(assignment(classes=["person", "persn"]), "w", SetClock()).status(NAMES)
    assert "persn" in status.detail
    assert "person" not in status.detail.replace("persn", "")
    assert status.state is CameraState.CONNECTING


def test_counting_from_many_threads_loses_nothing() -> None:
    """Given several threads that count drops at once, the sum is right."""
    tally = Tally()
    run = CameraRun(assignment(), "w", SetClock(), tally=tally)

    def count() -> None:
        for _ in range(2000):
            run.drop("overload")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.totals.dropped == 8000
    assert run.status(NAMES).frames_dropped == {"overload": 8000}


@given(
    st.lists(st.tuples(*[st.floats(0, 100, width=32)] * 4), max_size=5),
    st.floats(0, 1, width=32),
)
def test_padded_boxes_contain_the_box_and_stay_in_the_frame(
    corners: list[tuple[float, float, float, float]], padding: float
) -> None:
    """Given any boxes inside a frame, the widened ones contain them and do not leave the frame."""
    boxes = np.array([(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners], np.float32).reshape(
        -1, 4
    )
    wide = padded(boxes, padding, 100, 100)
    assert wide.shape == boxes.shape
    assert ((wide[:, :2] <= boxes[:, :2]) & (wide[:, 2:] >= boxes[:, 2:])).all()
    assert ((wide >= 0) & (wide <= 100)).all()
