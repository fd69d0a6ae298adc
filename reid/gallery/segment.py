"""One run of embeddings as a graph that is searched: in memory while it grows, mapped from a file when it is full."""

import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index

from database.identities import SEGMENT_SIZE
from reid.images import Embeddings

#: Connections of a node, and how many nodes are looked at to find its place, or an answer: see benchmarks/README.md.
CONNECTIVITY: Final = 16
EXPANSION_ADD: Final = 64
EXPANSION_SEARCH: Final = 128
#: How vectors are kept in the graph; what is found is compared again with what the database has.
SCALAR: Final = ScalarKind.BF16
#: Says how files are made; another one means that a file is of no use.
FORMAT: Final = f"usearch-2.26/ip/bf16/{CONNECTIVITY}/{EXPANSION_ADD}/{SEGMENT_SIZE}"

Numbers = NDArray[np.int64]


def segment_of(number: int) -> int:
    """Return the segment that an embedding is in."""
    return number // SEGMENT_SIZE


def numbers_of(segment: int) -> tuple[int, int]:
    """Return the first and the last number of a segment."""
    return segment * SEGMENT_SIZE, (segment + 1) * SEGMENT_SIZE - 1


class Segment:
    """Embeddings of one run of numbers. Searched by several threads; one at a time changes it."""

    def __init__(self, place: int, index: Index, *, erasures: int, up_to: int, is_mapped: bool) -> None:
        """Wrap an index.

        Args:
            place: Which run of numbers.
            index: Its graph; keys are numbers.
            erasures: How often something was erased from this run before it was read.
            up_to: All embeddings of the run up to this number are in it.
            is_mapped: It is mapped from a file and cannot grow.
        """
        self._index = index
        self._lock = threading.Lock()
        self._gone = frozenset[int]()
        self.place: Final = place
        self.erasures = erasures
        self.up_to = up_to
        self.is_mapped: Final = is_mapped

    @classmethod
    def empty(cls, place: int, dimension: int, erasures: int) -> "Segment":
        """Return one that has nothing yet."""
        first, _ = numbers_of(place)
        return cls(place, new_index(dimension), erasures=erasures, up_to=first - 1, is_mapped=False)

    def __len__(self) -> int:
        return len(self._index) - len(self._gone)

    @property
    def is_full(self) -> bool:
        """Whether nothing can be added any more."""
        return self.up_to == numbers_of(self.place)[1]

    @property
    def has_gone(self) -> bool:
        """Whether the graph has embeddings that were erased; they are never found, and are still in memory."""
        return bool(self._gone)

    def add(self, numbers: Numbers, vectors: Embeddings, up_to: int) -> None:
        """Add embeddings; `up_to`: all up to this number are in it then."""
        with self._lock:
            if len(numbers):
                self._index.add(numbers.astype(np.uint64), vectors, threads=1)
            self.up_to = up_to

    def keep_only(self, numbers: Numbers) -> None:
        """Let nothing else be found from now on."""
        keys = np.asarray(self._index.keys).astype(np.int64)
        self._gone = frozenset(np.setdiff1d(keys, numbers).tolist())

    def search(self, vectors: Embeddings, count: int) -> tuple[Numbers, NDArray[np.float32]]:
        """Return numbers and similarities of what is nearest to each vector, all in one list, in no order.

        Args:
            vectors: Shape (N, dimension), of length 1.
            count: How many for each.
        """
        gone = self._gone
        wanted = min(count + len(gone), len(self._index))
        if not wanted:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        # What is mapped never changes.
        with nullcontext() if self.is_mapped else self._lock:
            found = self._index.search(vectors, wanted, threads=1)
        keys = np.atleast_2d(found.keys).astype(np.int64)
        similarities = 1.0 - np.atleast_2d(found.distances).astype(np.float32)
        counts = np.atleast_1d(getattr(found, "counts", [keys.shape[1]]))
        is_there = np.arange(keys.shape[1]) < counts[:, np.newaxis]
        if gone:
            is_there &= ~np.isin(keys, np.fromiter(gone, np.int64))
        return keys[is_there], similarities[is_there]

    def save(self, path: Path) -> None:
        """Write the graph to a file."""
        with self._lock:
            self._index.save(str(path))


def new_index(dimension: int) -> Index:
    """Return an empty graph."""
    return Index(
        ndim=dimension,
        metric=MetricKind.IP,
        dtype=SCALAR,
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        expansion_search=EXPANSION_SEARCH,
    )
