"""Finished files on their way into the index: exactly once from the stream, from the volume what it has lost."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from camera_ctrler.recordings import indexer as indexer_module
from camera_ctrler.recordings.index import VOLUME, SegmentIndex
from camera_ctrler.recordings.indexer import (
    AUDIT_SECONDS,
    BATCH,
    SCAN_MAX_MS,
    SCAN_MIN_MS,
    Loss,
    SegmentIndexer,
    loss_of,
    run_indexer,
    scan_from,
)
from camera_ctrler.recordings.volume_check import VolumeCheck
from contract import keys
from contract.recording_paths import HOUR_MS
from contract.recordings import KeptFor, Segment
from runtime.clock import SystemClock
from runtime.recording_feed import RecordingFeed
from runtime.shutdown import Shutdown
from tests.support.clocks import SetClock
from tests.support.recorded_volume import RecordedVolume
from tests.support.segment_index import EIGHT_MS, migrated, segment
from tests.support.valkey_server import ValkeyServer

LAST_MS = EIGHT_MS * 2
PATIENCE_SECONDS = 20.0


class Indexing:
    """An indexer with all that it works on."""

    def __init__(self, index: SegmentIndex, client: redis.Redis, volume: RecordedVolume, now_ms: int) -> None:
        self.index = index
        self.client = client
        self.feed = RecordingFeed(client)
        self.volume = volume
        self.clock = SetClock(now_ms)
        self.indexer = self.successor()

    def successor(self) -> SegmentIndexer:
        """Return an indexer that knows nothing yet, as a new leader's."""
        check = VolumeCheck(self.volume.store, self.index, clock=SystemClock())
        return SegmentIndexer(self.index, self.feed, self.volume.store, check, self.clock)

    def settle(self) -> None:
        """Step until nothing is behind."""
        for _ in range(1_000):
            if not self.indexer.step():
                return
        raise AssertionError("it is never done")

    def audit(self, hours: int) -> None:
        """Step as often as an audit takes for so many hours of cameras."""
        for _ in range(hours):
            self.clock.advance(AUDIT_SECONDS)
            assert not self.indexer.step()

    def indexed(self, camera: str = "lobby") -> list[Segment]:
        """Return all that the index has of a camera."""
        return [each.segment for each in self.index.find(camera, 0, LAST_MS)]


@pytest.fixture
def indexing(sqlite_index: SegmentIndex, redis_client: redis.Redis, volume: RecordedVolume) -> Indexing:
    """Nothing recorded yet; it is nine o'clock."""
    return Indexing(sqlite_index, redis_client, volume, EIGHT_MS + HOUR_MS)


def test_finished_files_are_in_the_index_after_a_step(indexing: Indexing) -> None:
    """Given files that workers tell of, they are indexed with the position, and what is told again rises."""
    first, second = segment(EIGHT_MS), segment(EIGHT_MS + 10_000, camera="gate")
    indexing.feed.publish([first, second], [])
    indexing.settle()
    assert (indexing.indexed(), indexing.indexed("gate")) == ([first], [second])
    ends = indexing.feed.ends()
    assert ends is not None
    assert indexing.index.position() == ends[1]
    better = first.model_copy(update={"kept_for": KeptFor.EVENT, "motion": 0.5})
    indexing.feed.publish([better, first], [])
    indexing.settle()
    assert indexing.indexed() == [first.model_copy(update={"kept_for": KeptFor.EVENT})]
    assert indexing.indexer.copied == 4


def test_a_successor_goes_on_where_the_former_leader_was(indexing: Indexing) -> None:
    """Given a leader that is replaced, the next one copies what came since, each file once."""
    indexing.feed.publish([segment(EIGHT_MS)], [])
    indexing.settle()
    indexing.feed.publish([segment(EIGHT_MS + 10_000)], [])
    former, indexing.indexer = indexing.indexer, indexing.successor()
    indexing.settle()
    assert indexing.indexer.copied == 1
    assert former.step() in {True, False}  # it does not know yet, and writes nothing
    assert former.copied == 1
    assert len(indexing.indexed()) == 2


def test_a_late_batch_of_a_former_leader_brings_no_deleted_file_back(indexing: Indexing) -> None:
    """Given a leader that slept with a batch in hand, its successor's work stands, the cleaner's included."""
    indexing.settle()
    position = indexing.index.position()
    indexing.feed.publish([segment(EIGHT_MS)], [])
    page = indexing.feed.finished_after(position, BATCH)
    assert page.last_id is not None
    indexing.indexer = indexing.successor()
    indexing.settle()
    indexing.index.remove([("lobby", EIGHT_MS, 1)], tier=VOLUME)
    assert not indexing.index.add(page.segments, position=page.last_id)
    assert indexing.indexed() == []


