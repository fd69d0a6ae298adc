"""What becomes of a recognition that failed: it waits to be tried again, or is a dead letter."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from contract.recognition import RecognitionState
from database.recognitions import recognitions
from reid.queue.placing import pause_ms


@dataclass(frozen=True, slots=True)
class Again:
    """Whether and when something is tried again."""

    #: Tries after the first one; 0: it would fail again.
    retries: int
    #: Unix ms UTC.
    now_ms: int
    #: Random, in [0, 1).
    chance: float


def note_failure(
    connection: Connection, key: tuple[str, str], reason: str, again: Again, attempts: int | None = None
) -> RecognitionState | None:
    """Write down that a recognition which was queued has failed, in a transaction.

    Args:
        connection: In a transaction.
        key: Event and recogniser.
        reason: Why, for people.
        again: Whether and when it is tried again.
        attempts: Tries in vain before this one, as its worker knows them; another number: it is another's now.

    Returns:
        What it has become; None: nothing, for it is not queued any more, or another's.
    """
    c = recognitions.c
    is_it = (c.event_id == key[0]) & (c.recogniser == key[1]) & (c.state == RecognitionState.QUEUED)
    found = connection.scalar(select(c.attempts).where(is_it))
    if found is None or attempts not in (None, found):
        return None
    values: dict[str, Any] = {"attempts": found + 1, "reason": reason}
    state = RecognitionState.DEAD if found >= again.retries else RecognitionState.WAITING
    if state is RecognitionState.DEAD:
        values["done_at_ms"] = again.now_ms
    else:
        values["due_at_ms"] = again.now_ms + pause_ms(found + 1, again.chance)
    values["state"] = state
    changed = connection.execute(update(recognitions).where(is_it, c.attempts == found).values(values))
    return state if changed.rowcount else None
