"""Results and events over outages of Redis: in order, once, and everything that is lost is counted."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from contract import keys
from contract.assignments import Assignment
from runtime.farm_reader import FarmReader
from tests.support.processes import wait_until
from tests.support.sender import Start, events_of, ids, stream_of
from tests.support.valkey_server import ValkeyServer
from workers.camera_run import Totals
from workers.publisher import PAUSE_SECONDS, UNREADABLE_TRIES


def limit_memory(server: ValkeyServer, limit: int) -> None:
    """Let the server refuse writes for want of memory; 0: no more."""
    with server.client() as direct:
        direct.config_set("maxmemory", limit)


def test_results_and_events_arrive_in_order_with_the_time_they_were_published(
    redis_client: redis.Redis, start_sender: Start
) -> None:
    """Given results and an event, all are there in order, the newest result as such, and nothing lies on disk."""
    sender = start_sender(redis_client)
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
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start, outage: str
) -> None:
    """Given a server that is frozen, killed or out of memory for a while, everything arrives, in order, once."""
    sender = start_sender(quick_client)
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


def test_a_write_whose_answer_was_lost_counts_once(
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start
) -> None:
    """Given a server that executes a write after its sender gave up waiting, the second try is recognised."""
    sender = start_sender(quick_client)
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
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start
) -> None:
    """Given results that waited on disk, when they are delivered, the live view shows the last one at once."""
    sender = start_sender(quick_client)
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


def test_after_a_refusal_nothing_of_that_camera_is_tried_again(redis_client: redis.Redis, start_sender: Start) -> None:
    """Given a camera that another worker has, the first result is refused and told of, the rest is given up."""
    redis_client.set(keys.camera_epoch("c"), 9)
    sender = start_sender(redis_client)
    run = sender.watch(epoch=3)
    sender.send(4)
    assert sender.publisher.close(10) == 0
    assert sender.refused == [("c", 3)]
    assert sender.publisher.refused_writes == 1
    assert run.status({}).frames_dropped == {"refused": 1, "given_up": 3}
    assert FarmReader(redis_client).results(["c"]) == {}


def test_a_camera_that_moved_during_an_outage_is_given_up_and_what_waited_is_refused(
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start
) -> None:
    """Given spooled records of an epoch that is over when Redis is back, each is refused, counted and gone."""
    sender = start_sender(quick_client)
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
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start
) -> None:
    """Given a camera that this worker was given anew during an outage, refused old records do not make it leave."""
    sender = start_sender(quick_client)
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
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start
) -> None:
    """Given a camera that this worker has left during an outage, what it had seen is not thrown away."""
    sender = start_sender(quick_client)
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
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start
) -> None:
    """Given room for few records, after an outage the newest are there, events before results, and the rest counts."""
    sender = start_sender(quick_client, room=10_000)
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
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start, tmp_path: Path
) -> None:
    """Given a file in the place of the spool's folder, an outage costs its records, and nothing after it."""
    (tmp_path / "spool").write_text("in the way")
    sender = start_sender(quick_client)
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
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start
) -> None:
    """Given a spool whose records cannot be read, new ones go to Redis; those that are too old later are counted."""
    sender = start_sender(quick_client)
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
