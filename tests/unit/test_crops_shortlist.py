"""The best few sightings of one object: unlike each other, told early, told better, and never too many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.crops.shortlist import (
    ALIKE,
    BETTER,
    FIRST_SECONDS,
    LEAST_SHARE,
    LOOK_SECONDS,
    MOST,
    SECOND_ANYWAY_SECONDS,
    SECOND_SECONDS,
    SET,
    UNSEEN_SECONDS,
    WORTH_TELLING,
    Due,
    Shortlist,
    Sighting,
)


def sighting(quality: float, at: float, pose: int = 0) -> Sighting:
    """Return a sighting; those of different poses are unlike."""
    glance = np.zeros(128, np.float32)
    glance[pose] = 1
    return Sighting(quality, at, glance)


def offer(shortlist: Shortlist[str], quality: float, at: float, pose: int = 0) -> bool:
    """Let a shortlist see an object; returns whether it keeps the crop, which is named after its quality."""
    shortlist.seen(at)
    if not shortlist.is_worth_a_look(quality, at):
        return False
    made = sighting(quality, at, pose)
    place = shortlist.place_of(made)
    if place is None:
        return False
    shortlist.put(place, made, f"{quality}")
    return True


def new(at: float = 0.0) -> Shortlist[str]:
    """Begin with an object that was seen first at a time."""
    return Shortlist(at, at)


def test_the_best_unlike_sightings_are_kept_best_first() -> None:
    """Given more poses than a set has room for, the best of them are kept."""
    shortlist = new()
    for pose, quality in enumerate((0.4, 0.5, 0.3, 0.6, 0.7)):
        assert offer(shortlist, quality, pose, pose)
    assert shortlist.held == ["0.7", "0.6", "0.5", "0.4"]
    assert len(shortlist.held) == SET


def test_of_sightings_that_show_the_same_only_the_best_is_kept() -> None:
    """Given a person who stands still and is seen better and better, one crop is kept: the clearly best."""
    shortlist = new()
    assert offer(shortlist, 0.5, 0)
    assert not offer(shortlist, 0.5 * BETTER - 0.01, 1)
    assert offer(shortlist, 0.5 * BETTER + 0.01, 2)
    assert offer(shortlist, 0.3, 3, pose=1)
    assert shortlist.held == [f"{0.5 * BETTER + 0.01}", "0.3"]
    assert ALIKE < 1


def test_a_sighting_far_poorer_than_the_best_is_not_kept_nor_looked_at() -> None:
    """Given somebody of whom a clear view comes late, what was kept before goes; what is poor then does not get in."""
    shortlist = new()
    offer(shortlist, 0.1, 0, pose=0)
    offer(shortlist, 0.2, 1, pose=1)
    assert shortlist.held == ["0.2", "0.1"]
    best = 0.2 / LEAST_SHARE
    assert offer(shortlist, best, 2, pose=2)
    assert shortlist.held == [f"{best}", "0.2"]
    assert not shortlist.is_worth_a_look(0.19, 10)
    shortlist.told(10)
    assert shortlist.place_of(sighting(0.19, 11, pose=3)) is None
    assert shortlist.place_of(sighting(0.21, 11, pose=3)) == 0


def test_pixels_are_looked_at_only_where_a_sighting_may_get_in() -> None:
    """Given a full set, what cannot beat its worst is not looked at, nor a second sighting of the same moment."""
    shortlist = new()
    for pose in range(SET):
        offer(shortlist, 0.5, pose, pose)
    assert not shortlist.is_worth_a_look(0.5 * BETTER - 0.01, 10)
    assert shortlist.is_worth_a_look(0.5 * BETTER + 0.01, 10)
    assert not shortlist.is_worth_a_look(1.0, 10 + LOOK_SECONDS / 2)
    assert not new().is_worth_a_look(0.0, 10)


@pytest.mark.parametrize(("fps", "told_at"), [(0.4, 0), (0.5, 0), (1, 1), (2, 1.5), (5, 1.4), (10, 1.4)])
def test_the_first_set_is_told_with_the_last_frame_before_its_time(fps: float, told_at: float) -> None:
    """Given a camera of some frames a second, the first crops are told within 1.5 s, as late as possible."""
    shortlist, gap = new(), 1 / fps
    for number in range(100):
        at = number * gap
        offer(shortlist, 0.5, at, number)
        if shortlist.due(at, gap) is Due.TELL:
            assert at == pytest.approx(told_at)
            assert at <= FIRST_SECONDS
            return
    raise AssertionError("nothing was told")


def test_an_object_that_is_gone_before_the_first_set_was_told_is_told_of_all_the_same() -> None:
    """Given one sighting and frames without the object, its crop is told with one of them."""
    shortlist = new()
    offer(shortlist, 0.5, 0)
    assert shortlist.due(0.5, 0.5) is Due.NOTHING
    assert shortlist.due(1.5, 0.5) is Due.TELL


def test_a_better_set_is_told_once_and_not_too_soon() -> None:
    """Given a person who comes nearer, a second set is told when it is clearly better, and some time has passed."""
    shortlist = new()
    offer(shortlist, 0.4, 0)
    shortlist.told(0)
    assert not offer(shortlist, 0.4 * WORTH_TELLING - 0.01, 1)
    offer(shortlist, 0.4 * WORTH_TELLING + 0.01, 2)
    assert shortlist.due(SECOND_SECONDS - 0.1, 0) is Due.NOTHING
    shortlist.seen(SECOND_SECONDS)
    assert shortlist.due(SECOND_SECONDS, 0) is Due.TELL
    shortlist.told(SECOND_SECONDS)
    offer(shortlist, 0.9, 8)
    shortlist.seen(100)
    assert shortlist.due(100, 0) is Due.NOTHING


def test_a_full_set_of_other_poses_is_told_after_a_while_though_it_is_no_better() -> None:
    """Given a person who turns round, the other sides are told when there are enough of them."""
    shortlist = new()
    offer(shortlist, 0.9, 0)
    shortlist.told(0)
    for pose in range(1, SET + 1):
        offer(shortlist, 0.5, pose, pose)
    shortlist.seen(SECOND_ANYWAY_SECONDS)
    assert shortlist.due(SECOND_ANYWAY_SECONDS - 0.1, 0) is Due.NOTHING
    assert shortlist.due(SECOND_ANYWAY_SECONDS, 0) is Due.TELL


def test_what_came_since_is_told_with_the_end() -> None:
    """Given crops that came after the first set, they are told when the object was not seen for a while."""
    shortlist = new()
    offer(shortlist, 0.5, 0)
    shortlist.told(0)
    offer(shortlist, 0.4, 1, pose=1)
    assert shortlist.due(1 + UNSEEN_SECONDS - 0.1, 1) is Due.NOTHING
    assert shortlist.due(1 + UNSEEN_SECONDS, 1) is Due.TELL_LAST
    shortlist.told(5)
    assert shortlist.due(100, 1) is Due.NOTHING


def test_a_set_that_could_not_be_saved_counts_for_nothing() -> None:
    """Given a volume without room, what is seen later is kept and told as if nothing had been told."""
    shortlist = new()
    offer(shortlist, 0.5, 0)
    shortlist.told(1)
    shortlist.lost(1)
    assert offer(shortlist, 0.5, 1.2)
    assert shortlist.due(1.2, 0.1) is Due.NOTHING
    assert shortlist.due(1 + FIRST_SECONDS, 0.1) is Due.TELL


STEPS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 20), st.sampled_from([0.1, 1.0, 4.0, 30.0])), max_size=80)


@given(STEPS)
def test_whatever_is_seen_there_are_never_too_many_and_nothing_much_better_is_missed(
    steps: list[tuple[float, int, float]],
) -> None:
    """Given any sightings, a set and all sets are bounded, and of what was looked at the best is held or was told."""
    shortlist, at, told, best_told, best_seen = new(), 0.0, 0, 0.0, 0.0
    for quality, pose, seconds in steps:
        at += seconds
        is_full = told >= MOST
        kept = offer(shortlist, quality, at, pose)
        assert len(shortlist.held) <= SET
        assert not (is_full and kept)
        if seconds > LOOK_SECONDS and not is_full:
            best_seen = max(best_seen, quality)
        if shortlist.due(at, seconds) is not Due.NOTHING:
            best_told = max([best_told, *map(float, shortlist.held)])
            told += len(shortlist.held)
            shortlist.told(at)
        assert told <= MOST
        best = max([best_told, *map(float, shortlist.held)])
        assert best * WORTH_TELLING >= best_seen - 1e-9
