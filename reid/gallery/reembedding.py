"""Makes embeddings of another version anew with the embedder that runs now, from crops that are still on the volume.

How far it has come is in the database, written with the embeddings: it goes on where it was, whoever goes on with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, select, update

from contract.crops import Crop
from database.gallery_lock import lock_gallery
from database.identities import embeddings, erased_tracks, galleries, gallery_state
from reid.crop_files import CropFiles
from reid.embedding.embedder import Embedder
from reid.errors import UnusableCropsError
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

    def __init__(
        self, engine: Engine, version: str, open_embedder: Callable[[], Embedder], files: CropFiles, token: str
    ) -> None:
        """Prepare.

        Args:
            engine: The database.
            version: Of the embedder that runs now.
            open_embedder: Opens one for this job; called when something is to be done, which is seldom.
            files: The frames volume.
            token: Of the gallery writer of this process; only the one that took over last writes.
        """
        self._engine = engine
        self._version = version
        self._open_embedder = open_embedder
        self._embedder: Embedder | None = None
        self._files = files
        self._token = token

    def step(self) -> bool:
        """Embed some crops anew; return whether there are more.

        Raises:
            NotWriterError: Another process has taken over.
            VolumeAwayError: The frames volume is not there now; nothing is taken for lost.
            SQLAlchemyError: The database is away.
        """
        with self._engine.connect() as connection:
            row = connection.execute(
                select(galleries.c.reembed_from, galleries.c.reembed_at, galleries.c.reembed_to).where(
                    galleries.c.version == self._version, galleries.c.reembed_from.is_not(None)
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
        pictures = [(row, self._picture(row)) for row in rows]
        usable = [(row, picture) for row, picture in pictures if picture is not None]
        made = []
        if usable:
            if self._embedder is None:
                self._embedder = self._open_embedder()
            vectors = self._embedder.embed([picture for _, picture in usable])
            made = [
                dict(row) | {"version": self._version, "vector": pack(vector)}
                for (row, _), vector in zip(usable, vectors, strict=True)
            ]
        self._write(job, made, len(rows) - len(usable), rows[-1]["number"], is_done=False)
        return True

    def _picture(self, row: Mapping[Any, Any]) -> BgrImage | None:
        """Return a crop; None: it is no more, or damaged."""
        # Of all this only where it lies matters for reading it.
        crop = Crop(
            path=row["crop_path"],
            captured_at_ms=row["at_ms"],
            xyxy=(0, 0, 1, 1),
            width=1,
            height=1,
            confidence=0,
            quality=row["quality"],
        )
        try:
            return self._files.load(row["event_id"], crop)
        except UnusableCropsError:
            return None

    def _write(self, job: _Job, made: list[dict[str, Any]], lost: int, at: int, *, is_done: bool) -> None:
        """Store new embeddings and how far the job is; all of it, or nothing."""
        with self._engine.begin() as connection:
            lock_gallery(connection)
            if connection.scalar(select(gallery_state.c.writer)) != self._token:
                raise NotWriterError("another ReID process writes the gallery now, and goes on with this")
            tracks = sorted({row["track"] for row in made})
            gone = set(connection.scalars(select(erased_tracks.c.track).where(erased_tracks.c.track.in_(tracks))))
            known = self._known(connection, made)
            new = [row for row in made if row["track"] not in gone and (row["event_id"], row["crop_path"]) not in known]
            if new:
                first = lock_gallery(connection, len(new)) - len(new) + 1
                connection.execute(
                    insert(embeddings), [row | {"number": first + place} for place, row in enumerate(new)]
                )
            table = galleries.c
            connection.execute(
                update(galleries)
                .where(table.version == self._version, table.reembed_from == job.version)
                .values(
                    reembed_at=at,
                    reembedded=table.reembedded + len(new),
                    reembed_lost=table.reembed_lost + lost,
                    **({"reembed_from": None} if is_done else {}),
                )
            )

    def _known(self, connection: Connection, made: list[dict[str, Any]]) -> set[tuple[str, str]]:
        columns = embeddings.c
        query = select(columns.event_id, columns.crop_path).where(
            columns.version == self._version, columns.event_id.in_(sorted({row["event_id"] for row in made}))
        )
        return {(row.event_id, row.crop_path) for row in connection.execute(query)}
