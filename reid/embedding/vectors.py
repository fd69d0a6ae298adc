"""Makes embeddings of a model's raw answers."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from reid.embedding.errors import NoEmbeddingError
from reid.images import Embeddings

#: A shorter answer points nowhere.
_TINY: Final = 1e-6


def normalised(raw: NDArray[np.float32], model: str) -> Embeddings:
    """Return the rows at length 1.

    Args:
        raw: Shape (N, dimension).
        model: Its name, for the error.

    Raises:
        NoEmbeddingError: A row is not finite, or has no length.
    """
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    usable = np.isfinite(lengths[:, 0]) & (lengths[:, 0] > _TINY)
    if not usable.all():
        raise NoEmbeddingError(model, int(np.argmin(usable)))
    return np.asarray(raw / lengths, np.float32)
