"""The nearest of all segments: what the codes of all of them say, and what comparing says then."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from reid.gallery.segment import Numbers, Segment
from reid.images import Embeddings

#: What is compared for each vector, the nearest as codes tell. Among a million the true ten nearest were among the
#: first thousand in 0.992, among the first two thousand in 0.999: see benchmarks/README.md.
COMPARED: Final = 1_500
#: Where many are asked for, so many times as many are compared.
COMPARED_FOR_EACH: Final = 4

Similarities = NDArray[np.float32]


def find_nearest(
    segments: Iterable[Segment], vectors: Embeddings, count: int, threads: int = 1
) -> tuple[Numbers, Similarities]:
    """Return what is nearest to any of some vectors: numbers, each once, and similarities, the highest first.

    Args:
        segments: What is searched.
        vectors: Shape (N, dimension), of length 1.
        count: How many for each of them.
        threads: For several vectors.
    """
    compared = max(COMPARED, COMPARED_FOR_EACH * count)
    parts, coded = [], []
    for segment in segments if len(vectors) else ():
        estimate = segment.estimate(vectors, compared, threads)
        if estimate is None:
            parts.append(segment.compare(segment.rows(), vectors))
        else:
            coded.append((segment, estimate))
    furthest = _furthest([estimate.distances for _, estimate in coded], compared)
    for segment, estimate in coded:
        rows = np.unique(estimate.rows[estimate.distances <= furthest])
        parts.append(segment.compare(rows, vectors))
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    numbers, similarities = (np.concatenate(part) for part in zip(*parts, strict=True))
    chosen = _best_of_each(similarities, count)
    best = similarities[chosen].max(axis=1)
    order = np.argsort(-best, kind="stable")
    return numbers[chosen][order], best[order]


def _furthest(distances: list[Similarities], count: int) -> Similarities:
    """Return how far the last is that is compared with each vector, shape (N, 1)."""
    if not distances:
        return np.empty((0, 1), np.float32)
    together = np.concatenate(distances, axis=1)
    place = min(count, together.shape[1]) - 1
    furthest = np.partition(together, place, axis=1)[:, place : place + 1]
    # What is gone is infinitely far, and never compared.
    return np.minimum(furthest, np.finfo(np.float32).max)


def _best_of_each(similarities: Similarities, count: int) -> NDArray[np.intp]:
    """Return the rows that are among the best of any column."""
    if len(similarities) <= count:
        return np.arange(len(similarities))
    return np.unique(np.argpartition(-similarities, count - 1, axis=0)[:count])
