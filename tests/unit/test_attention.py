"""What of a camera's frames is looked at: nothing that is due is forgotten, and little else is looked at."""

import threading
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.frames import Detections, Region, Wanted
from workers.motion.attention import CALM_WHOLE_SECONDS, WHOLE_SECONDS, WHOLE_SHARE, Attention
from workers.motion.known_objects import CALM_HEARTBEAT_SECONDS
from workers.motion.motion_score import Motion

#: Height and width.
SIZE = (720, 1280)
PERSON = 0
CAR = 2
TRUCK = 7
STILL = Motion(0.0)
#: Of a person who stands.
BOX = (600.0, 300.0, 660.0, 460.0)


def moved(*boxes: tuple[int, int, int, int]) -> Motion:
    """Return motion in these rectangles."""
    return Motion(0.01, tuple(Region(*box) for box in boxes))


def found(*boxes: tuple[float, float, float, float], class_id: int = PERSON, confidence: float = 0.9) -> Detections:
    """Return detections of one class."""
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, confidence, np.float32),
        np.full(count, class_id, np.int64),
    )


def started(attention: Attention, at: float, *boxes: tuple[float, float, float, float]) -> None:
    """Let the first frame be looked at, in which these are found."""
    wanted = attention.saw(Motion(0.0, is_new_scene=True), at, SIZE)
    assert wanted.is_whole
    attention.looked(wanted, found(*boxes), at, SIZE)


def inside(box: Sequence[float], wanted: Wanted) -> bool:
    """Whether one region holds the box, or the whole is looked at."""
    return wanted.is_whole or any(
        each.left <= box[0] and each.top <= box[1] and each.right >= box[2] and each.bottom >= box[3]
        for each in wanted.regions
    )


def settled(attention: Attention, at: float, *boxes: tuple[float, float, float, float]) -> float:
    """Let objects stand until nothing is looked at; return when."""
    started(attention, at, *boxes)
    for _ in range(20):
        at += 1
        wanted = attention.saw(STILL, at, SIZE)
        if wanted.is_nothing:
            attention.looked(wanted, Detections(), at, SIZE)
            return at
        attention.looked(wanted, found(*boxes), at, SIZE)
    raise AssertionError("it never settles")


def test_the_first_frame_is_looked_at_whole_until_one_was() -> None:
    """Given first frames that are dropped, then every next one is wanted whole; after a look it no longer is."""
    attention = Attention(warm_up_seconds=0)
    assert attention.saw(Motion(0.0, is_new_scene=True), 1.0, SIZE).is_whole
    assert attention.saw(STILL, 1.2, SIZE).is_whole
    wanted = attention.saw(STILL, 1.4, SIZE)
    assert wanted.is_whole
    attention.looked(wanted, Detections(), 1.4, SIZE)
    assert attention.saw(STILL, 1.6, SIZE).is_nothing


def test_what_moves_is_looked_at_with_what_surrounds_it() -> None:
    """Given motion, then one region holds it with a margin, and not the whole frame."""
    attention = Attention(warm_up_seconds=0)
    started(attention, 1.0)
    wanted = attention.saw(moved((600, 300, 660, 460)), 2.0, SIZE)
    assert not wanted.is_whole
    assert inside((560, 260, 700, 500), wanted)


def test_what_a_dropped_frame_left_is_still_due() -> None:
    """Given motion in a frame that is dropped, then the next one looks there, though nothing moves in it."""
    attention = Attention(warm_up_seconds=0)
    started(attention, 1.0)
    attention.saw(moved((100, 100, 140, 200)), 2.0, SIZE)
    wanted = attention.saw(moved((900, 400, 940, 500)), 2.2, SIZE)
    assert inside((100, 100, 140, 200), wanted)
    assert inside((900, 400, 940, 500), wanted)
    attention.looked(wanted, Detections(), 2.2, SIZE)
    assert attention.saw(STILL, 2.4, SIZE).is_nothing


