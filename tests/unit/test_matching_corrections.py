"""Merges and splits can be undone, and never move what has gone elsewhere meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.matching.corrections import CorrectionConflictError, apply, merge, split, undo

BELONGING = {"s1": "ann", "s2": "ann", "s3": "bob", "s4": "bob", "s5": "eve"}


def test_a_merge_moves_all_sightings_and_its_undoing_brings_exactly_these_back() -> None:
    """Given two identities that are one; when merged and undone; then each sighting is where it was."""
    correction = merge("ann", "bob", BELONGING)
    merged = apply(correction, BELONGING)
    assert merged == {**BELONGING, "s3": "ann", "s4": "ann"}
    assert apply(undo(correction), merged) == BELONGING


def test_a_split_takes_out_what_was_named_only() -> None:
    """Given an identity that is two people; when split; then the named sightings become another one."""
    correction = split("bob", ["s4"], "new", BELONGING)
    assert apply(correction, BELONGING) == {**BELONGING, "s4": "new"}
    with pytest.raises(CorrectionConflictError, match="s1 belongs to ann now, not to identity bob"):
        split("bob", ["s4", "s1"], "new", BELONGING)


def test_what_was_corrected_again_or_erased_since_is_not_undone_half() -> None:
    """Given a merge after which one sighting went elsewhere or was erased; when undone; then nothing is moved."""
    correction = merge("ann", "bob", BELONGING)
    merged = apply(correction, BELONGING)
    with pytest.raises(CorrectionConflictError, match="s3 belongs to eve now"):
        apply(undo(correction), {**merged, "s3": "eve"})
    with pytest.raises(CorrectionConflictError, match="s4 is no more"):
        apply(undo(correction), {sighting: who for sighting, who in merged.items() if sighting != "s4"})


def test_an_identity_is_not_merged_with_itself() -> None:
    """Given one identity twice; when merged; then that is an error."""
    with pytest.raises(ValueError, match="with itself"):
        merge("ann", "ann", BELONGING)


@given(
    st.dictionaries(st.integers(0, 30).map(str), st.sampled_from("abcd"), max_size=20),
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")).filter(lambda pair: pair[0] != pair[1])),
)
def test_any_corrections_undone_in_reverse_leave_everything_as_it_was(
    belonging: dict[str, str], merges: list[tuple[str, str]]
) -> None:
    """Given any merges one after the other; when undone from the last to the first; then nothing has changed."""
    now, done = dict(belonging), []
    for kept, dissolved in merges:
        correction = merge(kept, dissolved, now)
        now = apply(correction, now)
        done.append(correction)
    for correction in reversed(done):
        now = apply(undo(correction), now)
    assert now == belonging
