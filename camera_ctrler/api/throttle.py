"""How often somebody may try to log in: counted by address and by account, in Redis, else here."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import redis
import structlog
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from camera_ctrler.accounts.errors import LoginFailedError, WrongPasswordError
from camera_ctrler.accounts.rules import name_key
from camera_ctrler.api.outages import Outage
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.proxies import network_of
from contract import keys
from runtime.clock import Clock

#: Failed logins of one account from one address. A person mistypes; who tries passwords is slowed to some 1,000 a day.
FROM_ONE_ADDRESS: Final = parse("10 per 15 minutes")
#: Failed logins of one account from all addresses. Much more, for whoever reaches it keeps its owner from logging in
#: where he is not logged in already; the window ends by itself.
OF_ONE_ACCOUNT: Final = parse("100 per 15 minutes")
#: All logins from one address, good ones too: who tries many accounts. An office behind one address needs fewer.
ALL_OF_ONE_ADDRESS: Final = parse("60 per 5 minutes")

log = structlog.get_logger(__name__)


class LoginThrottle:
    """Counts logins in windows of time. Safe to use from several threads and controllers.

    A window begins with its first try and ends by itself: nobody is locked out for ever, and who is logged in stays so.
    While Redis is away each controller counts by itself.
    """

    def __init__(self, client: redis.Redis, clock: Clock) -> None:
        self._clock = clock
        self._shared = FixedWindowRateLimiter(limits_storage(client))
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._outage = Outage(clock)
        #: Whether Redis did not answer the last time, which is said once.
        self._is_alone = False

    @contextmanager
    def attempt(self, name: str, address: str) -> Iterator[None]:
        """Let somebody try to log in, in the ``with`` block; a failure in it counts.

        Args:
            name: The name that he gives, whether there is such a user or not.
            address: Where he comes from.

        Raises:
            ProblemError: 429, with the seconds after which it goes on.
        """
        network = network_of(address)
        account = hashlib.sha256(name_key(name).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        failures = ((FROM_ONE_ADDRESS, (account, network)), (OF_ONE_ACCOUNT, (account,)))
        self._check(ALL_OF_ONE_ADDRESS, (network,), hit=True)
        for limit, key in failures:
            self._check(limit, key, hit=False)
        try:
            yield
        except (LoginFailedError, WrongPasswordError):
            for limit, key in failures:
                self._ask(lambda limiter, limit=limit, key=key: limiter.hit(limit, *key))  # type: ignore[misc]
            raise

    def _check(self, limit: RateLimitItem, key: tuple[str, ...], *, hit: bool) -> None:
        def ask(limiter: FixedWindowRateLimiter) -> int:
            """Return the seconds that are to be waited; 0: none."""
            if limiter.hit(limit, *key) if hit else limiter.test(limit, *key):
                return 0
            left = limiter.get_window_stats(limit, *key).reset_time - self._clock.now_ms() / 1000
            return max(1, int(left) + 1)

        seconds = self._ask(ask)
        if seconds:
            raise _refusal(seconds)

    def _ask(self, ask: Callable[[FixedWindowRateLimiter], int]) -> int:
        try:
            with self._outage.remembered():
                found = ask(self._shared)
        except redis.RedisError as error:
            if not self._is_alone:
                log.warning("logins_counted_here_alone", error=str(error))
            self._is_alone = True
            return ask(self._own)
        self._is_alone = False
        return found


def limits_storage(client: redis.Redis) -> RedisStorage:
    """Return where counts are kept that all controllers share; nothing is sent yet."""
    return RedisStorage("redis://", connection_pool=client.connection_pool, key_prefix=keys.limits())


def _refusal(seconds: int) -> ProblemError:
    spoken = f"{seconds} seconds" if seconds < 90 else f"{-(-seconds // 60)} minutes"
    return ProblemError(
        429,
        "too-many-logins",
        "Too many tries to log in",
        f"There were too many tries to log in; try again in {spoken}. Whoever is logged in stays so.",
        headers={"Retry-After": str(seconds)},
    )
