"""Results and events as the scripts inside the server take them: in order, once, and only from whom may write."""

from typing import cast

import pytest
import redis

from contract import keys
from contract.assignments import Assignment
from contract.detections import AnalysisResult
from contract.events import Event, EventKind
from runtime.worker_link import Numbers, Outgoing, WorkerLink, Written


def result(epoch: int, seq: int, camera_id: str = "c") -> AnalysisResult:
    """Make the result of one frame."""
    return AnalysisResult(
        camera_id=camera_id,
        epoch=epoch,
        seq=seq,
        worker_id="w",
        captured_at_ms=seq,
        published_at_ms=seq,
        width=2,
        height=2,
        frame_path=f"{camera_id}/19700101/00/{seq}.jpg",
    )


def event(epoch: int, number: int, camera_id: str = "c") -> Event:
    """Make an event."""
    return Event(
        event_id=f"{camera_id}:{epoch}:{number}",
        kind=EventKind.CAMERA_ONLINE,
        camera_id=camera_id,
        epoch=epoch,
        number=number,
        worker_id="w",
        at_ms=number,
    )


@pytest.fixture
def link(redis_client: redis.Redis) -> WorkerLink:
    """One worker's side of the server."""
    return WorkerLink(redis_client, "w", frame_index_size=100, result_stream_size=50, event_stream_size=1_000)


def stream_of(client: redis.Redis, camera_id: str = "c") -> list[str]:
    """Return the ids of a camera's results."""
    found = cast("list[tuple[bytes, object]]", client.xrange(keys.camera_results(camera_id)))
    return [entry_id.decode() for entry_id, _ in found]


def events_of(client: redis.Redis) -> list[str]:
    """Return the ids of all events."""
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.events()))
    return [Event.model_validate_json(fields[b"event"]).event_id for _, fields in found]


def test_a_result_that_is_sent_twice_is_kept_once_and_changes_nothing(
    redis_client: redis.Redis, link: WorkerLink
) -> None:
    """Given a result that was accepted, when it or an older one comes again, then it is recognised."""
    assert [link.publish_result(result(1, seq), b"x") for seq in (1, 2, 3)] == [Written.ACCEPTED] * 3
    redis_client.delete(keys.camera_preview("c"))
    assert link.publish_result(result(1, 3), b"again") is Written.REPEATED
    assert link.publish_result(result(1, 1), b"again") is Written.REPEATED
    assert stream_of(redis_client) == ["1-1", "1-2", "1-3"]
    assert not redis_client.exists(keys.camera_preview("c"))
    assert AnalysisResult.model_validate_json(redis_client.get(keys.camera_result("c")) or b"").seq == 3


