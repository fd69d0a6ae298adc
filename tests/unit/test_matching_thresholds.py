"""Thresholds: measured, not picked; they keep what they promise; more to confuse with needs more likeness."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reid.matching.calibration import LOST_PART, Similarities, TooFewPairsError, calibrate, margin
from reid.matching.thresholds import (
    FalseMatchPoint,
    Likeness,
    Thresholds,
    UncalibratedEmbedderError,
    load_thresholds,
    thresholds_of,
)


def strangers(pairs: int, seed: int = 0) -> Similarities:
    """Return similarities of pairs of different people, each measured twice."""
    chance = np.random.default_rng(seed)
    return chance.normal(0.1, 0.12, (pairs, 1)) + chance.normal(0, 0.02, (pairs, 2))


def mates(pairs: int, seed: int = 1) -> Similarities:
    """Return similarities of pairs of one person, each measured twice."""
    chance = np.random.default_rng(seed)
    return chance.normal(0.7, 0.1, (pairs, 1)) + chance.normal(0, 0.02, (pairs, 2))


def thresholds(likeness: Likeness) -> Thresholds:
    """Return thresholds that are the same within a camera and across cameras."""
    return Thresholds(
        embedder="e",
        measured="m",
        mean=(0.0, 0.0),
        same_camera=likeness,
        other_camera=likeness,
        certain=0.9,
        margin=0.01,
    )


def test_strangers_pass_as_often_as_was_wanted() -> None:
    """Given thresholds from some strangers; when others come; then as many pass each point of the curve as it says."""
    likeness = calibrate(mates(500), strangers(50_000))
    others = strangers(200_000, seed=5)
    assert len(likeness.false_matches) > 8
    for point in likeness.false_matches[:9]:
        assert (others >= point.similarity).mean() == pytest.approx(point.rate, rel=0.25)


def test_the_curve_is_continued_to_galleries_larger_than_what_was_measured() -> None:
    """Given a curve of 2,000 pairs; when a millionth is asked for; then it is higher, and still a cosine."""
    likeness = calibrate(mates(500), strangers(2_000))
    last = likeness.false_matches[-1]
    assert last.rate > 1e-6
    assert last.similarity < likeness.at(1e-6) <= 1


def test_hardly_any_pair_of_one_person_lies_below_the_lowest() -> None:
    """Given pairs of one person; when calibrated; then the part below the bound is the one that was wanted."""
    genuine = mates(4_000)
    likeness = calibrate(genuine, strangers(2_000))
    assert (genuine < likeness.lowest_genuine).mean() == pytest.approx(LOST_PART, abs=0.002)


def test_pairs_measured_again_are_no_more_pairs() -> None:
    """Given few pairs, each measured a thousand times; then rates are not believed that only more people could show."""
    few = np.repeat(strangers(60), 1_000, axis=1)
    assert [point.rate for point in calibrate(mates(50), few).false_matches] == [0.5, 0.2]


def test_too_few_pairs_are_refused_with_how_many_it_takes() -> None:
    """Given hardly any pairs; when calibrated; then the error says how many there must be."""
    with pytest.raises(TooFewPairsError, match=r"10 pairs of different people.*it takes 50"):
        calibrate(mates(5), strangers(10))
    with pytest.raises(TooFewPairsError, match="no person was seen twice"):
        calibrate(mates(0), strangers(1_000))


def test_the_margin_is_what_other_crops_of_the_same_tracks_change() -> None:
    """Given similarities measured twice with a known scatter; then the margin is that scatter."""
    assert margin(strangers(5_000), mates(5_000)) == pytest.approx(0.02, rel=0.05)


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_more_to_confuse_with_never_needs_less_likeness(one: int, other: int) -> None:
    """Given two sizes of a gallery; then the larger one needs at least as much, and new is never above known."""
    its = thresholds(calibrate(mates(200), strangers(2_000)))
    fewer, more = sorted((one, other))
    for same_camera in (True, False):
        assert its.somebody(fewer, same_camera=same_camera) <= its.somebody(more, same_camera=same_camera)
        assert its.nobody(fewer, same_camera=same_camera) <= its.nobody(more, same_camera=same_camera)
        assert its.nobody(more, same_camera=same_camera) <= its.somebody(more, same_camera=same_camera)


def test_between_two_points_the_similarity_lies_between_theirs() -> None:
    """Given two points; then both are met, and half-way by logarithm is half-way in likeness."""
    likeness = Likeness(
        false_matches=(FalseMatchPoint(rate=0.1, similarity=0.2), FalseMatchPoint(rate=0.001, similarity=0.6)),
        lowest_genuine=0.1,
    )
    assert likeness.at(0.1) == pytest.approx(0.2)
    assert likeness.at(0.01) == pytest.approx(0.4)
    assert likeness.at(0.001) == pytest.approx(0.6)
    assert likeness.at(1e-30) == 1


def test_a_curve_that_goes_the_wrong_way_is_refused() -> None:
    """Given a curve whose similarities fall; when read; then it is refused: every threshold of it would be wrong."""
    with pytest.raises(ValidationError, match="must fall"):
        Likeness(
            false_matches=(FalseMatchPoint(rate=0.1, similarity=0.6), FalseMatchPoint(rate=0.01, similarity=0.2)),
            lowest_genuine=0.1,
        )


def test_the_thresholds_of_the_package_are_usable_and_strangers_of_one_camera_need_more() -> None:
    """Given the file of the package; then the default embedder is in it, with a mean of its dimension."""
    its = next(each for each in load_thresholds().values() if each.embedder == "osnet-x0-25-msmt17")
    assert its.mean_vector.shape == (512,)
    assert 0.2 < its.somebody(10, same_camera=False) < its.somebody(10, same_camera=True) < 0.8


def test_letting_more_strangers_pass_needs_less_likeness() -> None:
    """Given the thresholds of the package; when more strangers may pass; then less likeness is enough."""
    version = next(iter(load_thresholds()))
    strict, lax = (thresholds_of(version, false_identification_rate=rate) for rate in (0.001, 0.2))
    assert lax.somebody(5, same_camera=False) < thresholds_of(version).somebody(5, same_camera=False)
    assert thresholds_of(version).somebody(5, same_camera=False) < strict.somebody(5, same_camera=False)


def test_an_embedder_that_nobody_has_measured_is_refused_with_the_command() -> None:
    """Given a version that is not in the file; when asked for; then the error says how to measure."""
    with pytest.raises(UncalibratedEmbedderError, match=r"benchmarks\.reid_accuracy .*--calibrate"):
        thresholds_of("unheard-of")
