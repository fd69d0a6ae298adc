"""Where identities were seen last, and how many of them a track may be. Pure but for reading."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from contract.ids import CameraId
from database.identities import sightings
from reid.gallery.candidates import OVERLAP_MS
from reid.gallery.track_view import TrackView
from reid.matching.topology import Topology, Transit

#: Shape (N, 2): the first and the last moment of N sightings, Unix ms UTC.
Moments = NDArray[np.int64]


class Whereabouts:
    """The last sighting of each identity, by camera."""

    def __init__(self, seen: Mapping[CameraId, Moments] | None = None) -> None:
        self._seen: Final = dict(seen or {})

    def __len__(self) -> int:
        return sum(len(moments) for moments in self._seen.values())

    def count_possible(self, view: TrackView, topology: Topology) -> int:
        """Return how many identities a track may be, as far as their last sightings and the ways tell.

        Who was seen last after the track began is counted: there may be sightings before that tell more. With too many
        counted a track is rather nobody's; with too few it could be the wrong one's.

        Args:
            view: The track.
            topology: What is known of the ways between cameras.
        """
        return sum(
            len(moments) - int(_is_impossible(moments, camera, view, topology.way(camera, view.camera_id)).sum())
            for camera, moments in self._seen.items()
        )


def _is_impossible(moments: Moments, camera: CameraId, view: TrackView, way: Transit | None) -> NDArray[np.bool_]:
    """Tell of each of some last sightings by a camera whether the track cannot be what comes next."""
    first_ms, last_ms = moments[:, 0], moments[:, 1]
    found = np.zeros(len(moments), np.bool_)
    if camera == view.camera_id:
        found |= np.minimum(last_ms, view.last_ms) - np.maximum(first_ms, view.first_ms) > OVERLAP_MS
    if way is not None:
        gaps_ms = view.first_ms - last_ms
        is_refused = np.full(len(moments), way.is_impossible)
        if way.shortest_ms is not None:
            is_refused |= gaps_ms < way.shortest_ms
        if way.longest_ms is not None:
            is_refused |= gaps_ms > way.longest_ms
        found |= is_refused & (first_ms <= view.first_ms)
    return found


def read_whereabouts(connection: Connection, since_ms: int) -> Whereabouts:
    """Return where identities were seen last, those that were seen since some time, Unix ms UTC."""
    table = sightings.c
    query = (
        select(table.identity, table.camera_id, func.max(table.first_ms), func.max(table.last_ms))
        .where(table.identity.is_not(None), table.last_ms >= since_ms)
        .group_by(table.identity, table.camera_id)
    )
    last: dict[str, tuple[int, int, CameraId]] = {}
    for identity, camera, first_ms, last_ms in connection.execute(query):
        last[identity] = max(last.get(identity, (first_ms, last_ms, camera)), (first_ms, last_ms, camera))
    by_camera: dict[CameraId, list[tuple[int, int]]] = defaultdict(list)
    for first_ms, last_ms, camera in last.values():
        by_camera[camera].append((first_ms, last_ms))
    return Whereabouts({camera: np.array(moments, np.int64) for camera, moments in by_camera.items()})
