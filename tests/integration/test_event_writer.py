"""Events on their way into the database: each once, whatever is away, dies, loses data or makes no sense."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, text
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError

from camera_ctrler.event_store.stored_event import read_entry
from camera_ctrler.event_store.writer import BATCH, CLAIM_SECONDS, write_events
from contract import keys
from contract.events import Event
from runtime.event_feed import EventFeed, RawEvent, Taken
from runtime.shutdown import Shutdown
from runtime.worker_link import Outgoing, WorkerLink, Written
from tests.support.event_stores import StoredEvents, event, settle, track_event
from tests.support.event_writers import WriterProcess, freeze_when
from tests.support.farm_state import settings_for
from tests.support.processes import wait_until
from tests.support.segment_index import migrated
from tests.support.valkey_server import ValkeyServer

PATIENCE_SECONDS = 60.0


def ids(found: list[Event]) -> list[str]:
    """Return the ids of events."""
    return [each.event_id for each in found]


@contextmanager
def failing(engine: Engine, statement: str, error: type[Exception] = OperationalError) -> Iterator[None]:
    """Let a statement fail."""

    def fail(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        if sql.startswith(statement):
            raise error(sql, {}, Exception("the server closed the connection"))

    sqlalchemy_event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        sqlalchemy_event.remove(engine, "before_cursor_execute", fail)


def test_events_are_stored_in_order_and_acknowledged(stored_events: StoredEvents) -> None:
    """Given events that workers publish, a writer stores them in the order of the stream, and nothing stays taken."""
    told = [event(1), track_event(2), event(1, camera_id="gate")]
    stored_events.publish(*told)
    settle(stored_events.writer())
    assert stored_events.ids() == ids(told)
    assert (stored_events.pending(), stored_events.feed.backlog().waiting) == (0, 0)
    assert stored_events.store.totals().stored == 3
    if stored_events.engine.dialect.name == "postgresql":
        with stored_events.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM events_default")) == 0, "their week was made before"


def test_a_writer_that_was_down_catches_up_in_batches(sqlite_events: StoredEvents) -> None:
    """Given more events than a batch that nobody has stored, each step stores one, and says that there is more."""
    told = [event(number) for number in range(1, 2 * BATCH + 11)]
    sqlite_events.publish(*told)
    assert sqlite_events.feed.backlog().waiting == len(told)
    writer = sqlite_events.writer()
    assert writer.step()
    assert len(sqlite_events.ids()) == BATCH
    settle(writer)
    assert sqlite_events.ids() == ids(told)


def test_what_was_left_behind_does_not_wait_for_a_backlog(sqlite_events: StoredEvents) -> None:
    """Given events that a dead writer had taken, and more new ones than a batch, the former are stored first."""
    settle(sqlite_events.writer("former"))
    sqlite_events.publish(event(1), event(2))
    sqlite_events.feed.take("former", sqlite_events.leases["former"].token, BATCH)
    sqlite_events.leases["former"].release()
    sqlite_events.publish(*(event(number) for number in range(3, 2 * BATCH)))
    assert sqlite_events.writer().step()
    assert sqlite_events.ids() == ["lobby:1:1", "lobby:1:2"]


def test_two_writers_share_the_stream(sqlite_events: StoredEvents) -> None:
    """Given two writers at the same time, each event is stored by one of them."""
    writers = [sqlite_events.writer(name) for name in ("writer-1", "writer-2")]
    for writer in writers:
        settle(writer)
    told = [event(number) for number in range(1, 4 * BATCH)]
    sqlite_events.publish(*told)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(settle, writers))
    assert sqlite_events.ids() == ids(told)
    assert sqlite_events.store.totals().repeated == 0


def test_what_a_writer_has_taken_is_left_to_it_while_its_lease_is_held(sqlite_events: StoredEvents) -> None:
    """Given a writer that has taken events and stands still, another one gets them only when its lease is gone."""
    settle(sqlite_events.writer("writer-1"))
    told = [event(number) for number in range(1, 4)]
    sqlite_events.publish(*told)
    lease = sqlite_events.leases["writer-1"]
    assert len(sqlite_events.feed.take("writer-1", lease.token, BATCH).entries) == 3
    other = sqlite_events.writer("writer-2")
    settle(other)
    sqlite_events.clock.advance(CLAIM_SECONDS)
    settle(other)
    assert sqlite_events.ids() == []
    lease.release()
    sqlite_events.clock.advance(CLAIM_SECONDS)
    settle(other)
    assert sqlite_events.ids() == ids(told)
    sqlite_events.clock.advance(CLAIM_SECONDS)
    settle(other)
    consumers = sqlite_events.client.xinfo_consumers(keys.events(), "store")
    assert [consumer["name"] for consumer in consumers] == [b"writer-2"], "who is gone and has nothing is forgotten"


def test_a_writer_whose_lease_is_gone_is_given_nothing(sqlite_events: StoredEvents) -> None:
    """Given a writer that slept past its lease, it takes no event, for it would be taken from it at once."""
    writer = sqlite_events.writer()
    settle(writer)
    sqlite_events.publish(event(1))
    sqlite_events.leases["writer-1"].release()
    settle(writer)
    assert sqlite_events.ids() == []
    assert sqlite_events.pending() == 0


def test_a_writer_that_died_before_it_said_so_leaves_no_event_twice(sqlite_events: StoredEvents) -> None:
    """Given events that were stored and not acknowledged, a successor finds that they are there."""
    settle(sqlite_events.writer("writer-1"))
    sqlite_events.publish(event(1), event(2))
    taken = sqlite_events.feed.take("writer-1", sqlite_events.leases["writer-1"].token, BATCH)
    read = [read_entry(raw) for raw in taken.entries]
    sqlite_events.store.add(read)  # type: ignore[arg-type]
    sqlite_events.leases["writer-1"].release()
    settle(sqlite_events.writer("writer-2"))
    assert sqlite_events.ids() == ["lobby:1:1", "lobby:1:2"]
    assert (sqlite_events.pending(), sqlite_events.store.totals().repeated) == (0, 2)


def test_what_makes_room_before_it_is_stored_is_counted(sqlite_events: StoredEvents) -> None:
    """Given a stream that is trimmed while nobody stores, and while a writer holds some, each loss counts once."""
    writer = sqlite_events.writer()
    settle(writer)
    sqlite_events.publish(*(event(number) for number in range(1, 101)))
    sqlite_events.client.xtrim(keys.events(), maxlen=40, approximate=False)
    settle(writer)
    assert sqlite_events.feed.backlog().lost == 60
    sqlite_events.publish(*(event(number) for number in range(101, 111)))
    assert len(sqlite_events.feed.take("writer-1", sqlite_events.leases["writer-1"].token, 4).entries) == 4
    sqlite_events.client.xtrim(keys.events(), maxlen=3, approximate=False)
    settle(sqlite_events.writer("writer-1b"))
    sqlite_events.leases["writer-1"].release()
    settle(sqlite_events.writer("writer-2"))
    assert sqlite_events.feed.backlog().lost == 60 + 7
    assert len(sqlite_events.ids()) == 40 + 3
    assert sqlite_events.pending() == 0


def test_what_made_room_before_there_was_a_writer_is_no_loss(sqlite_events: StoredEvents) -> None:
    """Given a farm that ran without an event store, what its stream still has is stored, and nothing counts."""
    sqlite_events.publish(*(event(number) for number in range(1, 11)))
    sqlite_events.client.xtrim(keys.events(), maxlen=4, approximate=False)
    settle(sqlite_events.writer())
    settle(sqlite_events.writer("writer-2"))
    assert (len(sqlite_events.ids()), sqlite_events.feed.backlog().lost) == (4, 0)


def test_entries_that_are_no_events_are_kept_aside_and_hold_nobody_up(stored_events: StoredEvents) -> None:
    """Given nonsense of all kinds between events, the events are stored and each nonsense is there with its reason."""
    good = event(1).model_dump(mode="json")
    stored_events.publish(event(1))
    add = stored_events.client.xadd
    add(keys.events(), {"event": b"\xff\x00{"})
    add(keys.events(), {"event": b"{}"})
    add(keys.events(), {"other": b"x"})
    changes: list[dict[str, object]] = [
        {"kind": "party"},
        {"worker_id": "a\x00b"},
        {"worker_id": "x" * 1_000},
        {"at_ms": 10**30},
        {"width": 2**40},
        {"xyxy": [1, 2, 3, "NaN"]},
        {"camera_id": "../x"},
        {"confidence": 2},
    ]
    for number, change in enumerate(changes):
        body = Event.model_construct(**(good | {"event_id": f"bad:{number}"} | change)).model_dump_json(warnings=False)
        add(keys.events(), {"event": body})
    stored_events.publish(event(2))
    writer = stored_events.writer()
    settle(writer)
    assert stored_events.ids() == ["lobby:1:1", "lobby:1:2"]
    letters = stored_events.reading.dead_letters(limit=100)
    assert len(letters) == 11 == stored_events.store.totals().dead_letters
    assert all(each.letter.reason for each in letters)
    assert (stored_events.pending(), stored_events.feed.backlog().waiting) == (0, 0)


def test_an_event_that_the_database_refuses_is_kept_aside_and_the_others_are_stored(
    sqlite_events: StoredEvents,
) -> None:
    """Given a row that the database takes by no means, it becomes a dead letter, and those around it are stored."""
    sqlite_events.publish(event(1), track_event(2), event(3))
    writer = sqlite_events.writer()
    with failing(sqlite_events.engine, "INSERT INTO event_photos", DataError):
        settle(writer)
    assert sqlite_events.ids() == ["lobby:1:1", "lobby:1:3"]
    (letter,) = sqlite_events.reading.dead_letters(limit=10)
    assert "the database refuses it" in letter.letter.reason
    assert read_entry(RawEvent("1-0", letter.letter.body.encode())).event == track_event(2)  # type: ignore[union-attr]


@pytest.mark.parametrize("statement", ["UPDATE event_store_state", "INSERT INTO events", "INSERT INTO tracks"])
def test_events_wait_while_the_database_is_away(sqlite_events: StoredEvents, statement: str) -> None:
    """Given a database that fails at any point, what was taken is kept and stored when it is back, once."""
    writer = sqlite_events.writer()
    settle(writer)
    sqlite_events.publish(track_event(1), event(2))
    with failing(sqlite_events.engine, statement):
        for _ in range(3):
            with pytest.raises(SQLAlchemyError):
                writer.step()
        sqlite_events.publish(event(3))
    assert sqlite_events.ids() == []
    settle(writer)
    assert sqlite_events.ids() == ["lobby:1:1", "lobby:1:2", "lobby:1:3"]
    assert sqlite_events.store.totals().repeated == 0


def test_a_redis_that_lost_its_data_is_followed_from_its_beginning(sqlite_events: StoredEvents) -> None:
    """Given a server that was emptied, events that workers send again are known, and new ones are stored."""
    writer = sqlite_events.writer()
    sqlite_events.publish(event(1), event(2))
    settle(writer)
    sqlite_events.client.flushall()
    sqlite_events.publish(event(2), event(3))
    settle(writer)
    assert sqlite_events.ids() == ["lobby:1:1", "lobby:1:2"], "without its lease it is given nothing"
    assert sqlite_events.leases["writer-1"].take()
    settle(writer)
    assert sqlite_events.ids() == ["lobby:1:1", "lobby:1:2", "lobby:1:3"]
    assert sqlite_events.store.totals().repeated == 1
    assert sqlite_events.feed.backlog().lost == 0


def test_an_acknowledgement_that_is_lost_is_made_up_for(own_valkey: ValkeyServer, tmp_path: Path) -> None:
    """Given a server that dies when events are stored and not acknowledged, they are not stored again."""
    with migrated(f"sqlite:///{tmp_path}/farm.sqlite3") as engine:
        stored = StoredEvents(engine, own_valkey.client())
        writer = stored.writer()
        settle(writer)
        stored.publish(event(1), event(2))

        def kill(*_: object) -> None:
            own_valkey.kill()

        sqlalchemy_event.listen(engine, "commit", kill)
        with pytest.raises(redis.ConnectionError):
            writer.step()
        sqlalchemy_event.remove(engine, "commit", kill)
        assert stored.ids() == ["lobby:1:1", "lobby:1:2"]
        own_valkey.restart(keep_data=True)
        assert stored.leases["writer-1"].take()
        assert stored.pending() == 2
        stored.publish(event(3))
        settle(writer)
        assert stored.ids() == ["lobby:1:1", "lobby:1:2", "lobby:1:3"]
        assert stored.pending() == 0


class DeafFeed(EventFeed):
    """A feed that does not hear its first answers: the server has done what was asked."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self._deaf = {"take", "claim"}

    def _hear(self, what: str) -> None:
        if what in self._deaf:
            self._deaf.remove(what)
            raise redis.TimeoutError("no answer")

    def take(self, writer_id: str, token: str, count: int, *, again: bool = False) -> Taken:
        """Return entries, or do not hear which."""
        taken = super().take(writer_id, token, count, again=again)
        if taken.entries:
            self._hear("take")
        return taken

    def claim_abandoned(self, writer_id: str) -> int:
        """Return how many entries were taken over, or do not hear it."""
        claimed = super().claim_abandoned(writer_id)
        if claimed:
            self._hear("claim")
        return claimed


