"""The queue on disk: bounded, in order, and never a reason for a worker to stop."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.spool import Kind, NewRecord, Spool
from runtime.spool_lock import SpoolLock
from tests.support.clocks import SetClock
from tests.support.volumes import mounted_volume

BIG = 1_000_000


def record(number: int, kind: Kind = "result", size: int = 10, camera: str = "c") -> NewRecord:
    """Make a record with a body of `size` bytes."""
    return NewRecord(kind, camera, 1, number, str(number).zfill(size))


def numbers(spool: Spool) -> list[int]:
    """Return the numbers of everything that waits, in order."""
    return [each.number for each in spool.oldest(10_000)]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """An empty spool with much room."""
    made = Spool.own(tmp_path / "spool", "w", BIG, SetClock())
    yield made
    made.close()


def test_records_come_out_in_the_order_in_which_they_went_in(spool: Spool) -> None:
    """Given results and events in turn, they come back as they were; what is deleted is gone and counted off."""
    spool.append([record(1), record(2, "event"), record(3)])
    spool.append([record(4, "event")])
    assert [(each.number, each.kind) for each in spool.oldest(3)] == [(1, "result"), (2, "event"), (3, "result")]
    assert (spool.count, spool.bytes) == (4, 40)
    spool.delete([spool.oldest(2)[1]])
    assert numbers(spool) == [1, 3, 4]
    assert (spool.count, spool.bytes) == (3, 30)


def test_the_oldest_results_make_room_before_any_event(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Given a full spool, when more comes, results go first, events last; every one is counted, and the log says it."""
    spool = Spool.own(tmp_path, "w", 50, SetClock())
    spool.append([record(1, "event"), record(2), record(3), record(4, "event"), record(5)])
    spool.append([record(6, "event")])
    assert numbers(spool) == [1, 3, 4, 5, 6]
    spool.append([record(7, "event"), record(8, "event"), record(9, "event")])
    assert numbers(spool) == [4, 6, 7, 8, 9], "two results, and then the oldest event"
    assert (spool.count, spool.bytes, spool.lost) == (5, 50, 4)
    assert "".join(capfd.readouterr()).count("spool_full") == 1
    spool.close()


def test_a_record_larger_than_the_whole_spool_is_lost_alone(tmp_path: Path) -> None:
    """Given a record that can never fit, what waits stays."""
    spool = Spool.own(tmp_path, "w", 50, SetClock())
    spool.append([record(1), record(2, size=51)])
    assert (numbers(spool), spool.lost) == ([1], 1)
    spool.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["result", "event"]), st.integers(5, 60), st.booleans()), max_size=40))
def test_the_bound_holds_and_nothing_vanishes_uncounted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Kind, int, bool]]
) -> None:
    """Given any appending and delivering, then never too many bytes, and kept + delivered + lost = all."""
    spool = Spool.own(tmp_path_factory.mktemp("spool"), "w", 200, SetClock())
    delivered = 0
    for number, (kind, size, deliver) in enumerate(steps, start=1):
        spool.append([record(number, kind, size)])
        assert spool.bytes <= 200
        if deliver and spool.count:
            spool.delete(spool.oldest(1))
            delivered += 1
    waiting = spool.oldest(1_000)
    assert [each.number for each in waiting] == sorted(each.number for each in waiting)
    assert spool.bytes == sum(each.size for each in waiting)
    assert len(waiting) + delivered + spool.lost == len(steps)
    spool.close()


def test_a_process_that_is_killed_leaves_everything_to_the_next(tmp_path: Path) -> None:
    """Given a process that dies with SIGKILL after it has appended, the next one finds all of it."""
    program = (
        "import os, signal, sys; from pathlib import Path; from runtime.clock import SystemClock\n"
        "from runtime.spool import NewRecord, Spool\n"
        "spool = Spool.own(Path(sys.argv[1]), 'w', 1_000_000, SystemClock())\n"
        "for number in range(100): spool.append([NewRecord('result', 'c', 1, number, 'body')])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=60)
    assert ended.returncode == -9
    spool = Spool.own(tmp_path, "w", BIG, SetClock())
    assert numbers(spool) == list(range(100))
    assert (spool.count, spool.bytes, spool.lost) == (100, 400, 0)
    assert spool.newest_numbers() == {("result", "c", 1): 99}
    spool.close()


def test_an_empty_spool_leaves_no_files_and_a_full_one_does(tmp_path: Path) -> None:
    """Given a spool that was emptied, its folder is empty when it is closed; what waits stays."""
    spool = Spool.own(tmp_path, "w", BIG, SetClock())
    spool.append([record(1)])
    spool.close()
    assert (tmp_path / "w.sqlite3").exists()
    spool = Spool.own(tmp_path, "w", BIG, SetClock())
    spool.delete(spool.oldest(1))
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_the_volume_gets_its_room_back_when_the_spool_was_emptied(tmp_path: Path) -> None:
    """Given a spool that held megabytes, when the last record is delivered, then its file is small again."""
    spool = Spool.own(tmp_path, "w", 10 * BIG, SetClock())
    spool.append([record(number, size=10_000) for number in range(300)])
    spool.delete(spool.oldest(1_000))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 100_000
    spool.close()


# --- damage and full volumes --------------------------------------------------------------------------------------


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    """Given rubbish in the place of the file, then it is kept under another name and the spool works."""
    for number in (1, 2):
        (tmp_path / "w.sqlite3").write_bytes(b"rubbish" * 1000)
        spool = Spool.own(tmp_path, "w", BIG, SetClock())
        spool.append([record(number)])
        assert (numbers(spool), spool.damaged, spool.lost) == ([number], 1, 0)
        spool.delete(spool.oldest(1))
        spool.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.2.damaged", "w.damaged"]
    assert (tmp_path / "w.damaged").read_bytes().startswith(b"rubbish")


def test_a_truncated_file_is_set_aside(tmp_path: Path) -> None:
    """Given a file of which the end is missing, then it is set aside and the spool works."""
    spool = Spool.own(tmp_path, "w", BIG, SetClock())
    spool.append([record(number, size=2000) for number in range(100)])
    spool.close()
    path = tmp_path / "w.sqlite3"
    path.write_bytes(path.read_bytes()[:50_000])
    spool = Spool.own(tmp_path, "w", BIG, SetClock())
    assert (spool.count, spool.damaged) == (0, 1)
    spool.append([record(1)])
    assert numbers(spool) == [1]
    spool.close()


def test_a_file_that_is_damaged_while_it_is_open_costs_its_records_and_no_more(tmp_path: Path) -> None:
    """Given a file whose pages turn into rubbish, then its records count as lost and what follows is kept."""
    spool = Spool.own(tmp_path, "w", BIG, SetClock())
    spool.append([record(number, size=2000) for number in range(100)])
    with sqlite3.connect(spool.path) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with spool.path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 100_000)
    for _ in range(3):
        spool.append([record(1000)])
        spool.oldest(100)
    assert spool.damaged == 1
    assert spool.lost >= 100
    assert set(numbers(spool)) <= {1000}
    assert list(tmp_path.glob("*.damaged"))
    spool.close()


