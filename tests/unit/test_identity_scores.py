"""How identities across cameras are scored: by pairs of tracks, against labels by box and time."""

import numpy as np
import pytest

from benchmarks.multi_camera import Embedded, in_hindsight, person_of, score
from benchmarks.recognition.recorded import SeenTrack, overlap
from reid.matching.appearance import TrackEmbeddings
from workers.crops.cutting import Cut


def cut(at_ms: int, left: float) -> Cut:
    """Return a crop of a box 10 wide and 30 high."""
    return Cut(b"", 10, 30, at_ms, 1, (left, 0.0, left + 10, 30.0), 0.9, 0.5)


def seen(camera: str, person: str | None, direction: int = 0) -> Embedded:
    """Return a track whose embedding points along one of four axes."""
    track = SeenTrack(camera, 1, 0, 1000, [cut(0, 0.0)])
    vectors = np.eye(4, dtype=np.float32)[[direction]]
    return Embedded(track, TrackEmbeddings("v", camera, vectors, np.ones(1, np.float32)), person)


def test_a_track_is_who_most_of_its_crops_show() -> None:
    """Given labels of two people; when a track shows one of them mostly, or nobody mostly; then so it is labelled."""
    labels = {"ann": [("a", 0, (0.0, 0.0, 10.0, 30.0)), ("a", 400, (20.0, 0.0, 30.0, 30.0))],
              "bob": [("a", 0, (60.0, 0.0, 70.0, 30.0))]}  # fmt: skip
    mostly_ann = SeenTrack("a", 1, 0, 800, [cut(0, 1.0), cut(300, 22.0), cut(0, 59.0)])
    half = SeenTrack("a", 1, 0, 800, [cut(0, 1.0), cut(0, 59.0)])
    elsewhere = SeenTrack("b", 1, 0, 800, [cut(0, 1.0)])
    later = SeenTrack("a", 1, 0, 9_000, [cut(9_000, 1.0)])
    assert person_of(mostly_ann, labels) == "ann"
    assert [person_of(track, labels) for track in (half, elsewhere, later)] == [None, None, None]


def test_pairs_are_right_found_and_missed_as_counted_by_hand() -> None:
    """Given two people in two cameras; when one pair told is right and one wrong; then both measures are halves."""
    tracks = [seen("a", "ann"), seen("b", "ann"), seen("a", "bob"), seen("b", "bob"), seen("b", None)]
    across = score(tracks, ["1", "1", "1", None, "1"], across=True)
    assert (across.precision, across.recall, across.pairs) == (0.5, 0.5, 2)
    every = score(tracks, ["1", "1", "1", None, "1"], across=False)
    assert every.precision == pytest.approx(1 / 3)
    assert across.f1 == pytest.approx(0.5)


def test_nothing_told_is_nothing_wrong() -> None:
    """Given no identities; when scored; then precision is whole, recall and F1 are none."""
    nothing = score([seen("a", "ann"), seen("b", "ann")], [None, None], across=True)
    assert (nothing.precision, nothing.recall, nothing.f1) == (1.0, 0.0, 0.0)


def test_hindsight_finds_the_threshold_with_the_best_f1() -> None:
    """Given embeddings that tell all apart; when the best threshold is looked for; then it makes no error."""
    tracks = [seen("a", "ann", 0), seen("b", "ann", 0), seen("a", "bob", 1), seen("b", "bob", 1)]
    assert in_hindsight(tracks, [one.query.vectors for one in tracks]).f1 == 1.0
    mixed = [seen("a", "ann", 0), seen("b", "ann", 1), seen("a", "bob", 1), seen("b", "bob", 0)]
    assert in_hindsight(mixed, [one.query.vectors for one in mixed]).f1 < 0.7


def test_boxes_overlap_by_intersection_over_union() -> None:
    """Given boxes that share half of each, nothing, or are empty; then the share is a third, and none."""
    assert overlap((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (10, 0, 20, 10)) == 0
    assert overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0