def test_entries_that_were_given_and_not_heard_of_are_stored_all_the_same(sqlite_events: StoredEvents) -> None:
    """Given answers that are lost when the server has given entries out, or over, they are asked for again."""
    settle(sqlite_events.writer("former"))
    sqlite_events.publish(event(1))
    sqlite_events.feed.take("former", sqlite_events.leases["former"].token, 1)
    sqlite_events.leases["former"].release()
    sqlite_events.publish(event(2))
    sqlite_events.feed = DeafFeed(sqlite_events.client)
    writer = sqlite_events.writer()
    for _ in range(2):
        with pytest.raises(redis.TimeoutError):
            settle(writer)
    settle(writer)
    assert sorted(sqlite_events.ids()) == ["lobby:1:1", "lobby:1:2"]
    assert sqlite_events.pending() == 0


def test_a_running_writer_outlives_redis_and_database(own_valkey: ValkeyServer, tmp_path: Path) -> None:
    """Given a writer at work, when Redis is killed, then emptied, and the database locked, all is stored in the end."""
    settings = settings_for(tmp_path, own_valkey.url, lease_seconds=0.5)
    shutdown = Shutdown()
    with migrated(settings.database) as engine:
        stored = StoredEvents(engine, own_valkey.client())
        thread = threading.Thread(target=write_events, args=(settings, engine, shutdown))
        thread.start()
        try:
            for number, restart in enumerate((None, True, False), 1):
                if restart is not None:
                    own_valkey.restart(keep_data=restart)
                stored.publish(event(number))
                wait_until(lambda number=number: len(stored.ids()) == number, "the event", PATIENCE_SECONDS)  # type: ignore[misc]
            with engine.connect() as other:
                other.exec_driver_sql("BEGIN IMMEDIATE")
                stored.publish(event(4))
                wait_until(lambda: stored.pending() == 1, "the event is taken", PATIENCE_SECONDS)
                other.rollback()
            wait_until(lambda: len(stored.ids()) == 4, "the last event", PATIENCE_SECONDS)
        finally:
            shutdown.ask()
            thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
        assert stored.ids() == [f"lobby:1:{number}" for number in range(1, 5)]
        assert stored.feed.backlog().writers == 0, "it gave its lease back"


