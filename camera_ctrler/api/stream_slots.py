"""How many long answers may run at once: each takes a thread of the API, and nobody shall have them all."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from flask import has_request_context

from camera_ctrler.accounts.principal import EVERYBODY
from camera_ctrler.api.access import known_principal
from camera_ctrler.api.problems import ProblemError

#: Of this many streams one is always left to others by one user, program or maker of links.
_LEFT: Final = 4


class StreamSlots:
    """Long answers that may run at once. Safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._most_of_one = limit - limit // _LEFT
        self._lock = threading.Lock()
        #: By who has them; "": nobody need log in.
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a slot for the time of the ``with`` block, for who sends the request at hand.

        Raises:
            ProblemError: 503, all are taken, or all that one may have.
        """
        who = _who()
        with self._lock:
            if self._taken.total() >= self._limit:
                raise _refusal(f"All {self._limit} live views and playbacks are taken")
            if who and self._taken[who] >= self._most_of_one:
                raise _refusal(f"{who} has {self._taken[who]} live views and playbacks, and the rest are for others")
            self._taken[who] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[who] -= 1
                self._taken += Counter()  # forgets who has none


def _who() -> str:
    who = known_principal() if has_request_context() else None
    return "" if who is None or who == EVERYBODY else who.name


def _refusal(what: str) -> ProblemError:
    return ProblemError(
        503, "too-many-streams", "Too many live views and playbacks", f"{what}; close one, or raise FARM_API_THREADS."
    )
