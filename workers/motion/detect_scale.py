"""Whether a camera's objects are large enough to be found at half the scale. Pure; not thread-safe."""

from collections.abc import Iterable
from typing import Final

#: Least side that a frame is scaled to.
SMALLEST_SIDE: Final = 320
#: Square root of an object's area, as a share of the frame's longer side, from which on it is large: 35 pixels of 320.
LARGE_SHARE: Final = 0.11
#: Seconds in which only large objects were found, and how many of them, after which half the scale is enough. Each
#: time that it was not, it must be as calm for twice as long, up to an hour.
CALM_SECONDS: Final = 180.0
MOST_CALM_SECONDS: Final = 3600.0
CALM_OBJECTS: Final = 30
#: At half the scale, every so many looks at the whole frame are at full scale.
FULL_EVERY: Final = 3


class DetectScale:
    """The scale of one camera.

    Args:
        largest_side: Pixels that the longer side of a frame has at full scale (FARM_DETECT_SIZE).
    """

    def __init__(self, largest_side: int) -> None:
        self._full = largest_side
        self._half = largest_side // 2 if largest_side // 2 >= SMALLEST_SIDE else largest_side
        self._is_half = False
        self._calm_seconds = CALM_SECONDS
        #: Monotonic seconds since when all that was found was large; None: nothing was found since.
        self._calm_since: float | None = None
        self._objects = 0
        self._wholes = 0

    def side(self, *, is_whole: bool, is_small_moving: bool) -> int:
        """Return the side for a frame.

        Args:
            is_whole: Whether all of it is to be looked at.
            is_small_moving: Whether something moves that is not large: it may be a small object.
        """
        if not self._is_half or is_small_moving:
            return self._full
        return self._full if is_whole and self._wholes % FULL_EVERY == 0 else self._half

    def is_large(self, size: float) -> bool:
        """Whether an object can be found at half scale; root of its area as a share of the frame's longer side."""
        return size >= LARGE_SHARE

    def looked(self, sizes: Iterable[float], at: float, *, is_whole: bool) -> None:
        """Take note of the objects found in a frame.

        Args:
            sizes: For each the root of its area, as a share of the frame's longer side.
            at: When it was captured, monotonic seconds.
            is_whole: Whether all of it was looked at.
        """
        self._wholes += is_whole
        found = list(sizes)
        if not all(self.is_large(size) for size in found):
            self._calm_since, self._objects = None, 0
            if self._is_half:
                self._is_half = False
                self._calm_seconds = min(2 * self._calm_seconds, MOST_CALM_SECONDS)
            return
        if found and self._calm_since is None:
            self._calm_since = at
        self._objects += len(found)
        if (
            self._calm_since is not None
            and at - self._calm_since >= self._calm_seconds
            and self._objects >= CALM_OBJECTS
        ):
            self._is_half = self._half < self._full
