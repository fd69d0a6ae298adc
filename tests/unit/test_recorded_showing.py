"""Which file shows when several have the same time, and where files are cut into parts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.playback.fragments import Fragment, Head, Layout, Track
from camera_ctrler.playback.showing import HOLE_MS, Shown, runs_of, runs_shown, shown
from camera_ctrler.recordings.index import IndexedSegment
from contract.recordings import Segment


def file(start_ms: int, end_ms: int, epoch: int = 1) -> IndexedSegment:
    """Return a file of the index."""
    segment = Segment(
        camera_id="lobby", start_ms=start_ms, end_ms=end_ms, epoch=epoch, size_bytes=1, codec="h264", width=2, height=2
    )
    return IndexedSegment(segment, 0)


def times(found: list[Shown]) -> list[tuple[int, int, int]]:
    """Return epoch, begin and end of what shows."""
    return [(each.found.segment.epoch, each.from_ms, each.to_ms) for each in found]


def layout(*fragments: tuple[float, bool]) -> Layout:
    """Return a layout of fragments of so many seconds, with or without a keyframe at their beginning."""
    made, at = [], 0
    for seconds, keyframe in fragments:
        made.append(Fragment(0, 1, at, round(seconds * 1000), 0, keyframe, Fraction(0)))
        at += round(seconds * 1000)
    return Layout(Head(1, "head", (Track(1, 1000, "vide", 0, 0),), Fraction(0)), tuple(made), cut=False)


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ([file(0, 10_000), file(10_000, 20_000)], [(1, 0, 10_000), (1, 10_000, 20_000)]),
        # A handover: the new worker's files show from where they begin, the old one's to there.
        (
            [file(0, 10_000), file(10_000, 20_000), file(12_000, 22_000, 2)],
            [(1, 0, 10_000), (1, 10_000, 12_000), (2, 12_000, 22_000)],
        ),
        # The old worker went on while the new one had a hole: its footage fills it.
        (
            [file(0, 30_000), file(5_000, 10_000, 2), file(20_000, 25_000, 2)],
            [(1, 0, 5_000), (2, 5_000, 10_000), (1, 10_000, 20_000), (2, 20_000, 25_000), (1, 25_000, 30_000)],
        ),
        # Entirely hidden.
        ([file(2_000, 8_000), file(0, 10_000, 2)], [(2, 0, 10_000)]),
        # A file that has nothing in it.
        ([file(5_000, 5_000), file(6_000, 7_000)], [(1, 6_000, 7_000)]),
        ([], []),
    ],
)
def test_the_newest_epoch_shows(files: list[IndexedSegment], wanted: list[tuple[int, int, int]]) -> None:
    """Given files that overlap, in any order, then at each time the newest epoch shows."""
    assert times(shown(files)) == wanted
    assert times(shown(list(reversed(files)))) == wanted


def test_a_rounding_at_the_border_of_two_files_hides_nothing() -> None:
    """Given files whose times overlap by some milliseconds, then both are shown as wholes."""
    found = shown([file(0, 10_003), file(10_000, 20_000), file(19_950, 30_000)])
    assert [each.whole for each in found] == [True, True, True]
    assert [each.found.segment.start_ms for each in found] == [0, 10_000, 19_950]


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(1, 20), st.integers(1, 3)).map(
            lambda each: file(each[0] * 1000, (each[0] + each[1]) * 1000, each[2])
        ),
        max_size=12,
    )
)
def test_at_every_time_exactly_the_best_file_shows(files: list[IndexedSegment]) -> None:
    """Given any files, then second by second what shows is the newest epoch, and of that the latest start."""
    found = shown(files)
    for at_ms in range(500, 72_000, 1_000):
        there = [each.segment for each in files if each.segment.start_ms <= at_ms < each.segment.end_ms]
        best = max(((each.epoch, each.start_ms) for each in there), default=None)
        showing = [each.found.segment for each in found if each.from_ms <= at_ms < each.to_ms]
        assert [(each.epoch, each.start_ms) for each in showing] == ([best] if best else [])


def test_runs_begin_with_keyframes_and_have_two_seconds() -> None:
    """Given fragments of a second and a keyframe every other one, then a run has two of them."""
    made = layout(*[(1.0, number % 2 == 0) for number in range(5)])
    assert [(run.first, run.last) for run in runs_of(made, open_end=False)] == [(0, 1), (2, 3), (4, 4)]
    long = layout((1, True), (1, False), (1, False), (1, False), (1, True), (1, False))
    assert [(run.first, run.last) for run in runs_of(long, open_end=False)] == [(0, 3), (4, 5)]


def test_a_file_that_grows_is_cut_as_it_was() -> None:
    """Given a file read after each new fragment, then runs that were there stay, and the open end is none."""
    fragments = [(0.5, True), (1.0, False), (0.6, True), (1.0, False), (1.0, False), (0.4, True), (1.0, True)]
    before: list[tuple[int, int]] = []
    for count in range(1, len(fragments) + 1):
        runs = [(run.first, run.last) for run in runs_of(layout(*fragments[:count]), open_end=True)]
        assert runs[: len(before)] == before
        before = runs
    whole = [(run.first, run.last) for run in runs_of(layout(*fragments), open_end=False)]
    assert whole[:-1] == before
    assert runs_of(layout(), open_end=False) == []


def test_only_runs_that_show_are_played() -> None:
    """Given a file that is hidden from its fifth second on, then the run that reaches it is played, no later one."""
    runs = runs_of(layout(*[(2.0, True)] * 5), open_end=False)
    found = file(0, 10_000)
    assert [run.first for run in runs_shown(runs, Shown(found, 0, 5_000))] == [0, 1, 2]
    assert [run.first for run in runs_shown(runs, Shown(found, 5_000, 10_000))] == [2, 3, 4]
    assert [run.first for run in runs_shown(runs, Shown(found, 0, 4_000 + HOLE_MS))] == [0, 1]
