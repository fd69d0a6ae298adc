"""Ways between cameras: what was seen often enough rules out what cannot be; a person's word wins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.matching.topology import ENOUGH_TRANSITS, Topology, Transit, learn_transits, may_have_moved

MINUTE = 60_000


def seen(seconds: float, count: int = 100, seed: int = 0) -> list[int]:
    """Return ways of about so many seconds, in milliseconds."""
    return [int(way * 1000) for way in np.random.default_rng(seed).normal(seconds, seconds / 10, count)]


def test_what_nobody_knows_is_possible() -> None:
    """Given no topology; then anybody may have come from anywhere at any time."""
    assert may_have_moved("a", "b", 0, Topology())
    assert may_have_moved("a", "b", -5, Topology())


def test_nobody_walks_ten_minutes_in_one_but_anybody_may_sit_down() -> None:
    """Given ways of about ten minutes; then one of one minute is impossible, one of twenty is not, a day is."""
    topology = Topology(learnt=learn_transits({("a", "b"): seen(600)}))
    assert not may_have_moved("a", "b", 1 * MINUTE, topology)
    assert may_have_moved("a", "b", 10 * MINUTE, topology)
    assert may_have_moved("a", "b", 20 * MINUTE, topology)
    assert not may_have_moved("a", "b", 24 * 60 * MINUTE, topology)
    assert may_have_moved("b", "a", 1 * MINUTE, topology), "the way back was not learnt"


def test_cameras_that_show_the_same_place_allow_what_is_seen_by_both_at_once() -> None:
    """Given negative gaps, from overlapping views; then such gaps and somewhat longer ones are possible."""
    overlap = [-3_000, -1_000, 500, 2_000] * 25
    topology = Topology(learnt=learn_transits({("a", "b"): overlap}))
    assert may_have_moved("a", "b", -5_000, topology)
    assert not may_have_moved("a", "b", -60_000, topology)


def test_a_few_wrong_matches_do_not_move_the_bounds() -> None:
    """Given a hundred ways of ten minutes and one match of another person after a second; then the bound stays."""
    clean = learn_transits({("a", "b"): seen(600)})
    stained = learn_transits({("a", "b"): [*seen(600), 1_000]})
    shortest = [each["a", "b"].shortest_ms or 0 for each in (clean, stained)]
    assert shortest[1] == pytest.approx(shortest[0], rel=0.1)


def test_few_ways_rule_nothing_out() -> None:
    """Given one way fewer than enough; then nothing is learnt."""
    assert learn_transits({("a", "b"): seen(600, ENOUGH_TRANSITS - 1)}) == {}
    assert learn_transits({("a", "a"): seen(600)}) == {}, "who returns to a camera was not on its way"


def test_a_persons_word_wins_over_what_was_learnt() -> None:
    """Given a learnt way; when a person says that there is none, or a quicker one; then that holds."""
    learnt = learn_transits({("a", "b"): seen(600)})
    walled = Topology(learnt=learnt, said={("a", "b"): Transit(is_impossible=True)})
    quicker = Topology(learnt=learnt, said={("a", "b"): Transit(shortest_ms=30_000)})
    assert not may_have_moved("a", "b", 10 * MINUTE, walled)
    assert may_have_moved("a", "b", 1 * MINUTE, quicker)
    assert not may_have_moved("a", "b", 20_000, quicker)


@given(st.lists(st.integers(-100_000, 10**7), min_size=ENOUGH_TRANSITS, max_size=200))
def test_nearly_all_ways_that_were_learnt_from_are_possible(gaps: list[int]) -> None:
    """Given any ways; when learnt; then at most a twentieth of them is ruled out, and the bounds are in order."""
    topology = Topology(learnt=learn_transits({("a", "b"): gaps}))
    transit = topology.learnt["a", "b"]
    assert transit.shortest_ms is not None
    assert transit.longest_ms is not None
    assert transit.shortest_ms <= transit.longest_ms
    refused = sum(not may_have_moved("a", "b", gap, topology) for gap in gaps)
    assert refused <= max(1, len(gaps) // 20) * 2
