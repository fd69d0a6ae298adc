"""The audit as it is written and read."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, insert, select

from camera_ctrler.audit.entry import AuditEntry, stored_detail
from camera_ctrler.audit.noting import Pending, listen, nothing_pending, noting, row_of
from camera_ctrler.audit.tables import audit
from runtime.clock import Clock

#: A player asks for one file in many requests: of the same one within this time the audit has one entry.
SAME_FILE_SECONDS: Final = 600.0
#: Files that are remembered for that; of more, some are noted twice.
MOST_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One entry, as it was written."""

    number: int
    at_ms: int
    actor: str
    action: str
    what: str
    detail: dict[str, Any]
    address: str


class AuditLog:
    """Writes and reads entries. Safe to use from several threads.

    Every method raises `SQLAlchemyError` while the database is away: then nothing is done that should be noted.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        #: Who, what and whence -> when it was noted, by the monotonic clock.
        self._sent: OrderedDict[tuple[str, ...], float] = OrderedDict()
        listen(engine)

    def append(self, entry: AuditEntry) -> None:
        """Write one entry, in a transaction of its own."""
        with nothing_pending(), self._engine.begin() as connection:
            connection.execute(insert(audit).values(**row_of(entry, self._clock.now_ms())))

    @contextmanager
    def noting(self, entry: Callable[[], AuditEntry]) -> Iterator[Pending]:
        """Write an entry with what the block changes in the database; right after it, if it changes nothing there.

        If the block fails, nothing is noted but what it had committed by then.

        Args:
            entry: Makes it, when it is written.
        """
        with noting(entry, self._clock) as pending:
            yield pending
        if not pending.written:
            self.append(entry())

    def append_once(self, entry: AuditEntry) -> None:
        """Note that somebody was sent a file, unless that was noted within the last ten minutes.

        From another address it is noted again: a link is used by whoever has it.
        """
        asked = json.dumps(stored_detail(entry.detail), sort_keys=True)
        key = entry.actor, entry.action, entry.what, asked, entry.address
        now = self._clock.monotonic()
        with self._lock:
            noted = self._sent.get(key)
        if noted is not None and now - noted < SAME_FILE_SECONDS:
            return
        self.append(entry)
        with self._lock:
            self._sent[key] = now
            self._sent.move_to_end(key)
            while len(self._sent) > MOST_REMEMBERED:
                self._sent.popitem(last=False)

    def page(
        self, *, limit: int, before: int | None = None, actor: str | None = None, action: str | None = None
    ) -> list[AuditRecord]:
        """Return entries, newest first.

        Args:
            limit: How many at most.
            before: Only those that are older than the one of this number.
            actor: Only what he did; None: everybody.
            action: Only this; None: everything.
        """
        query = select(audit).order_by(audit.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.number < before)
        if actor is not None:
            query = query.where(audit.c.actor == actor)
        if action is not None:
            query = query.where(audit.c.action == action)
        with self._engine.connect() as connection:
            return [AuditRecord(**row) for row in connection.execute(query).mappings()]

    def pages(self, *, limit: int, actor: str | None = None, action: str | None = None) -> Iterator[list[AuditRecord]]:
        """Yield all entries, newest first, in pages of `limit`: one at least; arguments as of `page`."""
        before: int | None = None
        while True:
            found = self.page(limit=limit, before=before, actor=actor, action=action)
            yield found
            if len(found) < limit:
                return
            before = found[-1].number
