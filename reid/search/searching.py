"""Finds tracks that look like a track, an identity or a picture."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, select

from contract.gallery import FoundTrack, GalleryReply, GalleryRequest, ReplyProblem, SearchKind
from database.identities import embeddings, identities, sightings
from reid.gallery.candidates import QUERIES, nearest_tracks
from reid.gallery.embedding_rows import StoredEmbeddings
from reid.gallery.gallery_index import GalleryIndex
from reid.gallery.sighting_store import read_means
from reid.images import Embeddings
from reid.matching.camera_bias import CameraMeans, without_bias
from reid.matching.similarity import set_similarity
from reid.matching.thresholds import Thresholds

#: Sightings of an identity that are searched with, the newest.
IDENTITY_SIGHTINGS: Final = 16
#: Embeddings that are looked at for each vector that is searched with: first, and at most, where filters leave too few.
FIRST_LOOK: Final = 64
LAST_LOOK: Final = 4_096
#: Tracks that are compared at a time, so that the answer has room in memory.
TRACKS_AT_ONCE: Final = 100
#: Seconds in which an index must have come up to what the database has; else the answer says that it is not complete.
PATIENCE_SECONDS: Final = 1.0


class GallerySearch:
    """Answers searches. Used by one thread at a time.

    Every method raises `SQLAlchemyError` while the database is away.
    """

    def __init__(self, engine: Engine, index: GalleryIndex, thresholds: Thresholds | None) -> None:
        """Prepare.

        Args:
            engine: The database.
            index: All embeddings of one version.
            thresholds: Of that version; None: nobody has measured them, so embeddings are compared as they are.
        """
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._index = index
        self._mean = np.zeros(index.dimension, np.float32) if thresholds is None else thresholds.mean_vector

    def by_track(self, request: GalleryRequest) -> GalleryReply:
        """Return what is like one track, itself left out."""
        is_complete = self._index.catch_up_wholly(PATIENCE_SECONDS)
        with self._engine.connect() as connection:
            own = self._index.rows.of_tracks(connection, [request.subject])
        if not len(own):
            return self._nothing(request, f"track {request.subject}")
        best = own.select(np.argsort(-own.qualities, kind="stable")[:QUERIES].tolist())
        return self._answer(request, best.vectors, best.cameras, {request.subject}, is_complete=is_complete)

    def by_identity(self, request: GalleryRequest) -> GalleryReply:
        """Return what is like an identity, its own sightings among it."""
        is_complete = self._index.catch_up_wholly(PATIENCE_SECONDS)
        table = sightings.c
        is_its = table.identity == request.subject
        newest = select(table.track).where(is_its, *_seen(request)).order_by(table.first_ms.desc())
        with self._engine.connect() as connection:
            own = self._index.rows.of_tracks(connection, list(connection.scalars(newest.limit(IDENTITY_SIGHTINGS))))
        if not len(own):
            return self._nothing(request, f"identity {request.subject}")
        best = own.select(_best_of_each_track(own))
        return self._answer(request, best.vectors, best.cameras, set(), is_complete=is_complete)

    def by_vectors(self, request: GalleryRequest, vectors: Embeddings) -> GalleryReply:
        """Return what is like a picture whose embeddings these are."""
        is_complete = self._index.catch_up_wholly(PATIENCE_SECONDS)
        return self._answer(request, vectors, [""] * len(vectors), set(), is_complete=is_complete)

    def _nothing(self, request: GalleryRequest, what: str) -> GalleryReply:
        with self._engine.connect() as connection:
            other = self._other_version(connection, request)
        remedy = (
            f"its embeddings are of another model ({other}); make them anew with: ./farm identities reembed"
            if other
            else "it has no crops that were embedded, or not yet"
        )
        return GalleryReply(
            request_id=request.request_id,
            problem=ReplyProblem.NOTHING_TO_SEARCH_WITH,
            detail=f"{what} cannot be searched with: {remedy}",
            version=self._index.version,
        )

    def _other_version(self, connection: Connection, request: GalleryRequest) -> str | None:
        query = select(embeddings.c.version).limit(1)
        if request.kind is SearchKind.TRACK:
            query = query.where(embeddings.c.track == request.subject)
        else:
            own = select(sightings.c.track).where(sightings.c.identity == request.subject)
            query = query.where(embeddings.c.track.in_(own))
        return connection.scalar(query)

    def _answer(
        self,
        request: GalleryRequest,
        vectors: Embeddings,
        cameras: Sequence[str],
        left_out: set[str],
        *,
        is_complete: bool,
    ) -> GalleryReply:
        found: list[FoundTrack] = []
        with self._engine.connect() as connection:
            means = read_means(connection, self._index.version)
            query = without_bias(vectors, cameras, means, self._mean)
            look = FIRST_LOOK
            while True:
                near = nearest_tracks(
                    self._index, connection, query, look, from_ms=request.from_ms, to_ms=request.to_ms
                )
                tracks = [each for each in near if each not in left_out]
                found = self._passing(connection, request, tracks)[: request.limit]
                # What is asked for may lie behind much that the filters leave out.
                if len(found) == request.limit or look >= min(LAST_LOOK, len(self._index)):
                    break
                look *= 4
            found = self._compared(connection, query, means, found)
        wanted = [each for each in found if each.similarity >= request.min_similarity]
        return GalleryReply(
            request_id=request.request_id, found=wanted, version=self._index.version, complete=is_complete
        )

    def _passing(self, connection: Connection, request: GalleryRequest, tracks: Sequence[str]) -> list[FoundTrack]:
        """Return those of some tracks that pass the filters, in that order, not compared yet."""
        found: dict[str, FoundTrack] = {}
        for start in range(0, len(tracks), 1_000):
            query = select(sightings, identities.c.name).outerjoin(
                identities, identities.c.identity == sightings.c.identity
            )
            conditions: list[ColumnElement[bool]] = [sightings.c.track.in_(tracks[start : start + 1_000])]
            if request.cameras:
                conditions.append(sightings.c.camera_id.in_(request.cameras))
            conditions += _seen(request)
            if request.from_ms is not None:
                conditions.append(sightings.c.last_ms >= request.from_ms)
            if request.to_ms is not None:
                conditions.append(sightings.c.first_ms < request.to_ms)
            for row in connection.execute(query.where(*conditions)):
                found[row.track] = FoundTrack(
                    track=row.track,
                    camera_id=row.camera_id,
                    first_ms=row.first_ms,
                    last_ms=row.last_ms,
                    class_name=row.class_name,
                    similarity=-1.0,
                    crop_path=row.crop_path,
                    crop_at_ms=row.first_ms,
                    identity=row.identity,
                    name=row.name,
                )
        return [found[track] for track in tracks if track in found]

    def _compared(
        self, connection: Connection, query: Embeddings, means: CameraMeans, found: Sequence[FoundTrack]
    ) -> list[FoundTrack]:
        """Return tracks with how alike they are, the most alike first, and the crop that is most alike."""
        places: dict[str, list[int]]
        compared = []
        for start in range(0, len(found), TRACKS_AT_ONCE):
            some = found[start : start + TRACKS_AT_ONCE]
            own = self._index.rows.of_tracks(connection, [each.track for each in some])
            vectors = without_bias(own.vectors, own.cameras, means, self._mean)
            places = defaultdict(list)
            for place, track in enumerate(own.tracks):
                places[track].append(place)
            for each in some:
                if each.track not in places:  # erased since it was found
                    continue
                its = places[each.track]
                best = its[int((query @ vectors[its].T).max(axis=0).argmax())]
                similarity = round(min(1.0, set_similarity(query, vectors[its])), 4)
                told = {"crop_path": own.crop_paths[best], "crop_at_ms": int(own.at_ms[best]), "similarity": similarity}
                compared.append(each.model_copy(update=told))
        return sorted(compared, key=lambda each: (-each.similarity, each.track))


def _seen(request: GalleryRequest) -> list[ColumnElement[bool]]:
    """Return the condition that a sighting is by a camera that whoever asks may see."""
    return [] if request.visible is None else [sightings.c.camera_id.in_(request.visible)]


def _best_of_each_track(own: StoredEmbeddings) -> list[int]:
    """Return the places of the best crop of each track."""
    best: dict[str, int] = {}
    for place, track in enumerate(own.tracks):
        if track not in best or own.qualities[place] > own.qualities[best[track]]:
            best[track] = place
    return list(best.values())
