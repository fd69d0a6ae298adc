"""Footage in the second tier: moved once, checked, played from there, deleted there, and in trouble."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_ctrler.recordings.archive import (
    Archive,
    ArchiveAwayError,
)
from camera_ctrler.recordings.archive_cleaner import ArchiveCleaner
from camera_ctrler.recordings.archive_mover import FIRST_PAUSE, IDLE_SECONDS, ArchiveMover, MoveSettings
from camera_ctrler.recordings.files import FootageFiles
from camera_ctrler.recordings.folder_archive import MARK, FolderArchive
from camera_ctrler.recordings.index import ARCHIVE, VOLUME, IndexedSegment, SegmentIndex
from camera_ctrler.recordings.retention import Reason, Wanted
from contract.recording_paths import HOUR_MS, segment_path
from contract.retention import KeepRules
from tests.support.archives import s3_archive_of
from tests.support.clocks import SetClock
from tests.support.s3_server import S3Server
from tests.support.segment_index import EIGHT_MS
from tests.support.stored_footage import EVENT, MOTION, StoredFootage
from tests.support.volumes import mounted_volume

DAY_MS = 24 * HOUR_MS
PATH = segment_path("a", EIGHT_MS, 1)


@pytest.fixture
def stored(tmp_path: Path, sqlite_index: SegmentIndex) -> StoredFootage:
    """A volume with an index, a day after eight o'clock."""
    return StoredFootage(tmp_path / "frames", sqlite_index, SetClock(EIGHT_MS + DAY_MS), keep="person=60d")


@pytest.fixture
def movers(stored: StoredFootage) -> Callable[..., ArchiveMover]:
    """Makes movers of the volume into an archive, of what is older than twelve hours."""

    def make(archive: Archive, after_ms: int = 12 * HOUR_MS, bytes_per_second: int = 0) -> ArchiveMover:
        settings = MoveSettings(after_ms, bytes_per_second)
        rules = KeepRules.parse("")
        stored.known.survey()
        return ArchiveMover(archive, stored.store, stored.known, stored.cleaner, rules, settings, stored.clock)

    return make


def tiers(index: SegmentIndex) -> dict[int, int]:
    """Return begin of each file -> tier."""
    return {each.segment.start_ms: each.tier for each in index.find("a", 0, 10**15)}


# --- moving ----------------------------------------------------------------------------------------------------------


def test_footage_that_is_old_enough_moves_and_plays_from_there(
    archive: Archive, stored: StoredFootage, movers: Callable[..., ArchiveMover]
) -> None:
    """Given old and young footage, the old moves, index and all, and players read the same bytes as before."""
    old = [stored.record(EIGHT_MS + number * 10_000, size=1_000 + number).start_ms for number in range(20)]
    young = stored.record(EIGHT_MS + 20 * HOUR_MS, size=777).start_ms
    files = FootageFiles(stored.store, archive)
    mover = movers(archive)
    while mover.step() < IDLE_SECONDS:
        pass
    assert tiers(stored.index) == dict.fromkeys(old, ARCHIVE) | {young: VOLUME}
    assert stored.files() == [young]
    assert stored.cleaner.deleted.bytes == {Reason.ARCHIVED: sum(range(1_000, 1_020))}
    for number, found in enumerate(stored.index.find("a", 0, 10**15)):
        with files.open(found) as file:
            assert len(file.read()) == (1_000 + number if number < 20 else 777)


def test_under_pressure_what_would_be_deleted_first_moves_first(
    archive: Archive, stored: StoredFootage, movers: Callable[..., ArchiveMover]
) -> None:
    """Given young footage of each reason and a volume short of room, continuous footage moves first, events last."""
    start_ms = stored.clock.now_ms() - HOUR_MS
    for number in range(16):
        stored.record(start_ms + number * 30_000, EVENT)
        stored.record(start_ms + number * 30_000 + 10_000)
        stored.record(start_ms + number * 30_000 + 20_000, MOTION)
    mover = movers(archive)
    assert mover.step() == IDLE_SECONDS
    mover.is_pressed = True
    kept: list[list[str]] = []
    for _ in range(3):
        mover.step()
        found = stored.index.find("a", 0, 10**15)
        kept.append(sorted({each.segment.kept_for.value for each in found if each.tier == VOLUME}))
    assert kept == [["event", "motion"], ["event"], []]


def test_bandwidth_is_bounded_by_the_pause_after_each_step(
    archive: Archive, stored: StoredFootage, movers: Callable[..., ArchiveMover]
) -> None:
    """Given 16 kB in a step and 4 kB a second, the next step comes after four seconds."""
    for number in range(17):
        stored.record(EIGHT_MS + number * 10_000)
    mover = movers(archive, bytes_per_second=4_000)
    assert mover.step() == 4.0
    assert mover.step() == 0.25


