"""The stream of events as event writers see it: each takes its share, and nothing is forgotten before it is stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

import redis

from contract import keys
from runtime.scripts import Script

#: The consumer group of those that write events to the database.
GROUP: Final = "store"
#: Entries of a writer that is gone which are taken over at a time.
CLAIM_COUNT: Final = 500


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One entry as the stream has it."""

    entry_id: str
    #: None: it has no field of that name.
    text: bytes | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a writer was given."""

    #: Oldest first.
    entries: list[RawEvent]
    #: Events that the stream was found to have lost, which nobody has stored.
    lost: int = 0
    #: Whether the stream knew of event writers; a server that has lost its data does not.
    has_group: bool = True


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is in the stream and not in the database."""

    #: Events that no writer has taken, or has taken and not stored.
    waiting: int = 0
    #: The oldest of them: the first half of its entry's id, Unix ms by the clock of Redis; None: there is none.
    oldest_ms: int | None = None
    #: Events that were lost because they made room before they were stored.
    lost: int = 0
    #: Event writers whose lease is held.
    writers: int = 0


class EventFeed:
    """Typed access to what event writers use. Every method raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._take = Script(client, "take_events")
        self._claim = Script(client, "claim_events")

    def begin(self) -> None:
        """Make the group, at the beginning of what the stream holds, unless it is there."""
        try:
            stream = self._client.xinfo_stream(keys.events())
            removed = int(stream["entries-added"]) - int(stream["length"])
        except redis.ResponseError:  # there is no stream yet
            removed = 0
        try:
            # What made room before there was any writer was never meant for one.
            self._client.xgroup_create(keys.events(), GROUP, id="0", mkstream=True, entries_read=removed)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def take(self, writer_id: str, token: str, count: int, *, again: bool = False) -> Taken:
        """Return entries that are this writer's to store, until it has acknowledged them.

        Args:
            writer_id: Who takes.
            token: Of its lease; nothing is given to who does not hold it, for others would take it away at once.
            count: Entries at most.
            again: Those that it was given before, instead of new ones.
        """
        state, *more = cast(
            "list[Any]",
            self._take.answer(
                [keys.events(), keys.event_writer_lease(writer_id), keys.event_losses()],
                [GROUP, writer_id, token, count, "0" if again else ">"],
            ),
        )
        if int(state) != 1:
            return Taken([], has_group=int(state) != 0)
        entries, lost = more
        return Taken([_raw(entry) for entry in entries], int(lost))

    def acknowledge(self, entry_ids: Iterable[str]) -> None:
        """Say that entries are stored, or kept aside."""
        names = list(entry_ids)
        if names:
            self._client.xack(keys.events(), GROUP, *names)

    def claim_abandoned(self, writer_id: str) -> int:
        """Take over some of what writers were given whose lease is gone; return how much that is."""
        others = [name for name in self._writers() if name != writer_id]
        claimed = 0
        for other in others:
            script_keys = [keys.events(), keys.event_writer_lease(other), keys.event_losses()]
            claimed += self._claim(script_keys, [GROUP, other, writer_id, CLAIM_COUNT])
        return claimed

    def unstored_from(self) -> str | None:
        """Return an entry id before which everything is stored or lost; None: nothing is known to be stored."""
        group = self._group()
        if group is None:
            return None
        if int(group["pending"]):
            pending = self._client.xpending(keys.events(), GROUP)
            if pending["min"] is not None:
                return str(_text(pending["min"]))
        milliseconds, _, number = _text(group["last-delivered-id"]).partition("-")
        return f"{milliseconds}-{int(number) + 1}"

    def backlog(self) -> Backlog:
        """Return what waits to be stored."""
        lost = int(cast("bytes | None", self._client.get(keys.event_losses())) or 0)
        group = self._group()
        if group is None:
            return self._without_writers(lost)
        begin = self.unstored_from()
        oldest = cast("list[tuple[bytes, object]]", self._client.xrange(keys.events(), begin or "-", count=1))
        lag = group.get("lag")
        unread = int(lag) if lag is not None else 0
        names = [keys.event_writer_lease(name) for name in self._writers()]
        return Backlog(
            waiting=unread + int(group["pending"]),
            oldest_ms=int(oldest[0][0].partition(b"-")[0]) if oldest else None,
            lost=lost,
            writers=int(self._client.exists(*names)) if names else 0,
        )

    def _without_writers(self, lost: int) -> Backlog:
        oldest = cast("list[tuple[bytes, object]]", self._client.xrange(keys.events(), count=1))
        return Backlog(
            waiting=int(self._client.xlen(keys.events())),
            oldest_ms=int(oldest[0][0].partition(b"-")[0]) if oldest else None,
            lost=lost,
        )

    def _group(self) -> dict[str, Any] | None:
        try:
            groups = self._client.xinfo_groups(keys.events())
        except redis.ResponseError:  # there is no stream
            return None
        return next((group for group in groups if _text(group["name"]) == GROUP), None)

    def _writers(self) -> list[str]:
        try:
            found = self._client.xinfo_consumers(keys.events(), GROUP)
        except redis.ResponseError:  # there is no stream, or no group
            return []
        return [_text(consumer["name"]) for consumer in found]


def _raw(entry: list[Any]) -> RawEvent:
    name, flat = entry
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return RawEvent(_text(name), fields.get(b"event"))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
