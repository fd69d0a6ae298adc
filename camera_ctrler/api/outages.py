"""Remembers for a moment that Redis or the database did not answer, so that not everybody waits for it anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import redis
from sqlalchemy.exc import SQLAlchemyError

from runtime.clock import Clock

#: Seconds for which a failure is told to others without another try: longer than those who waited for it need to
#: hear of it, short enough that nobody misses the end of the outage.
REMEMBERED_SECONDS: Final = 1.0


class Outage:
    """One thing that may be away. Safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: tuple[float, Exception] | None = None

    @contextmanager
    def remembered(self) -> Iterator[None]:
        """Try what is in the ``with`` block, unless it failed a moment ago.

        Raises:
            RedisError, SQLAlchemyError: The block's own, or, without the block being run, the one of a moment ago.
        """
        last = self._last
        if last is not None and self._clock.monotonic() - last[0] < REMEMBERED_SECONDS:
            raise last[1].with_traceback(None)  # else it would grow with everybody who hears of it
        try:
            yield
        except (redis.RedisError, SQLAlchemyError) as error:
            self._last = self._clock.monotonic(), error
            raise
        self._last = None
