"""Leases on a real server: taken, renewed, lost, kept through outages, given back."""

import threading
from collections.abc import Iterator

import pytest
import redis

from runtime.lease import Lease, LeaseKeeper, LeaseState
from runtime.redis_client import connect
from runtime.settings import CommonSettings
from tests.support.clocks import SetClock
from tests.support.valkey_server import ValkeyServer

KEY = "farm:worker:w:lease"
LIFETIME = 30.0


@pytest.fixture
def client(own_valkey: ValkeyServer) -> Iterator[redis.Redis]:
    """A client as the farm makes them, with a short time-out."""
    with connect(CommonSettings(redis_url=own_valkey.url), name="test", timeout_seconds=0.3) as made:
        yield made


def test_a_lease_has_one_holder_until_it_is_given_back(redis_client: redis.Redis) -> None:
    """Given a lease that is held, another cannot take it; when it is given back, another can."""
    mine, other = Lease(redis_client, KEY, LIFETIME, value="w"), Lease(redis_client, KEY, LIFETIME)
    assert mine.state is LeaseState.FREE
    assert mine.take()
    assert (mine.state, mine.times_taken) == (LeaseState.HELD, 1)
    assert not other.take()
    mine.release()
    assert mine.state is LeaseState.FREE
    assert other.take()


def test_the_value_shows_whose_it_is_and_cannot_be_guessed(redis_client: redis.Redis) -> None:
    """Given two leases of one name, both tokens begin with the name and they differ."""
    one, two = (Lease(redis_client, KEY, LIFETIME, value="worker-7") for _ in range(2))
    assert one.token.startswith("worker-7:")
    assert one.token != two.token


def test_only_ones_own_lease_is_given_back(redis_client: redis.Redis) -> None:
    """Given a lease of somebody else, releasing leaves it alone."""
    other = Lease(redis_client, KEY, LIFETIME)
    other.take()
    Lease(redis_client, KEY, LIFETIME).release()
    assert redis_client.get(KEY) == other.token.encode()


def test_renewing_extends_the_lifetime_on_both_sides(redis_client: redis.Redis) -> None:
    """Given a lease most of whose time is over, when it is renewed, then server and holder count from then on."""
    clock = SetClock()
    lease = Lease(redis_client, KEY, LIFETIME, clock=clock)
    lease.take()
    redis_client.pexpire(KEY, 100)
    clock.advance(29)
    assert lease.renew() is LeaseState.HELD
    assert int(redis_client.pttl(KEY)) > 20_000
    clock.advance(29)
    states = [lease.state]
    clock.advance(1.1)
    states.append(lease.state)
    assert states == [LeaseState.HELD, LeaseState.DETACHED]


def test_a_holder_that_slept_past_its_lease_has_lost_it(redis_client: redis.Redis) -> None:
    """Given a lease that ran out while its holder slept and nothing was away, when it renews, then it is lost."""
    clock = SetClock()
    lease = Lease(redis_client, KEY, LIFETIME, clock=clock)
    lease.take()
    redis_client.delete(KEY)
    clock.advance(LIFETIME + 1)
    assert lease.renew() is LeaseState.LOST
    assert redis_client.get(KEY) is None


def test_a_lease_that_another_took_is_lost_and_stays_theirs(redis_client: redis.Redis) -> None:
    """Given a lease that ran out and was taken by another, the former holder loses it and does not disturb theirs."""
    lease = Lease(redis_client, KEY, LIFETIME)
    lease.take()
    redis_client.set(KEY, "another")
    assert lease.renew() is LeaseState.LOST
    lease.release()
    assert redis_client.get(KEY) == b"another"


@pytest.mark.parametrize("keep_data", [True, False])
def test_after_an_outage_a_lease_that_ran_out_is_taken_anew(
    own_valkey: ValkeyServer, client: redis.Redis, keep_data: bool
) -> None:
    """Given a server that dies and comes back after the lease's time, the holder was detached and takes it anew."""
    clock = SetClock()
    lease = Lease(client, KEY, LIFETIME, clock=clock)
    assert lease.take()
    own_valkey.kill()
    assert lease.renew() is LeaseState.HELD  # not over yet by its own clock
    clock.advance(LIFETIME)
    assert lease.renew() is LeaseState.DETACHED
    own_valkey.restart(keep_data=keep_data)
    with own_valkey.client() as direct:
        direct.delete(KEY)  # as its time would have
    assert lease.renew() is LeaseState.HELD
    assert (lease.times_taken, lease.taken_at) == (2, clock.monotonic())


