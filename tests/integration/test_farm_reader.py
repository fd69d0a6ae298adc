"""Reads of the farm's state: who lives, what was said and how long ago."""

import pytest
import redis

from contract import keys
from contract.assignments import Assignment
from contract.workers import WorkerStatus
from runtime.farm_reader import FarmReader
from runtime.worker_link import STATUS_LIFETIME_SECONDS


def _announce(client: redis.Redis, worker_id: str, *, lives: bool = True, analysed: int = 0) -> None:
    status = WorkerStatus(
        worker_id=worker_id,
        host="north",
        pid=1,
        version="0",
        started_at_ms=0,
        updated_at_ms=0,
        device="cpu",
        detector="openvino",
        model="yolo11n",
        cores=2,
        max_cameras=64,
        frames_analysed=analysed,
    )
    client.sadd(keys.workers(), worker_id)
    client.set(keys.worker_status(worker_id), status.model_dump_json(), ex=STATUS_LIFETIME_SECONDS)
    if lives:
        client.set(keys.worker_lease(worker_id), "token", px=30_000)


def _assign(client: redis.Redis, worker_id: str, camera_id: str, epoch: int) -> None:
    assignment = Assignment(camera_id=camera_id, url="rtsp://192.0.2.1/", epoch=epoch)
    client.hset(keys.assignments(worker_id), camera_id, assignment.model_dump_json())


def test_an_empty_farm_has_no_workers(redis_client: redis.Redis) -> None:
    """Given nothing in Redis, then there are no workers, with ages or without."""
    reader = FarmReader(redis_client)
    assert reader.workers() == reader.workers(with_ages=False) == []


def test_a_look_with_ages_says_what_is_left_of_the_lease_and_who_was_asked_to_leave(redis_client: redis.Redis) -> None:
    """Given a worker whose status is ten seconds old, a dead one and one asked to leave, then all of it is said."""
    for name, lives in (("a", True), ("b", False), ("c", True)):
        _announce(redis_client, name, lives=lives)
    redis_client.pexpire(keys.worker_status("a"), (STATUS_LIFETIME_SECONDS - 10) * 1000)
    redis_client.set(keys.worker_drain("c"), "somebody")
    a, b, c = FarmReader(redis_client).workers()
    assert (a.alive, b.alive, c.alive) == (True, False, True)
    assert 20_000 < a.lease_ms <= 30_000
    assert b.lease_ms == 0
    assert 10_000 <= a.status_age_ms < 20_000
    assert c.status_age_ms < 10_000
    assert [worker.drain_asked for worker in (a, b, c)] == [False, False, True]


def test_a_look_without_ages_takes_as_many_commands_for_many_workers_as_for_one(redis_client: redis.Redis) -> None:
    """Given twenty workers, then a look without ages takes three commands and finds the same workers."""
    for number in range(20):
        _announce(redis_client, f"w-{number:02}", lives=number != 7)
    reader = FarmReader(redis_client)
    with_ages = reader.workers()
    before = redis_client.info("stats")["total_commands_processed"]
    without = reader.workers(with_ages=False)
    after = redis_client.info("stats")["total_commands_processed"]
    assert after - before == 4  # the look's three, and the first INFO
    assert [(one.worker_id, one.alive, one.status) for one in without] == [
        (one.worker_id, one.alive, one.status) for one in with_ages
    ]


def test_a_status_that_has_not_changed_is_not_parsed_again(redis_client: redis.Redis) -> None:
    """Given two looks between which one worker spoke, then the other's status is the very same object."""
    _announce(redis_client, "a")
    _announce(redis_client, "b")
    reader = FarmReader(redis_client)
    first = {worker.worker_id: worker.status for worker in reader.workers(with_ages=False)}
    _announce(redis_client, "b", analysed=5)
    second = {worker.worker_id: worker.status for worker in reader.workers(with_ages=False)}
    assert second["a"] is first["a"]
    assert second["b"] is not None
    assert second["b"].frames_analysed == 5
    redis_client.srem(keys.workers(), "b")  # dismissed, and come back with what it said at first
    reader.workers(with_ages=False)
    _announce(redis_client, "b")
    assert reader.workers(with_ages=False)[1].status == first["b"]


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff\xfe", b'{"worker_id": 7}'])
def test_a_status_that_cannot_be_read_is_as_good_as_none(redis_client: redis.Redis, text: bytes) -> None:
    """Given a status of another version, after one that could be read, then the worker is there without a status."""
    _announce(redis_client, "a")
    reader = FarmReader(redis_client)
    assert reader.workers()[0].status is not None
    redis_client.set(keys.worker_status("a"), text)
    worker = reader.workers()[0]
    assert (worker.alive, worker.status) == (True, None)


def test_assignments_follow_what_redis_holds_and_keep_what_has_not_changed(redis_client: redis.Redis) -> None:
    """Given assignments of two workers, when one changes and one goes, then the others are the same objects."""
    for worker_id, camera_id in (("a", "x"), ("a", "y"), ("b", "x")):
        _assign(redis_client, worker_id, camera_id, 1)
    reader = FarmReader(redis_client)
    first = reader.assignments(["a", "b"])
    _assign(redis_client, "a", "x", 2)
    redis_client.hdel(keys.assignments("a"), "y")
    redis_client.hset(keys.assignments("b"), "broken", b"nonsense")
    second = reader.assignments(["a", "b"])
    assert {name: assignment.epoch for name, assignment in second["a"].items()} == {"x": 2}
    assert list(second["b"]) == ["x"]
    assert second["b"]["x"] is first["b"]["x"]
    assert first["a"]["x"].epoch == 1
