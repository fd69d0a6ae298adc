"""Tells whether a session or a token still stands, without asking the database for every request."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.accounts.principal import Principal
from runtime.clock import Clock

#: How long an answer of the database is believed: what another process revokes takes effect within this time.
BELIEVED_SECONDS: Final = 1.0
#: And how long while the database does not answer, where nobody can revoke anything either. An access token lives as
#: long as that.
WITHOUT_DATABASE_SECONDS: Final = 900.0
#: How long it is not asked again after it did not answer, about who is known: each try takes a thread for seconds.
RETRY_SECONDS: Final = 5.0
#: Answers that are kept; the one that was not asked for the longest makes room.
MOST_KEPT: Final = 10_000

#: Who a session or a token is; None: it does not stand.
Look = Callable[[str], Principal | None]


class Standing:
    """What was found out lately about one kind of key. Safe to use from several threads."""

    def __init__(self, look: Look, clock: Clock) -> None:
        """Prepare it.

        Args:
            look: Asks the database; raises `SQLAlchemyError` when that is away.
            clock: Of this machine.
        """
        self._look = look
        self._clock = clock
        self._lock = threading.Lock()
        #: When the database may be asked again, by the monotonic clock.
        self._retry_at = float("-inf")
        #: Key -> who, and when that was found out by the monotonic clock.
        self._known: OrderedDict[str, tuple[Principal, float]] = OrderedDict()
        #: Rises with everything that is changed here: what was asked for before is not to be believed after.
        self._round = 0

    def who(self, key: str) -> Principal | None:
        """Return who that is; None: it does not stand, or never did.

        Raises:
            SQLAlchemyError: The database is away, and nothing was known of it.
        """
        now = self._clock.monotonic()
        with self._lock:
            known, asked_in = self._known.get(key), self._round
        if known is not None and now - known[1] < self._believed_seconds(now):
            return known[0]
        try:
            found = self._look(key)
        except SQLAlchemyError:
            self._retry_at = self._clock.monotonic() + RETRY_SECONDS
            if known is not None and now - known[1] < WITHOUT_DATABASE_SECONDS:
                return known[0]
            raise
        self._retry_at = float("-inf")
        with self._lock:
            if found is None:
                self._known.pop(key, None)
            elif asked_in == self._round:
                self._known[key] = found, now
                self._known.move_to_end(key)
                if len(self._known) > MOST_KEPT:
                    self._known.popitem(last=False)
        return found

    def _believed_seconds(self, now: float) -> float:
        return BELIEVED_SECONDS if now >= self._retry_at else WITHOUT_DATABASE_SECONDS

    def forget(self) -> None:
        """Ask anew for everybody: something was changed here, and takes effect at once."""
        with self._lock:
            self._known.clear()
            self._round += 1
