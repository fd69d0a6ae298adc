"""The thread that writes results and events: in order, once, over outages, and everything it cannot do is counted."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import redis

from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraState
from contract.detections import AnalysisResult
from contract.events import Event, EventKind
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader
from runtime.redis_client import connect
from runtime.settings import CommonSettings
from runtime.spool import NewRecord, Spool
from runtime.worker_link import WorkerLink, Written
from tests.support.clocks import SetClock
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer
from workers.camera_run import CameraRun, Tally, Totals
from workers.capture.state import CaptureState
from workers.frames import Detections, Frame
from workers.kept_events import KEEP_COUNT, KEEP_SECONDS, KeptEvents
from workers.outbox import Outbox, Waiting
from workers.publisher import PAUSE_SECONDS, UNREADABLE_TRIES, Publisher

CLOCK = SystemClock()
ROOM = 1_000_000
EVENT = Event(event_id="c:1:1", kind=EventKind.CAMERA_ONLINE, camera_id="c", epoch=1, number=1, worker_id="w", at_ms=1)


class Sender:
    """A publisher with cameras that make results on demand."""

    def __init__(self, client: redis.Redis, folder: Path, *, worker_id: str = "w", room: int = ROOM) -> None:
        self.refused: list[tuple[str, int]] = []
        self.runs: dict[str, CameraRun] = {}
        self.tally = Tally()
        self.spool = Spool.own(folder, worker_id, room, CLOCK)
        link = WorkerLink(client, worker_id, frame_index_size=10, result_stream_size=100_000)
        self.publisher = Publisher(link, self.spool, CLOCK, self._refused)
        self._worker_id = worker_id

    def _refused(self, camera_id: str, epoch: int) -> None:
        self.refused.append((camera_id, epoch))
        self.runs[camera_id].refused(epoch)

    def watch(self, camera_id: str = "c", epoch: int = 1) -> CameraRun:
        """Begin with a camera."""
        assignment = Assignment(camera_id=camera_id, url="rtsp://h/x", epoch=epoch)
        self.runs[camera_id] = CameraRun(assignment, self._worker_id, CLOCK, tally=self.tally)
        return self.runs[camera_id]

    def send(self, count: int = 1, camera_id: str = "c", preview: bytes = b"jpeg") -> None:
        """Leave results of frames that arrived now."""
        run = self.runs[camera_id]
        for _ in range(count):
            frame = Frame(camera_id, run.epoch, CLOCK.now_ms(), CLOCK.monotonic(), np.zeros((2, 2, 3), np.uint8))
            result = run.result(frame, Detections(), {})
            assert result is not None
            self.publisher.put_result(run, result, frame.captured_monotonic, preview)

    def tell(self, online: bool, camera_id: str = "c") -> None:
        """Leave the event that a camera came or went."""
        run = self.runs[camera_id]
        state = CaptureState(CameraState.ONLINE if online else CameraState.OFFLINE)
        run.tell(
            lambda events: events.accepted(run.epoch) + events.capture_changed(state, 1),
            lambda event: self.publisher.put_event(run, event),
        )

    def until_done(self, count: int) -> None:
        """Wait until so many frames are accounted for."""
        wait_until(lambda: sum((self.tally.totals.analysed, self.tally.totals.dropped)) >= count, f"{count} frames", 30)

    def until_delivered(self) -> None:
        """Wait until nothing lies on disk."""
        wait_until(lambda: self.publisher.waiting[0] == 0, "the spool is delivered", 30)


def stream_of(client: redis.Redis, camera_id: str = "c") -> list[str]:
    """Return the ids of a camera's results."""
    found = cast("list[tuple[bytes, object]]", client.xrange(keys.camera_results(camera_id)))
    return [entry_id.decode() for entry_id, _ in found]


def events_of(client: redis.Redis) -> list[str]:
    """Return the ids of all events."""
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.events()))
    return [Event.model_validate_json(fields[b"event"]).event_id for _, fields in found]


def ids(count: int, epoch: int = 1) -> list[str]:
    """Return the ids of the first results of an epoch."""
    return [f"{epoch}-{seq}" for seq in range(1, count + 1)]