def test_a_long_backlog_is_copied_in_batches(indexing: Indexing) -> None:
    """Given more entries than a batch, each step copies one, and says that there is more."""
    files = [segment(EIGHT_MS + 1_000 * number, 1) for number in range(2 * BATCH + 10)]
    indexing.feed.publish(files, [])
    assert indexing.indexer.step()
    assert len(indexing.indexed()) == BATCH
    indexing.settle()
    assert indexing.indexed() == files


def test_a_message_of_another_version_is_passed_over(indexing: Indexing) -> None:
    """Given nonsense in the stream, the files around it are indexed and it is not read again."""
    indexing.feed.publish([segment(EIGHT_MS)], [])
    indexing.client.xadd(keys.segments(), {"segment": b"\xff{"})
    indexing.client.xadd(keys.segments(), {"other": b"x"})
    indexing.feed.publish([segment(EIGHT_MS + 10_000)], [])
    indexing.client.xadd(keys.segments(), {"segment": b"{}"})
    indexing.settle()
    assert len(indexing.indexed()) == 2
    ends = indexing.feed.ends()
    assert ends is not None
    assert indexing.index.position() == ends[1]


def test_the_first_start_finds_what_the_volume_has(indexing: Indexing) -> None:
    """Given an index that is empty and footage of the last day, all of it is indexed without a message."""
    files = [*indexing.volume.write_row(EIGHT_MS - 20 * HOUR_MS, 2), *indexing.volume.write_row(EIGHT_MS, 3)]
    indexing.volume.write(EIGHT_MS - 48 * HOUR_MS)  # what is older waits for the command
    indexing.settle()
    assert indexing.indexed() == files
    assert indexing.indexer.found == 5


def test_a_scan_goes_in_small_steps_and_copies_new_files_in_between(indexing: Indexing) -> None:
    """Given a scan under way, a file that is told of is in the index after the next step."""
    for number in range(3):
        indexing.volume.write(EIGHT_MS, camera=f"camera-{number}")
    assert indexing.indexer.step()
    assert indexing.indexer.is_scanning
    indexing.feed.publish([segment(EIGHT_MS, camera="gate")], [])
    indexing.indexer.step()
    assert indexing.indexer.is_scanning
    assert len(indexing.indexed("gate")) == 1
    indexing.settle()
    assert [len(indexing.indexed(f"camera-{number}")) for number in range(3)] == [1, 1, 1]


def test_footage_that_an_emptied_redis_never_told_of_is_found_on_the_volume(indexing: Indexing) -> None:
    """Given a server that loses entries nobody has read, their files are indexed, and the stream goes on."""
    indexing.feed.publish([segment(EIGHT_MS)], [])
    indexing.settle()
    lost = indexing.volume.write_row(EIGHT_MS + 10_000, 2)
    indexing.feed.publish(lost, [])
    indexing.client.flushall()
    indexing.settle()
    assert indexing.indexed()[1:] == lost
    assert indexing.index.position() == "0"
    told = segment(EIGHT_MS + 30_000)
    indexing.feed.publish([told], [])
    indexing.settle()
    assert indexing.indexed()[-1] == told


def test_a_server_that_was_emptied_and_filled_again_between_two_looks_is_noticed(indexing: Indexing) -> None:
    """Given a stream whose oldest entry is younger than the position, what was in between is found on the volume."""
    indexing.feed.publish([segment(EIGHT_MS)], [])
    indexing.settle()
    (lost,) = indexing.volume.write_row(EIGHT_MS + 10_000, 1)
    indexing.client.flushall()
    indexing.feed.publish([segment(EIGHT_MS + 20_000)], [])
    indexing.settle()
    assert [each.start_ms - EIGHT_MS for each in indexing.indexed()] == [0, 10_000, 20_000]
    assert indexing.indexed()[1] == lost


def test_a_stream_whose_ids_begin_anew_is_read_from_its_beginning(indexing: Indexing) -> None:
    """Given a server whose clock was set back after it lost its data, entries with smaller ids are copied."""
    indexing.feed.publish([segment(EIGHT_MS)], [])
    indexing.settle()
    indexing.client.flushall()
    told = segment(EIGHT_MS + 10_000)
    indexing.client.xadd(keys.segments(), {"segment": told.model_dump_json()}, id="1000-1")
    indexing.settle()
    assert indexing.indexed()[1:] == [told]
    assert indexing.index.position() == "1000-1"


