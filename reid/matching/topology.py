"""How long people take from one camera to another: learnt from sightings, and overridable. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from contract.ids import CameraId

#: Transits between two cameras that must have been seen before they rule anything out.
ENOUGH_TRANSITS: Final = 30
#: Part of the transits that are quicker than the lower bound, and part of them that are slower than the upper one:
#: single wrong matches must not move a bound.
OUTLYING_PART: Final = 0.02
#: How much sooner and later than what was seen is still possible, as factors.
SOONER: Final = 0.5
LATER: Final = 3.0

#: From and to.
CameraPair = tuple[CameraId, CameraId]


@dataclass(frozen=True, slots=True)
class Transit:
    """How long the way from one camera to another can take, milliseconds from last seen there to first seen here.

    Negative is possible: two cameras can show the same place at the same time.
    """

    #: None: no bound.
    shortest_ms: int | None = None
    longest_ms: int | None = None
    #: There is no way at all, whatever the time.
    is_impossible: bool = False

    def allows(self, gap_ms: int) -> bool:
        """Tell whether a way of `gap_ms` is possible."""
        if self.is_impossible:
            return False
        too_soon = self.shortest_ms is not None and gap_ms < self.shortest_ms
        return not too_soon and (self.longest_ms is None or gap_ms <= self.longest_ms)


@dataclass(frozen=True, slots=True)
class Topology:
    """What is known of the ways between cameras; what is not known is possible."""

    learnt: Mapping[CameraPair, Transit] = field(default_factory=dict)
    #: What a person has said; wins over what was learnt.
    said: Mapping[CameraPair, Transit] = field(default_factory=dict)

    def way(self, from_camera: CameraId, to_camera: CameraId) -> Transit | None:
        """Return what is known of a way; None: nothing."""
        pair = (from_camera, to_camera)
        return self.said.get(pair) or self.learnt.get(pair)


def may_have_moved(from_camera: CameraId, to_camera: CameraId, gap_ms: int, topology: Topology) -> bool:
    """Tell whether somebody last seen by one camera can have been seen by another so much later.

    Args:
        from_camera: Where it was last seen.
        to_camera: Where it is seen now; may be the same one, which rules nothing out unless a person has said so.
        gap_ms: From the last moment there to the first one here; negative where both saw it at once.
        topology: What is known of the ways.
    """
    known = topology.way(from_camera, to_camera)
    return known is None or known.allows(gap_ms)


def learn_transits(seen: Mapping[CameraPair, Sequence[int]]) -> dict[CameraPair, Transit]:
    """Return bounds for every pair of cameras between which enough ways were seen.

    The upper bound is generous, for people sit down; neither is moved by a few wrong matches.

    Args:
        seen: Durations in milliseconds of ways that were recognised for sure.
    """
    return {pair: _bounds(gaps) for pair, gaps in seen.items() if len(gaps) >= ENOUGH_TRANSITS and pair[0] != pair[1]}


def _bounds(gaps_ms: Iterable[int]) -> Transit:
    low, high = np.quantile(np.fromiter(gaps_ms, np.int64), (OUTLYING_PART, 1 - OUTLYING_PART)).tolist()
    # A negative gap is stretched away from zero, a positive one towards it: both make more possible.
    return Transit(
        shortest_ms=int(np.floor(low * (SOONER if low > 0 else 1 / SOONER))),
        longest_ms=int(np.ceil(high * (LATER if high > 0 else 1 / LATER))),
    )