@pytest.fixture
def client(own_valkey: ValkeyServer) -> Iterator[redis.Redis]:
    """A data client with a short time-out, of a server that may be stopped."""
    with connect(CommonSettings(redis_url=own_valkey.url), name="t", timeout_seconds=0.3) as made:
        yield made


Start = Callable[..., Sender]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start senders whose publishers are closed in the end."""
    made: list[Sender] = []

    def begin(client: redis.Redis, **options: object) -> Sender:
        made.append(Sender(client, tmp_path / "spool", **options))  # type: ignore[arg-type]
        return made[-1]

    yield begin
    for sender in made:
        sender.publisher.close(1)


def test_results_and_events_arrive_in_order_with_the_time_they_were_published(
    redis_client: redis.Redis, start: Start
) -> None:
    """Given results and an event, all are there in order, the newest result as such, and nothing lies on disk."""
    sender = start(redis_client)
    sender.watch()
    sender.tell(online=True)
    sender.send(3)
    assert sender.publisher.close(10) == 0
    result = FarmReader(redis_client).results(["c"])["c"]
    assert result.seq == 3
    assert result.published_at_ms >= result.captured_at_ms
    assert stream_of(redis_client) == ids(3)
    assert events_of(redis_client) == ["c:1:1"]
    assert sender.tally.totals == Totals(analysed=3, dropped=0)
    assert list(sender.spool.path.parent.iterdir()) == []


@pytest.mark.parametrize("outage", ["frozen", "killed", "full"])
def test_an_outage_costs_no_result_and_no_event_and_keeps_their_order(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start, outage: str
) -> None:
    """Given a server that is frozen, killed or out of memory for a while, everything arrives, in order, once."""
    sender = start(client)
    cameras = ["a", "b", "c"]
    for name in cameras:
        sender.watch(name)
        sender.tell(online=True, camera_id=name)
        sender.send(20, name)
    sender.until_done(60)
    begin: dict[str, Callable[[], object]] = {
        "frozen": own_valkey.freeze,
        "killed": own_valkey.kill,
        "full": lambda: limit_memory(own_valkey, 1),
    }
    begin[outage]()
    before = time.monotonic()
    for number in range(200):
        for name in cameras:
            sender.send(1, name)
        sender.tell(online=bool(number % 2), camera_id="a")
    assert time.monotonic() - before < 5.0, "leaving 800 records waits for nothing"
    sender.until_done(660)
    assert sender.publisher.waiting[0] >= 600
    end: dict[str, Callable[[], object]] = {
        "frozen": own_valkey.thaw,
        "killed": own_valkey.start,
        "full": lambda: limit_memory(own_valkey, 0),
    }
    end[outage]()
    sender.until_delivered()
    for name in cameras:
        sender.send(5, name)
    assert sender.publisher.close(10) == 0
    with own_valkey.client() as direct:
        assert [stream_of(direct, name) for name in cameras] == [ids(225)] * 3
        of_a = [event for event in events_of(direct) if event.startswith("a:")]
    assert of_a == [f"a:1:{number}" for number in range(1, 202)]
    assert sender.tally.totals == Totals(analysed=675, dropped=0)
    assert (sender.publisher.lost, sender.publisher.refused_writes) == (0, 0)


def limit_memory(server: ValkeyServer, limit: int) -> None:
    """Let the server refuse writes for want of memory; 0: no more."""
    with server.client() as direct:
        direct.config_set("maxmemory", limit)


def test_a_write_whose_answer_was_lost_counts_once(own_valkey: ValkeyServer, client: redis.Redis, start: Start) -> None:
    """Given a server that executes a write after its sender gave up waiting, the second try is recognised."""
    sender = start(client)
    sender.watch()
    sender.send(1)
    sender.until_done(1)
    own_valkey.freeze()  # connections stay: what is sent now is executed when the server goes on
    sender.send(1)
    sender.until_done(2)
    assert sender.publisher.waiting[0] == 1
    own_valkey.thaw()
    sender.until_delivered()
    with own_valkey.client() as direct:
        assert stream_of(direct) == ids(2)
        assert FarmReader(direct).results(["c"])["c"].seq == 2
    assert sender.tally.totals == Totals(2, 0)


def test_after_an_outage_the_newest_result_has_its_preview(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start
) -> None:
    """Given results that waited on disk, when they are delivered, the live view shows the last one at once."""
    sender = start(client)
    sender.watch()
    own_valkey.freeze()
    sender.send(10, preview=b"old")
    sender.send(1, preview=b"newest")
    sender.until_done(11)
    own_valkey.thaw()
    sender.until_delivered()
    with own_valkey.client() as direct:
        preview = FarmReader(direct).preview("c")
    assert preview is not None
    assert (preview.jpeg, preview.result.seq) == (b"newest", 11)


def test_after_a_refusal_nothing_of_that_camera_is_tried_again(redis_client: redis.Redis, start: Start) -> None:
    """Given a camera that another worker has, the first result is refused and told of, the rest is given up."""
    redis_client.set(keys.camera_epoch("c"), 9)
    sender = start(redis_client)
    run = sender.watch(epoch=3)
    sender.send(4)
    assert sender.publisher.close(10) == 0
    assert sender.refused == [("c", 3)]
    assert sender.publisher.refused_writes == 1
    assert run.status({}).frames_dropped == {"refused": 1, "given_up": 3}
    assert FarmReader(redis_client).results(["c"]) == {}


def test_a_camera_that_moved_during_an_outage_is_given_up_and_what_waited_is_refused(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start
) -> None:
    """Given spooled records of an epoch that is over when Redis is back, each is refused, counted and gone."""
    sender = start(client)
    for name in ("mine", "moved"):
        sender.watch(name)
    own_valkey.freeze()
    for name in sender.runs:
        sender.send(5, name)
    sender.tell(online=True, camera_id="moved")
    sender.until_done(10)
    own_valkey.kill()
    own_valkey.start()
    with own_valkey.client() as direct:
        direct.set(keys.camera_epoch("moved"), 2)
        sender.until_delivered()
        assert stream_of(direct, "mine") == ids(5)
        assert stream_of(direct, "moved") == events_of(direct) == []
    assert sender.publisher.refused_writes == 6
    assert [sender.runs[name].superseded for name in ("mine", "moved")] == [False, True]
    assert sender.tally.totals == Totals(analysed=10, dropped=0), "they were analysed; the worker counts the refusals"


def test_a_late_refusal_of_an_older_epoch_does_not_end_the_newer_one(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start
) -> None:
    """Given a camera that this worker was given anew during an outage, refused old records do not make it leave."""
    sender = start(client)
    run = sender.watch(epoch=1)
    own_valkey.freeze()
    sender.send(3)
    sender.until_done(3)
    run.reassign(Assignment(camera_id="c", url="rtsp://h/x", epoch=2))
    sender.send(3)
    sender.until_done(6)
    own_valkey.kill()
    own_valkey.start()
    with own_valkey.client() as direct:
        direct.set(keys.camera_epoch("c"), 2)
        sender.until_delivered()
        assert stream_of(direct) == ids(3, epoch=2)
    assert sender.publisher.refused_writes == 3
    assert not run.superseded


def test_records_of_a_camera_that_was_handed_over_in_order_are_still_delivered(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start
) -> None:
    """Given a camera that this worker has left during an outage, what it had seen is not thrown away."""
    sender = start(client)
    run = sender.watch()
    own_valkey.freeze()
    sender.send(3)
    run.left = True
    sender.until_done(3)
    own_valkey.thaw()
    sender.until_delivered()
    with own_valkey.client() as direct:
        assert stream_of(direct) == ids(3)


def test_what_does_not_fit_on_disk_is_lost_oldest_first_and_counted(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start
) -> None:
    """Given room for few records, after an outage the newest are there, events before results, and the rest counts."""
    sender = start(client, room=10_000)
    sender.watch()
    sender.send(1)
    sender.until_done(1)
    own_valkey.kill()
    for number in range(10):
        sender.tell(online=bool(number % 2))
    sender.send(300)
    sender.until_done(301)
    waiting, size = sender.publisher.waiting
    assert size <= 10_000
    assert sender.publisher.lost == 310 - waiting
    own_valkey.start()
    sender.until_delivered()
    with own_valkey.client() as direct:
        arrived = stream_of(direct)
        assert len(events_of(direct)) == 10
    assert arrived == ["1-1", *ids(301)[-(len(arrived) - 1) :]]
    assert 301 - len(arrived) == sender.publisher.lost > 0


def test_where_nothing_can_be_put_on_disk_results_are_lost_and_counted_and_go_on_afterwards(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start, tmp_path: Path
) -> None:
    """Given a file in the place of the spool's folder, an outage costs its records, and nothing after it."""
    (tmp_path / "spool").write_text("in the way")
    sender = start(client)
    sender.watch()
    sender.send(2)
    sender.until_done(2)
    own_valkey.freeze()
    sender.send(5)
    sender.until_done(7)
    assert sender.publisher.lost == 5
    own_valkey.thaw()

    def arrives() -> bool:
        sender.send(1)
        time.sleep(0.1)
        with own_valkey.client() as direct:
            return len(stream_of(direct)) > 3

    wait_until(arrives, "results arrive again", 20)


