"""Places where something moves all the time and nothing is ever found."""

from workers.motion.barren_places import EVERY_SECONDS, FORGET_SECONDS, LOOKS, MOST, BarrenPlaces
from workers.motion.rectangles import Rectangle

SIZE = (720, 1280)
LEAVES: Rectangle = (100, 100, 150, 160)


def barren(at: float = 100.0) -> BarrenPlaces:
    """Return places of which one was looked at often enough, for the last time `at`."""
    places = BarrenPlaces()
    for number in range(LOOKS):
        places.looked(LEAVES, [], at - LOOKS + 1 + number, SIZE)
    return places


def test_what_moves_somewhere_new_is_not_hidden() -> None:
    """Given a place that was looked at in vain, but not often, then it is looked at again."""
    places = BarrenPlaces()
    assert not places.hides(LEAVES, 99.0, SIZE)
    for number in range(LOOKS - 1):
        places.looked(LEAVES, [], 100.0 + number, SIZE)
        assert not places.hides(LEAVES, 100.5 + number, SIZE)


def test_leaves_in_the_wind_are_looked_at_now_and_then() -> None:
    """Given looks in vain at one place, then it is hidden for some seconds, and is due again after them."""
    places = barren(at=100.0)
    assert places.hides(LEAVES, 100.5, SIZE)
    assert places.hides((102, 98, 140, 165), 101.0, SIZE)
    assert not places.hides(LEAVES, 100.0 + EVERY_SECONDS, SIZE)


def test_the_same_frame_counts_once() -> None:
    """Given many blobs of one frame in one place, then that is one look."""
    places = BarrenPlaces()
    for _ in range(10):
        places.looked(LEAVES, [], 100.0, SIZE)
    assert not places.hides(LEAVES, 100.5, SIZE)


def test_somebody_who_walks_past_the_leaves_is_not_hidden() -> None:
    """Given motion that reaches beyond the place, or lies beside it, then it is looked at."""
    places = barren()
    assert not places.hides((100, 100, 190, 160), 100.5, SIZE)
    assert not places.hides((200, 100, 220, 160), 100.5, SIZE)


def test_a_place_where_something_is_found_is_barren_no_more() -> None:
    """Given a person found among the leaves, then what moves there is looked at as anywhere."""
    places = barren()
    places.looked(LEAVES, [(140, 100, 180, 200)], 104.0, SIZE)
    assert not places.hides(LEAVES, 104.5, SIZE)


def test_a_place_does_not_creep_over_the_picture() -> None:
    """Given motion in vain that moves on by a little in every look, then the place grows to a limit."""
    places = BarrenPlaces()
    for step in range(400):
        left = 3.0 * step
        places.looked((left, 100, left + 50, 300), [], 100.0 + step / 2, SIZE)
    assert not places.hides((1000, 100, 1250, 300), 300.5, SIZE)


def test_large_motion_is_never_barren() -> None:
    """Given motion over much of the picture in which nothing is found, then it is looked at every time."""
    places = BarrenPlaces()
    large: Rectangle = (100, 100, 700, 500)
    for number in range(20):
        places.looked(large, [], 100.0 + number, SIZE)
    assert not places.hides(large, 119.5, SIZE)


def test_places_are_forgotten_in_time_and_in_number() -> None:
    """Given a calm day, or more places than are kept, then the old ones are gone."""
    places = barren(at=100.0)
    places.looked((900, 600, 920, 620), [], 101.0 + FORGET_SECONDS, SIZE)
    assert not places.hides(LEAVES, 101.0 + FORGET_SECONDS, SIZE)
    places = barren(at=100.0)
    for number in range(MOST):
        left = 30.0 * number + 200
        places.looked((left, 600, left + 5, 605), [], 101.0 + number / 100, SIZE)
    assert not places.hides(LEAVES, 101.5, SIZE)
