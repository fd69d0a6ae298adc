"""Who a track may be: identities that look like it, as far as time and the ways between cameras allow."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, and_, func, or_, select

from database.identities import identities, sightings, watch_list
from reid.gallery.embedding_rows import StoredEmbeddings
from reid.gallery.gallery_index import GalleryIndex
from reid.gallery.track_view import TrackView
from reid.images import Embeddings
from reid.matching.appearance import Candidate
from reid.matching.topology import Topology, may_have_moved

#: Crops of a track that are searched with, and embeddings that are found for each.
QUERIES: Final = 8
FOUND: Final = 64
#: Identities that are compared with the track, the nearest, and the most sightings of each by the track's camera and by
#: others.
CANDIDATES: Final = 12
SIGHTINGS: Final = 3
#: Two tracks of one camera at the same time are two people, unless the time is so short: a tracker may give up a track
#: a little after it has begun the next one.
OVERLAP_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """When and where somebody was seen."""

    track: str
    identity: str
    camera_id: str
    first_ms: int
    last_ms: int


def nearest_tracks(
    index: GalleryIndex,
    connection: Connection,
    vectors: Embeddings,
    count: int,
    *,
    from_ms: int | None = None,
    to_ms: int | None = None,
) -> list[str]:
    """Return tracks that have something like one of the vectors, the most alike first, each once.

    Tracks outside of the time may be among them: see `GalleryIndex.search`.
    """
    numbers, _ = index.search(vectors, count, from_ms=from_ms, to_ms=to_ms)
    track_of = index.rows.tracks_of(connection, numbers.tolist())
    return list(dict.fromkeys(track_of[number] for number in numbers.tolist() if number in track_of))


def find_candidates(
    connection: Connection, index: GalleryIndex, view: TrackView, query: Embeddings, topology: Topology, window_ms: int
) -> list[Candidate]:
    """Return the identities that are nearest to a track.

    Args:
        connection: To the database.
        index: All embeddings of the version.
        view: The track.
        query: Shape (N, dimension): its best embeddings, without what is its camera's.
        topology: What is known of the ways between cameras.
        window_ms: Who was not seen for longer is not looked for, unless somebody has named or is watching for it.
    """
    tracks = [track for track in nearest_tracks(index, connection, query, FOUND) if track != view.track]
    seen = _identified(connection, tracks)
    by_identity: dict[str, list[str]] = defaultdict(list)
    for track in tracks:
        if track in seen:
            by_identity[seen[track].identity].append(track)
    chosen = dict(list(by_identity.items())[:CANDIDATES])
    if not chosen:
        return []
    around = _seen_around(connection, chosen, view)
    kept = _still_looked_for(connection, chosen)
    shown = index.rows.of_tracks(connection, _shown_tracks(chosen.values(), seen, view.camera_id))
    places: dict[str, list[int]] = defaultdict(list)
    for place, track in enumerate(shown.tracks):
        places[seen[track].identity].append(place)
    return [
        _candidate(
            identity,
            index.version,
            shown.select(places[identity]),
            is_possible=is_possible(view, around[identity], topology, None if identity in kept else window_ms),
        )
        for identity in chosen
        if identity in places
    ]


def _shown_tracks(chosen: Iterable[Sequence[str]], seen: Mapping[str, Seen], camera_id: str) -> list[str]:
    """Return the tracks by which each identity is compared: strangers of one camera are more alike than of two."""
    found: list[str] = []
    for tracks in chosen:
        for is_here in (True, False):
            its = [track for track in tracks if (seen[track].camera_id == camera_id) is is_here]
            found += its[:SIGHTINGS]
    return found


def is_possible(view: TrackView, seen: Sequence[Seen], topology: Topology, window_ms: int | None) -> bool:
    """Tell whether somebody can have been where a track was. Pure.

    Args:
        view: The track.
        seen: Where that one was seen last before and first after the track began, and in its camera meanwhile.
        topology: What is known of the ways between cameras.
        window_ms: Longest time between two sightings; None: however long.
    """
    nearest_ms = min((_apart_ms(view, each) for each in seen), default=None)
    if window_ms is not None and (nearest_ms is None or nearest_ms > window_ms):
        return False
    return all(_goes_together(view, each, topology) for each in seen)


def _goes_together(view: TrackView, other: Seen, topology: Topology) -> bool:
    if other.camera_id == view.camera_id:
        overlap_ms = min(view.last_ms, other.last_ms) - max(view.first_ms, other.first_ms)
        if overlap_ms > OVERLAP_MS:
            return False
    if other.first_ms <= view.first_ms:
        return may_have_moved(other.camera_id, view.camera_id, view.first_ms - other.last_ms, topology)
    return may_have_moved(view.camera_id, other.camera_id, other.first_ms - view.last_ms, topology)


def _apart_ms(view: TrackView, other: Seen) -> int:
    return max(view.first_ms - other.last_ms, other.first_ms - view.last_ms, 0)


def _identified(connection: Connection, tracks: Collection[str]) -> dict[str, Seen]:
    """Return which of some tracks are sightings of somebody."""
    if not tracks:
        return {}
    condition = and_(sightings.c.track.in_(sorted(tracks)), sightings.c.identity.is_not(None))
    return {each.track: each for each in _seen(connection, condition)}


def _seen_around(connection: Connection, chosen: Collection[str], view: TrackView) -> dict[str, list[Seen]]:
    """Return where each of some identities was around the time of a track: see `is_possible`."""
    table = sightings.c
    others = and_(table.identity.in_(sorted(chosen)), table.track != view.track)
    before = (
        select(table.identity, func.max(table.first_ms).label("at_ms"))
        .where(others, table.first_ms <= view.first_ms)
        .group_by(table.identity)
    )
    after = (
        select(table.identity, func.min(table.first_ms).label("at_ms"))
        .where(others, table.first_ms > view.first_ms)
        .group_by(table.identity)
    )
    moments = [(row.identity, row.at_ms) for query in (before, after) for row in connection.execute(query)]
    at_these = or_(*(and_(table.identity == identity, table.first_ms == at_ms) for identity, at_ms in moments))
    meanwhile = and_(table.camera_id == view.camera_id, table.first_ms <= view.last_ms, table.last_ms >= view.first_ms)
    found: dict[str, list[Seen]] = {identity: [] for identity in chosen}
    for each in _seen(connection, and_(others, or_(at_these, meanwhile) if moments else meanwhile)):
        found[each.identity].append(each)
    return found


def _still_looked_for(connection: Connection, chosen: Collection[str]) -> set[str]:
    """Return which of some identities are looked for however long they were not seen."""
    names = sorted(chosen)
    named = select(identities.c.identity).where(identities.c.identity.in_(names), identities.c.name.is_not(None))
    watched = select(watch_list.c.identity).where(watch_list.c.identity.in_(names))
    return {*connection.scalars(named), *connection.scalars(watched)}


def _seen(connection: Connection, condition: Any) -> list[Seen]:
    table = sightings.c
    query = select(table.track, table.identity, table.camera_id, table.first_ms, table.last_ms).where(condition)
    return [Seen(*row) for row in connection.execute(query)]


def _candidate(identity: str, version: str, shown: StoredEmbeddings, *, is_possible: bool) -> Candidate:
    return Candidate(identity, version, shown.vectors, shown.cameras, shown.qualities, is_possible)


def best_crops(view: TrackView, count: int = QUERIES) -> StoredEmbeddings:
    """Return the best embeddings of a track, the best first."""
    return view.embeddings.select(np.argsort(-view.embeddings.qualities, kind="stable")[:count].tolist())
