"""Making room on the frames volume while the index is away, empty or hangs."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from camera_ctrler.recordings.index import IndexedSegment, SegmentIndex
from camera_ctrler.recordings.known_footage import IndexSilentError
from camera_ctrler.recordings.retention import Wanted
from contract.recording_paths import HOUR_MS
from tests.support.clocks import SetClock
from tests.support.segment_index import EIGHT_MS
from tests.support.stored_footage import EVENT, StoredFootage

DAY_MS = 24 * HOUR_MS
KB = 1_000
#: All that there is and more.
EVERYTHING = 2**60


def break_index(index: SegmentIndex) -> None:
    """Make every question to the database fail."""
    with index._engine.begin() as connection:
        connection.execute(text("ALTER TABLE segments RENAME TO away"))
        connection.execute(text("ALTER TABLE segment_hours RENAME TO hours_away"))


def mend_index(index: SegmentIndex) -> None:
    """Undo `break_index`."""
    with index._engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO segments"))
        connection.execute(text("ALTER TABLE hours_away RENAME TO segment_hours"))


def test_an_index_that_knows_nothing_does_not_let_the_volume_fill(
    make_footage: Callable[..., StoredFootage], megabyte_volume: Path
) -> None:
    """Given an empty index, the oldest files go all the same, and the newest stay."""
    stored = make_footage(megabyte_volume, floor_bytes=500 * KB)
    for number in range(20):
        stored.put(EIGHT_MS + number * 10_000, size=40 * KB)
    stored.known.survey()
    stored.guard.look()
    assert stored.store.free_bytes() >= 500 * KB
    left = stored.files()
    assert left == [EIGHT_MS + number * 10_000 for number in range(20 - len(left), 20)]
    assert len(left) >= 9


def test_without_the_database_room_is_made_and_what_was_known_as_evidence_stays(
    make_footage: Callable[..., StoredFootage], megabyte_volume: Path
) -> None:
    """Given an index that was asked once and is away then, the volume does not fill, and no evidence goes."""
    stored = make_footage(megabyte_volume, floor_bytes=500 * KB)
    evidence = [stored.record(EIGHT_MS + n * 10_000, EVENT, size=40 * KB).start_ms for n in range(3)]
    for number in range(3, 18):
        stored.record(EIGHT_MS + number * 10_000, size=40 * KB)
    frame = stored.save(EIGHT_MS + 5_000)
    stored.known.survey()
    break_index(stored.index)
    stored.guard.look()
    assert stored.store.free_bytes() >= 500 * KB
    assert stored.known.is_away
    assert stored.files()[:3] == evidence
    assert (stored.frames.root / frame).exists()
    mend_index(stored.index)
    stored.clock.advance(60)
    stored.expire()
    stored.cleaner.make_room(Wanted(volume=1), EVERYTHING)
    assert stored.rows() == stored.files()


def test_hours_with_evidence_that_nobody_remembers_stay_whole_without_the_database(
    make_footage: Callable[..., StoredFootage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given too much evidence to remember, an hour that has some stays; one that has none goes."""
    monkeypatch.setattr("camera_ctrler.recordings.known_footage.REMEMBERED_FILES", 0)
    stored = make_footage()
    stored.record(EIGHT_MS, EVENT)
    stored.record(EIGHT_MS + 10_000)
    stored.record(EIGHT_MS + HOUR_MS)
    stored.known.survey()
    break_index(stored.index)
    stored.cleaner.make_room(Wanted(volume=EVERYTHING), EVERYTHING)
    assert stored.files() == [EIGHT_MS, EIGHT_MS + 10_000]


class HangingIndex(SegmentIndex):
    """An index whose database hangs when it is asked for files."""

    answers = True
    asked = 0

    def find(self, camera_id: str, from_ms: int, to_ms: int, *, limit: int | None = None) -> list[IndexedSegment]:
        """Answer, or hang until the test is over."""
        self.asked += 1
        if not self.answers:
            threading.Event().wait(10)
        return super().find(camera_id, from_ms, to_ms, limit=limit)


def test_a_database_that_hangs_is_waited_for_once(
    tmp_path: Path, sqlite_index: SegmentIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a database that answers nothing, room is made after one time-out, and no second question is asked."""
    monkeypatch.setattr("camera_ctrler.recordings.known_footage.PATIENCE_SECONDS", 0.2)
    index = HangingIndex(sqlite_index._engine)
    stored = StoredFootage(tmp_path / "frames", index, SetClock(EIGHT_MS + DAY_MS))
    for number in range(50):
        stored.record(EIGHT_MS + number * HOUR_MS // 5)
    stored.known.survey()
    asked, index.answers = index.asked, False
    with pytest.raises(IndexSilentError):
        stored.known.ask(lambda each: each.find("a", 0, 1), 0.2)
    stored.cleaner.make_room(Wanted(volume=40_000), EVERYTHING)
    assert len(stored.files()) == 10
    stored.clock.advance(600)
    stored.cleaner.make_room(Wanted(volume=10_000), EVERYTHING)
    assert stored.files() == []
    assert index.asked == asked + 1
