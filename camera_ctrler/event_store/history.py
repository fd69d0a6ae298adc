"""All events that there are: those in the database, and the newest, which only the stream has yet, as one list."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import redis
import structlog

from camera_ctrler.event_store.filters import EventFilter
from camera_ctrler.event_store.reading import EventReading
from camera_ctrler.event_store.stored_event import halves
from contract.events import Event
from runtime.event_feed import EventFeed
from runtime.stream_reader import Entry, StreamPage, StreamReader

#: Pages of the stream that are searched for one event: all that it keeps by default.
_PAGES: Final = 40
#: Comes before every entry.
_NOTHING: Final = (-1, -1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some events, newest first."""

    entries: list[Entry[Event]]
    #: Entry id after which the next page begins; None: this is the last one.
    go_on_after: str | None
    #: Whether the stream was asked, too; without it what is not stored yet is missing.
    has_newest: bool = True


class EventHistory:
    """Finds events. Safe to use from several threads.

    While Redis is away, what is not stored yet is missing. Every method raises `SQLAlchemyError` while the database is
    away.
    """

    def __init__(self, reading: EventReading, streams: StreamReader, feed: EventFeed) -> None:
        self.reading: Final = reading
        self._streams = streams
        self._feed = feed

    def page(self, wanted: EventFilter, *, limit: int, since_ms: int = 0, before: str | None = None) -> HistoryPage:
        """Return events in the order in which Redis took them, newest first; arguments as in `EventReading.page`.

        A page may have fewer than `limit` and not be the last.
        """
        # The stream first: what is stored between the two questions is found twice then, and not missed.
        fresh, has_newest = self._fresh(wanted, limit, since_ms, before)
        stored = self.reading.page(wanted, limit=limit, since_ms=since_ms, before=before)
        ends = [halves(page.last_looked_at) for page in (fresh, stored) if not page.ended and page.last_looked_at]
        known_down_to = max(ends, default=_NOTHING)
        both = {entry.message.event_id: entry for entry in [*fresh.entries, *stored.entries]}
        found = [entry for entry in both.values() if halves(entry.entry_id) >= known_down_to]
        found.sort(key=lambda entry: halves(entry.entry_id), reverse=True)
        if len(found) > limit:
            return HistoryPage(found[:limit], found[limit - 1].entry_id, has_newest)
        go_on_after = None if known_down_to == _NOTHING else "{}-{}".format(*known_down_to)
        return HistoryPage(found, go_on_after, has_newest)

    def pages(self, wanted: EventFilter, *, limit: int, since_ms: int = 0) -> Iterator[HistoryPage]:
        """Yield all pages, newest first."""
        page = self.page(wanted, limit=limit, since_ms=since_ms)
        yield page
        while page.go_on_after is not None:
            page = self.page(wanted, limit=limit, since_ms=since_ms, before=page.go_on_after)
            yield page

    def find(self, event_id: str) -> Entry[Event] | None:
        """Return one event; None: there is none of that id, or no more.

        Raises:
            redis.RedisError: It is not stored, and Redis is away.
        """
        entry = self.reading.find(event_id)
        if entry is not None:
            return entry
        oldest, before = self._feed.unstored_from(), None
        for _ in range(_PAGES):
            page = self._streams.events(lambda each: each.event_id == event_id, limit=1, before=before, oldest=oldest)
            if page.entries:
                return page.entries[0]
            before = page.go_on_after
            if before is None:
                break
        return self.reading.find(event_id)  # it may have been stored meanwhile

    def after(self, entry_id: str, limit: int) -> StreamPage[Event]:
        """Return what came after the entry of this id, in the order in which it came; some of it.

        From the stream; what made room there before it was asked for comes from the database.

        Raises:
            redis.RedisError: Redis is away.
        """
        ends = self._streams.event_ends()
        if ends is None or halves(ends[0]) > halves(entry_id):
            oldest = None if ends is None else halves(ends[0])
            stored = self.reading.after(entry_id, limit)
            earlier = [entry for entry in stored if oldest is None or halves(entry.entry_id) < oldest]
            if earlier:
                return StreamPage(earlier, earlier[-1].entry_id, ended=False)
        return self._streams.events_after(lambda _: True, entry_id, limit)

    def _fresh(
        self, wanted: EventFilter, limit: int, since_ms: int, before: str | None
    ) -> tuple[StreamPage[Event], bool]:
        """Return what of a page the stream alone has, and whether it answered."""
        try:
            oldest = self._feed.unstored_from()
            page = self._streams.events(wanted.wants, limit=limit, since_ms=since_ms, before=before, oldest=oldest)
        except redis.RedisError as error:
            log.warning("events_without_newest", error=str(error))
            return StreamPage([], None, ended=True), False
        stored = self.reading.stored(entry.message.event_id for entry in page.entries)
        fresh = [entry for entry in page.entries if entry.message.event_id not in stored]
        return StreamPage(fresh, page.last_looked_at, page.ended), True
