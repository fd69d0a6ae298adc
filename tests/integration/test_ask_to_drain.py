"""Asking a worker to leave."""

import pytest
import redis

from contract import keys
from runtime.drain import DRAIN_LIFETIME_SECONDS, WorkerNotFoundError, ask_to_drain
from runtime.worker_link import WorkerLink


def test_a_live_worker_is_asked_and_woken(redis_client: redis.Redis) -> None:
    """Given a worker that waits, when it is asked, then it wakes at once and finds the wish, which does not stay."""
    redis_client.set(keys.worker_lease("w"), "token", px=60_000)
    link = WorkerLink(redis_client, "w", frame_index_size=10)
    assert link.wait_for_change(0.01)  # the first look
    assert not link.wait_for_change(0.01)
    assert ask_to_drain(redis_client, "w", who="test")
    assert link.wait_for_change(0.01)
    assert redis_client.get(keys.worker_drain("w")) == b"test"
    assert 0 < redis_client.ttl(keys.worker_drain("w")) <= DRAIN_LIFETIME_SECONDS


def test_asking_again_is_no_other_wish(redis_client: redis.Redis) -> None:
    """Given a worker that was asked, when it is asked again, then that is said, and it is woken again."""
    redis_client.set(keys.worker_lease("w"), "token", px=60_000)
    assert ask_to_drain(redis_client, "w", who="first")
    assert not ask_to_drain(redis_client, "w", who="second")
    assert redis_client.xlen(keys.wakeups("w")) == 2


@pytest.mark.parametrize("known", [True, False])
def test_a_worker_that_does_not_live_cannot_be_asked(redis_client: redis.Redis, known: bool) -> None:
    """Given no lease, then the error names the worker and how to see which there are, and nothing is left behind."""
    if known:
        redis_client.sadd(keys.workers(), "w")
    with pytest.raises(WorkerNotFoundError, match=r"'w'.*workers list"):
        ask_to_drain(redis_client, "w", who="test")
    assert not redis_client.exists(keys.worker_drain("w"), keys.wakeups("w"))
