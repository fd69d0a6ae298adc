"""Leases: proof that a process lives, held under a random token and judged by its holder's monotonic clock."""

import secrets
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import redis
import structlog

from runtime.clock import Clock, SystemClock
from runtime.scripts import Script

#: Renewals in one lifetime: two may fail before the lease is lost.
RENEWALS_PER_LIFETIME: Final = 3

log = structlog.get_logger(__name__)


class LeaseState(StrEnum):
    """What a holder knows of its lease."""

    FREE = "free"
    HELD = "held"
    #: Redis cannot be reached and the lifetime is over: it cannot be known whether the lease is still ours.
    DETACHED = "detached"
    #: Redis was reached and the lease is gone or another's.
    LOST = "lost"


class Lease:
    """One lease. Not thread-safe: one thread takes and renews it; `state` may be read by any."""

    def __init__(
        self, client: redis.Redis, key: str, lifetime_seconds: float, *, value: str = "", clock: Clock | None = None
    ) -> None:
        self._client = client
        self._key = key
        self._lifetime = lifetime_seconds
        self._clock = clock or SystemClock()
        self._renew = Script(client, "renew_lease")
        self._release = Script(client, "release_lease")
        #: The secret that proves it is ours; starts with `value` so that people can see whose it is.
        self.token: Final = f"{value}:{secrets.token_hex(16)}" if value else secrets.token_hex(16)
        self._held_until = 0.0
        self._away = False
        self._lost = False
        #: How often it was taken; more than once: there was an outage in between.
        self.times_taken = 0
        #: Monotonic seconds when it was last taken.
        self.taken_at = 0.0
        self._server = ""

    @property
    def state(self) -> LeaseState:
        """What is known of it at this moment."""
        if self._lost:
            return LeaseState.LOST
        if self._held_until == 0.0:
            return LeaseState.FREE
        return LeaseState.HELD if self._clock.monotonic() < self._held_until else LeaseState.DETACHED

    def take(self) -> bool:
        """Try to take the lease; True if it is ours now. Raises what redis-py raises when Redis is away."""
        asked_at = self._clock.monotonic()
        server = self._server_id()
        taken = self._client.set(self._key, self.token, nx=True, px=self._lifetime_ms)
        # A first try whose answer was lost has set it already: then renewing tells that it is ours.
        if taken or self._renew([self._key], [self.token, self._lifetime_ms]) == 1:
            self._held_until = asked_at + self._lifetime
            self._lost = self._away = False
            self.times_taken += 1
            self.taken_at = asked_at
            self._server = server
            return True
        return False

    def renew(self) -> LeaseState:
        """Renew the lease and return what is known then; never raises because Redis is away.

        A lease that is gone because we slept past its end, by our own clock, is lost: others have our work by now. In
        all other cases it is taken anew if it is free: after an outage, on a server that is another one than it was
        taken from (restarted, or failed over), and where the server ended it too early, because its wall clock was
        set forward or somebody deleted its keys.
        """
        asked_at = self._clock.monotonic()
        try:
            if self._renew([self._key], [self.token, self._lifetime_ms]) == 1:
                self._held_until = asked_at + self._lifetime
                self._away = False
            elif self._away or asked_at < self._held_until or self._server_id() != self._server:
                self._lost = not self.take()
            else:
                self._lost = True
        except redis.RedisError as error:
            # Also an answer such as OOM or MISCONF: the server is there but does not serve, so nothing is known.
            if not self._away:
                log.warning("redis_away", lease=self._key, error=str(error))
            self._away = True
        return self.state

    def release(self) -> None:
        """Give the lease back if it is ours; when Redis is away it runs out by itself."""
        try:
            self._release([self._key], [self.token])
        except redis.RedisError as error:
            log.info("lease_not_released", lease=self._key, error=str(error))
        self._held_until = 0.0

    def _server_id(self) -> str:
        return str(self._client.info("server")["run_id"])

    @property
    def _lifetime_ms(self) -> int:
        return round(self._lifetime * 1000)


class LeaseKeeper:
    """Renews a lease that was taken, on a thread and a connection of its own, and tells when its state changes."""

    def __init__(self, lease: Lease, lifetime_seconds: float, on_change: Callable[[LeaseState], None]) -> None:
        self._lease = lease
        self._interval = lifetime_seconds / RENEWALS_PER_LIFETIME
        self._on_change = on_change
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """Stop renewing and give the lease back."""
        self._stop.set()
        self._thread.join()
        if self._lease.state is not LeaseState.LOST:
            self._lease.release()

    def _run(self) -> None:
        known = self._lease.state
        while not self._stop.wait(self._interval):
            state = self._lease.renew()
            if state is not known:
                known = state
                self._on_change(state)
            if state is LeaseState.LOST:
                return
