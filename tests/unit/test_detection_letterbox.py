"""Fitting frames into a model's input and bringing boxes back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.detection.letterbox import PADDING_LEVEL, Letterbox

sizes = st.tuples(st.integers(1, 4000), st.integers(1, 4000))
inputs = st.tuples(st.sampled_from([320, 384, 640]), st.sampled_from([320, 640, 960]))


@given(frame=sizes, model=inputs)
def test_a_frame_of_any_size_lies_inside_the_input_and_touches_two_of_its_sides(
    frame: tuple[int, int], model: tuple[int, int]
) -> None:
    """Given any frame, when it is fitted, then it is inside the input, as large as it can be and centred."""
    box = Letterbox.fit(frame, model)

    assert box.left >= 0
    assert box.top >= 0
    right, bottom = model[1] - box.left - box.width, model[0] - box.top - box.height
    assert 0 <= right - box.left <= 1
    assert 0 <= bottom - box.top <= 1
    assert box.width == model[1] or box.height == model[0]


@given(frame=sizes, model=inputs, corner=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_point_of_the_frame_comes_back_to_where_it_was(
    frame: tuple[int, int], model: tuple[int, int], corner: tuple[float, float]
) -> None:
    """Given a point of the frame, when it is brought into the input and back, then it is the same point."""
    box = Letterbox.fit(frame, model)
    x, y = corner[0] * frame[1], corner[1] * frame[0]
    there = (x * box.width / frame[1] + box.left, y * box.height / frame[0] + box.top)

    back = box.to_frame(np.array([[*there, *there]], np.float32))[0]

    assert back[:2] == pytest.approx((x, y), abs=0.01 + 1e-5 * max(frame))


def test_boxes_that_reach_over_the_frame_are_clipped_to_it() -> None:
    """Given a wide frame, when a box covers the whole input with its border, then it ends at the frame's edges."""
    box = Letterbox.fit((360, 640), (640, 640))

    clipped = box.to_frame(np.array([[-50, -50, 700, 700]], np.float32))

    assert clipped.tolist() == [[0, 0, 640, 360]]
    assert clipped.dtype == np.float32


@pytest.mark.parametrize("frame", [(480, 640), (640, 640), (1080, 1920), (1, 3000), (333, 77)])
def test_the_canvas_holds_the_frame_and_a_grey_border_and_nothing_of_the_frame_before(frame: tuple[int, int]) -> None:
    """Given a canvas full of an earlier frame, when another is drawn, then every pixel is the frame or the border."""
    canvas = np.full((640, 640, 3), 7, np.uint8)
    box = Letterbox.fit(frame, (640, 640))

    box.draw(np.full((*frame, 3), (10, 20, 30), np.uint8), canvas)

    inside = canvas[box.top : box.top + box.height, box.left : box.left + box.width].copy()
    assert (inside == (10, 20, 30)).all()
    canvas[box.top : box.top + box.height, box.left : box.left + box.width] = PADDING_LEVEL
    assert (canvas == PADDING_LEVEL).all()