def test_after_a_short_outage_the_same_lease_goes_on(own_valkey: ValkeyServer, client: redis.Redis) -> None:
    """Given a server that was frozen for less than the lease's time, the lease is renewed and not taken anew."""
    clock = SetClock()
    lease = Lease(client, KEY, LIFETIME, clock=clock)
    lease.take()
    own_valkey.freeze()
    assert lease.renew() is LeaseState.HELD
    clock.advance(LIFETIME)
    assert lease.renew() is LeaseState.DETACHED
    own_valkey.thaw()
    assert lease.renew() is LeaseState.HELD
    assert lease.times_taken == 1


def test_after_an_outage_a_lease_that_another_took_is_lost(own_valkey: ValkeyServer, client: redis.Redis) -> None:
    """Given an outage during which another took the lease, then it is lost."""
    lease = Lease(client, KEY, LIFETIME, clock=SetClock())
    lease.take()
    own_valkey.freeze()
    lease.renew()
    own_valkey.thaw()
    with own_valkey.client() as direct:
        direct.set(KEY, "another")
    assert lease.renew() is LeaseState.LOST


def test_a_first_try_whose_answer_was_lost_still_takes_the_lease(redis_client: redis.Redis) -> None:
    """Given a lease that is already set to one's own token, taking it says that it is ours."""
    lease = Lease(redis_client, KEY, LIFETIME)
    redis_client.set(KEY, lease.token, px=1000)
    assert lease.take()
    assert int(redis_client.pttl(KEY)) > 20_000


def test_a_server_that_is_there_but_does_not_serve_is_an_outage(own_valkey: ValkeyServer, client: redis.Redis) -> None:
    """Given a server that refuses writes because its memory is full, renewing neither raises nor loses the lease."""
    lease = Lease(client, KEY, LIFETIME, clock=SetClock())
    lease.take()
    with own_valkey.client() as direct:
        direct.config_set("min-replicas-to-write", 1)  # every write is refused with NOREPLICAS
        assert lease.renew() is LeaseState.HELD
        direct.config_set("min-replicas-to-write", 0)
        direct.delete(KEY)
    assert lease.renew() is LeaseState.HELD
    assert lease.times_taken == 2


def test_a_keeper_holds_the_lease_far_longer_than_its_lifetime_and_gives_it_back(redis_client: redis.Redis) -> None:
    """Given a keeper, the lease is held after several lifetimes, and free at once when the keeper stops."""
    lease = Lease(redis_client, KEY, 0.5)
    lease.take()
    changes: list[LeaseState] = []
    keeper = LeaseKeeper(lease, 0.5, changes.append)
    keeper.start()
    assert not threading.Event().wait(1.6)
    assert redis_client.get(KEY) == lease.token.encode()
    keeper.stop()
    assert redis_client.get(KEY) is None
    assert changes == []


def test_a_keeper_tells_once_that_the_lease_was_lost_and_leaves_the_new_holder_alone(redis_client: redis.Redis) -> None:
    """Given a lease that another takes, the keeper says LOST once, stops renewing, and releases nothing."""
    lease = Lease(redis_client, KEY, 0.5)
    lease.take()
    lost = threading.Event()
    changes: list[LeaseState] = []

    def changed(state: LeaseState) -> None:
        changes.append(state)
        lost.set()

    keeper = LeaseKeeper(lease, 0.5, changed)
    keeper.start()
    redis_client.set(KEY, "another")
    assert lost.wait(5)
    keeper.stop()
    assert changes == [LeaseState.LOST]
    assert redis_client.get(KEY) == b"another"


def test_a_keeper_tells_of_detachment_and_return(own_valkey: ValkeyServer, client: redis.Redis) -> None:
    """Given a server that freezes for longer than the lease, the keeper says DETACHED and then HELD again."""
    lease = Lease(client, KEY, 0.6)
    lease.take()
    changed = threading.Event()
    changes: list[LeaseState] = []

    def on_change(state: LeaseState) -> None:
        changes.append(state)
        changed.set()

    keeper = LeaseKeeper(lease, 0.6, on_change)
    keeper.start()
    own_valkey.freeze()
    assert changed.wait(10)
    changed.clear()
    own_valkey.thaw()
    assert changed.wait(10)
    keeper.stop()
    assert changes == [LeaseState.DETACHED, LeaseState.HELD]


def test_a_lease_that_the_server_ended_too_early_is_taken_anew(redis_client: redis.Redis) -> None:
    """Given a lease renewed a moment ago and gone (the server's clock was set, keys were deleted), it is held again."""
    clock = SetClock()
    lease = Lease(redis_client, KEY, 3.0, clock=clock)
    lease.take()
    clock.advance(1)
    redis_client.delete(KEY)
    assert lease.renew() is LeaseState.HELD
    assert lease.times_taken == 2
    redis_client.set(KEY, "another")
    clock.advance(1)
    assert lease.renew() is LeaseState.LOST