def test_a_spool_that_cannot_be_read_holds_up_nothing_and_what_was_overtaken_counts_as_lost(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start
) -> None:
    """Given a spool whose records cannot be read, new ones go to Redis; those that are too old later are counted."""
    sender = start(client)
    for name in ("a", "b"):
        sender.watch(name)
    own_valkey.kill()
    sender.send(5, "a")
    sender.send(3, "b")
    sender.until_done(8)
    with sqlite3.connect(sender.spool.path) as other:
        other.execute("ALTER TABLE records RENAME COLUMN body TO hidden")
    own_valkey.start()
    time.sleep((UNREADABLE_TRIES + 2) * PAUSE_SECONDS)
    assert sender.spool.count == 8
    lost_before = sender.publisher.lost
    with own_valkey.client() as direct:

        def arrives() -> bool:
            sender.send(1, "a")
            time.sleep(0.2)
            return len(stream_of(direct, "a")) > 3

        wait_until(arrives, "results arrive", 20)
        lost_meanwhile = sender.publisher.lost - lost_before
        with sqlite3.connect(sender.spool.path) as other:
            other.execute("ALTER TABLE records RENAME COLUMN hidden TO body")
        sender.until_delivered()
        assert sender.publisher.close(10) == 0
        assert stream_of(direct, "b") == ids(3), "what was not overtaken arrives"
        made = sender.tally.totals.analysed - 3
        assert stream_of(direct, "a") == ids(made)[-len(stream_of(direct, "a")) :]
        assert sender.publisher.lost - lost_before == made - len(stream_of(direct, "a")) == 5 + lost_meanwhile


