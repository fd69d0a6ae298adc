"""The matcher: known, new or unknown, and rather unknown than wrong."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.images import Embeddings
from reid.matching.appearance import Candidate, TrackEmbeddings
from reid.matching.camera_bias import (
    ENOUGH_TRACKS,
    PRIOR_TRACKS,
    REMEMBERED_TRACKS,
    CameraMean,
    with_track,
    without_bias,
)
from reid.matching.decision import Decision, decide
from reid.matching.similarity import set_similarity
from reid.matching.thresholds import FalseMatchPoint, Likeness, Thresholds

DIMENSION = 64
THRESHOLDS = Thresholds(
    embedder="made here",
    measured="never",
    mean=(0.0,) * DIMENSION,
    other_camera=Likeness(
        false_matches=(FalseMatchPoint(rate=0.1, similarity=0.3), FalseMatchPoint(rate=0.001, similarity=0.7)),
        lowest_genuine=0.2,
    ),
    same_camera=Likeness(
        false_matches=(FalseMatchPoint(rate=0.1, similarity=0.5), FalseMatchPoint(rate=0.001, similarity=0.9)),
        lowest_genuine=0.2,
    ),
    certain=0.95,
    margin=0.05,
    false_identification_rate=0.01,
)
#: A camera that has seen enough, and nothing but grey.
GREY = {"door": CameraMean(ENOUGH_TRACKS, np.zeros(DIMENSION, np.float32))}


def person(number: int) -> Embeddings:
    """Return what one person looks like, shape (dimension,), length 1; people are alike by chance only."""
    vector = np.random.default_rng(number).standard_normal(DIMENSION)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def looks(number: int, count: int = 4, *, alike: float = 0.95, seed: int = 0) -> Embeddings:
    """Return crops of a person, each with a similarity of about `alike` to the person."""
    chance = np.random.default_rng([number, seed])
    noise = chance.standard_normal((count, DIMENSION))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    mixed = alike * person(number) + np.sqrt(1 - alike**2) * noise
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), np.float32)


def beside(number: int, cosine: float) -> Embeddings:
    """Return one crop of exactly that similarity to the person, shape (1, dimension)."""
    aside = person(1_000) - person(number) * (person(number) @ person(1_000))
    mixed = cosine * person(number) + np.sqrt(1 - cosine**2) * aside / np.linalg.norm(aside)
    return np.asarray(mixed[None], np.float32)


def track(vectors: Embeddings, camera: str = "door") -> TrackEmbeddings:
    """Return a track seen by a camera."""
    return TrackEmbeddings("v1", camera, vectors, np.ones(len(vectors), np.float32))


def known(
    identity: str, vectors: Embeddings, cameras: Sequence[str] | str = "yard", *, is_possible: bool = True
) -> Candidate:
    """Return an identity seen by a camera, or by one for each vector."""
    where = [cameras] * len(vectors) if isinstance(cameras, str) else cameras
    return Candidate(identity, "v1", vectors, where, np.ones(len(vectors), np.float32), is_possible)


def decided(query: TrackEmbeddings, candidates: Sequence[Candidate], compared: int | None = None) -> Decision:
    """Return the decision with a camera whose mean is known."""
    return decide(query, candidates, THRESHOLDS, means=GREY, compared=compared)


def test_in_a_camera_that_has_seen_little_only_who_is_the_same_for_certain_is_named() -> None:
    """Given a likeness that suffices in a camera that is known; when it has seen little; then nobody is named."""
    query, candidates = track(beside(1, 0.9)), [known("1", beside(1, 1.0), "door")]
    assert decided(query, candidates).verdict == "known"
    assert decide(query, candidates, THRESHOLDS, means={}).verdict == "unknown"
    certain = track(beside(1, 0.96))
    assert decide(certain, candidates, THRESHOLDS, means={}).verdict == "known"
    assert decide(query, [known("1", beside(1, 1.0), "yard")], THRESHOLDS, means={}).verdict == "known"


def test_somebody_seen_before_is_known_by_name() -> None:
    """Given three identities; when one of them is seen again; then it is known, and by how much is told."""
    gallery = [known(str(number), looks(number)) for number in range(3)]
    decision = decided(track(looks(1, seed=9)), gallery)
    assert (decision.verdict, decision.identity, decision.nearest) == ("known", "1", "1")
    assert decision.similarity is not None
    assert decision.threshold is not None
    assert decision.similarity > decision.threshold
    assert decision.lead is not None
    assert decision.lead > 0.3


def test_who_is_like_nobody_is_new_and_so_is_the_first_of_all() -> None:
    """Given three identities, or none; when a stranger is seen; then the stranger is new."""
    gallery = [known(str(number), looks(number)) for number in range(3)]
    decision = decided(track(looks(77)), gallery)
    assert (decision.verdict, decision.reason, decision.identity) == ("new", "nobody-alike", None)
    assert decided(track(looks(77)), []).verdict == "new"


def test_who_is_somewhat_like_somebody_is_unknown_and_the_nearest_is_told() -> None:
    """Given a track that is half like an identity; when decided; then nobody is named, but who is nearest."""
    gallery = [known("1", beside(1, 1.0)), known("2", beside(2, 1.0))]
    assert THRESHOLDS.nobody(2, same_camera=False) < 0.5 < THRESHOLDS.somebody(2, same_camera=False)
    decision = decided(track(beside(1, 0.5)), gallery)
    assert (decision.verdict, decision.reason, decision.identity) == ("unknown", "not-alike-enough", None)
    assert decision.nearest == "1"


def test_who_is_like_two_identities_is_unknown() -> None:
    """Given two identities that look the same; when one of them is seen; then neither is named."""
    decision = decided(track(looks(1, seed=9)), [known("one", looks(1)), known("twin", looks(1, seed=5))])
    assert (decision.verdict, decision.reason, decision.identity) == ("unknown", "two-alike", None)


def test_an_identity_that_cannot_have_come_here_is_not_considered() -> None:
    """Given an identity that is too far away; when its like is seen; then it is another one, and new."""
    decision = decided(track(looks(1, seed=9)), [known("1", looks(1), is_possible=False)])
    assert (decision.verdict, decision.identity) == ("new", None)


def test_a_track_without_embeddings_is_unknown_and_one_without_is_no_candidate() -> None:
    """Given nothing to compare; when decided; then nobody is named and no identity begins."""
    empty = np.zeros((0, DIMENSION), np.float32)
    assert decided(track(empty), [known("1", looks(1))]).reason == "nothing-seen"
    assert decided(track(looks(1)), [known("1", empty)]).verdict == "new"


def test_embeddings_of_two_models_are_never_compared() -> None:
    """Given an identity embedded by another model; when decided; then that is an error and no similarity."""
    other = Candidate("1", "v2", looks(1), ["yard"] * 4, np.ones(4, np.float32))
    with pytest.raises(ValueError, match="embeddings of different models are never compared"):
        decided(track(looks(1)), [other])


def test_the_more_it_was_compared_with_the_more_alike_it_must_be() -> None:
    """Given one similarity; when among two, fifty or a million; then it names somebody, may be, or says nothing."""
    query, gallery = track(beside(1, 0.7)), [known("1", beside(1, 1.0))]
    assert decided(query, gallery, compared=2).verdict == "known"
    assert decided(query, gallery, compared=50).verdict == "unknown"
    assert decided(query, gallery, compared=1_000_000).verdict == "new"


def test_within_one_camera_strangers_must_be_told_apart_by_more() -> None:
    """Given a likeness that suffices between cameras; when both were seen by one camera; then nobody is named."""
    query = track(beside(1, 0.6))
    assert decided(query, [known("1", beside(1, 1.0), "yard")]).verdict == "known"
    assert decided(query, [known("1", beside(1, 1.0), "door")]).verdict == "unknown"


def test_an_identity_is_measured_where_it_is_most_alike() -> None:
    """Given an identity with looks in this camera and in another; when only the former are alike; then it is known."""
    vectors = np.concatenate([looks(1), looks(50)])
    decision = decided(track(looks(1, seed=9)), [known("1", vectors, ["door"] * 4 + ["yard"] * 4)])
    assert (decision.verdict, decision.identity) == ("known", "1")
    assert decision.threshold == pytest.approx(THRESHOLDS.somebody(1, same_camera=True))


def test_one_bad_crop_of_four_changes_nothing() -> None:
    """Given a crop in which somebody else stands in front, on both sides; when decided; then it is outvoted."""
    query, stored = looks(1, seed=9), looks(1)
    query[2], stored[0] = person(60), person(61)
    decision = decided(track(query), [known("1", stored), known("60", looks(60)), known("61", looks(61))])
    assert (decision.verdict, decision.identity) == ("known", "1")


def test_sets_are_alike_by_the_median_of_each_crops_nearest() -> None:
    """Given sets with known products; then their likeness is that counted by hand, and -1 for an empty one."""
    ours = np.eye(3, dtype=np.float32)
    theirs = np.array([[1, 0, 0], [0, 0.6, 0.8]], np.float32)
    # Nearest of ours: 1, 0.6, 0.8; of theirs: 1, 0.8.
    assert set_similarity(ours, theirs) == pytest.approx((0.8 + 0.9) / 2)
    assert set_similarity(theirs, ours) == pytest.approx(set_similarity(ours, theirs))
    assert set_similarity(ours, ours[:0]) == -1


def test_a_mean_that_grows_track_by_track_is_the_mean_of_all_tracks() -> None:
    """Given tracks of different lengths; when added one by one; then each counts once, however long it is."""
    tracks = [looks(number, count) for number, count in enumerate([1, 9, 2, 5])]
    mean: CameraMean | None = None
    for one in tracks:
        mean = with_track(mean, one)
    assert mean is not None
    assert mean.tracks == 4
    np.testing.assert_allclose(mean.mean, np.mean([one.mean(axis=0) for one in tracks], axis=0), atol=1e-6)


def test_an_old_camera_forgets() -> None:
    """Given a camera that has seen very many tracks; when its light changes; then its mean follows."""
    night = CameraMean(REMEMBERED_TRACKS, np.zeros(DIMENSION, np.float32))
    for _ in range(3 * REMEMBERED_TRACKS):
        night = with_track(night, person(3)[None])
    assert night.tracks == REMEMBERED_TRACKS
    assert np.linalg.norm(night.mean - person(3)) < 0.06


def test_a_cast_that_a_camera_gives_to_everybody_is_taken_out() -> None:
    """Given a camera that shifts whatever it sees; when its mean is known; then its people are as without the shift."""
    shift = 2 * person(99)
    stained = [looks(number) + shift for number in range(12)]
    stained = [vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in stained]
    mean: CameraMean | None = None
    for vectors in stained:
        mean = with_track(mean, np.asarray(vectors, np.float32))
    assert mean is not None
    nothing = np.zeros(DIMENSION, np.float32)
    strangers = [without_bias(np.asarray(v, np.float32), ["a"] * 4, {"a": mean}, nothing) for v in stained]
    before = set_similarity(np.asarray(stained[0]), np.asarray(stained[1]))
    after = set_similarity(strangers[0], strangers[1])
    assert before > 0.7
    assert after < 0.4


def test_a_camera_that_has_seen_nothing_has_the_embedders_mean_and_a_new_one_some_of_it() -> None:
    """Given no tracks, and as many as the prior counts for; then the embedder's mean is taken away, and half of it."""
    prior, vectors = person(5) * np.float32(0.5), looks(1)
    alone = without_bias(vectors, ["a"] * 4, {}, prior)
    np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1, rtol=1e-5)
    moved = vectors - prior
    np.testing.assert_allclose(alone, moved / np.linalg.norm(moved, axis=1, keepdims=True), atol=1e-6)

    seen = CameraMean(PRIOR_TRACKS, np.zeros(DIMENSION, np.float32))
    moved = vectors - prior / 2
    halved = without_bias(vectors, ["a"] * 4, {"a": seen}, prior)
    np.testing.assert_allclose(halved, moved / np.linalg.norm(moved, axis=1, keepdims=True), atol=1e-6)


