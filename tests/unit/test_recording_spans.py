"""Spans without gaps, and what happened in them by buckets."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.recordings.hour_totals import hour_of, read_spans, spans_text
from camera_ctrler.recordings.spans import MAX_BUCKETS, Bucket, Piece, Span, buckets_of, clipped, merged
from contract.errors import ContractError
from contract.recordings import GAP_MS


@pytest.mark.parametrize(("gap_ms", "spans"), [(GAP_MS - 1, 1), (GAP_MS, 2), (0, 1), (-3_000, 1)])
def test_only_a_whole_second_without_footage_is_a_gap(gap_ms: int, spans: int) -> None:
    """Given two files with a little less than a second, or a second, or an overlap between them, the rule holds."""
    assert len(merged([(0, 10_000), (10_000 + gap_ms, 20_000)])) == spans


def test_files_that_lie_within_another_one_do_not_shorten_it() -> None:
    """Given two workers' files, the later and shorter one inside the other, the longer end counts."""
    assert merged([(0, 60_000), (5_000, 10_000), (60_500, 61_000)]) == [Span(0, 61_000)]


def test_a_range_cuts_spans_at_both_ends_and_leaves_nothing_empty() -> None:
    """Given spans before, across and behind a range, only parts with some length are left."""
    spans = [Span(0, 100), Span(150, 300), Span(350, 500), Span(500, 600)]
    assert clipped(spans, 100, 400) == [Span(150, 300), Span(350, 400)]
    assert clipped(spans, 400, 100) == []


@given(st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 9_000)), max_size=12), st.randoms())
def test_spans_do_not_depend_on_the_order_in_which_files_come(pieces: list[tuple[int, int]], random: Random) -> None:
    """Given files one by one in any order, added to what is merged already, the spans are those of all at once."""
    files = [(start, start + length) for start, length in pieces]
    at_once = merged(files)
    random.shuffle(files)
    step_by_step: list[Span] = []
    for file in files:
        step_by_step = merged([*((span.start_ms, span.end_ms) for span in step_by_step), file])
    assert step_by_step == at_once


def test_what_is_stored_of_spans_is_read_back() -> None:
    """Given spans that reach into the next hour, they survive being stored."""
    spans = [Span(7_200_500, 7_300_000), Span(10_790_000, 10_801_000)]
    assert read_spans(spans_text(spans, hour_of(7_200_500)), 7_200_000) == spans


def test_buckets_begin_at_multiples_of_their_width_and_weigh_motion_by_time() -> None:
    """Given two files across a border of minutes, each bucket has its seconds, mean motion and most seen."""
    pieces = [
        Piece(50_000, 70_000, 0.2, 1.0, {"person": 2}),
        Piece(70_000, 80_000, 0.8, 1.0, {"person": 1, "car": 3}),
    ]
    found = buckets_of([Span(50_000, 80_000)], pieces, 45_000, 75_000, 60_000)
    motions = [each.motion for each in found]
    assert motions == pytest.approx([0.2, (0.2 * 10 + 0.8 * 5) / 15])
    assert [replace(each, motion=0.0) for each in found] == [
        Bucket(0, 10.0, 0.0, {"person": 2}),
        Bucket(60_000, 15.0, 0.0, {"person": 2, "car": 3}),
    ]


def test_buckets_without_footage_are_left_out() -> None:
    """Given an hour with ten seconds in it, there is one bucket and not sixty."""
    assert [each.start_ms for each in buckets_of([Span(600_000, 610_000)], [], 0, 3_600_000, 60_000)] == [600_000]


@pytest.mark.parametrize("bucket_ms", [0, -5, 1_000])
def test_more_buckets_than_anybody_can_look_at_are_refused(bucket_ms: int) -> None:
    """Given ten years in seconds, or buckets of no width, the error says how many there may be."""
    with pytest.raises(ContractError, match=str(MAX_BUCKETS)):
        buckets_of([], [], 0, 10 * 365 * 86_400_000, bucket_ms)
