"""What one listener is sent: new events as server-sent events, from where it was on."""

from collections.abc import Callable, Iterator
from typing import Final

import redis
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.api.event_hub import BATCH, NewEvent, News, new_event
from camera_ctrler.api.long_answers import CHECK_SECONDS
from camera_ctrler.api.services import Services
from camera_ctrler.event_store.filters import EventFilter
from runtime.stream_reader import StreamPage

MIMETYPE: Final = "text/event-stream"
#: Seconds after which something is sent although nothing happened: it keeps proxies from closing the connection and
#: shows whether the client is still there.
HEARTBEAT_SECONDS: Final = 15.0
#: Milliseconds after which a client that has lost its connection shall come back.
RETRY_MS: Final = 2_000
#: Pause before Redis is tried again.
_AWAY_SECONDS: Final = 1.0


def event_parts(services: Services, wanted: EventFilter, after: str, go_on: Callable[[], bool]) -> Iterator[str]:
    """Yield what happens from the entry `after` on; ends when `go_on` says so or the server stops.

    While Redis is away there are heartbeats; then it goes on where it was.
    """
    yield f"retry: {RETRY_MS}\n{_mark(after)}"
    sent_at = services.clock.monotonic()
    while not services.stopping.is_set() and go_on():
        left = sent_at + HEARTBEAT_SECONDS - services.clock.monotonic()
        news = services.event_hub.wait(after, max(0.0, min(left, CHECK_SECONDS))) or _from_elsewhere(services, after)
        after = news.up_to
        text = "".join(_sent(each) for each in news.events if wanted.wants(each.event))
        if not text and services.clock.monotonic() - sent_at < HEARTBEAT_SECONDS:
            continue
        sent_at = services.clock.monotonic()
        # A mark also where a filter let nothing through: who comes back need not be told of all that anew.
        yield text or _mark(after)


def _from_elsewhere(services: Services, after: str) -> News:
    """Return what came after an entry and is not remembered by the hub any more, or not yet."""
    try:
        page = services.history.after(after, BATCH)
    except (redis.RedisError, SQLAlchemyError):
        page = StreamPage([], after, ended=True)
    if page.last_looked_at in {None, after}:
        services.stopping.wait(_AWAY_SECONDS)
    return News([new_event(entry) for entry in page.entries], page.last_looked_at or after)


def _sent(event: NewEvent) -> str:
    return f"id: {event.entry_id}\ndata: {event.text}\n\n"


def _mark(entry_id: str) -> str:
    """Return a comment that says where a client is: no event comes of it, but what it asks for when it comes back."""
    return f": heartbeat\nid: {entry_id}\n\n"