# --- leaving and taking over --------------------------------------------------------------------------------------


def test_closing_while_the_server_is_frozen_leaves_everything_on_disk_for_the_next(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start
) -> None:
    """Given a frozen server, closing ends in time; the next process of that id delivers, in front of its own."""
    sender = start(client)
    sender.watch()
    own_valkey.freeze()
    sender.send(10)
    before = time.monotonic()
    assert sender.publisher.close(5) == 10
    assert time.monotonic() - before < 4.0
    own_valkey.thaw()
    successor = start(client)
    wait_until(lambda: successor.publisher.waiting[0] == 0, "it was delivered", 20)
    with own_valkey.client() as direct:
        assert stream_of(direct) == ids(10)


def test_a_worker_delivers_what_others_of_its_host_have_left(
    redis_client: redis.Redis, start: Start, tmp_path: Path
) -> None:
    """Given files of workers that are gone and of one that lives, the former are delivered and removed."""
    for name, epoch in (("dead", 4), ("late", 1)):
        left = Spool.own(tmp_path / "spool", name, ROOM, CLOCK)
        left.append([spooled_result(name, epoch, seq) for seq in range(1, 31)])
        left.close()
    alive = Spool.own(tmp_path / "spool", "alive", ROOM, CLOCK)
    alive.append([spooled_result("alive", 1, 1)])
    redis_client.set(keys.camera_epoch("late"), 2)
    sender = start(redis_client, worker_id="mine")
    wait_until(
        lambda: not list((tmp_path / "spool").glob("dead*")) + list((tmp_path / "spool").glob("late*")), "both are gone"
    )
    assert stream_of(redis_client, "dead") == ids(30, epoch=4)
    assert stream_of(redis_client, "late") == stream_of(redis_client, "alive") == []
    assert sender.publisher.refused_writes == 30
    assert (alive.count, sender.refused) == (1, [])
    alive.close()


