"""Erases one identity: embeddings, crops on the volume, sightings, whatever names it."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Engine, delete, insert, or_, select, update

from camera_ctrler.event_store.tables import events
from camera_ctrler.identities.errors import IdentityNotFoundError
from contract.crops import Crop
from contract.errors import ContractError
from database.gallery_lock import lock_gallery
from database.identities import (
    SEGMENT_SIZE,
    embeddings,
    erased_tracks,
    gallery_segments,
    identities,
    identity_change_tracks,
    identity_changes,
    sightings,
    watch_hits,
    watch_list,
)
from database.identity_rows import members_of
from database.recognitions import recognition_notes, recognitions
from runtime.clock import Clock, SystemClock
from runtime.crop_store import CropStore

#: Rows in one question: SQLite takes 32,766 parameters.
_BATCH: Final = 500
#: Events of a track come this long before and after its sighting, at most.
_AROUND_MS: Final = 3_600_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased."""

    sightings: int
    embeddings: int
    crops: int


class Erasure:
    """Erases identities. Safe to use from several threads; every method raises `SQLAlchemyError` without a database."""

    def __init__(self, engine: Engine, frames: Path, clock: Clock | None = None) -> None:
        """Prepare.

        Args:
            engine: The database.
            frames: The frames volume.
            clock: Of this machine.
        """
        self._engine = engine
        self._crops = CropStore(frames)
        self._clock = clock or SystemClock()

    def erase(self, identity: str) -> Erased:
        """Erase an identity, and those that were merged into it.

        Crops go first: whatever interrupts it, it can be done again. ReID processes take the vectors out of their
        memory, and delete what they have on disk of them, as soon as they look at the database, several times a second.
        Saved frames and footage show more than one person, and have a retention of their own.

        Raises:
            IdentityNotFoundError: There is none.
            OSError: A crop cannot be deleted; nothing but crops was erased.
        """
        with self._engine.connect() as connection:
            members = _members(connection, identity)
            crops = _crops(connection, _tracks(connection, members))
        count = self._delete_files(crops)
        with self._engine.begin() as connection:
            lock_gallery(connection)
            members = _members(connection, identity)
            tracks = _tracks(connection, members)
            later = _crops(connection, tracks) - crops
            vectors = _erase_tracks(connection, tracks, self._clock.now_ms())
            _erase_identities(connection, members)
        count += self._delete_files(later)
        log.info("identity_erased", identity=identity, sightings=len(tracks), embeddings=vectors, crops=count)
        return Erased(len(tracks), vectors, count)

    def _delete_files(self, crops: Iterable[str]) -> int:
        """Delete crops; return how many were there."""
        count = 0
        for crop in sorted(crops):
            try:
                count += self._crops.delete(crop) > 0
            except ContractError as error:  # no worker writes such
                log.warning("crop_not_deleted", path=crop, error=str(error))
        return count


def _members(connection: Connection, identity: str) -> list[str]:
    found = members_of(connection, identity)
    if not found:
        raise IdentityNotFoundError(identity)
    return found


def _tracks(connection: Connection, members: Collection[str]) -> list[str]:
    return list(connection.scalars(select(sightings.c.track).where(sightings.c.identity.in_(members))))


def _crops(connection: Connection, tracks: Collection[str]) -> set[str]:
    """Return the paths of all crops of some tracks: those that were embedded, and others that their events name."""
    found: set[str] = set()
    for some in _batches(tracks):
        found |= set(connection.scalars(select(embeddings.c.crop_path).where(embeddings.c.track.in_(some))))
        asked = select(recognitions.c.request).where(recognitions.c.track.in_(some))
        for request in connection.scalars(asked):
            found |= _paths(request.get("crops") if isinstance(request, dict) else None)
        for row in _events_of(connection, some):
            found |= _paths(row.crops)
    return found


def _paths(crops: Any) -> set[str]:
    listed = crops if isinstance(crops, list) else []
    return {Crop.model_validate(each).path for each in listed}


def _events_of(connection: Connection, tracks: Collection[str]) -> list[Any]:
    """Return events of some tracks; they are found by camera and time, for tracks have no index there."""
    seen = connection.execute(select(sightings).where(sightings.c.track.in_(tracks))).all()
    found: list[Any] = []
    for row in seen:
        query = select(events.c.at_ms, events.c.event_id, events.c.crops).where(
            events.c.at_ms.between(row.first_ms - _AROUND_MS, row.last_ms + _AROUND_MS),
            events.c.camera_id == row.camera_id,
            events.c.track == row.track,
        )
        found += connection.execute(query).all()
    return found


def _erase_tracks(connection: Connection, tracks: Collection[str], now_ms: int) -> int:
    """Erase what there is of some tracks, but that they were there; return how many embeddings that were."""
    erased = 0
    for some in _batches(tracks):
        query = select(embeddings.c.version, embeddings.c.number).where(embeddings.c.track.in_(some))
        rows = connection.execute(query).all()
        for version, segment in {(row.version, row.number // SEGMENT_SIZE) for row in rows}:
            _count_erasure(connection, version, segment)
        erased += connection.execute(delete(embeddings).where(embeddings.c.track.in_(some))).rowcount
        told = _events_of(connection, some)
        for event_ids in _batches([row.event_id for row in told]):
            connection.execute(update(events).where(events.c.event_id.in_(event_ids)).values(crops=None))
            connection.execute(delete(recognition_notes).where(recognition_notes.c.event_id.in_(event_ids)))
        connection.execute(delete(recognitions).where(recognitions.c.track.in_(some)))
        hits = connection.execute(select(watch_hits).where(watch_hits.c.track.in_(some))).all()
        for event_ids in _batches([f"watch:{row.watch}:{row.track}" for row in hits]):
            connection.execute(delete(events).where(events.c.event_id.in_(event_ids)))
        connection.execute(delete(watch_hits).where(watch_hits.c.track.in_(some)))
        connection.execute(delete(identity_change_tracks).where(identity_change_tracks.c.track.in_(some)))
        connection.execute(delete(sightings).where(sightings.c.track.in_(some)))
        known = set(connection.scalars(select(erased_tracks.c.track).where(erased_tracks.c.track.in_(some))))
        values = [{"track": track, "at_ms": now_ms} for track in some if track not in known]
        if values:
            connection.execute(insert(erased_tracks), values)
    return erased


def _count_erasure(connection: Connection, version: str, segment: int) -> None:
    table = gallery_segments.c
    is_it = (table.version == version) & (table.segment == segment)
    if not connection.execute(update(gallery_segments).where(is_it).values(erasures=table.erasures + 1)).rowcount:
        connection.execute(insert(gallery_segments).values(version=version, segment=segment, erasures=1))


def _erase_identities(connection: Connection, members: Collection[str]) -> None:
    connection.execute(delete(watch_list).where(watch_list.c.identity.in_(members)))
    table = identity_changes.c
    changed = select(table.number).where(or_(table.identity.in_(members), table.other.in_(members)))
    connection.execute(delete(identity_change_tracks).where(identity_change_tracks.c.change.in_(changed)))
    connection.execute(delete(identity_changes).where(or_(table.identity.in_(members), table.other.in_(members))))
    connection.execute(delete(identities).where(identities.c.identity.in_(members)))


def _batches(items: Collection[str]) -> Iterator[list[str]]:
    listed = list(items)
    for start in range(0, len(listed), _BATCH):
        yield listed[start : start + _BATCH]