def test_a_stream_that_was_trimmed_before_it_was_read_is_made_up_for(indexing: Indexing) -> None:
    """Given unread entries that made room for newer ones, their files are found on the volume."""
    indexing.feed.publish([segment(EIGHT_MS)], [])
    indexing.settle()
    files = indexing.volume.write_row(EIGHT_MS + 10_000, 4)
    indexing.feed.publish(files, [])
    indexing.client.xtrim(keys.segments(), maxlen=1, approximate=False)
    indexing.settle()
    assert indexing.indexed()[1:] == files
    assert indexing.indexer.found == 3


def test_after_an_outage_of_redis_the_volume_is_looked_at(
    sqlite_index: SegmentIndex, own_valkey: ValkeyServer, volume: RecordedVolume
) -> None:
    """Given files that were finished while Redis was away and that nobody tells of, they are indexed afterwards."""
    indexing = Indexing(sqlite_index, own_valkey.client(), volume, EIGHT_MS + HOUR_MS)
    indexing.feed.publish([segment(EIGHT_MS)], [])
    indexing.settle()
    own_valkey.kill()
    with pytest.raises(redis.ConnectionError):
        indexing.indexer.step()
    (lost,) = volume.write_row(EIGHT_MS + 10_000, 1)
    own_valkey.restart(keep_data=True)
    indexing.settle()
    assert indexing.indexed()[1:] == [lost]


def failing(engine: Engine, statement: str) -> Callable[[], None]:
    """Let a statement fail until the returned function is called."""

    def fail(_connection: object, _cursor: object, text: str, *_: object) -> None:
        if text.startswith(statement):
            raise OperationalError(text, {}, Exception("the server closed the connection"))

    event.listen(engine, "before_cursor_execute", fail)
    return lambda: event.remove(engine, "before_cursor_execute", fail)


def test_a_database_that_is_away_loses_nothing_and_doubles_nothing(
    redis_client: redis.Redis, volume: RecordedVolume, index_engine: Engine, segment_index: SegmentIndex
) -> None:
    """Given a database that fails in the middle of a batch and of a scan, both are made up for when it is back."""
    indexing = Indexing(segment_index, redis_client, volume, EIGHT_MS + HOUR_MS)
    files = volume.write_row(EIGHT_MS, 2)
    repaired = failing(index_engine, "SELECT segments.camera")
    for _ in range(60):  # more steps than there are hours to look at
        with pytest.raises(SQLAlchemyError):
            indexing.settle()
    repaired()
    indexing.settle()
    assert indexing.indexed() == files
    told = segment(EIGHT_MS + 60_000)
    indexing.feed.publish([told], [])
    repaired = failing(index_engine, "UPDATE segment_hours")
    with pytest.raises(SQLAlchemyError):
        indexing.indexer.step()
    repaired()
    indexing.settle()
    assert indexing.indexed() == [*files, told]
    assert segment_index.totals() == {"lobby": sum(each.size_bytes for each in [*files, told])}


def test_the_audit_finds_in_time_what_nobody_missed(indexing: Indexing) -> None:
    """Given a file of the newest day whose message was lost without a trace, quiet steps find it."""
    indexing.feed.publish([segment(EIGHT_MS)], [])
    indexing.settle()
    (unnoticed,) = indexing.volume.write_row(EIGHT_MS - 3 * HOUR_MS, 1)
    indexing.volume.write(EIGHT_MS, camera="gate")
    for _ in range(100):  # without time there is no audit
        assert not indexing.indexer.step()
    assert len(indexing.indexed()) == 1
    indexing.audit(2 * 26 * 2 + 4)  # two rounds of hours and cameras
    assert indexing.indexed()[0] == unnoticed
    assert len(indexing.indexed("gate")) == 1


def test_the_audit_takes_no_row_away(indexing: Indexing) -> None:
    """Given a row whose file a late listing does not show, or a volume that is not mounted, the row stays."""
    file = indexing.volume.write(EIGHT_MS, camera="gate")
    indexing.index.add([file, segment(EIGHT_MS)])
    indexing.volume.file(file).unlink()
    indexing.settle()
    indexing.audit(60)
    assert len(indexing.indexed()) == len(indexing.indexed("gate")) == 1


