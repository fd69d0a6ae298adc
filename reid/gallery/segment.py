"""One run of embeddings: in memory while it grows, mapped from a file when it is full.

A small one is compared wholly. Of a larger one codes say which embeddings may be near; those are compared.
"""

import threading
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from database.identities import SEGMENT_SIZE
from reid.gallery.codes import CODES_FORMAT, Codes, Rows
from reid.gallery.embedding_rows import STORED, StoredVectors
from reid.images import Embeddings

#: Embeddings from which on a segment has codes, and that these are trained on. Comparing so many takes 6 ms.
CODED_FROM: Final = 4_096
#: Embeddings that are coded while no search can look at the codes: 4 ms.
CODED_AT_ONCE: Final = 512
#: A track may go on so long after a crop: its later ones may be in another segment.
TRACK_MS: Final = 3_600_000
#: Says how files are made; another one means that a file is of no use.
FORMAT: Final = f"{CODES_FORMAT}/from-{CODED_FROM}/f16/{SEGMENT_SIZE}"
_NUMBER: Final = np.dtype("<i8")

Numbers = NDArray[np.int64]


def segment_of(number: int) -> int:
    """Return the segment that an embedding is in."""
    return number // SEGMENT_SIZE


def numbers_of(segment: int) -> tuple[int, int]:
    """Return the first and the last number of a segment."""
    return segment * SEGMENT_SIZE, (segment + 1) * SEGMENT_SIZE - 1


@dataclass(frozen=True, slots=True)
class Extent:
    """What of a segment is known without looking at it."""

    #: Embeddings.
    rows: int = 0
    #: When the first of their tracks began, and the newest crop was taken, Unix ms UTC.
    begun_ms: int = 2**62
    newest_ms: int = 0

    def with_more(self, stored: StoredVectors) -> "Extent":
        """Return it with more embeddings."""
        if not len(stored.numbers):
            return self
        return Extent(
            self.rows + len(stored.numbers),
            min(self.begun_ms, int(stored.started_at_ms.min())),
            max(self.newest_ms, int(stored.at_ms.max())),
        )

    def may_be_in(self, from_ms: int | None, to_ms: int | None) -> bool:
        """Tell whether a track of it may have been seen in ``[from_ms, to_ms)``; None: without end."""
        is_before = from_ms is not None and self.newest_ms + TRACK_MS < from_ms
        is_behind = to_ms is not None and self.begun_ms >= to_ms
        return not is_before and not is_behind


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """What may be nearest to N vectors, each of them: shape (N, count)."""

    #: Squared, about; what is not there any more is infinitely far.
    distances: NDArray[np.float32]
    rows: Rows


