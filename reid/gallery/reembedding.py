"""Makes embeddings of another version anew with the embedder that runs now, from crops that are still on the volume.

How far it has come is in the database, written with the embeddings: it goes on where it was, whoever goes on with it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from sqlalchemy import Engine, insert, select, update

from database.gallery_lock import lock_gallery
from database.identities import embeddings, erased_tracks, galleries, gallery_state
from reid.embedding.embedder import Embedder
from reid.gallery.embedding_rows import pack
from reid.gallery.sighting_store import NotWriterError
from reid.images import BgrImage

#: Crops in one step: some tenths of a second.
BATCH: Final = 32


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be made anew: embeddings of `version` behind the number `at`, up to `to`."""

    version: str
    at: int
    to: int


class Reembedding:
    """Does what was asked for, if anything was. Not thread-safe: one thread calls `step`."""

    def __init__(self, engine: Engine, embedder: Embedder, frames: Path, token: str) -> None:
        """Prepare.

        Args:
            engine: The database.
            embedder: Makes the new ones; used by this thread alone.
            frames: The frames volume.
            token: Of the gallery writer of this process; only the one that took over last writes.
        """
        self._engine = engine
        self._embedder = embedder
        self._frames = frames
        self._token = token

    def step(self) -> bool:
        """Embed some crops anew; return whether there are more.

        Raises:
            NotWriterError: Another process has taken over.
            SQLAlchemyError: The database is away.
        """
        with self._engine.connect() as connection:
            row = connection.execute(
                select(galleries.c.reembed_from, galleries.c.reembed_at, galleries.c.reembed_to).where(
                    galleries.c.version == self._embedder.version, galleries.c.reembed_from.is_not(None)
                )
            ).first()
            if row is None:
                return False
            job = _Job(row.reembed_from, row.reembed_at, row.reembed_to)
            columns = embeddings.c
            query = select(embeddings).where(columns.version == job.version, columns.number > job.at)
            query = query.where(columns.number <= job.to).order_by(columns.number).limit(BATCH)
            rows = connection.execute(query).mappings().all()
        if not rows:
            self._write(job, [], 0, job.to, is_done=True)
            return False
        pictures = [(row, self._picture(row["crop_path"])) for row in rows]
        usable = [(row, picture) for row, picture in pictures if picture is not None]
        made = []
        if usable:
            vectors = self._embedder.embed([picture for _, picture in usable])
            made = [
                dict(row) | {"version": self._embedder.version, "vector": pack(vector)}
                for (row, _), vector in zip(usable, vectors, strict=True)
            ]
        self._write(job, made, len(rows) - len(usable), rows[-1]["number"], is_done=False)
        return True

    def _picture(self, crop_path: str) -> BgrImage | None:
        """Return a crop; None: it is no more, or damaged."""
        root = self._frames.resolve()
        path = (root / crop_path).resolve()
        if not path.is_relative_to(root):
            return None
        try:
            picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        except (OSError, cv2.error):
            return None
        return None if picture is None else np.asarray(picture, np.uint8)

    def _write(self, job: _Job, made: list[dict[str, Any]], lost: int, at: int, *, is_done: bool) -> None:
        """Store new embeddings and how far the job is; all of it, or nothing."""
        with self._engine.begin() as connection:
            lock_gallery(connection)
            if connection.scalar(select(gallery_state.c.writer)) != self._token:
                raise NotWriterError("another ReID process writes the gallery now, and goes on with this")
            tracks = sorted({row["track"] for row in made})
            gone = set(connection.scalars(select(erased_tracks.c.track).where(erased_tracks.c.track.in_(tracks))))
            known = self._known(connection, made)
            new = [
                row
                for row in made
                if row["track"] not in gone and (row["event_id"], row["crop_path"]) not in known
            ]
            if new:
                first = lock_gallery(connection, len(new)) - len(new) + 1
                connection.execute(
                    insert(embeddings), [row | {"number": first + place} for place, row in enumerate(new)]
                )
            table = galleries.c
            connection.execute(
                update(galleries)
                .where(table.version == self._embedder.version, table.reembed_from == job.version)
                .values(
                    reembed_at=at,
                    reembedded=table.reembedded + len(new),
                    reembed_lost=table.reembed_lost + lost,
                    **({"reembed_from": None} if is_done else {}),
                )
            )

    def _known(self, connection: Any, made: list[dict[str, Any]]) -> set[tuple[str, str]]:
        columns = embeddings.c
        query = select(columns.event_id, columns.crop_path).where(
            columns.version == self._embedder.version, columns.event_id.in_(sorted({row["event_id"] for row in made}))
        )
        return {(row.event_id, row.crop_path) for row in connection.execute(query)}
