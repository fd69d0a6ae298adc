"""Whose sighting a track is, from what the matcher says and what was known; and where somebody can have been."""

import numpy as np
import pytest

from reid.gallery.candidates import Seen, is_possible
from reid.gallery.embedding_rows import StoredEmbeddings, pack, unpack
from reid.gallery.outcome import MACHINE, OPERATOR, KnownSighting, Outcome, outcome_of
from reid.gallery.track_view import TrackView
from reid.matching.decision import Decision
from reid.matching.topology import Topology, Transit

MINUTE_MS = 60_000
KNOWN = Decision("known", "alike", identity="id-b")
NEW = Decision("new", "nobody-alike")
UNKNOWN = Decision("unknown", "two-alike")


@pytest.mark.parametrize(
    ("decision", "before", "outcome"),
    [
        (KNOWN, None, Outcome("id-b")),
        (NEW, None, Outcome(None, is_new=True)),
        (UNKNOWN, None, Outcome(None)),
        # What was known stays, unless somebody else is recognised.
        (KNOWN, KnownSighting("id-a", MACHINE, "v1"), Outcome("id-b")),
        (NEW, KnownSighting("id-a", MACHINE, "v1"), Outcome("id-a")),
        (UNKNOWN, KnownSighting("id-a", MACHINE, "v1"), Outcome("id-a")),
        (NEW, KnownSighting(None, MACHINE, "v1"), Outcome(None, is_new=True)),
        # What a person said, and what another embedder was used for, is not decided again.
        (KNOWN, KnownSighting("id-a", OPERATOR, "v1"), Outcome("id-a")),
        (KNOWN, KnownSighting(None, OPERATOR, "v1"), Outcome(None)),
        (KNOWN, KnownSighting("id-a", MACHINE, "v0"), Outcome("id-a")),
        (NEW, KnownSighting(None, MACHINE, "v0"), Outcome(None)),
    ],
)
def test_a_track_is_whose_it_was_unless_something_speaks_against_it(
    decision: Decision, before: KnownSighting | None, outcome: Outcome
) -> None:
    """Given a decision and what was known, the outcome is as the table says."""
    assert outcome_of(decision, before, "v1") == outcome


def _view(first_ms: int, last_ms: int, camera: str = "yard") -> TrackView:
    nothing = np.empty(0, np.int64)
    none = StoredEmbeddings(
        nothing, [], [], [], nothing, nothing, [], np.empty(0, np.float32), np.empty((0, 4), np.float32)
    )
    return TrackView("yard:1:1", camera, "person", first_ms, last_ms, "x", 0.5, none, None)


def _seen(first_ms: int, last_ms: int, camera: str = "lobby") -> Seen:
    return Seen("lobby:1:1", "id-a", camera, first_ms, last_ms)


TWO_MINUTES = Topology(said={("lobby", "yard"): Transit(shortest_ms=2 * MINUTE_MS)})


@pytest.mark.parametrize(
    ("seen", "topology", "window_ms", "possible"),
    [
        # The track is in the yard from 100 to 110 minutes.
        ((_seen(90, 99),), Topology(), 60, True),
        ((_seen(20, 39),), Topology(), 60, False),
        ((_seen(20, 39),), Topology(), None, True),
        ((), Topology(), 60, False),
        ((), Topology(), None, True),
        ((_seen(90, 99),), TWO_MINUTES, 60, False),
        ((_seen(90, 97),), TWO_MINUTES, 60, True),
        # After it, on the way back, of which nothing was said.
        ((_seen(110, 115),), TWO_MINUTES, 60, True),
        # In the same camera at the same time are two people; one that ends as the other begins may be one.
        ((_seen(105, 120, "yard"),), Topology(), 60, False),
        ((_seen(90, 100, "yard"),), Topology(), 60, True),
        # Two cameras may show one place.
        ((_seen(95, 120),), Topology(), 60, True),
        # All of what is known must go together.
        ((_seen(90, 97), _seen(105, 120, "yard")), TWO_MINUTES, 60, False),
    ],
)
def test_somebody_can_only_be_where_time_and_ways_allow(
    seen: tuple[Seen, ...], topology: Topology, window_ms: int | None, possible: bool
) -> None:
    """Given where somebody was, in minutes, then it is possible or not, as the table says."""
    in_ms = [
        Seen(each.track, each.identity, each.camera_id, each.first_ms * MINUTE_MS, each.last_ms * MINUTE_MS)
        for each in seen
    ]
    view = _view(100 * MINUTE_MS, 110 * MINUTE_MS)
    window = None if window_ms is None else window_ms * MINUTE_MS
    assert is_possible(view, in_ms, topology, window) is possible


def test_a_stored_vector_is_nearly_what_it_was_and_of_length_one() -> None:
    """Given vectors of length 1, what comes back of half the bytes differs by less than a thousandth in any product."""
    vectors = np.random.default_rng(0).standard_normal((50, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    back = unpack([pack(vector) for vector in vectors], 512)
    assert np.allclose(np.linalg.norm(back, axis=1), 1, atol=1e-6)
    assert np.abs(back @ back.T - vectors @ vectors.T).max() < 1e-3
    assert len(pack(vectors[0])) == 1_024