def test_a_look_clears_nothing_that_became_due_after_its_frame() -> None:
    """Given motion in a frame that comes while an earlier one is looked at, then it stays due."""
    attention = Attention(warm_up_seconds=0)
    started(attention, 1.0)
    earlier = attention.saw(moved((100, 100, 140, 200)), 2.0, SIZE)
    attention.saw(moved((900, 400, 940, 500)), 2.2, SIZE)  # this frame will be dropped
    attention.looked(earlier, Detections(), 2.0, SIZE)
    wanted = attention.saw(STILL, 2.4, SIZE)
    assert inside((900, 400, 940, 500), wanted)
    assert not inside((100, 100, 140, 200), wanted)


def test_a_new_scene_in_a_dropped_frame_is_looked_at_whole() -> None:
    """Given a camera that is turned in a frame that is dropped, then the next one is looked at whole."""
    attention = Attention(warm_up_seconds=0)
    started(attention, 1.0)
    earlier = attention.saw(STILL, 2.0, SIZE)
    attention.saw(Motion(0.0, is_new_scene=True), 2.2, SIZE)
    attention.looked(earlier, Detections(), 2.0, SIZE)
    assert attention.saw(STILL, 2.4, SIZE).is_whole


def test_another_frame_size_is_looked_at_whole_and_nothing_is_carried_over() -> None:
    """Given a camera that switches its resolution, then its next frame is whole, and old boxes are gone."""
    attention = Attention(warm_up_seconds=0)
    started(attention, 1.0, BOX)
    wanted = attention.saw(STILL, 2.0, (360, 640))
    assert wanted.is_whole
    assert len(attention.looked(wanted, Detections(), 2.0, (360, 640))) == 0


def test_who_stands_is_carried_and_looked_at_on_a_heartbeat() -> None:
    """Given a person who stands, then frames without a look carry them, and a look comes every few seconds."""
    attention = Attention(warm_up_seconds=0)
    at = settled(attention, 100.0, BOX)
    looks = []
    for number in range(64):
        now = at + 0.25 * (number + 1)
        wanted = attention.saw(STILL, now, SIZE)
        fresh = found(BOX) if inside(BOX, wanted) else Detections()
        told = attention.looked(wanted, fresh, now, SIZE)
        assert told.xyxy.tolist() == [list(BOX)]
        assert told.found_now.tolist() == [not wanted.is_nothing]
        looks += [] if wanted.is_nothing else [now]
    assert 1 <= len(looks) <= 2
    assert max(np.diff([at - 1, *looks])) <= CALM_HEARTBEAT_SECONDS + 0.25


def test_carried_boxes_keep_their_confidence_and_class() -> None:
    """Given a car found at 0.6, then it is carried as that."""
    attention = Attention(warm_up_seconds=0)
    started(attention, 1.0)
    wanted = attention.saw(moved((600, 300, 700, 400)), 2.0, SIZE)
    attention.looked(wanted, found((600, 300, 700, 400), class_id=CAR, confidence=0.6), 2.0, SIZE)
    elsewhere = Wanted((Region(0, 0, 200, 200),), number=wanted.number + 1)
    carried = attention.looked(elsewhere, Detections(), 2.5, SIZE)
    assert carried.class_id.tolist() == [CAR]
    assert carried.confidence.tolist() == pytest.approx([0.6])


def test_a_box_is_replaced_by_what_is_found_in_its_place() -> None:
    """Given a look at where a person stood, then there is what was found there now, and the old box is gone."""
    attention = Attention(warm_up_seconds=0)
    at = settled(attention, 100.0, BOX)
    left = (680.0, 300.0, 740.0, 460.0)
    wanted = attention.saw(moved((600, 300, 740, 460)), at + 1, SIZE)
    assert attention.looked(wanted, found(left), at + 1, SIZE).xyxy.tolist() == [list(left)]


def test_who_is_not_found_is_no_longer_told_and_looked_for_again() -> None:
    """Given a look that overlooks a person, then they are not in the result, but the next frames look there."""
    attention = Attention(warm_up_seconds=0)
    at = settled(attention, 100.0, BOX) + CALM_HEARTBEAT_SECONDS
    for step in range(3):
        wanted = attention.saw(STILL, at + step, SIZE)
        assert inside(BOX, wanted)
        assert len(attention.looked(wanted, Detections(), at + step, SIZE)) == 0
    for step in range(3, 11):
        wanted = attention.saw(STILL, at + step, SIZE)
        attention.looked(wanted, Detections(), at + step, SIZE)
    assert attention.saw(STILL, at + 11, SIZE).is_nothing


