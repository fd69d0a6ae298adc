"""What stages hand to each other: a decoded frame, what of it is to be looked at, and what was found there."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workers.pictures import BgrImage, Picture


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame of one camera."""

    camera_id: str
    #: Epoch of the assignment under which it was captured.
    epoch: int
    #: Unix time in milliseconds UTC when the frame arrived.
    captured_at_ms: int
    #: Monotonic seconds when the frame arrived, for measuring age.
    captured_monotonic: float
    #: Its pixels.
    picture: Picture

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.picture.width

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.picture.height

    @property
    def image(self) -> BgrImage:
        """The picture at full size, shape (H, W, 3), BGR, uint8; made when it is first asked for; not written to."""
        return self.picture.bgr()


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of a frame, pixels of the frame: ``0 <= left < right <= width``, ``0 <= top < bottom <= height``."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a frame the detector shall look at."""

    #: Rectangles that do not overlap; empty where nothing is to be looked at, or the whole frame is.
    regions: tuple[Region, ...] = ()
    is_whole: bool = False
    #: Pixels that the longest side of the whole frame has in the model's input; its regions are scaled alike.
    side: int = 640
    #: Counts the frames of a camera for which this was asked; what became due with later ones is not in here.
    number: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether the detector need not see this frame."""
        return not self.is_whole and not self.regions


def _no_boxes() -> NDArray[np.float32]:
    return np.empty((0, 4), np.float32)


def _no_scores() -> NDArray[np.float32]:
    return np.empty(0, np.float32)


def _no_ids() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector found in one frame; N boxes."""

    #: Shape (N, 4), float32, ``xyxy`` in pixels of the frame, inside the frame, ``x_max >= x_min``.
    xyxy: NDArray[np.float32] = field(default_factory=_no_boxes)
    #: Shape (N,), float32, in [0, 1], descending.
    confidence: NDArray[np.float32] = field(default_factory=_no_scores)
    #: Shape (N,), int64, index into the detector's class names.
    class_id: NDArray[np.int64] = field(default_factory=_no_ids)
    #: Shape (N,), int64; -1 where no track is confirmed yet. A detector leaves it at -1.
    track_id: NDArray[np.int64] | None = None
    #: Shape (N,), bool: which were found in this frame; others are carried on from earlier ones. None: all were found.
    fresh: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.confidence)

    def select(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> "Detections":
        """Return the detections that `keep` (mask of shape (N,), or indices) names."""
        return Detections(
            self.xyxy[keep],
            self.confidence[keep],
            self.class_id[keep],
            None if self.track_id is None else self.track_id[keep],
            None if self.fresh is None else self.fresh[keep],
        )

    @property
    def found_now(self) -> NDArray[np.bool_]:
        """Which were found in this frame; shape (N,)."""
        return np.ones(len(self), bool) if self.fresh is None else self.fresh
