"""Reads the farm's streams for the API and the command line: moves, events and results. Changes nothing."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast

import redis
from pydantic import BaseModel

from contract import keys
from contract.detections import AnalysisResult
from contract.events import Event
from contract.moves import Move, MoveReason
from runtime.messages import read_message

#: Entries read from the server at a time.
BATCH: Final = 500
#: Entries looked at for one page at most, so that a filter that nothing passes costs no more than some 50 ms.
MAX_LOOKED_AT: Final = 5_000
HOUR_MS: Final = 3_600_000

Message = TypeVar("Message", bound=BaseModel)
#: An entry as redis-py returns it: id and fields.
_Raw = tuple[bytes, dict[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Entry(Generic[Message]):
    """One entry of a stream."""

    entry_id: str
    message: Message

    @property
    def first_part(self) -> int:
        """The number before the dash: Unix ms by the clock of Redis, or the epoch in a stream of results."""
        return int(self.entry_id.partition("-")[0])


@dataclass(frozen=True, slots=True)
class StreamPage(Generic[Message]):
    """Part of a stream."""

    entries: list[Entry[Message]]
    #: Id of the last entry that was looked at, wanted or not; where there was none, the one to begin after.
    last_looked_at: str | None
    #: Whether the end was reached. A page may have fewer entries than were asked for, even none, and not be the last.
    ended: bool

    @property
    def go_on_after(self) -> str | None:
        """Where the next page begins; None where there is none."""
        return None if self.ended else self.last_looked_at


class StreamReader:
    """Typed pages of streams. Every method raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def moves(
        self, wanted: Callable[[Move], bool], *, limit: int, since_ms: int = 0, before: str | None = None
    ) -> StreamPage[Move]:
        """Return moves that are `wanted`, newest first; arguments as in `events`."""
        return self._newest_first(keys.moves(), "move", Move, wanted, limit, str(since_ms), before)

    def events(
        self,
        wanted: Callable[[Event], bool],
        *,
        limit: int,
        since_ms: int = 0,
        before: str | None = None,
        oldest: str | None = None,
    ) -> StreamPage[Event]:
        """Return events that are `wanted`, newest first.

        Args:
            wanted: Which ones.
            limit: How many at most.
            since_ms: Only what Redis took at this time or later, Unix ms by the clock of Redis.
            before: Only what is older than the entry of this id.
            oldest: Only what is not older than the entry of this id.
        """
        since = max(str(since_ms), oldest or "0", key=entry_order)
        return self._newest_first(keys.events(), "event", Event, wanted, limit, since, before)

    def events_after(self, wanted: Callable[[Event], bool], after: str, limit: int) -> StreamPage[Event]:
        """Return events that are `wanted` and came after the entry of this id, in the order in which they came."""
        return self._oldest_first(keys.events(), "event", Event, wanted, after, limit)

    def wait_for_events(self, after: str, limit: int, wait_ms: int) -> StreamPage[Event]:
        """Return what came after the entry of this id, as soon as there is something, at most after `wait_ms`."""
        answer = self._client.xread({keys.events(): after}, count=limit, block=wait_ms)
        entries = stream_entries(answer)
        read = ((name.decode(), read_message(Event, fields.get(b"event"))) for name, fields in entries)
        found = [Entry(name, message) for name, message in read if message is not None]
        return StreamPage(found, entries[-1][0].decode() if entries else after, ended=len(entries) < limit)

    def event_ends(self) -> tuple[str, str] | None:
        """Return the ids of the oldest and the newest event that the stream holds; None: it holds none."""
        pipe = self._client.pipeline(transaction=False)
        pipe.xrange(keys.events(), count=1)
        pipe.xrevrange(keys.events(), count=1)
        oldest, newest = cast("tuple[list[_Raw], list[_Raw]]", tuple(pipe.execute()))
        return (oldest[0][0].decode(), newest[0][0].decode()) if oldest and newest else None

    def results_after(self, camera_id: str, after: str, limit: int) -> StreamPage[AnalysisResult]:
        """Return a camera's results after the one of this id, ``epoch-seq``, oldest first."""
        return self._oldest_first(
            keys.camera_results(camera_id), "result", AnalysisResult, lambda _: True, after, limit
        )

    def _newest_first(
        self,
        key: str,
        field: str,
        kind: type[Message],
        wanted: Callable[[Message], bool],
        limit: int,
        since: str,
        before: str | None,
    ) -> StreamPage[Message]:
        def batch(last: str | None, size: int) -> list[_Raw]:
            newest = "+" if last is None else f"({last}"
            found = self._client.xrevrange(key, max=newest, min=since, count=size)
            return cast("list[_Raw]", found)

        return _page(batch, before, field, kind, wanted, limit)

    def _oldest_first(
        self, key: str, field: str, kind: type[Message], wanted: Callable[[Message], bool], after: str, limit: int
    ) -> StreamPage[Message]:
        def batch(last: str | None, size: int) -> list[_Raw]:
            found = self._client.xrange(key, min=f"({last}", count=size)
            return cast("list[_Raw]", found)

        return _page(batch, after, field, kind, wanted, limit)