def test_where_the_folder_cannot_be_made_everything_is_counted_and_room_mends_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Given a file in the place of the folder, records count as lost and the log says so once, until it is gone."""
    clock, folder = SetClock(), tmp_path / "spool"
    folder.write_text("in the way")
    spool = Spool.own(folder, "w", BIG, clock)
    for number in range(5):
        spool.append([record(number)])
        clock.advance(2)
    assert (spool.count, spool.lost) == (0, 5)
    assert "".join(capfd.readouterr()).count("spool_unusable") == 1
    folder.unlink()
    spool.append([record(6)])
    assert (numbers(spool), spool.lost) == ([6], 5)
    spool.close()


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """Return a real volume of 1 MB."""
    with mounted_volume(tmp_path / "volume", 1024) as folder:
        yield folder


def fill(path: Path) -> None:
    """Write zeros until the volume has no room."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1000))


def test_a_full_volume_costs_what_does_not_fit_and_never_delivers_twice(volume: Path) -> None:
    """Given a volume that fills up, what was kept is delivered once, even while nothing can be deleted on it."""
    spool = Spool.own(volume, "w", 100 * BIG, SetClock())
    ballast = volume / "ballast"
    for number in range(300):
        spool.append([record(number, size=10_000)])
    kept = spool.count
    assert 0 < kept < 300
    assert spool.lost == 300 - kept
    with pytest.raises(OSError, match="space"):
        fill(ballast)
    delivered = []
    while spool.count:
        batch = spool.oldest(7)
        delivered += [each.number for each in batch]
        spool.delete(batch)
    assert delivered == sorted(set(delivered))
    assert len(delivered) == kept
    ballast.unlink()
    spool.append([record(999)])
    assert numbers(spool) == [999]
    spool.close()


# --- locks --------------------------------------------------------------------------------------------------------


def test_a_file_whose_process_lives_is_left_alone_and_one_whose_process_is_gone_is_taken(tmp_path: Path) -> None:
    """Given two spools of others, one of which is held, only the other one can be had, and by one process only."""
    held = Spool.own(tmp_path, "alive", BIG, SetClock())
    held.append([record(1)])
    dead = Spool.own(tmp_path, "dead", BIG, SetClock())
    dead.append([record(2)])
    dead.close()
    mine = Spool.own(tmp_path, "mine", BIG, SetClock())
    found = list(SpoolLock.left_behind(tmp_path, mine.path))
    assert [lock.path.name for lock in found] == ["dead.sqlite3"]
    assert list(SpoolLock.left_behind(tmp_path, mine.path)) == []
    adopted = Spool(found[0], BIG, SetClock())
    assert numbers(adopted) == [2]
    for spool in (held, mine, adopted):
        spool.close()


def test_a_second_process_of_the_same_id_gets_a_file_of_its_own(tmp_path: Path) -> None:
    """Given a frozen worker whose id is used again, the new one does not touch the file of the frozen one."""
    first, second = (Spool.own(tmp_path, "w", BIG, SetClock()) for _ in range(2))
    first.append([record(1)])
    second.append([record(2)])
    assert first.path != second.path
    assert (numbers(first), numbers(second)) == ([1], [2])
    first.close()
    second.close()


def test_a_lock_whose_file_was_removed_meanwhile_is_not_taken(tmp_path: Path) -> None:
    """Given a lock that is removed by its last holder, whoever waited for it does not hold the lock of nothing."""
    first, second = (SpoolLock(tmp_path / "w.sqlite3") for _ in range(2))
    assert first.take()
    assert not second.take()
    first.remove_files()
    first.release()
    assert second.take()
    third = SpoolLock(tmp_path / "w.sqlite3")
    assert not third.take()
    second.release()
