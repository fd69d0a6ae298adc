"""Rectangles of a frame: grown, parted, merged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.motion.rectangles import (
    Rectangle,
    area,
    grown,
    iou,
    merge_closest,
    merge_overlapping,
    shared,
    spread,
    union,
    within,
)

FRAME = (480, 640)
_rectangles = st.lists(
    st.tuples(st.integers(0, 600), st.integers(0, 440), st.integers(1, 200), st.integers(1, 200)).map(
        lambda box: (box[0], box[1], min(640, box[0] + box[2]), min(480, box[1] + box[3]))
    ),
    max_size=30,
)


def test_measures_of_known_rectangles() -> None:
    """Given two squares that share a quarter, then area, union, share and IoU are as computed by hand."""
    a: Rectangle = (0, 0, 10, 10)
    b: Rectangle = (5, 5, 15, 15)
    assert (area(a), shared(a, b), union(a, b)) == (100, 25, (0, 0, 15, 15))
    assert iou(a, b) == pytest.approx(25 / 175)
    assert within(a, [b]) == pytest.approx(0.25)
    assert iou((3, 3, 3, 3), (3, 3, 3, 3)) == within((3, 3, 3, 3), [a]) == 0


def test_what_grows_at_the_edge_grows_inwards() -> None:
    """Given a small rectangle in a corner, then it gets its least size inside the frame."""
    assert grown((0, 0, 10, 10), 5, 96, FRAME) == (0, 0, 96, 96)
    assert grown((630, 470, 640, 480), 5, 96, FRAME) == (544, 384, 640, 480)
    assert grown((100, 100, 110, 110), 5, 1000, FRAME) == (0, 0, 640, 480)


@given(_rectangles)
def test_merged_rectangles_lie_apart_and_hold_all(rectangles: list[Rectangle]) -> None:
    """Given any rectangles, then merged ones do not overlap, and every one lies in one of them."""
    merged = merge_overlapping(rectangles)
    assert all(shared(a, b) == 0 for i, a in enumerate(merged) for b in merged[:i])
    assert all(any(union(each, holder) == holder for holder in merged) for each in rectangles)


@given(_rectangles, st.integers(1, 8))
def test_few_rectangles_hold_many(rectangles: list[Rectangle], most: int) -> None:
    """Given any rectangles, then so many at most are left, and every one lies in one of them."""
    merged = merge_closest(rectangles, most)
    assert len(merged) <= most
    assert all(any(union(each, holder) == holder for holder in merged) for each in rectangles)


@given(_rectangles, st.integers(0, 80))
def test_wishes_are_parted_between_their_cores(rectangles: list[Rectangle], margin: int) -> None:
    """Given cores apart and wishes that overlap, then what they get lies apart and holds the core."""
    cores = merge_overlapping(rectangles)
    wishes = [grown(core, margin, 96, FRAME) for core in cores]
    got = spread(cores, wishes)
    assert all(shared(a, b) == 0 for i, a in enumerate(got) for b in got[:i])
    for core, wish, each in zip(cores, wishes, got, strict=True):
        assert union(core, each) == each
        assert union(wish, each) == wish
