"""Merges and splits of identities, so that each can be undone. Pure; the gallery stores them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from contract.errors import FarmError

#: Which identity each sighting belongs to, by the sighting's id.
Belonging = Mapping[str, str]


class CorrectionConflictError(FarmError, ValueError):
    """A sighting no longer belongs to the identity that a correction would take it from."""


@dataclass(frozen=True, slots=True)
class Move:
    """One sighting that goes from one identity to another."""

    sighting: str
    from_identity: str
    to_identity: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What an operator has put right: the moves, as they were when it was done."""

    kind: Literal["merge", "split", "undo"]
    moves: tuple[Move, ...]


def merge(kept: str, dissolved: str, belonging: Belonging) -> Correction:
    """Return what makes one identity of two; the sightings of `dissolved` go to `kept`.

    Raises:
        ValueError: Both are the same.
    """
    if kept == dissolved:
        raise ValueError(f"identity {kept} cannot be merged with itself")
    sightings = sorted(sighting for sighting, identity in belonging.items() if identity == dissolved)
    return Correction("merge", tuple(Move(sighting, dissolved, kept) for sighting in sightings))


def split(identity: str, sightings: Collection[str], new_identity: str, belonging: Belonging) -> Correction:
    """Return what takes some sightings out of an identity; they become `new_identity`.

    Raises:
        CorrectionConflictError: One of them is not of that identity.
    """
    moves = tuple(Move(sighting, identity, new_identity) for sighting in sorted(set(sightings)))
    _check(moves, belonging)
    return Correction("split", moves)


def undo(correction: Correction) -> Correction:
    """Return what takes a correction back; to undo that one is to do it again."""
    return Correction("undo", tuple(Move(m.sighting, m.to_identity, m.from_identity) for m in correction.moves))


def apply(correction: Correction, belonging: Belonging) -> dict[str, str]:
    """Return where the sightings belong afterwards.

    Raises:
        CorrectionConflictError: Meanwhile a sighting went elsewhere, or was erased; nothing is done.
    """
    _check(correction.moves, belonging)
    return {**belonging, **{move.sighting: move.to_identity for move in correction.moves}}


def _check(moves: Collection[Move], belonging: Belonging) -> None:
    for move in moves:
        now = belonging.get(move.sighting)
        if now != move.from_identity:
            where = f"belongs to {now} now" if now else "is no more"
            raise CorrectionConflictError(
                f"sighting {move.sighting} {where}, not to identity {move.from_identity}; look at both and try again"
            )
