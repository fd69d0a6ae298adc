"""Short codes of embeddings: which of very many may be near, told quickly and nearly right.

A product quantiser: of every four dimensions the nearest of sixteen patterns is kept, four bits each. All codes are
looked at with every search, 32 at a time, from tables in registers.

Source:
    André, Kermarrec, Le Scouarnec: "Quicker ADC", IEEE TPAMI 2021; the implementation is faiss's `IndexPQFastScan`.
"""

from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from reid.images import Embeddings

#: Dimensions that share four bits.
PART: Final = 4
#: Rounds in which the patterns are looked for: with 25 codes are 0.5 % nearer, and it takes twice as long.
ROUNDS: Final = 10
#: Says how codes are made; another one means that they are of no use.
CODES_FORMAT: Final = f"faiss-1.15/pq{PART}x4/{ROUNDS}"

Rows = NDArray[np.int64]


class Codes:
    """Codes of embeddings in the order in which they were added. Several threads may search, while none adds."""

    def __init__(self, mean: NDArray[np.float32], index: faiss.IndexPQFastScan) -> None:
        """Wrap an index.

        Args:
            mean: Shape (dimension,): is taken away from all embeddings.
            index: Of embeddings less the mean, with zeros at the end where `PART` does not divide the dimension.
        """
        self._mean = mean
        self._index = index

    @classmethod
    def trained(cls, vectors: Embeddings) -> "Codes":
        """Return codes of nothing yet, good for embeddings like some; some tenths of a second.

        Args:
            vectors: Shape (N, dimension), N at least some hundred.
        """
        use_threads(1)
        parts = -(-vectors.shape[1] // PART)
        index = faiss.IndexPQFastScan(parts * PART, parts, 4, faiss.METRIC_L2)
        index.pq.cp.niter = ROUNDS
        # The patterns are told apart by few; it is said where these are too few.
        index.pq.cp.min_points_per_centroid = 1
        codes = cls(vectors.mean(axis=0, dtype=np.float32), index)
        index.train(codes._prepared(vectors))
        return codes

    def __len__(self) -> int:
        return self._index.ntotal

    def add(self, vectors: Embeddings) -> None:
        """Add embeddings, shape (N, dimension)."""
        use_threads(1)
        self._index.add(self._prepared(vectors))

    def search(self, vectors: Embeddings, count: int, threads: int = 1) -> tuple[NDArray[np.float32], Rows]:
        """Return for each vector the squared distances, about, and the rows of what seems nearest.

        Distances may be compared with those of other codes, whatever their means and patterns are.

        Args:
            vectors: Shape (N, dimension).
            count: How many for each; at most all.
            threads: For several vectors; for one there is one.

        Returns:
            Two arrays of the shape (N, count), the nearest first.
        """
        use_threads(threads)
        distances, rows = self._index.search(self._prepared(vectors), count)
        return distances, rows

    def _prepared(self, vectors: Embeddings) -> Embeddings:
        prepared = np.zeros((len(vectors), self._index.d), np.float32)
        np.subtract(vectors, self._mean, out=prepared[:, : len(self._mean)])
        return prepared

    def to_bytes(self) -> bytes:
        """Return all of it as it is written to a file."""
        return self._mean.astype("<f4").tobytes() + faiss.serialize_index(self._index).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, dimension: int) -> "Codes":
        """Return what `to_bytes` has made; the bytes must be known to be whole.

        Raises:
            ValueError: They are of something else.
        """
        mean = np.frombuffer(data, "<f4", dimension).astype(np.float32)
        try:
            index = faiss.deserialize_index(np.frombuffer(data, np.uint8, offset=mean.nbytes).copy())
        except RuntimeError as error:  # faiss says so of all that it cannot read
            raise ValueError(f"it has no codes that can be read: {error}") from error
        if not isinstance(index, faiss.IndexPQFastScan) or index.d - dimension not in range(PART):
            raise ValueError("it has codes of another kind")
        return cls(mean, index)


def use_threads(threads: int) -> None:
    """Say how many cores faiss may use for what this thread asks of it: OpenMP notes it for each thread by itself."""
    faiss.omp_set_num_threads(threads)
