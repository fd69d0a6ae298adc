"""Runs frames in batches that fit into the device's memory."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def run_in_batches(
    items: Sequence[T],
    batch: int,
    run: Callable[[Sequence[T]], list[R]],
    out_of_memory: type[BaseException],
    on_halved: Callable[[int], None],
) -> list[R]:
    """Run all items, at most `batch` at a time; half of that, again and again, where memory runs out.

    Args:
        items: What to run; may be empty.
        batch: Most items at a time, at least 1.
        run: Returns one result per item, in order; doing it again for the same items must be harmless.
        out_of_memory: What `run` raises when the items do not fit.
        on_halved: Hears the new, smaller batch before it is tried.

    Raises:
        BaseException: `out_of_memory`, when not even one item fits.
    """
    results: list[R] = []
    while len(results) < len(items):
        part = items[len(results) : len(results) + batch]
        try:
            results += run(part)
        except out_of_memory:
            if len(part) == 1:
                raise
            batch = len(part) // 2
            on_halved(batch)
    return results
