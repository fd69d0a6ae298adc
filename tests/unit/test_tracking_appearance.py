"""Following objects by their colours as well: who crosses keeps his id, and without colours nothing is different."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.frames import Detections
from workers.pictures import BgrImage, BgrPicture
from workers.tracking.appearance import appearance_of, blended
from workers.tracking.byte_track import ByteTrackCameraTracker
from workers.tracking.group_tracker import FAR_GIOU, FAR_SECONDS, NEAR_GIOU, NEAR_SECONDS, least_giou
from workers.tracking.tracker import NO_TRACK

NAMES = {0: "person", 2: "car", 7: "truck"}
RED, BLUE, GREY = (40, 40, 200), (200, 60, 40), (120, 120, 120)
#: Left, top, right, bottom.
Box = tuple[float, float, float, float]


def person(x: float, y: float = 200.0) -> Box:
    """Return a standing person."""
    return (x, y, x + 40, y + 100)


def paint(*people: tuple[Box, tuple[int, int, int]]) -> BgrPicture:
    """Return a picture of 640x480 with noisy boxes on grey; who comes later stands in front."""
    noise = np.random.default_rng(1).integers(-20, 20, (480, 640, 3))
    image = np.full((480, 640, 3), 100)
    for (left, top, right, bottom), colour in people:
        image[int(top) : int(bottom), int(left) : int(right)] = colour
    return BgrPicture(np.clip(image + noise, 0, 255).astype(np.uint8))


def follow(
    tracker: ByteTrackCameraTracker, at: float, boxes: Sequence[Box], picture: BgrPicture | None, class_id: int = 0
) -> list[int]:
    """Hand one frame to the tracker and return the ids of its boxes."""
    count = len(boxes)
    found = Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, 0.9, np.float32),
        np.full(count, class_id, np.int64),
    )
    followed = tracker.update(found, captured_monotonic=at, frame_size=(480, 640), picture=picture)
    assert followed.track_id is not None
    return [int(each) for each in followed.track_id]


def meet_and_turn_back(*, uses_appearance: bool, shown: bool = True) -> tuple[list[int], list[int]]:
    """Let two people walk towards each other, hide behind a tree, and come out on the side they came from."""
    tracker = ByteTrackCameraTracker(NAMES, uses_appearance=uses_appearance)
    before: list[int] = []
    for step in range(5):
        red, blue = person(100 + 30 * step), person(440 - 30 * step)
        picture = paint((red, RED), (blue, BLUE)) if shown else None
        before = follow(tracker, step * 0.5, [red, blue], picture)
    for step in (5, 6):
        follow(tracker, step * 0.5, [], paint() if shown else None)
    red, blue = person(200), person(340)
    picture = paint((red, RED), (blue, BLUE)) if shown else None
    return before, follow(tracker, 3.5, [red, blue], picture)


def test_people_who_meet_unseen_and_turn_back_keep_their_ids() -> None:
    """Given two people who turn round where nobody sees them, colours tell who is who, and places do not."""
    before, after = meet_and_turn_back(uses_appearance=True)
    assert sorted(before) == [1, 2]
    assert after == before
    _, by_place = meet_and_turn_back(uses_appearance=False)
    assert by_place == before[::-1]


def test_without_pixels_places_count_alone() -> None:
    """Given a tracker that would look at colours and frames without pixels, it follows as one that does not look."""
    assert meet_and_turn_back(uses_appearance=True, shown=False) == meet_and_turn_back(uses_appearance=False)


def test_somebody_else_in_the_place_of_one_who_left_is_somebody_else() -> None:
    """Given a person who leaves and another one who comes from the same place a second later, they have two ids."""
    tracker = ByteTrackCameraTracker(NAMES, uses_appearance=True)
    for step in range(4):
        (first,) = follow(tracker, step * 0.5, [person(300)], paint((person(300), RED)))
    assert follow(tracker, 2.5, [person(322)], paint((person(322), BLUE))) == [NO_TRACK]
    (second,) = follow(tracker, 3.0, [person(322)], paint((person(322), BLUE)))
    assert second not in {first, NO_TRACK}


def test_boxes_too_small_for_colours_are_followed_by_their_places() -> None:
    """Given a person of a few pixels, he is followed all the same."""
    tracker = ByteTrackCameraTracker(NAMES, uses_appearance=True)
    seen = [follow(tracker, step * 0.5, [(10 + step, 10, 13 + step, 16)], paint()) for step in range(3)]
    assert seen == [[NO_TRACK], [1], [1]]


def test_an_appearance_is_of_length_one_and_more_alike_the_more_its_colours_are() -> None:
    """Given a red person seen twice, one in blue and one in both, likeness is in that order."""
    half: BgrImage = np.array(paint((person(100), RED)).bgr())
    half[260:300, 100:140] = BLUE
    red, again, blue, both = (
        appearance_of(picture, box)
        for picture, box in (
            (paint((person(100), RED)), person(100)),
            (paint((person(300), RED)), person(300)),
            (paint((person(100), BLUE)), person(100)),
            (BgrPicture(half), person(100)),
        )
    )
    assert red is not None
    assert again is not None
    assert blue is not None
    assert both is not None
    for each in (red, again, blue, both):
        assert np.linalg.norm(each) == pytest.approx(1, abs=1e-5)
    assert red @ again > 0.95 > red @ both > red @ blue
    assert blended(None, red, 0.2) is red
    mixed = blended(red, blue, 0.25)
    assert red @ mixed > blue @ mixed
    assert np.linalg.norm(mixed) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("box", [(0, 0, 2, 3), (700, 10, 760, 100), (-50, -50, -10, 20), (10, 400, 50, 600)])
def test_boxes_at_and_outside_of_the_frame_have_the_colours_of_what_is_inside(box: Box) -> None:
    """Given boxes that are partly or wholly outside, there is an appearance or none, and no error."""
    found = appearance_of(paint(), box)
    assert (found is None) == (box != (10, 400, 50, 600))


@given(st.floats(0, 100), st.floats(0, 100))
def test_the_longer_it_is_since_the_frame_before_the_farther_a_box_may_be(one: float, other: float) -> None:
    """Given two lengths of time, the longer allows less overlap, within the limits of both."""
    shorter, longer = sorted((one, other))
    assert FAR_GIOU <= least_giou(longer) <= least_giou(shorter) <= NEAR_GIOU
    assert least_giou(NEAR_SECONDS) == NEAR_GIOU
    assert least_giou(FAR_SECONDS) == pytest.approx(FAR_GIOU)
