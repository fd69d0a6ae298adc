"""Measures of recognition equal an independent implementation, written out plainly from their definitions."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from benchmarks.recognition.measures import missed_at, ranking


def plain_rank(similarities: list[list[float]], queries: list[str], gallery: list[str], k: int) -> float:
    """Return the part of the queries of which one of the k nearest is right."""
    hits = 0
    for row, who in zip(similarities, queries, strict=True):
        nearest = sorted(zip(row, gallery, strict=True), key=lambda one: -one[0])[:k]
        hits += any(name == who for _, name in nearest)
    return hits / len(queries)


def plain_mean_average_precision(similarities: list[list[float]], queries: list[str], gallery: list[str]) -> float:
    """Return the mean over the queries of the mean precision at each right one."""
    total = 0.0
    for row, who in zip(similarities, queries, strict=True):
        names = [name for _, name in sorted(zip(row, gallery, strict=True), key=lambda one: -one[0])]
        precisions = [names[: place + 1].count(who) / (place + 1) for place, name in enumerate(names) if name == who]
        total += sum(precisions) / len(precisions)
    return total / len(queries)


@st.composite
def searches(draw: st.DrawFn) -> tuple[NDArray[np.float64], list[str], list[str]]:
    """Draw a search in which no two similarities are equal and everybody is there to be found."""
    gallery = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9))
    queries = draw(st.lists(st.sampled_from(gallery), min_size=1, max_size=6))
    shape = (len(queries), len(gallery))
    values = draw(hnp.arrays(np.int64, shape, elements=st.integers(-(10**6), 10**6), unique=True))
    return values / 1e6, queries, gallery


@given(searches())
def test_ranks_and_mean_average_precision_equal_the_plain_definitions(
    search: tuple[NDArray[np.float64], list[str], list[str]],
) -> None:
    """Given any search; when scored; then each figure is what counting by hand gives."""
    similarities, queries, gallery = search
    score = ranking(similarities, queries, gallery, ks=(1, 2, 5))
    rows: list[list[float]] = similarities.tolist()
    for k in (1, 2, 5):
        assert score.rank[k] == pytest.approx(plain_rank(rows, queries, gallery, k))
    assert score.mean_average_precision == pytest.approx(plain_mean_average_precision(rows, queries, gallery))


def test_a_known_search_scores_as_counted_by_hand() -> None:
    """Given one query whose right ones are second and third of three; then rank-1 is 0 and mAP (1/2 + 2/3) / 2."""
    score = ranking(np.array([[0.2, 0.9, 0.1]]), ["a"], ["a", "b", "a"], ks=(1, 2))
    assert score.rank == {1: 0.0, 2: 1.0}
    assert score.mean_average_precision == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_the_missed_are_those_below_what_lets_few_strangers_in_and_those_taken_for_others() -> None:
    """Given ten strangers and four known people; when one stranger in ten may pass; then who is missed is counted."""
    strangers: NDArray[Any] = np.arange(10) / 10  # nine of them below 0.81
    mates = np.array([0.95, 0.85, 0.85, 0.5])
    nearest = np.array([True, True, False, True])
    assert missed_at(mates, nearest, strangers, 0.1) == pytest.approx(0.5)
    assert missed_at(mates, nearest, strangers, 0.6) == pytest.approx(0.25)