@pytest.mark.slow
def test_a_writer_that_sleeps_past_its_lease_goes_on_and_stores_nothing_twice(
    own_valkey: ValkeyServer, tmp_path: Path
) -> None:
    """Given a writer that is stopped with events in hand, another one stores them; when it wakes it stores new ones."""
    settings = settings_for(tmp_path, own_valkey.url, lease_seconds=0.5)
    with migrated(settings.database) as engine, own_valkey.client() as client:
        stored = StoredEvents(engine, client)
        process = WriterProcess(settings, tmp_path / "writer.log")
        process.start()
        try:
            wait_until(lambda: stored.feed.backlog().writers == 1, "the writer runs", PATIENCE_SECONDS)
            with engine.connect() as other:
                other.exec_driver_sql("BEGIN IMMEDIATE")  # so that it has events in hand and cannot store them
                stored.publish(event(1), event(2))
                freeze_when([process], lambda: len(holders(client)) == 1, PATIENCE_SECONDS)
                other.rollback()
            wait_until(lambda: stored.feed.backlog().writers == 0, "its lease is over", PATIENCE_SECONDS)
            settle(stored.writer("another"))
            assert stored.ids() == ["lobby:1:1", "lobby:1:2"]
            stored.leases["another"].release()
            process.thaw()
            stored.publish(event(3))
            wait_until(lambda: stored.feed.backlog().waiting == 0, "the third is stored", PATIENCE_SECONDS)
        finally:
            process.kill()
        assert stored.ids() == ["lobby:1:1", "lobby:1:2", "lobby:1:3"]
        assert stored.store.totals().stored == 3


