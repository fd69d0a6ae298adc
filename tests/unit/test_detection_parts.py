"""Parts of frames on shared inputs: where boxes belong, and how many frames fit into a round."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.detection.detector import UnusableFrameError
from workers.detection.input_sizes import Size, sizes_for
from workers.detection.letterbox import PADDING_LEVEL
from workers.detection.parts import Part, PartsDetector, merged
from workers.frames import Detections, Region, Wanted
from workers.pictures import BgrImage, BgrPicture

SIZES = sizes_for(640)
WHOLE = Wanted(is_whole=True)


class GreenDetector:
    """Finds things drawn as (blue 0, green 255, red their number), to the pixel; `class_id` is the number."""

    device, runtime, max_batch, boxes_dropped, rounds_at_once = "cpu", "test", 8, 0, 1
    class_names: Mapping[int, str] = {number: str(number) for number in range(200)}

    def __init__(self, input_sizes: Sequence[Size] = SIZES, inputs_at_once: int = 1) -> None:
        self.input_sizes, self.inputs_at_once = tuple(input_sizes), inputs_at_once
        self.input_size = self.input_sizes[-1]
        self.ran: list[Size] = []
        self.seen: list[BgrImage] = []
        #: Boxes that it answers with besides, on every image.
        self.extra: list[tuple[float, float, float, float]] = []

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find every number."""
        return [self._look(image, confidence) for image in images]

    def detect_inputs(self, inputs: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find every number in images of its sizes."""
        assert all(image.shape[:2] in self.input_sizes for image in inputs)
        return self.detect(inputs, confidence=confidence)

    def _look(self, image: BgrImage, confidence: float) -> Detections:
        self.seen.append(image)
        self.ran.append((image.shape[0], image.shape[1]))
        is_thing = (image[..., 0] == 0) & (image[..., 1] == 255)
        boxes, scores, numbers = [*self.extra], [0.99] * len(self.extra), [199] * len(self.extra)
        for number in np.unique(image[is_thing][:, 2]):
            mask = (is_thing & (image[..., 2] == number)).astype(np.uint8)
            for x, y, width, height, _ in cv2.connectedComponentsWithStats(mask)[2][1:]:
                boxes.append((x, y, x + width, y + height))
                scores.append(0.5 + int(number) / 1000)
                numbers.append(int(number))
        order = np.argsort(-np.array(scores), kind="stable")
        keep = order[np.array(scores)[order] > confidence]
        return Detections(
            np.array(boxes, np.float32).reshape(-1, 4)[keep],
            np.array(scores, np.float32)[keep],
            np.array(numbers, np.int64)[keep],
        )

    def close(self) -> None:
        """Give nothing back."""


def frame(width: int, height: int, things: Mapping[int, Region]) -> BgrPicture:
    """Return a black frame with numbered things in it."""
    image = np.zeros((height, width, 3), np.uint8)
    for number, region in things.items():
        image[region.top : region.bottom, region.left : region.right] = (0, 255, number)
    return BgrPicture(image)


def boxes_of(found: Detections) -> dict[int, list[float]]:
    """Return the boxes by their numbers."""
    return {int(number): box for number, box in zip(found.class_id, found.xyxy.tolist(), strict=True)}


def corners(region: Region) -> list[float]:
    """Return the region as a box."""
    return [region.left, region.top, region.right, region.bottom]


def test_a_whole_frame_is_looked_at_in_the_input_that_it_needs() -> None:
    """Given frames of several sizes, when looked at whole, then boxes are exact and small inputs are used."""
    detector = GreenDetector()
    thing = Region(100, 40, 160, 120)
    parts = [Part(frame(640, 360, {1: thing}), WHOLE), Part(frame(640, 480, {2: thing}), WHOLE)]

    first, second = PartsDetector(detector).detect(parts, confidence=0.2)

    assert boxes_of(first) == {1: corners(thing)}
    assert boxes_of(second) == {2: corners(thing)}
    assert sorted(detector.ran) == [(384, 640), (640, 640)]


@pytest.mark.parametrize(("side", "ran"), [(640, (384, 640)), (320, (192, 320))])
def test_a_large_frame_is_scaled_to_what_is_wanted(side: int, ran: Size) -> None:
    """Given a frame of 1080p, when looked at small, then the box is the thing's in the frame's own pixels."""
    detector = GreenDetector()
    thing = Region(480, 240, 960, 720)

    (found,) = PartsDetector(detector).detect(
        [Part(frame(1920, 1080, {5: thing}), Wanted(is_whole=True, side=side))], confidence=0.2
    )

    assert detector.ran == [ran]
    # The scaler mixes the colours of a thing's edge pixels with what is around.
    assert boxes_of(found)[5] == pytest.approx(corners(thing), abs=2 * 1920 / side)


def test_a_small_frame_is_enlarged_as_the_detector_itself_does() -> None:
    """Given a frame smaller than the input, when looked at whole, then it is as large as is wanted."""
    detector = GreenDetector()
    thing = Region(10, 10, 30, 30)

    (found,) = PartsDetector(detector).detect([Part(frame(160, 90, {1: thing}), WHOLE)], confidence=0.2)

    assert detector.ran == [(384, 640)]
    assert boxes_of(found)[1] == pytest.approx(corners(thing), abs=1)


@pytest.mark.parametrize("size", [(384, 640), (640, 384)], ids=["wide", "high"])
def test_a_model_of_one_size_gets_every_frame_fitted(size: Size) -> None:
    """Given a model with one fixed input, when wide and high frames come, then each is fitted into it."""
    detector = GreenDetector([size])
    thing = Region(200, 200, 400, 400)
    parts = [Part(frame(1280, 720, {1: thing}), WHOLE), Part(frame(720, 1280, {2: thing}), WHOLE)]

    for found in PartsDetector(detector).detect(parts, confidence=0.2):
        assert found.xyxy[0] == pytest.approx(corners(thing), abs=7)
    assert detector.ran == [size, size]


def test_regions_of_several_frames_share_an_input_and_boxes_come_back_to_their_own() -> None:
    """Given things in regions of two cameras, when looked at together, then one small input is run for all."""
    detector = GreenDetector()
    first = {1: Region(20, 20, 60, 90), 2: Region(500, 300, 560, 340), 9: Region(92, 10, 110, 30)}
    second = {3: Region(0, 0, 50, 50), 4: Region(600, 440, 640, 480)}
    wanted = Wanted(regions=(Region(10, 10, 90, 100), Region(490, 290, 570, 350)))
    at_borders = Wanted(regions=(Region(0, 0, 60, 60), Region(590, 430, 640, 480)))

    found = PartsDetector(detector).detect(
        [Part(frame(640, 360, first), wanted), Part(frame(640, 480, second), at_borders)], confidence=0.2
    )

    assert detector.ran == [(192, 320)]
    # Number 9 is beside the regions of its frame: it may have been shown, and is not theirs.
    assert boxes_of(found[0]) == {1: corners(first[1]), 2: corners(first[2])}
    assert boxes_of(found[1]) == {number: corners(region) for number, region in second.items()}
    assert found[0].confidence.tolist() == sorted(found[0].confidence.tolist(), reverse=True)


regions = st.builds(
    lambda left, top, width, height: Region(left, top, min(left + width, 640), min(top + height, 480)),
    st.integers(0, 600),
    st.integers(0, 440),
    st.integers(8, 400),
    st.integers(8, 400),
)


@given(wanted=st.lists(regions, min_size=1, max_size=6), once=st.integers(1, 4))
def test_a_thing_in_a_region_is_found_exactly_where_it_is(wanted: list[Region], once: int) -> None:
    """Given a thing that fills the middle of a region, one frame each, then its box comes back to the pixel."""
    parts, expected = [], []
    for number, region in enumerate(wanted):
        thing = Region(region.left + 2, region.top + 2, region.right - 2, region.bottom - 2)
        parts.append(Part(frame(640, 480, {number: thing}), Wanted(regions=(region,))))
        expected.append({number: corners(thing)})

    found = PartsDetector(GreenDetector(inputs_at_once=once)).detect(parts, confidence=0.2)

    assert [boxes_of(each) for each in found] == expected


def test_a_region_that_no_input_holds_is_shrunk() -> None:
    """Given a region of a frame that is looked at twice as large as the input, then it is fitted, and comes back."""
    detector = GreenDetector()
    thing = Region(400, 200, 800, 600)
    wanted = Wanted(regions=(Region(0, 0, 1280, 720),), side=1280)

    (found,) = PartsDetector(detector).detect([Part(frame(1280, 720, {1: thing}), wanted)], confidence=0.2)

    assert detector.ran == [(384, 640)]
    assert boxes_of(found)[1] == pytest.approx(corners(thing), abs=4)


def test_a_box_belongs_to_the_region_that_holds_its_centre_and_ends_where_the_frame_was_shown() -> None:
    """Given boxes in and beyond a region at the frame's corner, then those with their centre in it are kept."""
    detector = GreenDetector()
    # Room to spare is filled with the frame around: the input shows (0, 0) to (320, 192) of it.
    detector.extra = [(10, 10, 90, 80), (60, 60, 170, 120), (-20, 20, 50, 60), (-40, 20, 30, 60), (99, 20, 121, 40)]

    (found,) = PartsDetector(detector).detect(
        [Part(frame(640, 480, {}), Wanted(regions=(Region(0, 0, 120, 100),)))], confidence=0.2
    )

    # The second reaches beyond the region. The third loses what lies outside the frame; the fourth's centre does.
    assert found.xyxy.tolist() == [[10, 10, 90, 80], [60, 60, 170, 120], [0, 20, 50, 60], [99, 20, 121, 40]]


def test_a_box_of_which_less_than_half_was_shown_is_no_object() -> None:
    """Given boxes that stick out of the frame to two sides, when more than half is outside, then it is dropped."""
    detector = GreenDetector()
    detector.extra = [(-20, -20, 60, 60), (-30, -30, 60, 60)]

    (found,) = PartsDetector(detector).detect(
        [Part(frame(640, 480, {}), Wanted(regions=(Region(0, 0, 120, 100),)))], confidence=0.2
    )

    assert found.xyxy.tolist() == [[0, 0, 60, 60]]


def test_a_thing_where_two_regions_meet_is_found_once() -> None:
    """Given a thing that both windows show, its centre close to where they meet, then there is one box of it."""
    thing = Region(310, 200, 331, 261)
    regions = (Region(200, 180, 320, 280), Region(320, 180, 440, 280))

    (found,) = PartsDetector(GreenDetector()).detect(
        [Part(frame(640, 480, {7: thing}), Wanted(regions=regions))], confidence=0.2
    )

    assert boxes_of(found) == {7: corners(thing)}
    assert len(found) == 1


def test_two_windows_that_disagree_by_a_pixel_tell_of_one_thing() -> None:
    """Given boxes of one class from two regions, one almost over the other, when merged, then the surer one stays."""
    left, right = (
        Detections(np.array([box], np.float32), np.array([score], np.float32), np.array([0]))
        for box, score in (([310, 200, 329, 260], 0.6), ([311, 200, 331, 261], 0.7))
    )
    elsewhere = Detections(np.array([[0, 0, 9, 9]], np.float32), np.array([0.5], np.float32), np.array([0]))

    assert merged([left, right, elsewhere]).xyxy.tolist() == [[311, 200, 331, 261], [0, 0, 9, 9]]


def test_what_is_not_wanted_is_not_looked_at() -> None:
    """Given frames of which nothing is wanted, and no frames, then the detector is not run on them."""
    detector = GreenDetector()
    parts = [Part(frame(64, 48, {1: Region(0, 0, 9, 9)}), Wanted())]

    assert len(PartsDetector(detector).detect(parts, confidence=0.2)[0]) == 0
    assert PartsDetector(detector).detect([], confidence=0.2) == []
    assert detector.ran == []


def test_parts_are_kept_apart_by_the_grey_that_models_know() -> None:
    """Given two small frames, when laid on one input, then what lies between and around them is grey."""
    detector = GreenDetector()
    parts = [
        Part(BgrPicture(np.full((size, size, 3), 255, np.uint8)), Wanted(is_whole=True, side=size)) for size in (50, 40)
    ]

    PartsDetector(detector).detect(parts, confidence=0.2)

    (canvas,) = detector.seen
    assert np.count_nonzero(canvas == 255) == 3 * (50 * 50 + 40 * 40)
    assert np.count_nonzero(canvas == PADDING_LEVEL) == canvas.size - 3 * (50 * 50 + 40 * 40)


def test_a_frame_of_another_kind_is_named() -> None:
    """Given a grey picture behind a good one, when looked at, then the error says which."""
    grey = BgrPicture(np.zeros((480, 640), np.uint8))

    with pytest.raises(UnusableFrameError, match="frame 1 of the round"):
        PartsDetector(GreenDetector()).detect([Part(frame(64, 48, {}), WHOLE), Part(grey, WHOLE)], confidence=0.2)


def small(count: int) -> Wanted:
    """Return as many regions of 100 by 100 pixels."""
    return Wanted(regions=tuple(Region(110 * number, 0, 110 * number + 100, 100) for number in range(count)))


def test_a_round_of_a_cpu_is_one_input() -> None:
    """Given a detector that runs one input at a time, then frames join as long as that is cheaper than another run."""
    round_ = PartsDetector(GreenDetector()).new_round()

    assert round_.takes(640, 480, WHOLE)
    assert not round_.takes(640, 480, WHOLE)
    # Below a frame of 4:3 there is room in the square.
    assert round_.takes(640, 480, small(2))
    assert round_.takes(640, 480, Wanted())
    round_ = PartsDetector(GreenDetector()).new_round()
    taken = 0
    while taken < 100 and round_.takes(640, 480, small(2)):
        taken += 1
    assert 1 <= taken < 20


@pytest.mark.parametrize(
    "wanted", [small(5), WHOLE, Wanted(regions=(Region(0, 0, 330, 330), Region(340, 0, 640, 480)))]
)
def test_the_first_frame_always_fits(wanted: Wanted) -> None:
    """Given a frame that needs more than one input, or the largest, when it is the first, then the round takes it."""
    round_ = PartsDetector(GreenDetector([(320, 320)])).new_round()

    assert round_.takes(640, 480, wanted)


def test_a_round_of_a_device_that_runs_several_inputs_takes_so_many() -> None:
    """Given four inputs at once, when whole frames ask, then four are taken, and one for which nothing is to do."""
    round_ = PartsDetector(GreenDetector(inputs_at_once=4)).new_round()

    assert [round_.takes(640, 480, WHOLE) for _ in range(6)] == [True] * 4 + [False] * 2
    assert round_.takes(640, 480, Wanted())


@given(frames=st.lists(st.lists(regions, max_size=4), min_size=1, max_size=8), once=st.integers(1, 4))
def test_what_a_round_took_needs_no_more_inputs_than_run_at_once(frames: list[list[Region]], once: int) -> None:
    """Given frames that a round took, when looked at, then no more inputs are run than at once, or the first needs."""
    detector = GreenDetector(inputs_at_once=once)
    parts_detector = PartsDetector(detector)
    parts = [Part(frame(640, 480, {}), Wanted(regions=tuple(each))) for each in frames]
    parts_detector.detect(parts[:1], confidence=0.2)
    for_the_first = len(detector.ran)
    round_ = parts_detector.new_round()
    taken = [part for part in parts if round_.takes(640, 480, part.wanted)]
    detector.ran.clear()

    parts_detector.detect(taken, confidence=0.2)

    assert taken[0] is parts[0]
    assert len(detector.ran) <= max(once, for_the_first)