def test_damaged_files_are_named_once_and_stay_where_they_are(
    indexing: Indexing, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given a file that cannot be played, scan and audit leave it alone and the log names it once."""
    bad = indexing.volume.write(EIGHT_MS)
    indexing.volume.garbage(bad, b"x" * 1_000)
    indexing.settle()
    indexing.audit(80)
    assert indexing.volume.file(bad).is_file()
    assert indexing.indexed() == []
    output = capsys.readouterr()
    assert (output.out + output.err).count("footage_damaged") == 1


@pytest.mark.parametrize(
    ("position", "ends", "loss"),
    [
        ("0", None, None),
        ("0", ("5-0", "9-0"), None),
        ("9-0", ("5-0", "9-0"), None),
        ("9-0", ("9-0", "12-0"), None),
        ("9-9", ("9-10", "12-0"), Loss.TRIMMED),
        ("9-0", None, Loss.EMPTIED),
        ("10-0", ("5-0", "9-7"), Loss.EMPTIED),
        ("9-10", ("5-0", "9-9"), Loss.EMPTIED),
    ],
)
def test_a_loss_is_told_from_the_ids_alone(position: str, ends: tuple[str, str] | None, loss: Loss | None) -> None:
    """Given a position and the ends of a stream, compared as numbers, what happened to it is clear."""
    assert loss_of(position, ends) is loss


@pytest.mark.parametrize(
    ("lost_ms", "looked_at_ms"),
    [(0, SCAN_MIN_MS), (5 * HOUR_MS, 6 * HOUR_MS + 600_000), (900 * HOUR_MS, SCAN_MAX_MS)],
)
def test_a_scan_is_as_long_as_the_loss_within_bounds(lost_ms: int, looked_at_ms: int) -> None:
    """Given a loss of nothing, of hours and of weeks, two hours to a day are looked at."""
    assert EIGHT_MS - scan_from(EIGHT_MS, EIGHT_MS - lost_ms) == looked_at_ms


@pytest.fixture
def loop(indexing: Indexing, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Indexing, threading.Event, Shutdown]]:
    """The loop of a manager on a thread, ten times as quick."""
    monkeypatch.setattr(indexer_module, "LOOK_SECONDS", 0.1)
    leading, shutdown = threading.Event(), Shutdown()
    thread = threading.Thread(target=run_indexer, args=(indexing.indexer, leading, shutdown), daemon=True)
    thread.start()
    yield indexing, leading, shutdown
    shutdown.ask()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def eventually(fact: Callable[[], object]) -> None:
    """Wait for a fact."""
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    while not fact():
        assert time.monotonic() < deadline
        pause.wait(0.05)


def test_only_who_leads_indexes(loop: tuple[Indexing, threading.Event, Shutdown]) -> None:
    """Given a manager that does not lead, nothing is written until it does, and nothing after it has stopped to."""
    indexing, leading, _ = loop
    indexing.feed.publish([segment(EIGHT_MS)], [])
    threading.Event().wait(0.5)
    assert indexing.indexed() == []
    leading.set()
    eventually(indexing.indexed)
    leading.clear()
    threading.Event().wait(0.3)
    indexing.feed.publish([segment(EIGHT_MS + 10_000)], [])
    threading.Event().wait(0.5)
    assert len(indexing.indexed()) == 1
    leading.set()
    eventually(lambda: len(indexing.indexed()) == 2)


def test_a_failure_that_nobody_expected_does_not_end_indexing(
    loop: tuple[Indexing, threading.Event, Shutdown], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a step that fails in an unknown way, the loop goes on and indexes when it is over."""
    indexing, leading, _ = loop

    def fail(*_: object, **__: object) -> bool:
        raise ZeroDivisionError("one day")

    with monkeypatch.context() as broken:
        broken.setattr(indexing.index, "add", fail)
        indexing.feed.publish([segment(EIGHT_MS)], [])
        leading.set()
        threading.Event().wait(0.5)
        assert indexing.indexed() == []
    eventually(indexing.indexed)


def test_two_leaders_at_once_write_each_file_once(
    redis_client: redis.Redis, volume: RecordedVolume, index_engine: Engine, segment_index: SegmentIndex
) -> None:
    """Given two managers that both believe they lead, sums and files are those of one."""
    first = Indexing(segment_index, redis_client, volume, EIGHT_MS + HOUR_MS)
    second = Indexing(SegmentIndex(index_engine), redis_client, volume, EIGHT_MS + HOUR_MS)
    files = [segment(EIGHT_MS + 1_000 * number, 1) for number in range(3 * BATCH)]
    first.feed.publish(files, [])
    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(each.settle) for each in (first, second)]:
            done.result(PATIENCE_SECONDS)
    assert first.indexed() == files
    assert first.indexer.copied + second.indexer.copied == len(files)
    assert segment_index.totals() == {"lobby": sum(each.size_bytes for each in files)}
    assert sum(sum(each.count.values()) for each in segment_index.hours(tier=0)) == len(files)


def test_an_index_that_was_migrated_and_never_used_is_at_the_beginning(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Given a new database, the position is the beginning of the stream."""
    with migrated(f"sqlite:///{tmp_path_factory.mktemp('new')}/x.sqlite3") as engine:
        assert SegmentIndex(engine).position() == "0"
