"""Writes whose sighting each track is; only the gallery writer that took over last can."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Engine, insert, select, update

from contract.errors import FarmError
from contract.events import Event, EventKind
from contract.ids import new_identity_id
from database.gallery_lock import lock_gallery
from database.identities import (
    camera_means,
    erased_tracks,
    galleries,
    gallery_state,
    identities,
    sightings,
    watch_hits,
    watch_list,
)
from database.identity_rows import drop_if_unused, members_of
from reid.gallery.outcome import MACHINE, OPERATOR, Outcome
from reid.gallery.track_view import TrackView
from reid.matching.camera_bias import CameraMean
from reid.matching.decision import Decision
from runtime.clock import Clock

#: Said of itself in events.
WRITER_ID: Final = "gallery"
#: Merges that are followed, one after the other, to the identity that is left.
_MERGES: Final = 20


class NotWriterError(FarmError):
    """Another gallery writer has taken over; nothing was written."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One track with what the matcher says of it."""

    view: TrackView
    decision: Decision
    outcome: Outcome
    #: What its camera has seen, this track included; None: it had been counted before.
    mean: CameraMean | None
    #: All embeddings up to this one are decided on then.
    decided_to: int


class SightingStore:
    """The writing side of sightings. Every method raises `SQLAlchemyError` while the database is away."""

    def __init__(self, engine: Engine, token: str, version: str, clock: Clock) -> None:
        self._engine = engine
        self._token = token
        self._version = version
        self._clock = clock

    def take_over(self, model: str, dimension: int) -> None:
        """Be the one that writes from now on."""
        with self._engine.begin() as connection:
            lock_gallery(connection)
            connection.execute(update(gallery_state).values(writer=self._token))
            if connection.execute(select(galleries).where(galleries.c.version == self._version)).first() is None:
                values = {"model": model, "dimension": dimension, "created_at_ms": self._clock.now_ms()}
                nothing = {"decided_to": 0, "reembedded": 0, "reembed_lost": 0}
                connection.execute(insert(galleries).values(version=self._version, **values, **nothing))

    def write(self, judged: Judged) -> str | None:
        """Store whose sighting a track is; return the identity.

        What people have changed since the matcher looked is respected.

        Raises:
            NotWriterError: Another one has taken over.
        """
        view = judged.view
        with self._engine.begin() as connection:
            self._lock(connection)
            if _is_erased(connection, view.track):
                return None
            current = connection.execute(select(sightings).where(sightings.c.track == view.track)).first()
            identity = self._identity(connection, judged.outcome, current)
            self._put(connection, judged, current, identity)
            if current is not None and current.identity is not None and current.identity != identity:
                drop_if_unused(connection, current.identity)
            if identity is not None:
                self._note_watched(connection, view, identity, judged.decision.similarity)
            if judged.mean is not None:
                self._put_mean(connection, view.camera_id, judged.mean)
            # With the sighting, not after it: who takes over must not count the track's mean again.
            self._put_decided(connection, judged.decided_to)
        return identity

    def decided_to(self) -> int:
        """Return up to which number all embeddings were decided on."""
        query = select(galleries.c.decided_to).where(galleries.c.version == self._version)
        with self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def note_decided(self, number: int) -> None:
        """Note up to which number all embeddings were decided on.

        Raises:
            NotWriterError: Another one has taken over.
        """
        with self._engine.begin() as connection:
            self._lock(connection)
            self._put_decided(connection, number)

    def means(self) -> dict[str, CameraMean]:
        """Return what each camera has seen so far."""
        with self._engine.connect() as connection:
            return read_means(connection, self._version)

    def unsent(self, limit: int = 100) -> list[tuple[str, str, Event]]:
        """Return what is to be told of watched identities: entry of the list, track, event."""
        query = select(watch_hits).where(watch_hits.c.event.is_not(None)).order_by(watch_hits.c.at_ms).limit(limit)
        with self._engine.connect() as connection:
            return [(row.watch, row.track, Event.model_validate(row.event)) for row in connection.execute(query)]

    def note_sent(self, watch: str, track: str) -> None:
        """Note that something was told."""
        is_it = (watch_hits.c.watch == watch) & (watch_hits.c.track == track)
        with self._engine.begin() as connection:
            connection.execute(update(watch_hits).where(is_it).values(event=None))

    # --- inside a transaction ---------------------------------------------------------------------------------------

    def _lock(self, connection: Connection) -> None:
        lock_gallery(connection)
        if connection.scalar(select(gallery_state.c.writer)) != self._token:
            raise NotWriterError("another ReID process writes the gallery now; this one only reads it from now on")

    def _identity(self, connection: Connection, outcome: Outcome, current: Any) -> str | None:
        if current is not None and current.decided_by == OPERATOR:
            return None if current.identity is None else str(current.identity)
        if outcome.is_new:
            identity = new_identity_id()
            connection.execute(insert(identities).values(identity=identity, created_at_ms=self._clock.now_ms()))
            return identity
        return _remaining(connection, outcome.identity)

    def _put(self, connection: Connection, judged: Judged, current: Any, identity: str | None) -> None:
        view = judged.view
        values = {
            "camera_id": view.camera_id,
            "class_name": view.class_name,
            "first_ms": view.first_ms,
            "last_ms": view.last_ms,
            "identity": identity,
            "crop_path": view.crop_path,
            "quality": view.quality,
        }
        if current is None or current.decided_by != OPERATOR:
            values |= {
                "similarity": judged.decision.similarity,
                "reason": judged.decision.reason,
                "decided_by": MACHINE,
                "decided_at_ms": self._clock.now_ms(),
            }
        if current is None:
            connection.execute(insert(sightings).values(track=view.track, version=self._version, **values))
        else:
            connection.execute(update(sightings).where(sightings.c.track == view.track).values(**values))

    def _put_decided(self, connection: Connection, number: int) -> None:
        is_it = galleries.c.version == self._version
        connection.execute(update(galleries).where(is_it).values(decided_to=number))

    def _put_mean(self, connection: Connection, camera_id: str, mean: CameraMean) -> None:
        is_it = (camera_means.c.version == self._version) & (camera_means.c.camera_id == camera_id)
        values = {"tracks": mean.tracks, "mean": mean.mean.astype("<f4").tobytes()}
        if not connection.execute(update(camera_means).where(is_it).values(**values)).rowcount:
            connection.execute(insert(camera_means).values(version=self._version, camera_id=camera_id, **values))

    def _note_watched(self, connection: Connection, view: TrackView, identity: str, similarity: float | None) -> None:
        """Leave a note for everybody who wants to be told of an identity, once for each track."""
        if connection.execute(select(watch_list.c.watch).limit(1)).first() is None:  # as it mostly is
            return
        told = select(watch_hits.c.watch).where(watch_hits.c.track == view.track)
        # Who watches for somebody who was found to be somebody else is told, too.
        members = members_of(connection, identity)
        wanted = select(watch_list).where(watch_list.c.identity.in_(members), watch_list.c.watch.not_in(told))
        for row in connection.execute(wanted).all():
            event = Event(
                event_id=f"watch:{row.watch}:{view.track}",
                kind=EventKind.IDENTITY_SEEN,
                camera_id=view.camera_id,
                epoch=0,
                number=0,
                worker_id=WRITER_ID,
                at_ms=view.last_ms,
                track=view.track,
                started_at_ms=view.first_ms,
                class_name=view.class_name,
                identity=identity,
                similarity=None if similarity is None else min(1.0, max(-1.0, similarity)),
                watch=row.watch,
            )
            values = {"watch": row.watch, "track": view.track, "at_ms": view.last_ms}
            connection.execute(insert(watch_hits).values(event=event.model_dump(mode="json"), **values))


def read_means(connection: Connection, version: str) -> dict[str, CameraMean]:
    """Return what each camera has seen of one version of embeddings."""
    query = select(camera_means).where(camera_means.c.version == version)
    return {
        row.camera_id: CameraMean(row.tracks, np.frombuffer(row.mean, "<f4").astype(np.float32))
        for row in connection.execute(query)
    }


def _is_erased(connection: Connection, track: str) -> bool:
    query = select(erased_tracks.c.track).where(erased_tracks.c.track == track)
    return connection.execute(query).first() is not None


def _remaining(connection: Connection, identity: str | None) -> str | None:
    """Return the identity that another one was merged into, or itself; None: it is no more."""
    for _ in range(_MERGES):
        if identity is None:
            return None
        row = connection.execute(select(identities).where(identities.c.identity == identity)).first()
        if row is None:
            return None
        if row.merged_into is None:
            return str(row.identity)
        identity = row.merged_into
    return None