def _page(
    batch: Callable[[str | None, int], list[_Raw]],
    last: str | None,
    field: str,
    kind: type[Message],
    wanted: Callable[[Message], bool],
    limit: int,
) -> StreamPage[Message]:
    """Read batches until the page is full, the stream ends, or enough was looked at."""
    found: list[Entry[Message]] = []
    looked_at = 0
    size = min(limit, BATCH)
    while looked_at < MAX_LOOKED_AT:
        entries = batch(last, size)
        for name, fields in entries:
            last = name.decode()
            message = read_message(kind, fields.get(field.encode()))
            if message is not None and wanted(message):
                found.append(Entry(last, message))
            if len(found) == limit:
                break
        if len(entries) < size and (not entries or last == entries[-1][0].decode()):
            return StreamPage(found, last, ended=True)
        if len(found) == limit:
            break
        looked_at += len(entries)
        size = BATCH
    return StreamPage(found, last, ended=False)


class RecentMoves:
    """Counts the moves of the last hour by reason; reads each of them once. Safe to use from several threads.

    The hour is one of Redis' clock, which also made the ids of the entries.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._last_id = ""
        #: (Unix ms, reason), oldest first; the stream's own length bounds it.
        self._known: deque[tuple[int, MoveReason]] = deque()

    def by_reason(self) -> dict[MoveReason, int]:
        """Return how many there were. Raises what redis-py raises when Redis is away."""
        with self._lock:
            pipe = self._client.pipeline(transaction=False)
            pipe.time()
            pipe.xrevrange(keys.moves(), count=1)
            (seconds, _), newest = pipe.execute()
            hour_ago_ms = seconds * 1000 - HOUR_MS
            self._follow(newest[0][0].decode() if newest else "", hour_ago_ms)
            while self._known and self._known[0][0] < hour_ago_ms:
                self._known.popleft()
            counted = Counter(reason for _, reason in self._known)
        return {reason: counted[reason] for reason in MoveReason if counted[reason]}

    def _follow(self, newest_id: str, hour_ago_ms: int) -> None:
        if newest_id == self._last_id:
            return
        if entry_order(newest_id) < entry_order(self._last_id):  # Redis lost its data: the stream has begun anew
            self._known.clear()
            self._last_id = ""
        while True:
            # The hour before the first look is read too, and nothing older.
            start = f"({self._last_id}" if self._last_id else str(max(0, hour_ago_ms))
            found = cast(
                "list[tuple[bytes, dict[bytes, bytes]]]", self._client.xrange(keys.moves(), start, count=BATCH)
            )
            for name, fields in found:
                self._last_id = name.decode()
                message = read_message(Move, fields.get(b"move"))
                if message is not None:
                    self._known.append((entry_order(self._last_id)[0], message.reason))
            if len(found) < BATCH:
                self._last_id = self._last_id or newest_id
                return


def entry_order(entry_id: str) -> tuple[int, int]:
    """Return what entry ids are ordered by; an empty one comes first."""
    first, _, second = entry_id.partition("-")
    return int(first or 0), int(second or 0)


def stream_entries(answer: object) -> list[_Raw]:
    """Return the entries of an XREAD of one stream; RESP3 answers with a mapping, RESP2 with a list."""
    if not answer:
        return []
    if isinstance(answer, dict):
        batches = next(iter(answer.values()))
        return cast("list[_Raw]", batches[0] if batches and isinstance(batches[0], list) else batches)
    return cast("list[tuple[bytes, list[_Raw]]]", answer)[0][1]
