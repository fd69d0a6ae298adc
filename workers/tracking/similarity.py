"""How well a box fits a track: by place, and by place and appearance together."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from trackers import GIoU

from workers.tracking.appearance import Appearance

# Chosen by measurement; see benchmarks/README.md, "tracking_accuracy".

#: What likeness counts beside generalised IoU, which lies in [-1, 1].
APPEARANCE_WEIGHT: Final = 3.0
#: How alike different objects are taken to be until some were seen side by side, in [0, 1].
USUAL_LIKENESS: Final = 0.6
#: Weight of the newest frame in that.
NEWEST_WEIGHT: Final = 0.05


def key_of(box: NDArray[np.generic]) -> bytes:
    """Return what a box is known by: the library hands boxes over, and nothing that they belong to."""
    return np.ascontiguousarray(box, np.float64).tobytes()


class AppearanceGIoU(GIoU):
    """Generalised IoU, raised where track and box look alike, lowered where they do not.

    How alike is alike, the camera's own pictures say: boxes of one frame are different objects. At night, when all is
    grey, those are 0.9 alike, by day 0.7. Half-way between that and being the same counts for neither.
    """

    def __init__(self, tracks: Callable[[], Mapping[bytes, Appearance]]) -> None:
        """Know of no box.

        Args:
            tracks: Returns what the tracks look like, as far as is known, by the `key_of` their predicted boxes.
        """
        self._tracks = tracks
        self._boxes: Mapping[bytes, Appearance] = {}
        self._usual_likeness = USUAL_LIKENESS

    def show(self, boxes: Mapping[bytes, Appearance]) -> None:
        """Say what the boxes of a frame look like, by their `key_of`; of those that are missing places alone count."""
        self._boxes = boxes
        count = len(boxes)
        if count > 1:
            seen = np.stack(list(boxes.values()))
            likeness = (float((seen @ seen.T).sum()) - count) / (count * (count - 1))
            self._usual_likeness += NEWEST_WEIGHT * (likeness - self._usual_likeness)

    @property
    def neutral_likeness(self) -> float:
        """Likeness that speaks neither for one object nor for two, in [0, 1]."""
        return (1 + self._usual_likeness) / 2

    def _compute(self, boxes_1: NDArray[np.generic], boxes_2: NDArray[np.generic]) -> NDArray[np.float64]:
        """Compare predicted boxes of tracks, shape (N, 4), with those of a frame, shape (M, 4); returns (N, M)."""
        similarity = np.asarray(super()._compute(boxes_1, boxes_2), np.float64)
        columns = _known(boxes_2, self._boxes)
        rows = _known(boxes_1, self._tracks()) if columns else {}
        if rows and columns:
            likeness = np.stack(list(rows.values())) @ np.stack(list(columns.values())).T
            similarity[np.ix_(list(rows), list(columns))] += APPEARANCE_WEIGHT * (likeness - self.neutral_likeness)
        return similarity


def _known(boxes: NDArray[np.generic], appearances: Mapping[bytes, Appearance]) -> dict[int, Appearance]:
    """Return the appearances of those boxes that have one, by their place."""
    found = ((place, appearances.get(key_of(box))) for place, box in enumerate(boxes))
    return {place: appearance for place, appearance in found if appearance is not None}