def spooled_result(camera_id: str, epoch: int, seq: int) -> NewRecord:
    """Make a result as it lies on disk."""
    result = AnalysisResult(
        camera_id=camera_id,
        epoch=epoch,
        seq=seq,
        worker_id="x",
        captured_at_ms=seq,
        published_at_ms=0,
        width=2,
        height=2,
    )
    return NewRecord("result", camera_id, epoch, seq, result.model_dump_json())


def test_a_worker_that_has_lost_its_lease_sends_nothing_more_and_leaves_what_waits(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start
) -> None:
    """Given records that wait, when the publisher is abandoned, they lie on disk although the server answers again."""
    sender = start(client)
    sender.watch()
    own_valkey.freeze()
    sender.send(10)
    sender.until_done(10)
    own_valkey.thaw()
    sender.publisher.abandon(5)
    with own_valkey.client() as direct:
        delivered = len(stream_of(direct))
    assert delivered <= 10
    successor = start(client, worker_id="another")
    wait_until(lambda: successor.publisher.waiting[0] == 0, "it was delivered", 20)
    with own_valkey.client() as direct:
        wait_until(lambda: stream_of(direct) == ids(10), "all are there, once")


# --- records that can never be written ----------------------------------------------------------------------------


def test_a_record_that_the_server_can_never_take_holds_up_no_other(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start
) -> None:
    """Given a key of another type in the way of one camera, its records count as lost and the others arrive."""
    with own_valkey.client() as direct:
        direct.set(keys.camera_results("bad"), "in the way")
        sender = start(client)
        bad, good = sender.watch("bad"), sender.watch("good")
        for name in ("bad", "good"):
            sender.send(2, name)
        sender.until_done(4)
        assert bad.status({}).frames_dropped == {"unusable": 2}
        assert good.status({}).frames_dropped == {}
        own_valkey.freeze()
        for name in ("bad", "good"):
            sender.send(3, name)
        sender.until_done(10)
        own_valkey.thaw()
        sender.until_delivered()
        assert stream_of(direct, "good") == ids(5)
    assert sender.publisher.lost == 3


def test_a_record_on_disk_that_nobody_can_read_is_counted_and_passed_over(
    redis_client: redis.Redis, start: Start, tmp_path: Path
) -> None:
    """Given rubbish among what waits, it counts as lost, and what is behind it arrives."""
    left = Spool.own(tmp_path / "spool", "w", ROOM, CLOCK)
    left.append([NewRecord("result", "c", 1, 1, "{}"), NewRecord("event", "c", 1, 1, "?"), spooled_result("c", 1, 2)])
    left.close()
    sender = start(redis_client)
    sender.until_delivered()
    wait_until(lambda: stream_of(redis_client) == ["1-2"], "the readable one arrived")
    assert sender.publisher.lost == 2


