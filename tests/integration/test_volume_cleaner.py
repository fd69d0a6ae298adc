"""Retention on a real volume with a real index: what goes for its age and for room, what never does, and in trouble."""

import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from camera_ctrler.recordings.index import ARCHIVE, VOLUME, IndexedSegment
from camera_ctrler.recordings.retention import Condition, Limits, Reason, Wanted
from camera_ctrler.recordings.volume_guard import HELPLESS_SECONDS
from contract.recording_paths import HOUR_MS, segment_path
from tests.support.segment_index import EIGHT_MS
from tests.support.stored_footage import EVENT, MOTION, StoredFootage, key_of

DAY_MS = 24 * HOUR_MS
KB = 1_000
#: All that there is and more.
EVERYTHING = 2**60


@contextmanager
def kept_from_being_deleted(file: Path) -> Iterator[None]:
    """Make a file immutable; skips where that cannot be done."""
    done = subprocess.run(["chattr", "+i", str(file)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a file cannot be made immutable here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(file)], check=True)


# --- age -------------------------------------------------------------------------------------------------------------


def test_footage_goes_when_its_reason_has_passed_and_its_rows_with_it(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given a file of each reason, and an event with a person, each goes in its time, file and row."""
    stored = make_footage(keep="continuous=1d,motion=2d,event=3d,person=9d")
    stored.record(EIGHT_MS)
    stored.record(EIGHT_MS + 10_000, MOTION)
    stored.record(EIGHT_MS + 20_000, EVENT)
    person = stored.record(EIGHT_MS + 30_000, EVENT, seen={"person": 2})
    stored.clock.advance(60)  # a day and a minute after the first began
    for days, left in ((0, 3), (1, 2), (2, 1), (8, 0)):
        stored.clock.advance((days + 1) * DAY_MS / 1000 - (stored.clock.now_ms() - EIGHT_MS) / 1000 + 60)
        stored.expire()
        assert (
            stored.files()
            == stored.rows()
            == [EIGHT_MS, EIGHT_MS + 10_000, EIGHT_MS + 20_000, person.start_ms][4 - left :]
        )
    assert stored.cleaner.deleted.bytes == {Reason.AGE: 4_000}
    assert stored.cleaner.deleted.seconds == {Reason.AGE: 40}
    assert list(stored.store.root.iterdir()) == []  # folders that are empty go, too


def test_frames_go_by_their_own_age_but_not_within_evidence(make_footage: Callable[..., StoredFootage]) -> None:
    """Given frames in and around footage of an event, those within it stay until that footage goes."""
    stored = make_footage(keep="event=30d", frames_hours=2)
    stored.record(EIGHT_MS + 10_000, EVENT)
    stored.record(EIGHT_MS + 20_000, MOTION)
    for second in range(0, 40, 5):
        stored.save(EIGHT_MS + second * 1_000)
    stored.expire()
    assert stored.saved() == [EIGHT_MS + 10_000, EIGHT_MS + 15_000]
    stored.clock.advance(30 * DAY_MS / 1000)
    stored.expire()
    assert stored.saved() == []


def test_hours_of_frames_that_ended_too_long_ago_are_deleted_with_what_was_never_finished(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given five hours and a limit of two, when the fifth is running, the first two go, a file half written too."""
    stored = make_footage(frames_hours=2)
    stored.clock.advance((4 * HOUR_MS + 10 - DAY_MS) / 1000)
    for hour in range(5):
        stored.save(EIGHT_MS + hour * HOUR_MS + 59)
    part = stored.frames.root / Path(stored.save(EIGHT_MS + 60)).with_name(".9.jpg.17.18.part")
    part.write_bytes(b"x")
    stored.expire()
    assert stored.saved() == [EIGHT_MS + hour * HOUR_MS + 59 for hour in (2, 3, 4)]
    assert not part.parent.exists()


def test_no_age_keeps_frames_for_ever(make_footage: Callable[..., StoredFootage]) -> None:
    """Given no limit of age, nothing is deleted after ten years."""
    stored = make_footage(frames_hours=0)
    stored.save(EIGHT_MS)
    stored.clock.advance(10 * 365 * 86_400)
    stored.expire()
    assert stored.saved() == [EIGHT_MS]


def test_a_file_that_nobody_knows_goes_when_everything_would_have_gone(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given a file that the index does not know, it is kept for the longest of all ages."""
    stored = make_footage(keep="continuous=3d,motion=3d,event=3d,person=9d")
    stored.put(EIGHT_MS)
    stored.clock.advance(7 * 86_400)
    stored.expire()
    assert stored.files() == [EIGHT_MS]
    stored.clock.advance(2 * 86_400)
    stored.expire()
    assert stored.files() == []


def test_crops_go_by_an_age_of_their_own_and_leave_nothing_behind(make_footage: Callable[..., StoredFootage]) -> None:
    """Given crops for three days and frames for two hours, each goes in its time, with what was never finished."""
    stored = make_footage(frames_hours=2, crops="3d")
    path = stored.crop(EIGHT_MS)
    (stored.crops.root / path).with_name(".9-1-1.jpg.17.18.part").write_bytes(b"half")
    stored.save(EIGHT_MS)
    stored.crop(EIGHT_MS + DAY_MS)
    stored.expire()
    assert (stored.saved(), stored.cropped()) == ([], [EIGHT_MS, EIGHT_MS + DAY_MS])
    stored.clock.advance(2 * 86_400 + 3_600 - 1)
    stored.expire()
    assert stored.cropped() == [EIGHT_MS, EIGHT_MS + DAY_MS]
    stored.clock.advance(1)
    stored.expire()
    assert stored.cropped() == [EIGHT_MS + DAY_MS]
    assert not (stored.crops.root / path).parent.exists()
    assert stored.cleaner.deleted.bytes == {Reason.AGE: 200}


def test_crops_of_a_database_that_is_away_go_by_their_age_as_well(make_footage: Callable[..., StoredFootage]) -> None:
    """Given an index that nobody was ever asked for, crops are nobody's evidence, and go when their time has come."""
    stored = make_footage(crops="12h")
    stored.crop(EIGHT_MS)
    assert stored.cleaner.expire(60)
    assert stored.cropped() == []


# --- room ------------------------------------------------------------------------------------------------------------


def test_the_oldest_goes_first_across_footage_and_frames_then_motion_and_evidence_never(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given all kinds over two cameras, room is made in the order of time, motion last, evidence and newest not."""
    stored = make_footage()
    now_ms = stored.clock.now_ms()
    for number, second in enumerate(range(0, 60, 10)):
        stored.record(EIGHT_MS + second * 1_000, camera="ab"[number % 2])
        stored.save(EIGHT_MS + second * 1_000 + 1, camera="ab"[number % 2])
    stored.record(EIGHT_MS - 10_000, MOTION)
    evidence = stored.record(EIGHT_MS - 20_000, EVENT)
    newest = stored.record(now_ms - 30_000)
    stored.save(now_ms - 30_000)
    assert stored.cleaner.make_room(Wanted(volume=3_300), EVERYTHING)
    assert stored.files()[2:] == [EIGHT_MS + 30_000, EIGHT_MS + 40_000, EIGHT_MS + 50_000, newest.start_ms]
    assert stored.saved()[0] == EIGHT_MS + 30_001
    want = Wanted(volume=EVERYTHING)
    assert stored.cleaner.make_room(want, EVERYTHING)
    assert want.any
    assert stored.files() == [evidence.start_ms, newest.start_ms]
    assert stored.saved() == [newest.start_ms]
    assert stored.rows("a") == [evidence.start_ms, newest.start_ms]


def test_crops_make_room_after_frames_and_continuous_footage_oldest_first(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given crops older than all else, frames and continuous footage go before them, motion with them, events never."""
    stored = make_footage(frames_hours=100)
    evidence = stored.record(EIGHT_MS - 20_000, EVENT)
    for second in range(3):
        stored.crop(EIGHT_MS + second * 1_000, size=1_000)
    motion = stored.record(EIGHT_MS + 1_500, MOTION)
    stored.record(EIGHT_MS + 30_000)
    stored.save(EIGHT_MS + 60_000, size=1_000)
    stored.crop(stored.clock.now_ms() - 30_000)
    assert stored.cleaner.make_room(Wanted(volume=2_000), EVERYTHING)
    assert (stored.files(), stored.saved()) == ([evidence.start_ms, motion.start_ms], [])
    assert stored.cropped()[:3] == [EIGHT_MS, EIGHT_MS + 1_000, EIGHT_MS + 2_000]
    assert stored.cleaner.make_room(Wanted(volume=3_000), EVERYTHING)
    assert stored.files() == [evidence.start_ms]
    assert stored.cropped()[0] == EIGHT_MS + 2_000
    want = Wanted(volume=EVERYTHING)
    assert stored.cleaner.make_room(want, EVERYTHING)
    assert want.any
    assert (stored.cropped(), stored.files()) == ([stored.clock.now_ms() - 30_000], [evidence.start_ms])


def test_a_limit_of_bytes_takes_footage_only_and_a_cameras_own_only_from_that_camera(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given 10 kB of footage, limits of 7 kB and of 3 kB a camera, then each keeps its newest, and frames stay."""
    stored = make_footage(limits=Limits(max_bytes=7_000, camera_max_bytes=3_000))
    for number in range(6):
        stored.record(EIGHT_MS + number * 10_000, camera="a")
    for number in range(4):
        stored.record(EIGHT_MS + HOUR_MS + number * 10_000, camera="b")
    stored.save(EIGHT_MS - HOUR_MS)
    stored.guard.look()
    assert stored.files("a") == [EIGHT_MS + number * 10_000 for number in (3, 4, 5)]
    assert stored.files("b") == [EIGHT_MS + HOUR_MS + number * 10_000 for number in (1, 2, 3)]
    assert stored.saved() == [EIGHT_MS - HOUR_MS]
    assert stored.cleaner.deleted.bytes == {Reason.CAMERA_MAX_BYTES: 4_000}


def test_the_floor_holds_on_a_real_volume_and_the_guard_says_when_only_evidence_is_left(
    make_footage: Callable[..., StoredFootage], megabyte_volume: Path
) -> None:
    """Given 1 MB with continuous footage and evidence, room is made from the first; then the second is named."""
    stored = make_footage(megabyte_volume, floor_bytes=400 * KB)
    for number in range(20):
        stored.record(EIGHT_MS + number * 10_000, EVENT if number % 2 else MOTION, size=40 * KB)
    stored.known.survey()
    assert stored.look() is None
    assert stored.store.free_bytes() >= 400 * KB
    assert [start for start in stored.files() if (start - EIGHT_MS) // 10_000 % 2] == [
        EIGHT_MS + number * 10_000 for number in range(1, 20, 2)
    ]
    for number in range(9):
        stored.record(EIGHT_MS + HOUR_MS + number * 10_000, EVENT, size=40 * KB)
    found = stored.index.find("a", 0, EVERYTHING)
    evidence = [each.segment.start_ms for each in found if each.segment.kept_for is EVENT]
    stored.known.survey()
    assert stored.look() is Condition.EVIDENCE_FILLS_THE_VOLUME
    assert stored.files() == evidence
    shutil.rmtree(megabyte_volume / "a")
    assert stored.look() is None


def test_a_volume_that_cannot_hold_the_newest_minute_is_named(
    make_footage: Callable[..., StoredFootage], megabyte_volume: Path
) -> None:
    """Given a floor above what the newest minute leaves free, nothing of it goes, and the condition says why."""
    stored = make_footage(megabyte_volume, floor_bytes=900 * KB)
    starts = [stored.record(stored.clock.now_ms() - age * 1_000, size=50 * KB).start_ms for age in (65, 45, 30, 15)]
    stored.known.survey()
    assert stored.look() is Condition.VOLUME_TOO_SMALL
    assert stored.files() == starts
    stored.guard.rate.bytes_per_second = 1e9
    assert stored.guard.look() == HELPLESS_SECONDS


def test_the_guard_knows_how_fast_the_volume_fills_while_it_deletes(
    make_footage: Callable[..., StoredFootage], megabyte_volume: Path
) -> None:
    """Given 80 kB written in a second in which 80 kB were deleted, the guard reckons with 80 kB a second."""
    stored = make_footage(megabyte_volume, floor_bytes=500 * KB)
    for number in range(12):
        stored.record(EIGHT_MS + number * 10_000, size=40 * KB)
    stored.guard.look()
    before = stored.store.free_bytes()
    for number in (12, 13):
        stored.record(EIGHT_MS + number * 10_000, size=40 * KB)
    stored.clock.advance(1)
    stored.guard.look()
    assert stored.store.free_bytes() >= before
    stored.clock.advance(1)
    for number in (14, 15):
        stored.record(EIGHT_MS + number * 10_000, size=40 * KB)
    stored.guard.look()
    assert 75 * KB < stored.guard.rate.bytes_per_second < 90 * KB


def test_no_floor_deletes_nothing_for_want_of_room(
    make_footage: Callable[..., StoredFootage], megabyte_volume: Path
) -> None:
    """Given a floor of 0 and a volume that is nearly full, nothing goes."""
    stored = make_footage(megabyte_volume)
    starts = [stored.record(EIGHT_MS + number * 10_000, size=90 * KB).start_ms for number in range(10)]
    stored.guard.look()
    assert stored.files() == starts


def test_a_volume_that_is_gone_is_named_and_looked_at_again(
    tmp_path: Path, make_footage: Callable[..., StoredFootage]
) -> None:
    """Given a frames folder that is a file, the guard says so and goes on; put right, it is quiet again."""
    root = tmp_path / "gone"
    root.write_bytes(b"")
    stored = make_footage(root, floor_bytes=1)
    assert stored.guard.look() > 0
    assert stored.guard.condition is Condition.VOLUME_FAILS
    root.unlink()
    assert stored.look() is None


# --- interrupted, two at once, with files that cannot be deleted ---------------------------------------------------


def test_a_row_without_a_file_is_removed_by_the_next_pass(make_footage: Callable[..., StoredFootage]) -> None:
    """Given files that went without their rows (a crash), in an hour with others and in one without, rows follow."""
    stored = make_footage(keep="continuous=3d,motion=3d")
    gone = [stored.record(EIGHT_MS), stored.record(EIGHT_MS - HOUR_MS)]
    left = stored.record(EIGHT_MS + 10_000)
    for each in gone:
        stored.store.delete(segment_path("a", each.start_ms, each.epoch))
    stored.expire()
    stored.cleaner.make_room(Wanted(volume=1), EVERYTHING)
    assert stored.rows() == []
    assert stored.files() == []
    assert left.start_ms == EIGHT_MS + 10_000


def test_rows_stay_when_all_files_are_gone_for_then_the_volume_is_not_mounted(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given an index of two hundred files and an empty volume, no row is removed."""
    stored = make_footage()
    for number in range(200):
        stored.index.add([stored.put(EIGHT_MS + number * 10_000)])
    shutil.move(stored.store.root / "a", stored.store.root.parent / "elsewhere")
    stored.expire()
    stored.put(stored.clock.now_ms() - 10_000)  # a worker writes into the empty mount point
    stored.expire()
    stored.cleaner.make_room(Wanted(volume=EVERYTHING), EVERYTHING)
    assert len(stored.rows()) == 200


def test_rows_stay_while_the_volume_is_empty(make_footage: Callable[..., StoredFootage]) -> None:
    """Given an index of a few files and a volume without any, no row is removed: it may not be mounted."""
    stored = make_footage()
    for number in range(3):
        stored.index.add([stored.put(EIGHT_MS + number * 10_000)])
    shutil.move(stored.store.root / "a", stored.store.root.parent / "elsewhere")
    stored.expire()
    assert len(stored.rows()) == 3


def test_what_becomes_evidence_between_two_passes_stays(make_footage: Callable[..., StoredFootage]) -> None:
    """Given footage of this hour that was next to go, when its worker says that it is evidence, it does not go."""
    stored = make_footage()
    start_ms = stored.clock.now_ms() - 600_000
    files = [stored.record(start_ms + number * 10_000) for number in range(4)]
    stored.cleaner.make_room(Wanted(volume=1_000), EVERYTHING)
    stored.index.add([files[1].model_copy(update={"kept_for": EVENT})])
    stored.cleaner.make_room(Wanted(volume=EVERYTHING), EVERYTHING)
    assert stored.files() == stored.rows() == [files[1].start_ms]


def test_a_file_that_is_written_by_a_worker_whose_clock_is_behind_stays(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given a file that is a day old by its name and by the index, and was written to just now, it does not go."""
    stored = make_footage(keep="continuous=1h")
    made = stored.record(EIGHT_MS)
    now_ns = (stored.clock.now_ms() - 30_000) * 1_000_000
    os.utime(stored.store.file(segment_path("a", made.start_ms, 1)), ns=(now_ns, now_ns))
    stored.cleaner.make_room(Wanted(volume=EVERYTHING), EVERYTHING)
    stored.expire()
    assert stored.files() == [EIGHT_MS]
    stored.clock.advance(60)
    stored.cleaner.make_room(Wanted(volume=EVERYTHING), EVERYTHING)
    assert stored.files() == []


def test_two_cleaners_on_one_volume_do_no_harm(make_footage: Callable[..., StoredFootage]) -> None:
    """Given two managers that both clean, what must go goes once, the rest stays, and neither fails."""
    one, two = make_footage(), make_footage()
    for number in range(300):
        one.record(EIGHT_MS + number * 10_000)
    failures: list[BaseException] = []

    def clean(stored: StoredFootage) -> None:
        try:
            stored.cleaner.make_room(Wanted(volume=200_000), EVERYTHING)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=clean, args=(stored,)) for stored in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    left = one.files()
    assert left == one.rows() == [EIGHT_MS + number * 10_000 for number in range(300 - len(left), 300)]
    freed = sum(stored.cleaner.deleted.bytes.total() for stored in (one, two))
    assert freed == 1_000 * (300 - len(left)) >= 200_000


def test_a_file_that_cannot_be_deleted_does_not_keep_the_younger_ones(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given an oldest file that cannot be deleted, room is made by the next ones, for their age as for room."""
    stored = make_footage(keep="continuous=3d")
    for number in range(4):
        stored.record(EIGHT_MS + number * 10_000)
    stored.save(EIGHT_MS)
    with kept_from_being_deleted(stored.store.file(segment_path("a", EIGHT_MS, 1))):
        stored.cleaner.make_room(Wanted(volume=2_000), EVERYTHING)
        stored.clock.advance(60)  # what was to go next is looked for anew
        stored.cleaner.make_room(Wanted(volume=1_000), EVERYTHING)
        assert stored.files() == [EIGHT_MS, EIGHT_MS + 30_000]
        stored.clock.advance(7 * 86_400)
        stored.expire()
        assert stored.files() == stored.rows() == [EIGHT_MS]
    stored.clock.advance(600)
    stored.expire()
    assert stored.files() == stored.rows() == []


def test_footage_on_its_way_into_the_archive_is_left_alone(make_footage: Callable[..., StoredFootage]) -> None:
    """Given files that are being copied, room is made by others."""
    stored = make_footage()
    moving, other = stored.record(EIGHT_MS), stored.record(EIGHT_MS + 10_000)
    with stored.cleaner.left_alone([IndexedSegment(moving, 0).path]):
        stored.cleaner.make_room(Wanted(volume=EVERYTHING), EVERYTHING)
    assert stored.files() == stored.rows() == [moving.start_ms]
    assert other.start_ms not in stored.files()


def test_what_was_archived_since_it_was_listed_stays_in_the_index(make_footage: Callable[..., StoredFootage]) -> None:
    """Given files that go into the archive between two looks, when room is made again, then their rows stay."""
    stored = make_footage()
    made = [stored.record(EIGHT_MS + number * 10_000) for number in range(4)]
    assert stored.cleaner.make_room(Wanted(volume=500), EVERYTHING)
    archived = [key_of(each) for each in made[1:3]]
    with stored.cleaner.left_alone(IndexedSegment(each, VOLUME).path for each in made[1:3]):
        stored.index.moved(archived, ARCHIVE)
        stored.cleaner.delete_moved(IndexedSegment(each, ARCHIVE) for each in made[1:3])
    assert stored.cleaner.make_room(Wanted(volume=500), EVERYTHING)
    assert stored.files() == [made[3].start_ms]
    found = stored.index.find("a", EIGHT_MS, EIGHT_MS + HOUR_MS)
    assert [each.key for each in found if each.tier == ARCHIVE] == archived


def test_room_for_all_is_made_by_the_oldest_though_one_camera_had_to_make_room_before(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given a look that came past a camera's files for another's, then the next one begins with the oldest again."""
    stored = make_footage()
    first = [stored.record(EIGHT_MS + number * 10_000, camera="b") for number in range(3)]
    stored.record(EIGHT_MS + 30_000, camera="a")
    stored.record(EIGHT_MS + 40_000, camera="b")
    stored.cleaner.make_room(Wanted(volume=1, cameras={"a": 1}), EVERYTHING)
    assert (stored.files("a"), len(stored.files("b"))) == ([], 3)
    stored.cleaner.make_room(Wanted(volume=1), EVERYTHING)
    assert stored.files("b") == [first[2].start_ms, EIGHT_MS + 40_000]


def test_a_full_volume_refuses_writers_where_nobody_cleans(
    megabyte_volume: Path, make_footage: Callable[..., StoredFootage]
) -> None:
    """Given nobody who looks, a writer does meet a full volume: what the other tests see comes from the guard."""
    stored = make_footage(megabyte_volume)
    room = stored.store.free_bytes() // (40 * KB)
    for number in range(room - 1):
        stored.put(EIGHT_MS + number * 10_000, size=40 * KB)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        stored.put(EIGHT_MS - 10_000, size=80 * KB)


def test_older_files_that_somebody_puts_on_the_volume_are_found_before_long(
    make_footage: Callable[..., StoredFootage],
) -> None:
    """Given a volume that was listed, new hours are seen at once, and older ones that come later within minutes."""
    stored = make_footage()
    stored.put(EIGHT_MS + HOUR_MS)
    stored.cleaner.make_room(Wanted(volume=EVERYTHING), EVERYTHING)
    recent = stored.put(stored.clock.now_ms() - 100_000)
    stored.put(EIGHT_MS)
    stored.cleaner.make_room(Wanted(volume=EVERYTHING), EVERYTHING)
    assert recent.start_ms not in stored.files()
    stored.clock.advance(60)
    stored.cleaner.make_room(Wanted(volume=EVERYTHING), EVERYTHING)
    assert stored.files() == []
