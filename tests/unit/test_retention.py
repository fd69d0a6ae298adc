"""What goes and in which order: ages by reason and class, room without evidence, the newest minute, least first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.recordings.retention import (
    GOES_FOR_ROOM,
    NEWEST_MS,
    Doomed,
    EvidenceSpans,
    Limits,
    Reason,
    VolumeFile,
    Wanted,
    expired,
    first_expiry_ms,
    make_room,
    wanted,
)
from contract.recording_paths import HOUR_MS, segment_path
from contract.recordings import KeptFor, Segment
from contract.retention import DEFAULT_AGES_MS, FOREVER_MS, KeepRules, RetentionError, parse_age

NOW_MS = 1_700_000_000_000
DAY_MS = 24 * HOUR_MS


def segment(start_ms: int, kept_for: KeptFor = KeptFor.EVENT, **fields: object) -> Segment:
    """Return ten seconds of footage."""
    values = {"camera_id": "a", "end_ms": start_ms + 10_000, "epoch": 1, "size_bytes": 100, "codec": "h264"}
    return Segment.model_validate(values | {"start_ms": start_ms, "kept_for": kept_for} | fields)


# --- rules -----------------------------------------------------------------------------------------------------------


def test_rules_are_read_as_people_write_them() -> None:
    """Given reasons and a class, each has its age; spaces and a comma at the end do no harm."""
    rules = KeepRules.parse(" continuous=12h, motion=2.5d,event=30d,person=60d,")
    assert rules.ages_ms == {
        KeptFor.CONTINUOUS: 12 * HOUR_MS,
        KeptFor.MOTION: 60 * HOUR_MS,
        KeptFor.EVENT: 30 * DAY_MS,
    }
    assert rules.labels_ms == {"person": 60 * DAY_MS}
    assert (min(rules.ages_ms.values()), rules.longest_ms) == (12 * HOUR_MS, 60 * DAY_MS)


def test_a_reason_that_is_not_named_has_its_default_or_what_a_worse_one_has() -> None:
    """Given only continuous footage for ten days, motion is kept for as long, and events for their thirty days."""
    assert KeepRules.parse("").ages_ms == DEFAULT_AGES_MS
    assert KeepRules.parse("continuous=10d").ages_ms == {
        KeptFor.CONTINUOUS: 10 * DAY_MS,
        KeptFor.MOTION: 10 * DAY_MS,
        KeptFor.EVENT: 30 * DAY_MS,
    }


def test_a_class_rule_applies_to_events_with_that_class_and_the_longest_wins() -> None:
    """Given rules for two classes, an event with both is kept for the longer; footage of motion has its own age."""
    rules = KeepRules.parse("event=30d,person=60d,car=10d,boat=forever")
    assert rules.age_ms(KeptFor.EVENT) == 30 * DAY_MS
    assert rules.age_ms(KeptFor.EVENT, ["car"]) == 30 * DAY_MS
    assert rules.age_ms(KeptFor.EVENT, ["car", "person"]) == 60 * DAY_MS
    assert rules.age_ms(KeptFor.EVENT, ["boat", "person"]) == FOREVER_MS
    assert rules.age_ms(KeptFor.MOTION, ["person"]) == DEFAULT_AGES_MS[KeptFor.MOTION]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("continuous", "'continuous' is not a rule"),
        ("=3d", "'=3d' is not a rule"),
        ("motion=", "motion: '' is not an age"),
        ("motion=3", "motion: '3' is not an age; write hours as 12h, days as 3d"),
        ("motion=3w", "motion: '3w' is not an age"),
        ("motion=-3d", "motion: '-3d' is not an age"),
        ("motion=0d", "motion: '0d' keeps nothing"),
        ("person=1d,person=2d", "'person' has two ages"),
        ("motion=7d,event=1d", "event must not be kept for a shorter time than motion"),
        ("motion=1h", "motion must not be kept for a shorter time than continuous (which has its default)"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named_with_what_would_do(text: str, said: str) -> None:
    """Given a part that makes no sense, the error names it."""
    with pytest.raises(RetentionError) as caught:
        KeepRules.parse(text)
    assert said in str(caught.value)


def test_ages_are_hours_days_or_forever() -> None:
    """Given the three ways to write an age, each means what it says."""
    assert [parse_age(text) for text in ("12h", " 2d", "0.5h", "forever")] == [
        12 * HOUR_MS,
        2 * DAY_MS,
        HOUR_MS // 2,
        FOREVER_MS,
    ]


# --- age -------------------------------------------------------------------------------------------------------------


def stored(
    start_ms: int, size_bytes: int = 100, kept_for: KeptFor = KeptFor.CONTINUOUS, camera_id: str = "a", **fields: int
) -> VolumeFile:
    """Return ten seconds of footage as it lies on the volume."""
    end_ms = fields.pop("end_ms", start_ms + 10_000)
    expires_ms = fields.pop("expires_ms", FOREVER_MS)
    path = segment_path(camera_id, start_ms, 1)
    assert not fields
    return VolumeFile(camera_id, start_ms, end_ms, size_bytes, kept_for, expires_ms, path, 1)


def test_what_was_kept_for_long_enough_goes() -> None:
    """Given files that expire before, now and later, the first two go for their age."""
    files = [stored(NOW_MS - DAY_MS + n, expires_ms=NOW_MS + n) for n in (-1, 0, 1)]
    assert list(expired(files, NOW_MS)) == [Doomed(files[0], Reason.AGE), Doomed(files[1], Reason.AGE)]


def test_a_file_that_was_written_to_a_moment_ago_does_not_expire() -> None:
    """Given a file that looks old by its name and is being written (a clock is wrong), it stays."""
    assert list(expired([stored(NOW_MS - DAY_MS, end_ms=NOW_MS - 59_000, expires_ms=1)], NOW_MS)) == []


def test_an_hour_is_looked_at_when_the_first_of_its_reasons_has_passed() -> None:
    """Given what an hour holds, its first expiry follows; of an hour that nobody knows everything must have passed."""
    rules = KeepRules.parse("continuous=1d,motion=2d,event=3d,person=9d")
    assert first_expiry_ms(NOW_MS, [KeptFor.MOTION, KeptFor.EVENT], rules) == NOW_MS + 2 * DAY_MS
    assert first_expiry_ms(NOW_MS, [], rules) == NOW_MS + HOUR_MS + 9 * DAY_MS


# --- room ------------------------------------------------------------------------------------------------------------


def test_what_is_wanted_follows_from_free_bytes_and_limits() -> None:
    """Given a volume 50 bytes short, 300 bytes of footage where 250 may be and a camera 20 over, all is asked for."""
    found = wanted(50, {"a": 120, "b": 100, "c": 80}, Limits(max_bytes=250, camera_max_bytes=100))
    assert found == Wanted(50, 50, {"a": 20})
    assert not wanted(-1, {"a": 120}, Limits()).any


def test_one_file_counts_for_everything_that_it_helps() -> None:
    """Given a camera over its limit and the farm over its own, the camera's oldest file makes room for both."""
    files = [stored(NOW_MS - 900_000, camera_id="b"), stored(NOW_MS - 800_000), stored(NOW_MS - 700_000)]
    want = Wanted(footage=150, cameras={"a": 50})
    found = list(make_room(files, want, KeptFor.CONTINUOUS, NOW_MS))
    assert found == [Doomed(files[0], Reason.MAX_BYTES), Doomed(files[1], Reason.CAMERA_MAX_BYTES)]
    assert not want.any