def test_who_has_gone_is_not_looked_for() -> None:
    """Given motion where a person stood, and nobody found there, then the place is not looked at again."""
    attention = Attention(warm_up_seconds=0)
    at = settled(attention, 100.0, BOX)
    wanted = attention.saw(moved((600, 300, 660, 460)), at + 1, SIZE)
    assert len(attention.looked(wanted, Detections(), at + 1, SIZE)) == 0
    assert attention.saw(STILL, at + 2, SIZE).is_nothing


def test_who_walks_is_looked_at_in_every_frame_though_nothing_seems_to_move() -> None:
    """Given a person who walks against a wall of their colour, then every frame looks at where they would be."""
    attention = Attention(warm_up_seconds=0)
    started(attention, 100.0, (100, 300, 140, 400))
    for step in range(1, 8):
        at, left = 100.0 + step, 100.0 + 25 * step
        wanted = attention.saw(STILL, at, SIZE)
        box = (left, 300.0, left + 40, 400.0)
        assert inside(box, wanted)
        attention.looked(wanted, found(box), at, SIZE)


def test_of_who_stands_and_moves_an_arm_all_is_looked_at() -> None:
    """Given motion that touches a known person, then one region holds all of that person."""
    attention = Attention(warm_up_seconds=0)
    at = settled(attention, 100.0, (600, 200, 700, 640))
    wanted = attention.saw(moved((690, 300, 740, 320)), at + 0.25, SIZE)
    assert not wanted.is_whole
    assert inside((600, 200, 740, 640), wanted)


def test_a_box_that_is_cut_off_is_looked_at_wider() -> None:
    """Given a box that ends at the edge of what was looked at, then the next look reaches further."""
    attention = Attention(warm_up_seconds=0)
    started(attention, 1.0)
    wanted = attention.saw(moved((600, 300, 660, 360)), 2.0, SIZE)
    (region,) = wanted.regions
    cut = (620.0, 300.0, 680.0, float(region.bottom))
    attention.looked(wanted, found(cut), 2.0, SIZE)
    assert inside((620, 300, 680, region.bottom + 60), attention.saw(STILL, 2.2, SIZE))


def test_a_part_of_a_carried_object_is_not_a_second_one() -> None:
    """Given a region that cuts through a lorry, then the half that is found does not stand beside the whole."""
    attention = Attention(warm_up_seconds=0, groups={CAR: CAR, TRUCK: CAR})
    lorry = (200.0, 200.0, 800.0, 500.0)
    wanted = attention.saw(STILL, 1.0, SIZE)
    attention.looked(wanted, found(lorry, class_id=TRUCK), 1.0, SIZE)
    cut = Wanted((Region(700, 100, 1000, 600),), number=2)
    together = attention.looked(cut, found((700, 210, 800, 500), class_id=CAR), 2.0, SIZE)
    assert together.xyxy.tolist() == [list(lorry)]


def test_an_object_is_there_once_where_a_fresh_box_and_a_carried_one_meet() -> None:
    """Given a car that was carried as a truck and is found a little further, then only the fresh box stays."""
    attention = Attention(warm_up_seconds=0, groups={CAR: CAR, TRUCK: CAR})
    wanted = attention.saw(STILL, 1.0, SIZE)
    attention.looked(wanted, found((200, 200, 400, 300), class_id=TRUCK), 1.0, SIZE)
    beside = Wanted((Region(285, 100, 900, 600),), number=2)
    together = attention.looked(beside, found((300, 205, 400, 300), class_id=CAR), 2.0, SIZE)
    assert together.class_id.tolist() == [CAR]