def test_a_newer_epoch_begins_to_count_anew(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given results of epoch 9, the first one of epoch 10 is newer, and epoch 9 is refused then."""
    link.publish_result(result(9, 700), None)
    assert link.publish_result(result(10, 1), None) is Written.ACCEPTED
    assert link.publish_result(result(9, 701), None) is Written.REFUSED
    assert stream_of(redis_client) == ["9-700", "10-1"]


def test_where_only_the_fence_was_lost_the_stream_still_refuses(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a fence that is gone, a late result of an older epoch is refused, and the fence stands again."""
    link.publish_result(result(5, 1), None)
    link.publish_result(result(6, 1), None)
    redis_client.delete(keys.camera_epoch("c"), keys.camera_result("c"))
    assert link.publish_result(result(5, 2), None) is Written.REFUSED
    assert redis_client.get(keys.camera_epoch("c")) == b"6"
    assert not redis_client.exists(keys.camera_result("c"))
    assert link.publish_result(result(6, 1), None) is Written.REPEATED
    assert link.publish_result(result(6, 2), None) is Written.ACCEPTED


def test_where_only_the_stream_was_lost_results_go_on(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a stream that is gone, the next result begins a new one, under the fence that stands."""
    link.publish_result(result(5, 7), None)
    redis_client.delete(keys.camera_results("c"))
    assert link.publish_result(result(4, 9), None) is Written.REFUSED
    assert link.publish_result(result(5, 8), None) is Written.ACCEPTED
    assert stream_of(redis_client) == ["5-8"]


def test_an_error_of_the_server_is_raised_and_leaves_nothing_half_done(
    redis_client: redis.Redis, link: WorkerLink
) -> None:
    """Given a key of another type in the way, or no memory, the writer hears it and the fence is not raised."""
    redis_client.set(keys.camera_results("c"), "in the way")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        link.publish_result(result(3, 1), b"x")
    assert not redis_client.exists(keys.camera_epoch("c"))
    redis_client.delete(keys.camera_results("c"))
    redis_client.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.RedisError, match="maxmemory"):
            link.publish_result(result(3, 1), b"x")
    finally:
        redis_client.config_set("maxmemory", 0)
    assert link.publish_result(result(3, 1), b"x") is Written.ACCEPTED


def test_the_streams_are_bounded(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given room for 50 results, after many more about as many are there, and they are the newest."""
    for first in range(1, 1001, 100):
        link.publish_all([Outgoing(result(1, seq)) for seq in range(first, first + 100)])
    kept = stream_of(redis_client)
    assert 50 <= len(kept) <= 200
    assert kept[-1] == "1-1000"


def test_an_event_that_is_sent_twice_is_kept_once(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given events of two cameras, when some come again, then each is kept once, in the order of acceptance."""
    assert link.publish_event(event(1, 1)) is Written.ACCEPTED
    assert link.publish_event(event(1, 1, "d")) is Written.ACCEPTED
    assert link.publish_event(event(1, 2)) is Written.ACCEPTED
    assert link.publish_event(event(1, 1)) is Written.REPEATED
    assert link.publish_event(event(1, 2)) is Written.REPEATED
    assert events_of(redis_client) == ["c:1:1", "d:1:1", "c:1:2"]


def test_an_event_of_the_next_epoch_does_not_silence_the_worker_that_hands_over(
    redis_client: redis.Redis, link: WorkerLink
) -> None:
    """Given a handover, events of both workers are kept until the new one has its first result."""
    link.publish_result(result(1, 1), None)
    link.publish_event(event(1, 1))
    assert link.publish_event(event(2, 1)) is Written.ACCEPTED
    assert link.publish_result(result(1, 2), None) is Written.ACCEPTED
    assert link.publish_event(event(1, 2)) is Written.ACCEPTED
    link.publish_result(result(2, 1), None)
    assert link.publish_event(event(1, 3)) is Written.REFUSED
    assert link.publish_event(event(2, 1)) is Written.REPEATED
    assert link.publish_event(event(3, 1)) is Written.ACCEPTED
    assert events_of(redis_client) == ["c:1:1", "c:2:1", "c:1:2", "c:3:1"]
    known = redis_client.hgetall(keys.camera_event_cursor("c"))
    assert known == {b"2": b"1", b"3": b"1"}, "what may not write any more is forgotten"


def test_records_in_one_exchange_are_answered_one_by_one(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given records of which some are repeated, refused or impossible, each has its own answer."""
    link.publish_result(result(2, 1, "a"), None)
    redis_client.set(keys.camera_epoch("b"), 9)
    redis_client.set(keys.camera_results("d"), "in the way")
    answers = link.publish_all(
        [
            Outgoing(result(2, 1, "a")),
            Outgoing(result(2, 1, "b")),
            Outgoing(result(2, 1, "c"), b"x"),
            Outgoing(result(2, 1, "d")),
            Outgoing(event(2, 1, "d")),
        ]
    )
    assert answers[:3] == [Written.REPEATED, Written.REFUSED, Written.ACCEPTED]
    assert isinstance(answers[3], redis.ResponseError)
    assert answers[4] is Written.ACCEPTED
    assert redis_client.hget(keys.camera_preview("c"), "jpeg") == b"x"


def test_an_exchange_works_after_the_server_has_lost_its_scripts(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a restarted server, the first exchange loads the scripts again."""
    redis_client.script_flush()
    assert link.publish_all([Outgoing(result(1, 1)), Outgoing(event(1, 1))]) == [Written.ACCEPTED] * 2


def test_a_worker_learns_where_its_predecessor_stopped_counting(link: WorkerLink) -> None:
    """Given records of several epochs, the newest numbers of the epoch that is asked for are found."""
    for seq in range(1, 12):
        link.publish_result(result(4, seq), None)
    link.publish_event(event(4, 3))
    link.publish_result(result(5, 2), None)
    asked = [Assignment(camera_id="c", url="rtsp://h/x", epoch=4), Assignment(camera_id="d", url="rtsp://h/x", epoch=1)]
    assert link.accepted_numbers(asked) == {"c": Numbers(4, 11, 3), "d": Numbers(1, 0, 0)}
    assert Numbers(4, 5, 9).newest(Numbers(4, 11, 3)) == Numbers(4, 11, 9)
    assert Numbers(4, 5, 9).newest(Numbers(5, 1, 0)) == Numbers(5, 1, 0)


def test_who_asked_a_worker_to_leave_is_read_and_forgotten(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a request, the worker reads who asked, and only its own."""
    redis_client.set(keys.worker_drain("other"), "x")
    assert link.drain_asked_by() is None
    redis_client.set(keys.worker_drain("w"), "anna via API")
    assert link.drain_asked_by() == "anna via API"
    link.forget_drain()
    assert link.drain_asked_by() is None