def test_frames_make_room_on_the_volume_and_not_within_the_limits_of_footage() -> None:
    """Given a frame, it goes when the volume is short, and stays when only footage takes too much."""
    frame = VolumeFile("a", NOW_MS - DAY_MS, NOW_MS - DAY_MS, 5, KeptFor.CONTINUOUS, FOREVER_MS, "a/x.jpg")
    assert list(make_room([frame], Wanted(footage=9, cameras={"a": 9}), KeptFor.CONTINUOUS, NOW_MS)) == []
    assert list(make_room([frame], Wanted(volume=9), KeptFor.CONTINUOUS, NOW_MS)) == [Doomed(frame, Reason.SPACE)]


def test_footage_of_events_cannot_be_asked_to_make_room() -> None:
    """Given evidence, asking for it to go is refused."""
    with pytest.raises(ValueError, match="event does not go"):
        list(make_room([], Wanted(volume=1), KeptFor.EVENT, NOW_MS))


FILES = st.lists(
    st.builds(
        stored,
        start_ms=st.integers(NOW_MS - 10 * NEWEST_MS, NOW_MS + NEWEST_MS),
        size_bytes=st.integers(1, 1_000),
        kept_for=st.sampled_from(KeptFor),
        camera_id=st.sampled_from("abc"),
    ),
    max_size=40,
)
WANTED = st.builds(
    Wanted,
    volume=st.integers(0, 9_000),
    footage=st.integers(0, 9_000),
    cameras=st.dictionaries(st.sampled_from("abc"), st.integers(1, 9_000)),
)