def test_a_vector_that_is_the_mean_itself_points_nowhere_and_is_no_nan() -> None:
    """Given an embedding equal to what is taken away; then zeros come out, like nobody."""
    assert without_bias(person(1)[None], ["a"], {}, person(1)).tolist() == [[0.0] * DIMENSION]


@given(st.integers(0, 20), st.integers(0, 4), st.integers(1, 4))
def test_whatever_is_decided_an_identity_is_named_only_when_known(seed: int, candidates: int, crops: int) -> None:
    """Given any track and gallery; then an identity is named exactly when it is known, and it is a candidate."""
    gallery = [known(str(number), looks(number, alike=0.6)) for number in range(candidates)]
    decision = decided(track(looks(seed % 5, crops, alike=0.7, seed=seed)), gallery)
    assert (decision.identity is not None) == (decision.verdict == "known")
    assert decision.identity is None or decision.identity in {each.identity for each in gallery}


def test_what_does_not_belong_together_is_refused() -> None:
    """Given fewer qualities or cameras than embeddings; when made; then that is an error, not a wrong match."""
    with pytest.raises(ValueError, match="do not belong together"):
        TrackEmbeddings("v1", "door", looks(1, 3), np.ones(2, np.float32))
    with pytest.raises(ValueError, match="3 embeddings have 2 cameras"):
        Candidate("1", "v1", looks(1, 3), ["a", "b"], np.ones(3, np.float32))