@pytest.mark.parametrize(("motion", "every"), [(STILL, CALM_WHOLE_SECONDS), (moved((4, 4, 30, 30)), WHOLE_SECONDS)])
def test_the_whole_is_looked_at_on_a_heartbeat_spread_over_cameras(motion: Motion, every: float) -> None:
    """Given cameras that started together, each is looked at whole on a beat of its own, slower where all is calm."""
    cameras = [Attention(warm_up_seconds=0, phase=number / 20) for number in range(20)]
    wholes: list[int] = []
    of_each = [0] * len(cameras)
    for second in range(1000, 1124):
        now = 0
        for number, camera in enumerate(cameras):
            wanted = camera.saw(motion, float(second), SIZE)
            camera.looked(wanted, Detections(), float(second), SIZE)
            now += wanted.is_whole
            of_each[number] += wanted.is_whole
        wholes.append(now)
    assert wholes[0] == len(cameras)
    assert max(wholes[1:]) <= 3
    assert min(of_each) >= 124 // every
    assert max(of_each) <= 2 + 124 // every


def test_the_whole_of_a_scene_in_which_nothing_moves_for_long_is_looked_at_less_and_less_often() -> None:
    """Given half an hour with one motion, then looks come after a minute, two, four, and after the motion anew."""
    attention = Attention(warm_up_seconds=10)
    looks = []
    for second in range(2000):
        motion = moved((4, 4, 30, 30)) if second == 1500 else STILL
        wanted = attention.saw(motion, float(second), SIZE)
        attention.looked(wanted, Detections(), float(second), SIZE)
        if wanted.is_whole:
            looks.append(second)
    assert looks[:10] == list(range(10))
    gaps = [later - earlier for earlier, later in pairwise(looks[9:])]
    calm = [gap for gap, at in zip(gaps, looks[10:], strict=True) if at < 1500]
    assert calm == [51, 60, 120, 240, 240, 240, 240, 240]
    for _ in range(3 * 24 * 60):  # three days
        second += 60
        attention.looked(Wanted(is_whole=True), Detections(), float(second), SIZE)
    assert attention.saw(STILL, float(second + 1), SIZE).is_nothing
    woken = [at for at in looks if at >= 1500]
    assert woken[0] <= 1500 + WHOLE_SECONDS
    assert woken[2] <= 1500 + WHOLE_SECONDS + 3 * CALM_WHOLE_SECONDS


def test_an_object_of_which_the_detector_is_unsure_is_looked_at_more_often_while_something_moves_near() -> None:
    """Given somebody far away who is found at 0.45, they are looked at every second: one frame may tell; but calmly."""
    attention = Attention(warm_up_seconds=0)
    faint = found(BOX, confidence=0.45)
    looks = {True: 0, False: 0}
    for second in range(100, 180):
        stirs = second < 140
        motion = Motion(0.01, (Region(660, 300, 700, 460),)) if stirs else STILL
        wanted = attention.saw(motion, float(second), SIZE)
        looks[stirs] += inside(BOX, wanted)
        attention.looked(wanted, faint if inside(BOX, wanted) else Detections(), float(second), SIZE)
    assert looks[True] == 40
    assert 3 <= looks[False] <= 7


def test_people_close_together_share_no_pixel_of_their_regions() -> None:
    """Given two who walk so close that their margins overlap, then each has a region of their own, cut in between."""
    attention = Attention(warm_up_seconds=0)
    started(attention, 1.0)
    one, other = (300, 300, 340, 400), (400, 320, 440, 420)
    first, second = sorted(attention.saw(moved(one, other), 2.0, SIZE).regions, key=lambda region: region.left)
    assert first.right == second.left
    assert first.right - one[2] == pytest.approx(other[0] - second.left, abs=1)


def test_what_moves_almost_everywhere_is_looked_at_whole() -> None:
    """Given regions that together are hardly smaller than the frame, then it is whole."""
    attention = Attention(warm_up_seconds=0)
    started(attention, 1.0)
    assert attention.saw(moved((0, 0, 1000, 600)), 2.0, SIZE).is_whole


def test_detections_are_the_most_confident_first() -> None:
    """Given a faint carried box and a clear fresh one, then the clear one is first."""
    attention = Attention(warm_up_seconds=0)
    wanted = attention.saw(STILL, 1.0, SIZE)
    attention.looked(wanted, found(BOX, confidence=0.3), 1.0, SIZE)
    elsewhere = Wanted((Region(0, 0, 200, 200),), number=2)
    together = attention.looked(elsewhere, found((50, 50, 90, 150)), 2.0, SIZE)
    assert together.confidence.tolist() == pytest.approx([0.9, 0.3])


