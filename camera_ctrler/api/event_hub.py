"""New events for all who listen: one connection to Redis and one thread, however many they are."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import redis
import structlog

from camera_ctrler.api.event_schemas import EventEntry
from contract.events import Event
from runtime.stream_reader import Entry, StreamReader, entry_order

#: Newest events that are remembered: who is further behind reads them from Redis by itself.
REMEMBERED: Final = 1_000
#: Longest wait for an event: how long closing takes.
LISTEN_MS: Final = 500
#: Events read at a time.
BATCH: Final = 500
#: Pause before Redis is tried again.
RETRY_SECONDS: Final = 1.0
#: Longest wait for the listening thread to end: longer than a Redis that does not answer can hold it.
CLOSE_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event as listeners are sent it."""

    entry_id: str
    event: Event
    #: What is sent, made once for all.
    text: str


@dataclass(frozen=True, slots=True)
class News:
    """What came after an entry."""

    #: Oldest first.
    events: list[NewEvent]
    #: Id of the entry up to which this is all.
    up_to: str


def new_event(entry: Entry[Event]) -> NewEvent:
    """Return an entry of the stream as listeners are sent it."""
    sent = EventEntry(**entry.message.model_dump(), entry_id=entry.entry_id, recorded_at_ms=entry.first_part)
    return NewEvent(entry.entry_id, entry.message, sent.model_dump_json())


class EventHub:
    """Follows the stream of events while anybody listens. Safe to use from several threads."""

    def __init__(self, streams: StreamReader, stopping: threading.Event) -> None:
        self._streams = streams
        self._stopping = stopping
        self._changed = threading.Condition()
        self._listeners = 0
        self._thread: threading.Thread | None = None
        #: What came after the entry `_begin`, oldest first; without a gap.
        self._recent: deque[NewEvent] = deque()
        #: None: the stream is not followed at this moment.
        self._begin: str | None = None
        self._end = "0-0"

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let the stream be followed for the time of the ``with`` block."""
        with self._changed:
            self._listeners += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="event-hub", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._listeners -= 1

    def listeners(self) -> int:
        """Return how many listen."""
        return self._listeners

    def wait(self, after: str, seconds: float) -> News | None:
        """Return what came after an entry as soon as there is something, else nothing after `seconds`.

        None: that is longer ago than is remembered, or Redis is away; whoever asks must read it from elsewhere.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_news(after) or self._stopping.is_set(), seconds)
            if self._begin is None or entry_order(after) < entry_order(self._begin):
                return None
            found = [each for each in self._recent if entry_order(each.entry_id) > entry_order(after)]
            return News(found, max(after, self._end, key=entry_order))

    def _is_news(self, after: str) -> bool:
        return self._begin is not None and entry_order(self._end) > entry_order(after)

    def wake_all(self) -> None:
        """Wake every listener, so that it notices that the server stops."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread, so that its client can be closed; `stopping` must be set."""
        self.wake_all()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
            if self._thread.is_alive():
                log.error("events_still_followed", seconds=CLOSE_SECONDS)

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                if not self._changed.wait_for(lambda: self._listeners > 0 or self._stopping.is_set(), RETRY_SECONDS):
                    continue
            try:
                self._follow()
            except redis.RedisError as error:
                log.warning("events_interrupted", error=str(error))
                self._stopping.wait(RETRY_SECONDS)
            finally:
                self._forget()
        self.wake_all()

    def _follow(self) -> None:
        """Follow the stream from its end on until nobody listens."""
        ends = self._streams.event_ends()
        self._go_on_from(ends[1] if ends is not None else "0-0")
        while not self._stopping.is_set() and self._listeners:
            page = self._streams.wait_for_events(self._end, BATCH, LISTEN_MS)
            if page.last_looked_at is not None and page.last_looked_at != self._end:
                # What made room in the stream before it was read here is in the database: others find it there.
                ends = self._streams.event_ends()
                if ends is not None and entry_order(ends[0]) <= entry_order(self._end):
                    self._remember([new_event(entry) for entry in page.entries], page.last_looked_at)
                else:
                    self._go_on_from(page.last_looked_at)

    def _remember(self, found: list[NewEvent], end: str) -> None:
        with self._changed:
            self._recent.extend(found)
            self._end = end
            while len(self._recent) > REMEMBERED:
                self._begin = self._recent.popleft().entry_id
            self._changed.notify_all()

    def _go_on_from(self, end: str) -> None:
        """Remember only what comes after this entry: who has not heard what came before reads it by himself."""
        with self._changed:
            self._recent.clear()
            self._begin = self._end = end
            self._changed.notify_all()

    def _forget(self) -> None:
        with self._changed:
            self._recent.clear()
            self._begin = None