class BusyWorker:
    """Publishes events of one camera, one after the other, until it shall stop."""

    def __init__(self, client: redis.Redis) -> None:
        self._link = WorkerLink(client, "w", frame_index_size=10)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.published: list[str] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Publish nothing more."""
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        numbers = itertools.count(1)
        while not self._stop.wait(0.02):
            told = [track_event(number, track=f"lobby:1:{number // 3}") for number in itertools.islice(numbers, 40)]
            while not self._publish(told):
                self._stop.wait(0.05)
            self.published += ids(told)

    def _publish(self, told: list[Event]) -> bool:
        """Publish events; return whether Redis has them all, as it does not say while it is away."""
        try:
            answers = self._link.publish_all([Outgoing(each) for each in told])
        except redis.ConnectionError:
            return False
        return set(answers) <= {Written.ACCEPTED, Written.REPEATED}


def holders(client: redis.Redis) -> set[str]:
    """Return the writers that have taken entries which they have not acknowledged."""
    try:
        found = client.xinfo_consumers(keys.events(), "store")
    except redis.ResponseError:  # no writer has begun yet
        return set()
    return {consumer["name"].decode() for consumer in found if consumer["pending"]}


@pytest.mark.slow
def test_writers_that_are_killed_in_the_middle_of_batches_lose_nothing(
    own_valkey: ValkeyServer, tmp_path: Path
) -> None:
    """Given writers, and Redis, that are killed again and again with events in hand, each event is stored once."""
    settings = settings_for(tmp_path, own_valkey.url, lease_seconds=0.5)
    with migrated(settings.database) as engine, own_valkey.client() as client:
        stored = StoredEvents(engine, client)
        worker = BusyWorker(own_valkey.client())
        writers = [WriterProcess(settings, tmp_path / f"writer-{number}.log") for number in range(2)]
        gone: set[str] = set()

        def another_holds_some() -> bool:
            return bool(holders(client) - gone)

        worker.start()
        try:
            for _ in range(3):
                for each in writers:
                    each.start()
                freeze_when(writers, another_holds_some, PATIENCE_SECONDS)
                gone.update(holders(client))
                for each in writers:
                    each.kill()
                own_valkey.restart(keep_data=True)
            worker.stop()
            for each in writers:
                each.start()
            wait_until(lambda: stored.feed.backlog().waiting == 0, "all is stored", PATIENCE_SECONDS)
        finally:
            worker.stop()
            for each in writers:
                each.kill()
        assert len(gone) >= 3
        assert Counter(stored.ids()) == Counter(worker.published)
        totals = stored.store.totals()
        assert (totals.stored, totals.dead_letters, stored.feed.backlog().lost) == (len(worker.published), 0, 0)