_sizes = st.tuples(st.integers(16, 2200), st.integers(16, 4000))
_boxes = st.lists(
    st.tuples(st.floats(0, 0.98), st.floats(0, 0.98), st.floats(0.005, 0.3), st.floats(0.005, 0.3)), max_size=12
)


def _scaled(boxes: list[tuple[float, float, float, float]], size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    height, width = size
    placed = []
    for left, top, across, down in boxes:
        x, y = int(left * width), int(top * height)
        placed.append((x, y, min(width, x + 1 + int(across * width)), min(height, y + 1 + int(down * height))))
    return placed


@settings(max_examples=150, deadline=None)
@given(_sizes, _boxes, st.lists(_boxes, min_size=1, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4))
def test_regions_lie_inside_apart_and_hold_all_that_is_due(
    size: tuple[int, int],
    objects: list[tuple[float, float, float, float]],
    motions: list[list[tuple[float, float, float, float]]],
    dropped: list[bool],
) -> None:
    """Given any motion and objects and drops, then regions are in the frame, apart, few, and hold all that is due."""
    attention = Attention(warm_up_seconds=0)
    known = _scaled(objects, size)
    wanted = attention.saw(STILL, 0.0, size)
    attention.looked(wanted, found(*known), 0.0, size)
    due: list[tuple[int, int, int, int]] = []
    for number, boxes in enumerate(motions):
        moving = _scaled(boxes, size)
        due += moving
        at = 0.3 * (number + 1)
        wanted = attention.saw(moved(*moving), at, size)
        regions = wanted.regions
        assert all(inside(box, wanted) for box in due)
        assert all(0 <= r.left < r.right <= size[1] and 0 <= r.top < r.bottom <= size[0] for r in regions)
        assert not any(
            a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
            for i, a in enumerate(regions)
            for b in regions[:i]
        )
        areas = sum((each.right - each.left) * (each.bottom - each.top) for each in regions)
        assert areas <= WHOLE_SHARE * size[0] * size[1]
        if not dropped[number]:
            attention.looked(wanted, Detections(), at, size)
            due = []


def test_nothing_due_is_lost_between_threads() -> None:
    """Given a capture that is quicker than the detector, then every motion is in a look at its frame or a later one."""
    attention = Attention(warm_up_seconds=0)
    count = 2000
    slot: list[tuple[Wanted, float]] = []
    looked: list[Wanted] = []
    lock = threading.Lock()
    done = threading.Event()

    def place(number: int) -> tuple[int, int, int, int]:
        left, top = number * 37 % 980, number * 91 % 560  # too large for a place where never anything is found
        return left, top, left + 300, top + 160

    def capture() -> None:
        for number in range(count):
            wanted = attention.saw(moved(place(number)), number / 1000, SIZE)
            with lock:
                slot[:] = [(wanted, number / 1000)]  # the newest wins, the one before is dropped
        done.set()

    def detect() -> None:
        while not done.is_set() or slot:
            with lock:
                waiting = slot.pop() if slot else None
            if waiting is not None:
                attention.looked(waiting[0], Detections(), waiting[1], SIZE)
                looked.append(waiting[0])

    threads = [threading.Thread(target=capture), threading.Thread(target=detect)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert looked
    assert looked[-1].number == count
    for number in range(count):
        later = [wanted for wanted in looked if wanted.number > number]
        assert inside(place(number), later[0])


def test_the_first_seconds_and_those_of_a_new_scene_are_looked_at_whole() -> None:
    """Given a camera that has begun, or been turned, its frames are looked at whole until the background is learnt."""
    attention = Attention()
    looks: list[bool] = []
    for second in range(100, 150):
        motion = Motion(0.9, is_new_scene=True) if second == 125 else STILL
        wanted = attention.saw(motion, float(second), SIZE)
        attention.looked(wanted, Detections(), float(second), SIZE)
        looks.append(wanted.is_whole)
    whole = [100 + index for index, is_whole in enumerate(looks) if is_whole]
    assert whole == [*range(100, 110), *range(125, 135)]
