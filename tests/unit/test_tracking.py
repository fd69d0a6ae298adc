"""Following objects through the frames of one camera."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers.frames import Detections
from workers.tracking.byte_track import ByteTrackCameraTracker
from workers.tracking.class_groups import group_classes
from workers.tracking.group_tracker import LOST_SECONDS, GroupTracker
from workers.tracking.tracker import NO_TRACK

NAMES = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck", 8: "boat"}
PERSON, CAR, TRUCK = 0, 2, 7
SIZE = (480, 640)

#: One box: left, top, width, height, confidence, class.
Box = tuple[float, float, float, float, float, int]


def frame(boxes: Sequence[Box]) -> Detections:
    """Return the detections of one frame."""
    rows = np.array([box[:5] for box in boxes], np.float32).reshape(-1, 5)
    xyxy = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]])
    return Detections(xyxy, rows[:, 4], np.array([box[5] for box in boxes], np.int64))


def ids(detections: Detections) -> list[int]:
    """Return the track ids as a list."""
    assert detections.track_id is not None
    return [int(track_id) for track_id in detections.track_id]


def follow(tracker: ByteTrackCameraTracker, seconds: float, *boxes: Box, size: tuple[int, int] = SIZE) -> list[int]:
    """Hand one frame to the tracker and return the ids of its boxes."""
    return ids(tracker.update(frame(boxes), captured_monotonic=seconds, frame_size=size))


def person(x: float, y: float = 200, confidence: float = 0.9) -> Box:
    """Return a standing person."""
    return (x, y, 40, 100, confidence, PERSON)


def test_an_object_keeps_one_id_from_its_second_sighting_on() -> None:
    """Given a walker at one frame per second who leaves his own box each time, when followed, then the id stays."""
    tracker = ByteTrackCameraTracker(NAMES)

    seen = [follow(tracker, 100.0 + second, person(50 + 45 * second)) for second in range(8)]

    assert seen == [[NO_TRACK]] + [[1]] * 7


def test_two_who_walk_side_by_side_keep_their_ids() -> None:
    """Given two people apart, when the detector lists them in turning order, then each keeps the same id."""
    tracker = ByteTrackCameraTracker(NAMES)
    upper, lower = [], []
    for second in range(6):
        a, b = person(50 + 20 * second, 20), person(50 + 20 * second, 300)
        found = follow(tracker, second, *((a, b) if second % 2 else (b, a)))
        first, last = (found[0], found[1]) if second % 2 else (found[1], found[0])
        upper.append(first)
        lower.append(last)

    assert len(set(upper[1:])) == len(set(lower[1:])) == 1
    assert set(upper[1:]).isdisjoint(lower[1:])
    assert NO_TRACK not in upper[1:] + lower[1:]


def test_an_object_hidden_for_less_than_the_buffer_keeps_its_id_and_after_it_gets_a_new_one() -> None:
    """Given a standing person, when hidden for 3 s and later for 7 s, then only the long absence ends the track."""
    tracker = ByteTrackCameraTracker(NAMES)
    for second in range(3):
        follow(tracker, second, person(100))
    for second in (3, 4):
        follow(tracker, second)

    assert follow(tracker, 5, person(100)) == [1]
    for second in range(6, 12):
        follow(tracker, second)
    again = [follow(tracker, second, person(100)) for second in (12, 13)]
    assert again == [[NO_TRACK], [2]]


def test_a_gap_in_the_stream_longer_than_the_buffer_ends_all_tracks() -> None:
    """Given a followed person, when no frame comes for longer than the buffer, then whoever is there then is new."""
    tracker = ByteTrackCameraTracker(NAMES)
    for second in range(3):
        follow(tracker, second, person(100))

    after = 2 + LOST_SECONDS + 1
    assert [follow(tracker, after + second, person(100)) for second in range(2)] == [[NO_TRACK], [2]]


#: One look at a scene: how far everybody has gone since the one before, frames that carry it on, seconds between them.
looks = st.lists(
    st.tuples(st.integers(-30, 30), st.integers(0, 12), st.sampled_from([0.2, 1.0, 1.0, 2.0, 7.0])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(looks=looks, people=st.lists(st.booleans(), min_size=1, max_size=4))
def test_what_is_carried_on_has_the_tracks_that_it_would_have_if_it_was_found(
    looks: list[tuple[int, int, float]], people: list[bool]
) -> None:
    """Given people who stand still between looks, also while no frame comes, then each has one id where he has one."""
    carrying, finding = ByteTrackCameraTracker(NAMES), ByteTrackCameraTracker(NAMES)
    seconds, place = 100.0, 300.0
    pairs: dict[int, int] = {}
    for shift, carried, gap in looks:
        place += shift
        boxes = frame([person(place + 160 * number) for number, is_there in enumerate(people) if is_there])
        for number in range(1 + carried):
            seconds += gap if number else 1.0
            shown = replace(boxes, fresh=np.full(len(boxes), not number))
            found = [
                ids(each.update(given_boxes, captured_monotonic=seconds, frame_size=SIZE))
                for each, given_boxes in ((carrying, shown), (finding, boxes))
            ]
            # Those who are confirmed in one frame are numbered in the library's order.
            assert all(pairs.setdefault(one, other) == other for one, other in zip(*found, strict=True))
    assert len(set(pairs.values())) == len(pairs)


def test_frames_in_which_all_is_carried_on_are_mostly_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a minute of somebody who stands still and is looked at every 15 s, then those looks are followed."""
    tracker = ByteTrackCameraTracker(NAMES)
    followed: list[float] = []
    update = GroupTracker.update

    def counted(self: GroupTracker, *frame: Any) -> NDArray[np.int64]:
        followed.append(frame[-1])
        return update(self, *frame)

    monkeypatch.setattr(GroupTracker, "update", counted)
    seen = []
    for second in range(60):
        shown = replace(frame([person(100)]), fresh=np.array([second < 3 or second % 15 == 0]))
        seen.append(ids(tracker.update(shown, captured_monotonic=float(second), frame_size=SIZE)))
    assert seen == [[NO_TRACK]] + [[1]] * 59
    assert followed[:3] == [0.0, 1.0, 2.0]
    assert len(followed) == 3 + 3
    assert {later - earlier for earlier, later in pairwise(followed)} == {1.0}, "their clock was stopped meanwhile"