@pytest.mark.parametrize("away", [False, True])
def test_a_record_that_something_unforeseen_happens_to_is_counted_and_costs_the_others_nothing(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start, away: bool
) -> None:
    """Given an event that cannot be written as JSON, alone among others, it counts as lost and the others arrive."""
    sender = start(client)
    run = sender.watch()
    own_valkey.freeze()
    sender.send(2)  # the thread waits for its answer to the first of them, and the others gather behind it
    unwritable = EVENT.model_copy(update={"frame_path": "\ud800"})
    sender.publisher.put_event(run, unwritable)
    sender.send(3)
    sender.tell(online=True)
    if away:
        sender.until_done(5)
    own_valkey.thaw()
    sender.until_done(5)
    sender.until_delivered()
    assert sender.publisher.close(10) == 0
    assert (sender.tally.totals, sender.publisher.lost) == (Totals(analysed=5, dropped=0), 1)
    with own_valkey.client() as direct:
        assert (stream_of(direct), events_of(direct)) == (ids(5), ["c:1:1"])


def test_a_full_outbox_loses_the_oldest_and_says_which() -> None:
    """Given an outbox of two, a third record pushes the first one out; a closed one takes nothing more."""
    run = CameraRun(Assignment(camera_id="c", url="rtsp://h/x", epoch=1), "w", CLOCK)
    records = [AnalysisResult.model_validate_json(spooled_result("c", 1, seq).body) for seq in (1, 2, 3, 4)]
    items = [Waiting(run, record) for record in records]
    outbox = Outbox(length=2)
    assert [outbox.put(item) for item in items[:3]] == [None, None, items[0]]
    outbox.close()
    assert outbox.put(items[3]) is items[3]
    assert not outbox.finished
    assert outbox.take(10, 0) == items[1:3]
    assert outbox.finished


# --- a server that loses what it had accepted -----------------------------------------------------------------------


@pytest.mark.parametrize("noticed", ["by the next event", "by itself", "after an outage"])
@pytest.mark.parametrize("emptied", [False, True])
def test_events_that_the_server_had_accepted_and_lost_are_sent_again_in_order(
    own_valkey: ValkeyServer, client: redis.Redis, start: Start, noticed: str, emptied: bool
) -> None:
    """Given a server that comes back with an older copy of its data, or none, every event is there, once, in order."""
    sender = start(client)
    sender.watch()
    for online in (True, False):
        sender.tell(online)
    with own_valkey.client() as direct:
        wait_until(lambda: len(events_of(direct)) == 2, "two are there")
    older = own_valkey.folder / "older"
    shutil.copytree(own_valkey.folder / "appendonlydir", older)
    for online in (True, False):
        sender.tell(online)
    with own_valkey.client() as direct:
        wait_until(lambda: len(events_of(direct)) == 4, "four are there")
    own_valkey.kill()
    if noticed == "after an outage":
        sender.tell(online=True)
        wait_until(lambda: sender.publisher.waiting[0] == 1, "it lies on disk")
    shutil.rmtree(own_valkey.folder / "appendonlydir")
    if not emptied:
        shutil.move(older, own_valkey.folder / "appendonlydir")
    own_valkey.start()
    if noticed == "by the next event":
        sender.tell(online=True)
    count = 4 if noticed == "by itself" else 5
    with own_valkey.client() as direct:
        wait_until(lambda: len(events_of(direct)) >= count, "all are there again", 20)
        assert sender.publisher.close(10) == 0
        assert events_of(direct) == [f"c:1:{number}" for number in range(1, count + 1)]
    assert (sender.publisher.lost, sender.publisher.refused_writes) == (0, 0)


def test_events_are_kept_for_a_while_and_no_more_than_so_many(redis_client: redis.Redis) -> None:
    """Given events that were accepted, old ones and those beyond the bound are forgotten, and do not come again."""
    clock = SetClock()
    kept = KeptEvents(WorkerLink(redis_client, "w", frame_index_size=10), clock)
    for number in range(1, KEEP_COUNT + 11):
        assert kept.publish(EVENT.model_copy(update={"number": number})) is Written.ACCEPTED
    assert len(kept) == KEEP_COUNT
    redis_client.flushall()
    clock.advance(KEEP_SECONDS - 1)
    kept.keep(EVENT.model_copy(update={"camera_id": "d"}))
    clock.advance(2)
    assert kept.publish(EVENT.model_copy(update={"number": 5_000})) is Written.ACCEPTED
    assert len(kept) == 2, "what came before was forgotten as soon as one more was accepted"
