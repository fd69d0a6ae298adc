"""One track as its embeddings tell of it, and what was decided on it before. Pure but for reading."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from database.identities import sightings
from reid.gallery.embedding_rows import EmbeddingRows, StoredEmbeddings
from reid.gallery.outcome import KnownSighting


@dataclass(frozen=True, slots=True, eq=False)
class TrackView:
    """One track."""

    track: str
    camera_id: str
    class_name: str | None
    #: When it was seen first and last, Unix ms UTC by its worker's clock.
    first_ms: int
    last_ms: int
    #: Its best crop.
    crop_path: str
    quality: float
    embeddings: StoredEmbeddings
    #: None: it was never decided on.
    before: KnownSighting | None


def read_tracks(connection: Connection, rows: EmbeddingRows, tracks: Collection[str]) -> list[TrackView]:
    """Return some tracks with all their embeddings, in the order given; those that have none any more are left out."""
    found = rows.of_tracks(connection, tracks)
    table = sightings.c
    query = select(table.track, table.identity, table.decided_by, table.version)
    query = query.where(table.track.in_(sorted(tracks)))
    before = {row.track: KnownSighting(*row[1:]) for row in connection.execute(query)}
    places: dict[str, list[int]] = {}
    for place, track in enumerate(found.tracks):
        places.setdefault(track, []).append(place)
    return [_view(track, found.select(places[track]), before.get(track)) for track in tracks if track in places]


def _view(track: str, own: StoredEmbeddings, before: KnownSighting | None) -> TrackView:
    best = int(own.qualities.argmax())
    return TrackView(
        track=track,
        camera_id=own.cameras[0],
        class_name=own.class_names[0],
        first_ms=int(own.started_at_ms.min()),
        last_ms=int(own.at_ms.max()),
        crop_path=own.crop_paths[best],
        quality=float(own.qualities[best]),
        embeddings=own,
        before=before,
    )