def test_a_person_never_becomes_a_car_but_a_car_may_become_a_truck() -> None:
    """Given boxes in one place, when the class changes, then ids pass within a group of classes only."""
    tracker = ByteTrackCameraTracker(NAMES)
    boxes = [(100.0, 100.0, 120.0, 80.0, 0.9, class_id) for class_id in (CAR, CAR, TRUCK, PERSON, PERSON, CAR)]

    seen = [follow(tracker, second, box)[0] for second, box in enumerate(boxes)]

    assert seen == [NO_TRACK, 1, 1, NO_TRACK, 2, 1]


def test_classes_outside_every_group_stand_for_themselves() -> None:
    """Given class names, when grouped, then road vehicles are one group, two-wheelers another, the rest alone."""
    assert group_classes(NAMES) == {0: 0, 1: 1, 2: 2, 3: 1, 5: 2, 7: 2, 8: 8}
    assert group_classes({0: "Car", 1: "TRUCK", 2: "car"}) == {0: 0, 1: 0, 2: 0}
    assert group_classes({0: "helmet", 1: "vest"}) == {0: 0, 1: 1}


def test_a_class_without_a_name_is_followed_all_the_same() -> None:
    """Given a class index that nobody named, when followed, then it is a group of its own."""
    tracker = ByteTrackCameraTracker(NAMES)
    box = (100.0, 100.0, 50.0, 50.0, 0.9, 99)

    assert [follow(tracker, second, box) for second in range(2)] == [[NO_TRACK], [1]]


def test_trackers_of_different_cameras_share_nothing() -> None:
    """Given three cameras in one process, when one runs alone first, then the others' ids are what they are alone."""
    first, second, third = (ByteTrackCameraTracker(NAMES) for _ in range(3))
    for at in range(5):
        follow(first, at, person(100), person(300), person(500))

    assert [follow(second, at, person(100)) for at in range(3)] == [[NO_TRACK], [1], [1]]
    assert [follow(third, at, person(100)) for at in range(3)] == [[NO_TRACK], [1], [1]]
    assert sorted(follow(first, 5, person(100), person(300), person(500))) == [1, 2, 3]


def test_boxes_too_faint_to_start_a_track_are_returned_and_can_continue_one() -> None:
    """Given a person who fades, when the confidence falls, then the id stays; a faint stranger gets none."""
    tracker = ByteTrackCameraTracker(NAMES)
    for second in range(2):
        follow(tracker, second, person(100))

    assert follow(tracker, 2, person(100, confidence=0.3), person(500, confidence=0.3)) == [1, NO_TRACK]
    assert follow(tracker, 3, person(100, confidence=0.3), person(500, confidence=0.3)) == [1, NO_TRACK]
    assert follow(tracker, 4, person(100, confidence=0.05)) == [NO_TRACK]


