"""Reads and writes rows of `embeddings`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, insert, select

from contract.crops import Crop
from contract.recognition import RecognitionRequest
from database.gallery_lock import lock_gallery
from database.identities import embeddings, erased_tracks
from reid.images import Embeddings

#: Ids in one question: SQLite takes 32,766 parameters.
_BATCH: Final = 1_000
#: How a vector is stored: half the bytes, and similarities differ by less than 0.001.
STORED: Final = np.dtype("<f2")


@dataclass(frozen=True, slots=True, eq=False)
class StoredVectors:
    """What an index has of some embeddings; everything has N entries, in the order of their numbers."""

    numbers: NDArray[np.int64]
    #: When each crop was taken, and when its track began, Unix ms UTC.
    at_ms: NDArray[np.int64]
    started_at_ms: NDArray[np.int64]
    #: Shape (N, dimension).
    vectors: NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class StoredEmbeddings:
    """Some embeddings of one version; everything has N entries, in the order of their numbers."""

    numbers: NDArray[np.int64]
    tracks: list[str]
    cameras: list[str]
    class_names: list[str | None]
    #: When each crop was taken, and when its track began, Unix ms UTC.
    at_ms: NDArray[np.int64]
    started_at_ms: NDArray[np.int64]
    crop_paths: list[str]
    qualities: NDArray[np.float32]
    #: Shape (N, dimension).
    vectors: Embeddings

    def __len__(self) -> int:
        return len(self.tracks)

    def select(self, indices: Sequence[int]) -> "StoredEmbeddings":
        """Return those at some places, in that order."""
        chosen = np.asarray(indices, np.intp)
        return StoredEmbeddings(
            self.numbers[chosen],
            [self.tracks[i] for i in indices],
            [self.cameras[i] for i in indices],
            [self.class_names[i] for i in indices],
            self.at_ms[chosen],
            self.started_at_ms[chosen],
            [self.crop_paths[i] for i in indices],
            self.qualities[chosen],
            self.vectors[chosen],
        )


def pack(vector: NDArray[np.float32]) -> bytes:
    """Return a vector as it is stored."""
    return vector.astype(STORED).tobytes()


def unpack(stored: Sequence[bytes], dimension: int) -> Embeddings:
    """Return stored vectors, shape (N, dimension), of length 1."""
    vectors = np.frombuffer(b"".join(stored), STORED).astype(np.float32).reshape(-1, dimension)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), np.float32)


def insert_embeddings(
    connection: Connection, made: Sequence[tuple[RecognitionRequest, Embeddings]], version: str
) -> int:
    """Store the embeddings of some requests' crops, those that are not there yet, under numbers of their own.

    Of a track whose identity was erased meanwhile nothing is kept.

    Args:
        connection: In the transaction that keeps the recognitions.
        made: Requests with the embeddings of their crops, in the order of these: shape (number of crops, dimension), of
            length 1.
        version: Of the embedder.

    Returns:
        How many were stored.
    """
    if not made:
        return 0
    lock_gallery(connection)
    tracks = {request.track for request, _ in made}
    erased = set(connection.scalars(select(erased_tracks.c.track).where(erased_tracks.c.track.in_(sorted(tracks)))))
    event_ids = {request.event_id for request, _ in made}
    is_known = embeddings.c.event_id.in_(sorted(event_ids)) & (embeddings.c.version == version)
    query = select(embeddings.c.event_id, embeddings.c.crop_path).where(is_known)
    known = {(row.event_id, row.crop_path) for row in connection.execute(query)}
    new = {
        (request.event_id, crop.path): _row(request, crop, vector, version)
        for request, vectors in made
        if request.track not in erased
        for crop, vector in zip(request.crops, vectors, strict=True)
    }
    rows = [row for key, row in new.items() if key not in known]
    if not rows:
        return 0
    first = lock_gallery(connection, len(rows)) - len(rows) + 1
    connection.execute(insert(embeddings), [{"number": first + place, **row} for place, row in enumerate(rows)])
    return len(rows)


def _row(request: RecognitionRequest, crop: Crop, vector: NDArray[np.float32], version: str) -> dict[str, Any]:
    """Return the row of one embedding, without its number."""
    return {
        "version": version,
        "track": request.track,
        "event_id": request.event_id,
        "camera_id": request.camera_id,
        "class_name": request.class_name,
        "at_ms": crop.captured_at_ms,
        "started_at_ms": min(request.started_at_ms, crop.captured_at_ms),
        "crop_path": crop.path,
        "quality": crop.quality,
        "vector": pack(vector),
    }


class EmbeddingRows:
    """Reads embeddings of one version; every method takes the connection to ask."""

    def __init__(self, version: str, dimension: int) -> None:
        self.version: Final = version
        self.dimension: Final = dimension

    def between(self, connection: Connection, first: int, last: int, limit: int) -> StoredVectors:
        """Return embeddings with ``first <= number <= last``, the first `limit` of them."""
        columns = embeddings.c
        query = select(columns.number, columns.at_ms, columns.started_at_ms, columns.vector)
        query = query.where(columns.version == self.version, columns.number.between(first, last))
        rows = connection.execute(query.order_by(columns.number).limit(limit)).all()
        numbers, at_ms, started_at_ms, vectors = zip(*rows, strict=True) if rows else ((), (), (), ())
        return StoredVectors(
            numbers=np.array(numbers, np.int64),
            at_ms=np.array(at_ms, np.int64),
            started_at_ms=np.array(started_at_ms, np.int64),
            vectors=np.frombuffer(b"".join(vectors), STORED).reshape(-1, self.dimension),
        )

    def of_tracks(self, connection: Connection, tracks: Collection[str]) -> StoredEmbeddings:
        """Return all embeddings of some tracks; not for more than some hundred tracks."""
        return self._find(connection, embeddings.c.track.in_(sorted(tracks)))

    def numbered(self, connection: Connection, numbers: Collection[int]) -> StoredEmbeddings:
        """Return those of some numbers that there still are; at most a thousand."""
        return self._find(connection, embeddings.c.number.in_(sorted(numbers)))

    def tracks_of(self, connection: Connection, numbers: Collection[int]) -> dict[int, str]:
        """Return the track of each of some numbers that there still are."""
        wanted, found = sorted(numbers), dict[int, str]()
        for start in range(0, len(wanted), _BATCH):
            some = wanted[start : start + _BATCH]
            query = select(embeddings.c.number, embeddings.c.track).where(embeddings.c.number.in_(some))
            found |= {row.number: row.track for row in connection.execute(query)}
        return found

    def numbers_between(self, connection: Connection, first: int, last: int) -> NDArray[np.int64]:
        """Return the numbers that there are in a range, in order."""
        columns = embeddings.c
        query = select(columns.number).where(columns.version == self.version, columns.number.between(first, last))
        return np.fromiter(connection.scalars(query.order_by(columns.number)), np.int64)

    def _find(
        self, connection: Connection, condition: ColumnElement[bool], limit: int | None = None
    ) -> StoredEmbeddings:
        query = select(embeddings).where(embeddings.c.version == self.version, condition)
        rows = connection.execute(query.order_by(embeddings.c.number).limit(limit)).all()
        return self._read(rows)

    def _read(self, rows: Sequence[Any]) -> StoredEmbeddings:
        return StoredEmbeddings(
            numbers=np.fromiter((row.number for row in rows), np.int64),
            tracks=[row.track for row in rows],
            cameras=[row.camera_id for row in rows],
            class_names=[row.class_name for row in rows],
            at_ms=np.fromiter((row.at_ms for row in rows), np.int64),
            started_at_ms=np.fromiter((row.started_at_ms for row in rows), np.int64),
            crop_paths=[row.crop_path for row in rows],
            qualities=np.fromiter((row.quality for row in rows), np.float32),
            vectors=unpack([row.vector for row in rows], self.dimension),
        )
