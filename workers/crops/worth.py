"""How good a crop of each box of a frame can be, by geometry alone; costs no pixels. Pure.

What is looked at: size, confidence, whether all of it is inside the frame, how much of it others cover, and whether it
has the shape of its class. What is left to say, `sharpness` says from the pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Pixels of the shorter side below which a crop shows nothing.
LEAST_SIDE: Final = 12.0
#: Side in pixels of the square whose area is enough: recognisers see 256 x 128 pixels.
ENOUGH_SIDE: Final = 181.0
#: Pixels from the frame's edge within which a box counts as cut off by it.
EDGE: Final = 2.0
#: What is left of a crop's worth for each edge that cuts it.
CUT_FACTOR: Final = 0.6
#: How much the parts of another box count that lie over this one and further from the camera: they are behind it, and
#: show beside it all the same.
BEHIND_WEIGHT: Final = 0.4
#: Overlap (IoU) from which on two boxes are taken for one object that was found twice.
SAME_OBJECT: Final = 0.85
#: How quickly worth falls with the logarithm of how far a shape is from the class's.
SHAPE_FALL: Final = 2.0

#: Two-wheelers cover their riders and are covered by them; that is how both look.
_RIDDEN: Final = frozenset({"bicycle", "motorcycle", "motorbike"})
_RIDER: Final = "person"
#: Class name -> least and greatest height ÷ width of an object that is seen whole. Others may have any shape.
_SHAPES: Final = {
    "person": (1.6, 4.2),
    "bicycle": (0.4, 2.5),
    "motorcycle": (0.4, 2.5),
    "motorbike": (0.4, 2.5),
    "car": (0.25, 1.3),
    "van": (0.3, 1.6),
    "truck": (0.25, 1.8),
    "bus": (0.25, 1.8),
}


@dataclass(frozen=True, slots=True)
class Boxes:
    """The boxes of one frame, N of them."""

    #: Shape (N, 4), ``xyxy`` in pixels of the frame.
    xyxy: NDArray[np.float32]
    #: Shape (N,), in [0, 1].
    confidence: NDArray[np.float32]
    #: N class names, in small letters.
    names: Sequence[str]


def worth(boxes: Boxes, width: int, height: int) -> NDArray[np.float32]:
    """Return how good a crop of each box can be at best.

    Args:
        boxes: All of one frame, those of which no crops are wanted too: they may cover others.
        width: Of the frame, pixels.
        height: Of the frame, pixels.

    Returns:
        Shape (N,), in [0, 1]; 0: nothing can be seen in it.
    """
    xyxy = boxes.xyxy.astype(np.float32)
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    size = np.minimum(1, np.sqrt(sides.prod(axis=1)) / ENOUGH_SIDE)
    cut = (xyxy <= EDGE) & [True, True, False, False]
    cut |= (xyxy >= np.array([0, 0, width, height], np.float32) - EDGE) & [False, False, True, True]
    whole = CUT_FACTOR ** cut.sum(axis=1)
    clear = (1 - _hidden(boxes, sides.prod(axis=1))) ** 2
    found = boxes.confidence * size * whole * clear * _shape(boxes.names, sides)
    can_be_seen = np.isfinite(found) & (sides.min(axis=1) >= LEAST_SIDE)
    return np.asarray(np.where(can_be_seen, found, 0).clip(0, 1), np.float32)


def _hidden(boxes: Boxes, area: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of each box that others cover, shape (N,), in [0, 1]; parts that two cover count twice."""
    xyxy = boxes.xyxy
    low = np.maximum(xyxy[:, None, :2], xyxy[None, :, :2])
    high = np.minimum(xyxy[:, None, 2:], xyxy[None, :, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    # The camera looks down: what stands lower in the picture is nearer.
    weight = np.where(xyxy[None, :, 3] >= xyxy[:, None, 3], 1, BEHIND_WEIGHT)
    is_other = ~np.eye(len(xyxy), dtype=bool)
    is_other &= common <= SAME_OBJECT * np.maximum(area[:, None] + area[None, :] - common, 1)
    is_ridden = np.array([name in _RIDDEN for name in boxes.names], bool)
    is_rider = np.array([name == _RIDER for name in boxes.names], bool)
    is_other &= ~((is_ridden[:, None] & is_rider[None, :]) | (is_rider[:, None] & is_ridden[None, :]))
    covered = (common * weight * is_other).sum(axis=1) / np.maximum(area, 1)
    return np.asarray(covered.clip(0, 1), np.float32)


def _shape(names: Sequence[str], sides: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how well each box has the shape of its class, shape (N,), in [0, 1]."""
    limits = np.array([_SHAPES.get(name, (0, np.inf)) for name in names], np.float32).reshape(-1, 2)
    ratio = np.maximum(sides[:, 1], 1e-3) / np.maximum(sides[:, 0], 1e-3)
    nearest = ratio.clip(limits[:, 0], limits[:, 1])
    return np.asarray(np.exp(-SHAPE_FALL * np.abs(np.log(ratio / nearest))), np.float32)