def test_a_move_that_was_interrupted_is_finished(
    archive: Archive, stored: StoredFootage, movers: Callable[..., ArchiveMover]
) -> None:
    """Given one file that was copied and not noted, and one noted and not deleted here, both end in the archive."""
    copied, noted = stored.record(EIGHT_MS), stored.record(EIGHT_MS + 10_000)
    for each in (copied, noted):
        path = segment_path("a", each.start_ms, 1)
        archive.store(path, stored.store.file(path))
    stored.index.moved([("a", noted.start_ms, 1)], ARCHIVE)
    movers(archive).step()
    assert set(tiers(stored.index).values()) == {ARCHIVE}
    assert stored.files() == [noted.start_ms]
    stored.expire()
    assert stored.files() == []
    assert stored.cleaner.deleted.bytes == {Reason.ARCHIVED: 2_000}
    assert set(tiers(stored.index).values()) == {ARCHIVE}


def test_a_file_that_cannot_be_read_does_not_keep_the_others(
    archive: Archive, stored: StoredFootage, movers: Callable[..., ArchiveMover]
) -> None:
    """Given an oldest file that is gone from the volume, the younger ones move all the same."""
    for number in range(20):
        stored.record(EIGHT_MS + number * 10_000)
    stored.store.delete(PATH)
    mover = movers(archive)
    while mover.step() < IDLE_SECONDS:
        pass
    assert stored.files() == []
    assert tiers(stored.index) == {EIGHT_MS: VOLUME} | {EIGHT_MS + n * 10_000: ARCHIVE for n in range(1, 20)}
    assert mover.trouble == ""