def all_that_goes(files: list[VolumeFile], want: Wanted) -> list[Doomed]:
    """Return what goes of the files, one reason to keep them after the other, as the cleaner does."""
    oldest_first = sorted(files, key=lambda file: file.start_ms)
    return [each for kept_for in GOES_FOR_ROOM for each in make_room(oldest_first, want, kept_for, NOW_MS)]


@given(FILES, WANTED)
def test_evidence_and_the_newest_minute_never_make_room(files: list[VolumeFile], want: Wanted) -> None:
    """Given any files and any need, neither footage of events goes nor anything that ended within a minute."""
    for each in all_that_goes(files, want):
        assert each.file.kept_for is not KeptFor.EVENT
        assert each.file.end_ms <= NOW_MS - NEWEST_MS


@given(FILES, st.integers(1, 20_000))
def test_the_oldest_of_the_least_wanted_goes_and_no_more_than_needed(files: list[VolumeFile], missing: int) -> None:
    """Given a need, what goes is a beginning of the order (reason, age), and without its last file not enough."""
    gone = [each.file for each in all_that_goes(files, Wanted(volume=missing))]
    order = sorted(
        (f for f in files if f.kept_for is not KeptFor.EVENT and f.end_ms <= NOW_MS - NEWEST_MS),
        key=lambda file: (file.kept_for.rank, file.start_ms),
    )
    assert gone == order[: len(gone)]
    freed = sum(file.size_bytes for file in gone)
    assert freed >= missing or len(gone) == len(order)
    assert sum(file.size_bytes for file in gone[:-1]) < missing


@given(FILES, WANTED)
def test_a_camera_within_its_limit_pays_only_for_needs_of_all(files: list[VolumeFile], want: Wanted) -> None:
    """Given needs of single cameras only, no other camera loses anything, and none loses a file too many."""
    only = Wanted(cameras=dict(want.cameras))
    gone = [each.file for each in all_that_goes(files, only)]
    for camera_id in "abc":
        sizes = [file.size_bytes for file in gone if file.camera_id == camera_id]
        assert sum(sizes[:-1]) < max(1, want.cameras.get(camera_id, 0))
        assert sizes == [] or camera_id in want.cameras


# --- frames in evidence ----------------------------------------------------------------------------------------------


def test_a_frame_is_evidence_as_long_as_the_footage_around_it() -> None:
    """Given footage of an event and of motion, frames within the former are kept until it goes, others are not."""
    rules = KeepRules.parse("event=30d,person=60d")
    spans = EvidenceSpans(
        [
            segment(NOW_MS, seen={"person": 1}),
            segment(NOW_MS + 10_000),
            segment(NOW_MS + 20_000, KeptFor.MOTION),
        ],
        rules,
    )
    assert spans.kept_until_ms(NOW_MS - 1) == 0
    assert spans.kept_until_ms(NOW_MS) == NOW_MS + 10_000 + 60 * DAY_MS
    assert spans.kept_until_ms(NOW_MS + 19_999) == NOW_MS + 20_000 + 30 * DAY_MS
    assert spans.kept_until_ms(NOW_MS + 20_000) == 0


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30), st.sampled_from(KeptFor)), max_size=12))
def test_a_frame_inside_any_footage_of_an_event_is_evidence(found: list[tuple[int, int, KeptFor]]) -> None:
    """Given files of two workers that overlap anyhow, a time is evidence just where one of them is, and long enough."""
    rules = KeepRules.parse("event=30d")
    files = [
        segment(NOW_MS + start, kept_for, end_ms=NOW_MS + start + length, epoch=number + 1)
        for number, (start, length, kept_for) in enumerate(found)
    ]
    spans = EvidenceSpans(files, rules)
    for at_ms in range(NOW_MS, NOW_MS + 91):
        until = [rules.expires_ms(f) for f in files if f.kept_for is KeptFor.EVENT and f.start_ms <= at_ms < f.end_ms]
        assert (spans.kept_until_ms(at_ms) > 0) == bool(until)
        assert spans.kept_until_ms(at_ms) >= max(until, default=0)
