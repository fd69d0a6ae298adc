"""Writes an entry of the audit in the very transaction that changes what it is about.

Whoever changes something need not know of the audit: while `noting` is entered, the first transaction that this thread
commits on the engine takes the entry along. So a change and its entry are both there or neither is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, event, insert

from camera_ctrler.audit.entry import AuditEntry, stored_detail
from camera_ctrler.audit.tables import MAX_ACTION, MAX_ACTOR, MAX_ADDRESS, MAX_WHAT, audit
from runtime.clock import Clock


@dataclass
class Pending:
    """An entry that is not written yet."""

    entry: Callable[[], AuditEntry]
    clock: Clock
    written: bool = False

    def write(self, connection: Connection) -> None:
        """Write it, unless it was."""
        if self.written:
            return
        self.written = True  # first: writing must not lead here again
        values = row_of(self.entry(), self.clock.now_ms())
        connection.execute(insert(audit).values(**values))


_PENDING: Final[ContextVar[Pending | None]] = ContextVar("audit_pending", default=None)


@contextmanager
def nothing_pending() -> Iterator[None]:
    """Let no transaction in the block take an entry along: it is about something else."""
    mark = _PENDING.set(None)
    try:
        yield
    finally:
        _PENDING.reset(mark)


def row_of(entry: AuditEntry, at_ms: int) -> dict[str, object]:
    """Return the values of a row."""
    return {
        "at_ms": at_ms,
        "actor": _text(entry.actor, MAX_ACTOR),
        "action": _text(entry.action, MAX_ACTION),
        "what": _text(entry.what, MAX_WHAT),
        "detail": stored_detail(entry.detail),
        "address": _text(entry.address, MAX_ADDRESS),
    }


def _text(text: str, limit: int) -> str:
    """Return a text as any database takes it."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:limit]


def listen(engine: Engine) -> None:
    """Let commits on `engine` take pending entries along; once for each engine."""
    if not event.contains(engine, "commit", _take_along):
        event.listen(engine, "commit", _take_along)


def _take_along(connection: Connection) -> None:
    pending = _PENDING.get()
    if pending is None:
        return
    try:
        pending.write(connection)
    except BaseException:
        # SQLAlchemy takes a transaction for ended whose commit was not reached, and would leave it open in the pool.
        connection.dialect.do_rollback(connection.connection)
        raise


@contextmanager
def noting(entry: Callable[[], AuditEntry], clock: Clock) -> Iterator[Pending]:
    """Let the first transaction that is committed in the block write an entry; look at `written` for whether one did.

    Args:
        entry: Makes it, in the block's last moment before it is written.
        clock: Of this machine.
    """
    pending = Pending(entry, clock)
    mark = _PENDING.set(pending)
    try:
        yield pending
    finally:
        _PENDING.reset(mark)
