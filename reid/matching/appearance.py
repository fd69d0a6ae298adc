"""What is compared: the embeddings of one track, and those of one identity that it may be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract.ids import CameraId
from reid.images import Embeddings

#: Shape (N,), how much can be seen in each crop, in [0, 1].
Qualities = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TrackEmbeddings:
    """What one track looked like, in its best crops."""

    #: `Embedder.version`; only equal ones are compared.
    version: str
    camera: CameraId
    #: Shape (N, dimension), rows of length 1, as the embedder made them; N may be 0.
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
    #: Shape (M, dimension), rows of length 1, as the embedder made them: of the identity's sightings.
    vectors: Embeddings
    #: The camera of each; M of them.
    cameras: Sequence[CameraId]
    #: Shape (M,), `Crop.quality` of each.
    qualities: Qualities
    #: Whether it can have come from where it was last seen; see `topology.may_have_moved`.
    is_possible: bool = True

    def __post_init__(self) -> None:
        _check(self.vectors, self.qualities)
        if len(self.cameras) != len(self.vectors):
            raise ValueError(f"{len(self.vectors)} embeddings have {len(self.cameras)} cameras; each needs one")


def _check(vectors: Embeddings, qualities: Qualities) -> None:
    if vectors.ndim != 2 or qualities.shape != vectors.shape[:1]:
        raise ValueError(f"{vectors.shape} embeddings and {qualities.shape} qualities do not belong together")
