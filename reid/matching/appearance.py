"""What is compared: the embeddings of one track, and those of one identity that it may be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.images import Embeddings

#: Shape (N,), how much can be seen in each crop, in [0, 1].
Qualities = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TrackEmbeddings:
    """What one track looked like, in its best crops."""

    #: `Embedder.version`; only equal ones are compared.
    version: str
    #: Shape (N, dimension), rows of length 1; N may be 0.
    vectors: Embeddings
    #: Shape (N,), `Crop.quality` of each.
    qualities: Qualities

    def __post_init__(self) -> None:
        _check(self.vectors, self.qualities)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One identity that a track may be."""

    #: Id of the identity.
    identity: str
    version: str
    #: Shape (M, dimension), rows of length 1: of the identity's sightings, several of each where there are many.
    vectors: Embeddings
    #: Shape (M,), `Crop.quality` of each.
    qualities: Qualities
    #: Whether it can have come from where it was last seen; see `topology.may_have_moved`.
    is_possible: bool = True

    def __post_init__(self) -> None:
        _check(self.vectors, self.qualities)


def _check(vectors: Embeddings, qualities: Qualities) -> None:
    if vectors.ndim != 2 or qualities.shape != vectors.shape[:1]:
        raise ValueError(f"{vectors.shape} embeddings and {qualities.shape} qualities do not belong together")
