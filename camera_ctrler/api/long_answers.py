"""Ends answers that go on for long as soon as whoever asked has gone, or may not have them any more."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.api.access import principal
from camera_ctrler.api.client_presence import presence_of_client
from camera_ctrler.api.services import services

#: Longest time for which an answer that has nothing to send waits until it asks again whether it may go on.
CHECK_SECONDS: Final = 2.0

Part = TypeVar("Part")


def may_go_on() -> Callable[[], bool]:
    """Return what tells, later and on any thread, whether the answer to the request at hand may go on.

    It may not once the client has gone, the session was ended, the token revoked, or role or cameras were changed: who
    asks again gets what he may have then. Ask before every part, and every `CHECK_SECONDS` while there is none; it
    costs next to nothing.
    """
    who, accounts, is_there = principal(), services().accounts, presence_of_client()

    def check() -> bool:
        try:
            return is_there() and accounts.still_valid(who)
        except SQLAlchemyError:  # nobody knows, and has not known for a quarter of an hour
            return False

    return check


def while_allowed(parts: Iterable[Part], go_on: Callable[[], bool]) -> Iterator[Part]:
    """Yield parts as long as `go_on` says so."""
    for part in parts:
        if not go_on():
            return
        yield part
