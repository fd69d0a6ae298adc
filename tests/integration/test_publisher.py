"""The thread that writes results and events: what it takes over, leaves behind, and cannot write."""

import time
from pathlib import Path

import pytest
import redis

from contract import keys
from contract.assignments import Assignment
from contract.detections import AnalysisResult
from runtime.spool import NewRecord, Spool
from tests.support.processes import wait_until
from tests.support.sender import CLOCK, EVENT, ROOM, Start, events_of, ids, spooled_result, stream_of
from tests.support.valkey_server import ValkeyServer
from workers.camera_run import CameraRun, Totals
from workers.outbox import Outbox, Waiting


def test_closing_while_the_server_is_frozen_leaves_everything_on_disk_for_the_next(
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start
) -> None:
    """Given a frozen server, closing ends in time; the next process of that id delivers, in front of its own."""
    sender = start_sender(quick_client)
    sender.watch()
    own_valkey.freeze()
    sender.send(10)
    before = time.monotonic()
    assert sender.publisher.close(5) == 10
    assert time.monotonic() - before < 4.0
    own_valkey.thaw()
    successor = start_sender(quick_client)
    wait_until(lambda: successor.publisher.waiting[0] == 0, "it was delivered", 20)
    with own_valkey.client() as direct:
        assert stream_of(direct) == ids(10)


def test_a_worker_delivers_what_others_of_its_host_have_left(
    redis_client: redis.Redis, start_sender: Start, tmp_path: Path
) -> None:
    """Given files of workers that are gone and of one that lives, the former are delivered and removed."""
    for name, epoch in (("dead", 4), ("late", 1)):
        left = Spool.own(tmp_path / "spool", name, ROOM, CLOCK)
        left.append([spooled_result(name, epoch, seq) for seq in range(1, 31)])
        left.close()
    alive = Spool.own(tmp_path / "spool", "alive", ROOM, CLOCK)
    alive.append([spooled_result("alive", 1, 1)])
    redis_client.set(keys.camera_epoch("late"), 2)
    sender = start_sender(redis_client, worker_id="mine")
    wait_until(
        lambda: not list((tmp_path / "spool").glob("dead*")) + list((tmp_path / "spool").glob("late*")), "both are gone"
    )
    assert stream_of(redis_client, "dead") == ids(30, epoch=4)
    assert stream_of(redis_client, "late") == stream_of(redis_client, "alive") == []
    assert sender.publisher.refused_writes == 30
    assert (alive.count, sender.refused) == (1, [])
    alive.close()


def test_a_worker_that_has_lost_its_lease_sends_nothing_more_and_leaves_what_waits(
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start
) -> None:
    """Given records that wait, when the publisher is abandoned, they lie on disk although the server answers again."""
    sender = start_sender(quick_client)
    sender.watch()
    own_valkey.freeze()
    sender.send(10)
    sender.until_done(10)
    own_valkey.thaw()
    sender.publisher.abandon(5)
    with own_valkey.client() as direct:
        delivered = len(stream_of(direct))
    assert delivered <= 10
    successor = start_sender(quick_client, worker_id="another")
    wait_until(lambda: successor.publisher.waiting[0] == 0, "it was delivered", 20)
    with own_valkey.client() as direct:
        wait_until(lambda: stream_of(direct) == ids(10), "all are there, once")


def test_a_record_that_the_server_can_never_take_holds_up_no_other(
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start
) -> None:
    """Given a key of another type in the way of one camera, its records count as lost and the others arrive."""
    with own_valkey.client() as direct:
        direct.set(keys.camera_results("bad"), "in the way")
        sender = start_sender(quick_client)
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
    redis_client: redis.Redis, start_sender: Start, tmp_path: Path
) -> None:
    """Given rubbish among what waits, it counts as lost, and what is behind it arrives."""
    left = Spool.own(tmp_path / "spool", "w", ROOM, CLOCK)
    left.append([NewRecord("result", "c", 1, 1, "{}"), NewRecord("event", "c", 1, 1, "?"), spooled_result("c", 1, 2)])
    left.close()
    sender = start_sender(redis_client)
    sender.until_delivered()
    wait_until(lambda: stream_of(redis_client) == ["1-2"], "the readable one arrived")
    assert sender.publisher.lost == 2


@pytest.mark.parametrize("away", [False, True])
def test_a_record_that_something_unforeseen_happens_to_is_counted_and_costs_the_others_nothing(
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start, away: bool
) -> None:
    """Given an event that cannot be written as JSON, alone among others, it counts as lost and the others arrive."""
    sender = start_sender(quick_client)
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
