"""What analysis says of a camera, and what is wanted and kept because of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.recordings import KeptFor, RecordingSettings, RecordMode
from workers.recording.wishes import LEAST_POST_ROLL, Findings, Look, Wishes


def wishes(mode: RecordMode, *, pre: float = 5.0, post: float = 10.0) -> Wishes:
    """Return the wishes of a camera."""
    return Wishes(RecordingSettings(record=mode, pre_roll_seconds=pre, post_roll_seconds=post))


def test_continuous_wants_everything_and_off_nothing() -> None:
    """Given nothing that was seen, then the mode alone decides."""
    assert wishes(RecordMode.CONTINUOUS).wants(0, 1)
    assert not wishes(RecordMode.OFF).wants(0, 1)
    assert not wishes(RecordMode.MOTION).wants(0, 1)


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [(90.0, 95.0, False), (94.0, 95.1, True), (99.0, 101.0, True), (110.0, 111.0, True), (110.1, 112.0, False)],
)
def test_motion_is_wanted_with_its_rolls(start: float, end: float, wanted: bool) -> None:
    """Given motion at 100, rolls of 5 and 10, then what meets 95 to 110 is wanted."""
    asked = wishes(RecordMode.MOTION)
    asked.note(Look(100.0, moved=True))
    assert asked.wants(start, end) is wanted


def test_a_track_is_wanted_by_both_modes_and_motion_only_by_its_own() -> None:
    """Given a track and a motion at different times, then events want the one, motion wants both."""
    for mode, of_motion in ((RecordMode.MOTION, True), (RecordMode.EVENTS, False)):
        asked = wishes(mode, pre=1, post=1)
        asked.note(Look(100.0, moved=True))
        asked.note(Look(200.0, is_tracked=True))
        assert asked.wants(100, 101) is of_motion
        assert asked.wants(200, 201)


def test_what_lasts_is_one_span_even_without_rolls() -> None:
    """Given a frame a second, when all have moved and no rolls are asked for, then all between is wanted."""
    asked = wishes(RecordMode.MOTION, pre=0, post=0)
    for second in range(100, 130):
        asked.note(Look(float(second), moved=True))
    assert all(asked.wants(second + 0.4, second + 0.6) for second in range(100, 129))
    assert not asked.wants(129 + LEAST_POST_ROLL + 0.1, 140)


def test_the_best_reason_counts() -> None:
    """Given a track inside a motion, then what meets the track is kept for the event."""
    asked = wishes(RecordMode.CONTINUOUS, pre=2, post=3)
    asked.note(Look(100.0, moved=True))
    asked.note(Look(106.0, is_tracked=True))
    assert asked.kept_for(0, 97) is KeptFor.CONTINUOUS
    assert asked.kept_for(98.5, 103) is KeptFor.MOTION
    assert asked.kept_for(100, 110) is KeptFor.EVENT


def test_findings_are_those_of_the_span_asked_for() -> None:
    """Given looks at frames, some late, then share and counts are those between the two times."""
    findings = Findings()
    findings.note(Look(10.0, moved=True))
    findings.note(Look(11.0, moved=False))
    findings.note(Look(12.0, moved=True))
    findings.note(Look(10.0, seen={"person": 3}))
    findings.note(Look(12.0, seen={"person": 9}))
    assert findings.between(10.0, 12.0) == (0.5, {"person": 3})
    assert findings.between(12.0, 13.0) == (1.0, {"person": 9})
    assert findings.between(20.0, 30.0) == (0.0, {})


@given(
    st.lists(st.tuples(st.floats(0, 1_000), st.booleans(), st.booleans()), max_size=40),
    st.floats(0, 1_000),
    st.floats(0, 60),
)
def test_what_is_kept_for_a_reason_was_wanted_for_it(
    looks: list[tuple[float, bool, bool]], start: float, length: float
) -> None:
    """Given any looks, then a span that is kept for an event is wanted by events, and one for motion by motion."""
    by_mode = {mode: wishes(mode) for mode in RecordMode}
    for at, moved, tracked in looks:
        for asked in by_mode.values():
            asked.note(Look(at, moved=moved, is_tracked=tracked))
    reason = by_mode[RecordMode.CONTINUOUS].kept_for(start, start + length)
    assert by_mode[RecordMode.EVENTS].wants(start, start + length) is (reason is KeptFor.EVENT)
    assert by_mode[RecordMode.MOTION].wants(start, start + length) is (reason is not KeptFor.CONTINUOUS)
