"""Ways to say how alike two sets of crops are, beside the one that the matcher has."""

from collections.abc import Callable
from typing import Final

import numpy as np

from reid.images import Embeddings
from reid.matching.similarity import set_similarity

Way = Callable[[Embeddings, Embeddings], float]


def mean_of_all(a: Embeddings, b: Embeddings) -> float:
    """Return the mean over all pairs."""
    return float((a @ b.T).mean())


def of_the_means(a: Embeddings, b: Embeddings) -> float:
    """Return the cosine of the two means."""
    one, other = a.mean(axis=0), b.mean(axis=0)
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def best_pair(a: Embeddings, b: Embeddings) -> float:
    """Return the similarity of the two crops that are most alike."""
    return float((a @ b.T).max())


def best_four_pairs(a: Embeddings, b: Embeddings) -> float:
    """Return the mean over the four pairs that are most alike."""
    return float(np.sort((a @ b.T).ravel())[-4:].mean())


def mean_of_nearest(a: Embeddings, b: Embeddings) -> float:
    """Return the mean, over the crops of both sets, of how near the nearest of the other set is."""
    pairs = a @ b.T
    return float((pairs.max(axis=1).mean() + pairs.max(axis=0).mean()) / 2)


WAYS: Final[dict[str, Way]] = {
    "median of each crop's nearest (the matcher's)": set_similarity,
    "mean of each crop's nearest": mean_of_nearest,
    "mean of all pairs": mean_of_all,
    "cosine of the means": of_the_means,
    "best four pairs": best_four_pairs,
    "best pair": best_pair,
}
