"""Tells whether whoever sent a request still waits for the answer, without sending him anything."""

import select
from collections.abc import Callable
from typing import Final, Protocol, cast

from flask import request

#: The client has closed his side. Linux says so; elsewhere only a connection that is gone altogether is told of.
_CLOSED: Final = getattr(select, "POLLRDHUP", 0)
#: Where gunicorn puts the connection of a request.
_CONNECTION: Final = "gunicorn.socket"


class _Connection(Protocol):
    def fileno(self) -> int: ...


def presence_of_client() -> Callable[[], bool]:
    """Return what tells, later and on any thread, whether the client of the request at hand is still there.

    A page that was closed is noticed at once, though nothing is sent to it: what is sent is only refused the time
    after. Under a server that shows no connection every client is there until something cannot be sent.
    """
    connection = cast("_Connection | None", request.environ.get(_CONNECTION))
    if connection is None:
        return lambda: True

    def is_there() -> bool:
        descriptor = connection.fileno()
        if descriptor < 0:  # closed by the server
            return False
        poll = select.poll()
        poll.register(descriptor, _CLOSED)  # what is broken or gone is always told of
        return not poll.poll(0)

    return is_there
