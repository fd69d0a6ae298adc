"""How alike two sets of embeddings are."""

import numpy as np

from reid.images import Embeddings


def set_similarity(a: Embeddings, b: Embeddings) -> float:
    """Return how alike two sets of crops are, in [-1, 1]; of an empty one -1.

    Each crop says how near its nearest crop of the other set is, and the median of what the crops of a set say counts:
    a crop in which somebody else stands in front is outvoted, and one that is near by chance as well. Of the ways tried
    it was the best where each set had one crop of another person, and among the best where none had.

    Args:
        a: Shape (N, dimension), rows of length 1.
        b: Shape (M, dimension), the same embedder.
    """
    if not len(a) or not len(b):
        return -1.0
    pairs = a @ b.T
    return float((np.median(pairs.max(axis=1)) + np.median(pairs.max(axis=0))) / 2)
