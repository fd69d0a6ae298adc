"""What an embedder is."""

from collections.abc import Sequence
from typing import Protocol

from reid.images import BgrImage, Embeddings


class Embedder(Protocol):
    """One model that turns pictures of objects into embeddings. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """Name of the model, as `./farm models list` shows it."""

    @property
    def version(self) -> str:
        """What tells its embeddings from those of any other model: only equal ones are compared. At most 64 letters."""

    @property
    def dimension(self) -> int:
        """Numbers in one embedding."""

    def embed(self, images: Sequence[BgrImage]) -> Embeddings:
        """Return one embedding of each picture, shape (N, dimension), each of length 1.

        Args:
            images: Crops of any size, 1 pixel at least.
        """
