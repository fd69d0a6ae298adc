"""How well a box fits a track: by place, and by place and appearance together."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from trackers import GIoU

from workers.tracking.appearance import Appearance

# Chosen by measurement; see benchmarks/README.md, "tracking_accuracy".

#: What likeness counts beside generalised IoU, which lies in [-1, 1].
APPEARANCE_WEIGHT: Final = 2.0
#: Likeness that counts for neither: two sightings of one person are more alike, of two people less; in [0, 1].
NEUTRAL_LIKENESS: Final = 0.8


def key_of(box: NDArray[np.generic]) -> bytes:
    """Return what a box is known by: the library hands boxes over, and nothing that they belong to."""
    return np.ascontiguousarray(box, np.float64).tobytes()


class AppearanceGIoU(GIoU):
    """Generalised IoU, raised where track and box look alike, lowered where they do not."""

    def __init__(self, tracks: Callable[[], Mapping[bytes, Appearance]]) -> None:
        """Know of no box.

        Args:
            tracks: Returns what the tracks look like, as far as is known, by the `key_of` their predicted boxes.
        """
        self._tracks = tracks
        #: What the boxes of this frame look like, as far as is known, by their `key_of`; empty: place alone counts.
        self.boxes: Mapping[bytes, Appearance] = {}

    def _compute(self, boxes_1: NDArray[np.generic], boxes_2: NDArray[np.generic]) -> NDArray[np.float64]:
        """Compare predicted boxes of tracks, shape (N, 4), with those of a frame, shape (M, 4); returns (N, M)."""
        similarity = np.asarray(super()._compute(boxes_1, boxes_2), np.float64)
        columns = _known(boxes_2, self.boxes)
        rows = _known(boxes_1, self._tracks()) if columns else {}
        if rows and columns:
            likeness = np.stack(list(rows.values())) @ np.stack(list(columns.values())).T
            similarity[np.ix_(list(rows), list(columns))] += APPEARANCE_WEIGHT * (likeness - NEUTRAL_LIKENESS)
        return similarity


def _known(boxes: NDArray[np.generic], appearances: Mapping[bytes, Appearance]) -> dict[int, Appearance]:
    """Return the appearances of those boxes that have one, by their place."""
    found = ((place, appearances.get(key_of(box))) for place, box in enumerate(boxes))
    return {place: appearance for place, appearance in found if appearance is not None}