@pytest.mark.parametrize("late", [2.0, 1.5, float("nan"), float("inf"), float("-inf")])
def test_a_frame_out_of_order_is_returned_without_ids_and_changes_nothing(late: float) -> None:
    """Given a followed person, when a frame of the past or of no time comes, then it is counted and forgotten."""
    tracker = ByteTrackCameraTracker(NAMES)
    for second in range(3):
        follow(tracker, second, person(100))

    assert follow(tracker, late, person(400)) == [NO_TRACK]
    assert tracker.frames_untracked == 1
    assert follow(tracker, 3, person(100)) == [1]


def test_the_same_view_in_another_resolution_keeps_ids_and_another_view_does_not() -> None:
    """Given a followed person, when the stream doubles its size, then the id stays; when the aspect changes, not."""
    tracker = ByteTrackCameraTracker(NAMES)
    for second in range(3):
        follow(tracker, second, person(100))

    doubled: Box = (200, 400, 80, 200, 0.9, PERSON)
    assert follow(tracker, 3, doubled, size=(960, 1280)) == [1]
    assert [follow(tracker, at, doubled, size=(720, 1280)) for at in (4, 5)] == [[NO_TRACK], [2]]


def test_frames_without_detections_are_harmless_at_any_time() -> None:
    """Given empty frames before, between and after, when followed, then each answer is empty with an id array."""
    tracker = ByteTrackCameraTracker(NAMES)
    for second in range(0, 30, 3):
        assert follow(tracker, second) == []
        follow(tracker, second + 1, person(100))


def test_broken_boxes_are_returned_and_do_not_stop_the_others() -> None:
    """Given NaN, infinite and empty boxes beside a person, when followed, then the person keeps his id."""
    tracker = ByteTrackCameraTracker(NAMES)
    nan, inf = float("nan"), float("inf")
    broken: list[Box] = [(nan, 0, 5, 5, 0.9, PERSON), (0, 0, inf, 5, 0.9, PERSON), (300, 300, 0, 0, 0.9, PERSON)]

    seen = [follow(tracker, second, *broken, person(100)) for second in range(3)]

    assert [found[:2] for found in seen] == [[NO_TRACK] * 2] * 3
    assert seen[0][3] == NO_TRACK
    assert seen[1][3] == seen[2][3] > 0


def test_a_tracker_that_runs_for_long_forgets_what_is_gone() -> None:
    """Given hundreds of passers-by, when they are gone, then nothing of them is kept and no id came twice."""
    tracker = ByteTrackCameraTracker(NAMES)
    given_ids: list[int] = []
    for visit in range(200):
        for step in range(2):
            found = follow(tracker, visit * 10.0 + step, person(100), (300, 200, 120, 80, 0.9, CAR))
        given_ids += found
    follow(tracker, 3000)

    assert NO_TRACK not in given_ids
    assert len(set(given_ids)) == len(given_ids) == 400
    # Reaching inside, because a leak shows nowhere else before memory is gone.
    assert not tracker._ids
    assert not tracker._trackers


boxes_of_a_frame: st.SearchStrategy[list[Box]] = st.lists(
    st.tuples(
        st.floats(0, 640, width=32),
        st.floats(0, 480, width=32),
        st.floats(0, 640, width=32),
        st.floats(0, 480, width=32),
        st.floats(0, 1, width=32),
        st.sampled_from([0, 2, 7, 8]),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=80)
@given(frames=st.lists(st.tuples(st.floats(-1, 20), boxes_of_a_frame), max_size=12))
def test_every_detection_comes_back_in_its_place_with_an_id_used_once_per_frame(
    frames: list[tuple[float, list[Box]]],
) -> None:
    """Given any frames at any spacing, when followed, then no box is lost, moved or shares its id in a frame."""
    tracker = ByteTrackCameraTracker(NAMES)
    now = 0.0
    classes_of: dict[int, set[int]] = {}
    for gap, boxes in frames:
        now += gap
        given_frame = frame(boxes)
        found = tracker.update(given_frame, captured_monotonic=now, frame_size=SIZE)

        _assert_same(found.xyxy, given_frame.xyxy)
        _assert_same(found.confidence, given_frame.confidence)
        _assert_same(found.class_id, given_frame.class_id)
        confirmed = [track_id for track_id in ids(found) if track_id != NO_TRACK]
        assert len(set(confirmed)) == len(confirmed)
        assert all(track_id >= 1 for track_id in confirmed)
        for track_id, class_id in zip(ids(found), found.class_id.tolist(), strict=True):
            classes_of.setdefault(track_id, set()).add(group_classes(NAMES)[class_id])
    assert all(len(groups) == 1 for track_id, groups in classes_of.items() if track_id != NO_TRACK)


def _assert_same(found: NDArray[np.generic], expected: NDArray[np.generic]) -> None:
    assert found.dtype == expected.dtype
    assert found.tolist() == expected.tolist()
