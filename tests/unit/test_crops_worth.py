"""How good a crop can be, by geometry: larger, surer, whole, uncovered and well shaped boxes are worth more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.crops.worth import LEAST_SIDE, Boxes, worth

SIZE = (1280, 720)
STANDING = (600.0, 200.0, 680.0, 420.0)


def of(*boxes: tuple[float, float, float, float], names: tuple[str, ...] = (), confidence: float = 0.9) -> list[float]:
    """Return the worth of boxes, of people unless names are given."""
    count = len(boxes)
    found = worth(
        Boxes(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.full(count, confidence, np.float32),
            names or ("person",) * count,
        ),
        *SIZE,
    )
    return [float(each) for each in found]


def moved(box: tuple[float, float, float, float], x: float, y: float = 0.0) -> tuple[float, float, float, float]:
    """Return a box somewhere else."""
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def test_a_larger_and_surer_box_is_worth_more_until_it_is_large_enough() -> None:
    """Given people of several sizes, worth grows with them, and no further than a recogniser looks."""
    small, middle = (600.0, 200.0, 620.0, 255.0), (600.0, 200.0, 640.0, 310.0)
    values = of(small, moved(middle, 100), moved(STANDING, 300))
    assert values == sorted(values)
    assert values[0] < values[1] / 1.9
    assert of((400.0, 100.0, 600.0, 650.0)) == of((400.0, 100.0, 595.0, 640.0))
    assert of(STANDING, confidence=0.4)[0] < of(STANDING)[0] / 2


def test_a_person_cut_off_by_the_edge_is_worth_less_with_every_edge() -> None:
    """Given a person half outside of the frame, on one side and in a corner, each is worth less."""
    left, corner = moved(STANDING, -600), moved(STANDING, -600, -200)
    assert of(corner)[0] < of(left)[0] < of(STANDING)[0]
    assert of((1200.0, 500.0, 1280.0, 720.0))[0] == pytest.approx(of(corner)[0])


def test_whoever_stands_in_front_covers_and_whoever_stands_behind_disturbs_less() -> None:
    """Given two people of whom one is nearer, the farther one is worth least, the nearer one less than alone."""
    far, near = STANDING, moved(STANDING, 30, 40)
    hidden, nearer = of(far, near)
    assert hidden < nearer < of(near)[0]
    assert of(far, moved(near, 200))[0] == of(far)[0]


def test_a_rider_and_what_he_rides_do_not_cover_each_other() -> None:
    """Given a person on a bicycle, both are worth what they are alone; a car in front of them covers both."""
    bicycle = (590.0, 330.0, 700.0, 440.0)
    names = ("person", "bicycle")
    assert of(STANDING, bicycle, names=names) == [of(STANDING)[0], of(bicycle, names=("bicycle",))[0]]
    assert of(STANDING, bicycle, names=("person", "car"))[0] < of(STANDING)[0]


def test_an_object_that_was_found_twice_does_not_cover_itself() -> None:
    """Given two boxes in nearly the same place, each is worth what it is alone."""
    car = (100.0, 100.0, 400.0, 250.0)
    assert of(car, moved(car, 3), names=("car", "truck"))[0] == of(car, names=("car",))[0]


def test_a_box_without_the_shape_of_its_class_is_worth_less() -> None:
    """Given a person as wide as high (half of one, or two), it is worth less; a car of that shape is none the worse."""
    square = (600.0, 200.0, 800.0, 400.0)
    assert of(square)[0] < 0.5 * of(square, names=("car",))[0]
    assert of(square, names=("suitcase",)) == of(square, names=("car",))


def test_what_is_too_small_to_see_is_worth_nothing() -> None:
    """Given a sliver and a box that is no box, they are worth nothing; of no boxes nothing is said."""
    sliver = (600.0, 200.0, 600.0 + LEAST_SIDE - 1, 300.0)
    assert of(sliver, (10.0, 10.0, 10.0, 10.0), (np.nan, 0.0, 50.0, 100.0)) == [0, 0, 0]
    assert of() == []


EDGES = st.floats(0, 700, width=32)
ANY_BOX = st.tuples(EDGES, EDGES, EDGES, EDGES)


@given(st.lists(ANY_BOX, max_size=6))
def test_worth_is_a_share_and_others_never_add_to_it(boxes: list[tuple[float, float, float, float]]) -> None:
    """Given any boxes, worth lies in [0, 1], and is never more than that of the box alone."""
    together = of(*boxes)
    for box, value in zip(boxes, together, strict=True):
        assert 0 <= value <= of(box)[0] + 1e-6 <= 1 + 1e-6