def test_what_another_manager_deleted_meanwhile_is_deleted_in_the_archive_too(
    archive: Archive, stored: StoredFootage, movers: Callable[..., ArchiveMover], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a file that loses its row while it is copied, the archive does not keep it without one."""
    stored.record(EIGHT_MS)
    mover = movers(archive)
    store = archive.store

    def stored_too_late(path: str, file: Path) -> None:
        store(path, file)
        stored.index.remove([("a", EIGHT_MS, 1)], tier=VOLUME)

    monkeypatch.setattr(archive, "store", stored_too_late)
    mover.step()
    with pytest.raises(FileNotFoundError):
        archive.open(PATH)


def test_what_is_on_its_way_is_not_deleted_for_want_of_room_meanwhile(
    archive: Archive, stored: StoredFootage, movers: Callable[..., ArchiveMover], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a volume that needs room in the middle of a move, the file that is being copied loses no row."""
    stored.record(EIGHT_MS)
    mover = movers(archive)
    store = archive.store

    def stored_under_pressure(path: str, file: Path) -> None:
        stored.cleaner.make_room(Wanted(volume=10**9), 10**9)
        store(path, file)

    monkeypatch.setattr(archive, "store", stored_under_pressure)
    mover.step()
    assert tiers(stored.index) == {EIGHT_MS: ARCHIVE}
    with archive.open(PATH) as found:
        assert len(found.read()) == 1_000


@pytest.mark.long
@pytest.mark.usefixtures("quick_s3")
def test_a_storage_that_stops_in_the_middle_costs_nothing_and_moving_goes_on_when_it_is_back(
    s3: S3Server, stored: StoredFootage, movers: Callable[..., ArchiveMover]
) -> None:
    """Given a server frozen in the middle of a move, then killed and started empty, all footage is somewhere at once.

    What had moved before is lost with the server's memory; nothing that was on the volume then is.
    """
    for number in range(48):
        stored.record(EIGHT_MS + number * 10_000, size=200_000)
    mover = movers(s3_archive_of(s3))
    mover.step()
    assert len(s3.objects()) == 16
    s3.freeze()
    began = time.monotonic()
    try:
        pauses = [mover.step(), mover.step()]
    finally:
        s3.thaw()
    assert time.monotonic() - began < 60
    assert pauses == [FIRST_PAUSE, FIRST_PAUSE * 2]
    assert "cannot be used" in mover.trouble
    at_volume = {start for start, tier in tiers(stored.index).items() if tier == VOLUME}
    assert at_volume == set(stored.files())
    assert len(at_volume) == 32
    stored.clock.advance(pauses[-1])
    assert mover.step() == 0.0
    assert mover.trouble == ""
    assert len(stored.files()) == 16

    s3.kill()
    assert mover.step() == FIRST_PAUSE  # the pauses begin anew
    assert len(stored.files()) == 16
    s3.start(with_bucket=False)
    assert mover.step() == FIRST_PAUSE * 2
    assert "no bucket" in mover.trouble
    s3.make_bucket()
    while mover.step() < IDLE_SECONDS:
        pass
    assert stored.files() == []
    assert len(s3.objects()) == 16
    assert set(s3.objects().values()) == {200_000}


def test_the_floor_holds_while_the_archive_is_away(
    tmp_path: Path, sqlite_index: SegmentIndex, movers: Callable[..., ArchiveMover]
) -> None:
    """Given an archive that is not mounted and a volume that fills, the oldest footage is deleted all the same."""
    with mounted_volume(tmp_path / "volume", 1_000) as root:
        clock = SetClock(EIGHT_MS + DAY_MS)
        stored = StoredFootage(root, sqlite_index, clock, floor_bytes=500_000)
        for number in range(18):
            stored.record(EIGHT_MS + number * 10_000, size=40_000)
        mover = movers(FolderArchive(tmp_path / "second"))
        assert mover.step() == FIRST_PAUSE
        assert stored.look() is None
        assert stored.store.free_bytes() >= 500_000
        assert stored.files()[-1] == EIGHT_MS + 170_000


# --- retention in the archive ----------------------------------------------------------------------------------------


def test_footage_goes_from_the_archive_by_age_and_by_bytes(
    archive: Archive, stored: StoredFootage, movers: Callable[..., ArchiveMover]
) -> None:
    """Given footage of all reasons there, what is too old goes, then the oldest of motion; evidence never."""
    stored.record(EIGHT_MS, EVENT)
    for number in (1, 2, 3):
        stored.record(EIGHT_MS + number * 10_000, MOTION)
    continuous = [stored.record(EIGHT_MS + number * 10_000).start_ms for number in (4, 5)]
    mover = movers(archive)
    while mover.step() < IDLE_SECONDS:
        pass
    rules = KeepRules.parse("continuous=3d,motion=7d,event=30d")
    cleaner = ArchiveCleaner(archive, stored.known, rules, stored.clock, max_bytes=2_000)
    stored.clock.advance(3 * 86_400)
    cleaner.step(stored.clock.monotonic() + 60)
    assert cleaner.deleted_bytes == {Reason.AGE: 2_000, Reason.MAX_BYTES: 2_000}
    assert stored.rows() == [EIGHT_MS, EIGHT_MS + 30_000]
    for start_ms in (*continuous, EIGHT_MS + 10_000, EIGHT_MS + 20_000):
        with pytest.raises(FileNotFoundError):
            archive.open(segment_path("a", start_ms, 1))
    small = ArchiveCleaner(archive, stored.known, rules, stored.clock, max_bytes=1)
    small.step(stored.clock.monotonic() + 60)
    assert stored.rows() == [EIGHT_MS]


def test_a_row_stays_as_long_as_the_archive_keeps_its_file(
    tmp_path: Path, stored: StoredFootage, movers: Callable[..., ArchiveMover]
) -> None:
    """Given an archive that is gone when footage expires there, rows stay, and go with the files when it is back."""
    root = tmp_path / "second"
    root.mkdir()
    archive = FolderArchive(root)
    stored.record(EIGHT_MS)
    movers(archive).step()
    stored.clock.advance(30 * 86_400)
    cleaner = ArchiveCleaner(archive, stored.known, KeepRules.parse(""), stored.clock)
    shutil.move(root, tmp_path / "elsewhere")
    with pytest.raises(ArchiveAwayError):
        cleaner.step(stored.clock.monotonic() + 60)
    assert stored.rows() == [EIGHT_MS]
    shutil.move(tmp_path / "elsewhere", root)
    cleaner.step(stored.clock.monotonic() + 60)
    assert stored.rows() == []
    assert [each for each in root.rglob("*") if each.is_file()] == [root / MARK]


# --- for players -----------------------------------------------------------------------------------------------------


def test_a_player_that_reads_while_its_file_moves_reads_to_the_end(
    archive: Archive, stored: StoredFootage, movers: Callable[..., ArchiveMover]
) -> None:
    """Given a player that asked the index before a file moved, it finds the file wherever it is by then."""
    stored.record(EIGHT_MS, size=200_000)
    known = stored.index.find("a", EIGHT_MS, EIGHT_MS + 1)[0]
    files = FootageFiles(stored.store, archive)
    mover = movers(archive)
    with files.open(known) as before:
        thread = threading.Thread(target=mover.step)
        thread.start()
        thread.join(30)
        assert stored.files() == []
        assert len(before.read()) == 200_000
    with files.open(known) as after:
        assert len(after.read()) == 200_000


def test_footage_that_is_nowhere_is_named(stored: StoredFootage, tmp_path: Path) -> None:
    """Given a file that is on no tier, or in an archive that is not set any more, the error says which."""
    made = stored.put(EIGHT_MS)
    stored.store.delete(PATH)
    with pytest.raises(FileNotFoundError):
        FootageFiles(stored.store).open(IndexedSegment(made, VOLUME))
    with pytest.raises(FileNotFoundError, match="FARM_ARCHIVE_URL is not set"):
        FootageFiles(stored.store).open(IndexedSegment(made, ARCHIVE))
    (tmp_path / "second").mkdir()
    archive = FolderArchive(tmp_path / "second")
    with pytest.raises(ArchiveAwayError, match="not mounted"):
        FootageFiles(stored.store, archive).open(IndexedSegment(made, ARCHIVE))