class Segment:
    """Embeddings of one run of numbers. Searched by several threads; one at a time changes it."""

    def __init__(
        self,
        place: int,
        numbers: Numbers,
        vectors: NDArray[np.float16],
        codes: Codes | None,
        extent: Extent,
        *,
        erasures: int,
        up_to: int,
        is_mapped: bool,
    ) -> None:
        """Wrap embeddings.

        Args:
            place: Which run of numbers.
            numbers: Those of its embeddings, rising; where it grows with room for all that may come.
            vectors: Shape (as many, dimension).
            codes: Of all embeddings; None: there are too few.
            extent: Of it.
            erasures: How often something was erased from this run before it was read.
            up_to: All embeddings of the run up to this number are in it.
            is_mapped: It is mapped from a file and cannot grow.
        """
        self._numbers = numbers
        self._vectors = vectors
        self._codes = codes
        self._lock = threading.Lock()
        #: By row, those that were there when it was made; None: none is gone. Replaced, never changed.
        self._is_gone: NDArray[np.bool_] | None = None
        self.extent = extent
        self.place: Final = place
        self.erasures = erasures
        self.up_to = up_to
        self.is_mapped: Final = is_mapped

    @classmethod
    def empty(cls, place: int, dimension: int, erasures: int) -> "Segment":
        """Return one that has nothing yet."""
        first, _ = numbers_of(place)
        # What is not written to takes no memory.
        numbers, vectors = np.empty(SEGMENT_SIZE, np.int64), np.empty((SEGMENT_SIZE, dimension), np.float16)
        return cls(place, numbers, vectors, None, Extent(), erasures=erasures, up_to=first - 1, is_mapped=False)

    def __len__(self) -> int:
        return self.extent.rows - self._count_gone()

    @property
    def is_full(self) -> bool:
        """Whether nothing can be added any more."""
        return self.up_to == numbers_of(self.place)[1]

    @property
    def has_gone(self) -> bool:
        """Whether it has embeddings that were erased; they are never found, and are still in memory."""
        return self._is_gone is not None

    def add(self, stored: StoredVectors, up_to: int) -> None:
        """Add embeddings; `up_to`: all up to this number are in it then."""
        start, end = self.extent.rows, self.extent.rows + len(stored.numbers)
        self._numbers[start:end] = stored.numbers
        self._vectors[start:end] = stored.vectors
        if self._codes is None and end >= CODED_FROM:
            codes = Codes.trained(self._vectors[:CODED_FROM].astype(np.float32))
            codes.add(self._vectors[:end].astype(np.float32))
            self._codes = codes
        elif self._codes is not None:
            for first in range(start, end, CODED_AT_ONCE):
                with self._lock:
                    self._codes.add(self._vectors[first : min(end, first + CODED_AT_ONCE)].astype(np.float32))
        self.extent = self.extent.with_more(stored)
        self.up_to = up_to

    def keep_only(self, numbers: Numbers) -> None:
        """Let nothing else be found from now on."""
        is_gone = ~np.isin(self._numbers[: self.extent.rows], numbers)
        self._is_gone = is_gone if is_gone.any() else None

    def _count_gone(self) -> int:
        is_gone = self._is_gone
        return 0 if is_gone is None else int(is_gone.sum())

    # --- searching --------------------------------------------------------------------------------------------------

    def estimate(self, vectors: Embeddings, count: int, threads: int) -> Estimate | None:
        """Return what seems nearest to each vector; None: it has no codes, and `rows` is to be compared.

        Args:
            vectors: Shape (N, dimension), of length 1.
            count: How many for each; there may be fewer.
            threads: For several vectors.
        """
        codes, is_gone = self._codes, self._is_gone
        if codes is None:
            return None
        # What is mapped never changes.
        with nullcontext() if self.is_mapped else self._lock:
            wanted = min(count + (0 if is_gone is None else int(is_gone.sum())), len(codes))
            distances, rows = codes.search(vectors, wanted, threads)
        if is_gone is not None:
            known = rows < len(is_gone)
            distances[known] = np.where(is_gone[rows[known]], np.inf, distances[known])
        return Estimate(distances, rows)

    def rows(self) -> Rows:
        """Return the rows of all embeddings that are not gone."""
        rows, is_gone = np.arange(self.extent.rows), self._is_gone
        if is_gone is None:
            return rows
        return np.concatenate([np.flatnonzero(~is_gone), rows[len(is_gone) :]])

    def compare(self, rows: Rows, vectors: Embeddings) -> tuple[Numbers, NDArray[np.float32]]:
        """Return the numbers of some rows, and their similarities to each of N vectors, shape (rows, N)."""
        return self._numbers[rows], self._vectors[rows].astype(np.float32) @ vectors.T

    # --- in a file --------------------------------------------------------------------------------------------------

    def write(self, file: BinaryIO) -> None:
        """Write all of it; nothing may be added or be gone meanwhile.

        Raises:
            OSError: The disk is full.
        """
        rows = self.extent.rows
        file.write(self._numbers[:rows].astype(_NUMBER, copy=False).data)
        file.write(self._vectors[:rows].astype(STORED, copy=False).data)
        if self._codes is not None:
            file.write(self._codes.to_bytes())

    @classmethod
    def read(cls, path: Path, place: int, dimension: int, extent: Extent, *, erasures: int, up_to: int) -> "Segment":
        """Return what `write` has written: mapped if it is full, else read. The file must be known to be whole.

        Raises:
            OSError: It cannot be read.
            ValueError: It is no such file.
        """
        is_full = up_to == numbers_of(place)[1]
        rows, codes_at = extent.rows, extent.rows * (_NUMBER.itemsize + dimension * STORED.itemsize)
        whole = np.empty(0, np.uint8) if not path.stat().st_size else np.memmap(path, np.uint8, "r")
        numbers = np.ndarray((rows,), _NUMBER, whole)
        vectors = np.ndarray((rows, dimension), STORED, whole, rows * _NUMBER.itemsize)
        codes = None if len(whole) == codes_at else Codes.from_bytes(whole[codes_at:].tobytes(), dimension)
        if codes is not None and len(codes) != rows:
            raise ValueError(f"it has {len(codes)} codes of {rows} embeddings")
        segment = cls(place, numbers, vectors, codes, extent, erasures=erasures, up_to=up_to, is_mapped=True)
        return segment if is_full else segment._growing()

    def _growing(self) -> "Segment":
        """Return the same in memory, with room for more."""
        growing = Segment.empty(self.place, self._vectors.shape[1], self.erasures)
        rows = self.extent.rows
        growing._numbers[:rows], growing._vectors[:rows] = self._numbers, self._vectors
        growing._codes, growing.extent, growing.up_to = self._codes, self.extent, self.up_to
        return growing
