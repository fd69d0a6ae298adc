"""Reads and learns how long the ways between cameras take."""

from collections import defaultdict
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select

from database.identities import sightings, transit_times
from reid.gallery.outcome import OPERATOR
from reid.matching.topology import CameraPair, Topology, Transit, learn_transits

LEARNT: Final = "learnt"
SAID: Final = "said"
#: Sightings that are learnt from, the newest.
_LEARNT_FROM: Final = 20_000
#: Machine decisions that are learnt from are at least so alike.
_SURE: Final = 0.5


def read_topology(connection: Connection) -> Topology:
    """Return what is known of the ways between cameras."""
    found: dict[str, dict[CameraPair, Transit]] = {LEARNT: {}, SAID: {}}
    for row in connection.execute(select(transit_times)):
        transit = Transit(row.shortest_ms, row.longest_ms, row.is_impossible)
        found.setdefault(row.source, {})[row.from_camera, row.to_camera] = transit
    return Topology(found[LEARNT], found[SAID])


def learn_ways(engine: Engine) -> int:
    """Learn the ways between cameras from the newest sightings of identities; return how many are known then.

    What people have said is left as it is, and wins.
    """
    with engine.connect() as connection:
        learnt = learn_transits(_ways(connection))
    with engine.begin() as connection:
        connection.execute(delete(transit_times).where(transit_times.c.source == LEARNT))
        for (from_camera, to_camera), transit in learnt.items():
            connection.execute(
                insert(transit_times).values(
                    from_camera=from_camera,
                    to_camera=to_camera,
                    source=LEARNT,
                    shortest_ms=transit.shortest_ms,
                    longest_ms=transit.longest_ms,
                    is_impossible=transit.is_impossible,
                )
            )
    return len(learnt)


def _ways(connection: Connection) -> dict[CameraPair, list[int]]:
    """Return how long it took from one camera to the next, of sightings that are sure."""
    table = sightings.c
    query = select(table.identity, table.camera_id, table.first_ms, table.last_ms)
    query = query.where(table.identity.is_not(None), (table.decided_by == OPERATOR) | (table.similarity >= _SURE))
    query = query.order_by(table.first_ms.desc()).limit(_LEARNT_FROM)
    by_identity = defaultdict(list)
    for row in reversed(connection.execute(query).all()):
        by_identity[row.identity].append(row)
    ways: dict[CameraPair, list[int]] = defaultdict(list)
    for seen in by_identity.values():
        for one, next_one in pairwise(seen):
            if one.camera_id != next_one.camera_id:
                ways[one.camera_id, next_one.camera_id].append(next_one.first_ms - one.last_ms)
    return ways
