"""Counts and names as sentences have them."""

from collections.abc import Sequence
from typing import Final

#: Names that a sentence has; the rest are counted.
NAMED: Final = 3
#: Names that a finding has.
LISTED: Final = 20


def counted(number: int, noun: str) -> str:
    """Return a count with its noun: ``1 camera``, ``2 cameras``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def named(names: Sequence[str]) -> str:
    """Return the first names, and how many there are more: ``a, b, c and 4 more``."""
    if len(names) <= NAMED:
        return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part) if names else ""
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"


def split(text: str) -> tuple[str, str]:
    """Return what is wrong, one sentence, and what helps, of a text that says the one after the other."""
    what, _, remedy = text.partition(". ")
    return f"{what.removesuffix('.')}.", remedy


def lost_since(now: int, before: int | None) -> int:
    """Return how many were lost meanwhile; `before` is None where it is not known.

    Counts begin anew with the process that counts: then none is told of, rather than a wrong number.
    """
    return 0 if before is None else max(0, now - before)


def are(count: int) -> str:
    """Return the verb for so many."""
    return "is" if count == 1 else "are"
