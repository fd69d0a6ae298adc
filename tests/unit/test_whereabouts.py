"""How many identities a track may be, by where they were seen last and the ways between cameras."""

import numpy as np
import pytest

from reid.gallery.embedding_rows import StoredEmbeddings
from reid.gallery.track_view import TrackView
from reid.gallery.whereabouts import Whereabouts
from reid.matching.topology import Topology, Transit

SECOND = 1_000
BEGIN = 1_000 * SECOND
_INTS, _FLOATS = np.empty(0, np.int64), np.empty((0, 4), np.float32)
NONE = StoredEmbeddings(_INTS, [], [], [], _INTS, _INTS, [], _FLOATS[:, 0], _FLOATS)


def _view(camera: str = "yard") -> TrackView:
    return TrackView("yard:1:1", camera, "person", BEGIN, BEGIN + 10 * SECOND, "x", 0.5, NONE, None)


def _seen(**by_camera: list[tuple[int, int]]) -> Whereabouts:
    """Return people seen last at moments in seconds relative to the beginning of the track."""
    return Whereabouts({camera: BEGIN + np.array(moments, np.int64) * SECOND for camera, moments in by_camera.items()})


@pytest.mark.parametrize(
    ("way", "possible"),
    [
        (None, 4),
        (Transit(shortest_ms=20 * SECOND), 3),
        (Transit(longest_ms=100 * SECOND), 3),
        (Transit(20 * SECOND, 100 * SECOND), 2),
        (Transit(is_impossible=True), 1),
    ],
    ids=["no way is known", "not so quickly", "not so slowly", "neither", "not at all"],
)
def test_those_whom_the_way_leaves_no_time_are_not_counted(way: Transit | None, possible: int) -> None:
    """Given people last seen 200, 60 and 5 s before, and one seen later, the way rules out those it can."""
    seen = _seen(lobby=[(-210, -200), (-70, -60), (-9, -5), (3, 8)])
    topology = Topology(learnt={("lobby", "yard"): way} if way else {})
    assert seen.count_possible(_view(), topology) == possible
    assert seen.count_possible(_view("attic"), topology) == len(seen) == 4


def test_those_who_are_seen_elsewhere_in_the_same_picture_are_not_counted() -> None:
    """Given two in the yard at that time, one who had just left, and one long gone, the two are not the third."""
    seen = _seen(yard=[(-5, 5), (1, 3), (-60, 0), (-900, -800)], lobby=[(-5, 5)])
    assert seen.count_possible(_view(), Topology()) == 3


def test_what_a_person_says_of_a_way_wins() -> None:
    """Given a way learnt to be long and said to be short, who has just left the lobby is counted."""
    topology = Topology(
        learnt={("lobby", "yard"): Transit(shortest_ms=60 * SECOND)},
        said={("lobby", "yard"): Transit(shortest_ms=SECOND)},
    )
    assert _seen(lobby=[(-9, -5)]).count_possible(_view(), topology) == 1
    assert Whereabouts().count_possible(_view(), topology) == 0
