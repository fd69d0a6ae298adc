"""Events that Redis had accepted and lost: they are sent again."""

import shutil

import pytest
import redis

from runtime.worker_link import WorkerLink, Written
from tests.support.clocks import SetClock
from tests.support.processes import wait_until
from tests.support.sender import EVENT, Start, events_of
from tests.support.valkey_server import ValkeyServer
from workers.kept_events import KEEP_COUNT, KEEP_SECONDS, KeptEvents


@pytest.mark.parametrize("noticed", ["by the next event", "by itself", "after an outage"])
@pytest.mark.parametrize("emptied", [False, True])
def test_events_that_the_server_had_accepted_and_lost_are_sent_again_in_order(
    own_valkey: ValkeyServer, quick_client: redis.Redis, start_sender: Start, noticed: str, emptied: bool
) -> None:
    """Given a server that comes back with an older copy of its data, or none, every event is there, once, in order."""
    sender = start_sender(quick_client)
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
