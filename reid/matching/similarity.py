"""How alike two sets of embeddings are."""

from typing import Final

import numpy as np

from reid.images import Embeddings
from reid.matching.appearance import Qualities

#: Pairs of crops that count, of all pairs of two sets; see benchmarks/README.md.
NEAREST_PAIRS: Final = 4


def set_similarity(a: Embeddings, b: Embeddings, a_qualities: Qualities, b_qualities: Qualities) -> float:
    """Return how alike two sets of crops are, in [-1, 1]; of an empty one -1.

    The mean of the best pairs: a crop in which another person stands in front takes part in no good pair, and so it
    does no harm, as long as there are others.

    Args:
        a: Shape (N, dimension), rows of length 1.
        b: Shape (M, dimension), the same embedder.
        a_qualities: Shape (N,).
        b_qualities: Shape (M,).
    """
    del a_qualities, b_qualities
    if not len(a) or not len(b):
        return -1.0
    pairs = np.sort((a @ b.T).ravel())[::-1]
    return float(pairs[:NEAREST_PAIRS].mean())
