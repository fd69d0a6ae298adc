"""From what the matcher says of a track, and what was known of it, to whose sighting it is. Pure."""

from dataclasses import dataclass
from typing import Final

from reid.matching.decision import Decision

MACHINE: Final = "machine"
OPERATOR: Final = "operator"


@dataclass(frozen=True, slots=True)
class KnownSighting:
    """What was decided on a track before."""

    identity: str | None
    #: `MACHINE` or `OPERATOR`.
    decided_by: str
    #: The embedder whose embeddings were compared then.
    version: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whose sighting a track is."""

    #: None: nobody knows, or somebody new begins.
    identity: str | None
    is_new: bool = False


def outcome_of(decision: Decision, before: KnownSighting | None, version: str) -> Outcome:
    """Return whose sighting a track is; what a person has decided stands, and so does what nothing speaks against.

    A track that was somebody new with its first crops, and is found to be somebody known with better ones, becomes a
    sighting of that one. What was decided with another embedder is not decided again: old crops are embedded anew to be
    found, not to change history.
    """
    if before is not None and (before.decided_by == OPERATOR or before.version != version):
        return Outcome(before.identity)
    if decision.verdict == "known":
        return Outcome(decision.identity)
    if before is not None and before.identity is not None:
        return Outcome(before.identity)
    return Outcome(None, is_new=decision.verdict == "new")
