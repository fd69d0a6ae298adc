"""What an object looks like, cheaply: its colours, above and below. Pure.

Not to recognise anybody by, but to tell two people apart who cross in front of one camera.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.detections import Xyxy
from workers.pictures import Picture

#: Shape (COLOURS,), float32, of length 1: square roots of shares, so that a product of two is their likeness.
Appearance = NDArray[np.float32]

#: Share of a box left out at its left and right, above, and below: there is more ground than person.
SIDE_SHARE: Final = 0.15
TOP_SHARE: Final = 0.08
BOTTOM_SHARE: Final = 0.05
#: Pixels below which the rest shows nothing: width and height.
LEAST_SIZE: Final = (3, 6)
#: Width and height that it is scaled to, and the rows of it that count as above.
SCALED_SIZE: Final = (16, 32)
ROWS_ABOVE: Final = 14
#: Bins of brightness, and of each of the two colours.
LIGHT_BINS: Final = 8
COLOUR_BINS: Final = 12
#: Least and greatest value of a colour, where 128 is grey; beyond that counts as that: clothes are seldom brighter.
COLOUR_LIMITS: Final = (88, 167)


def appearance_of(picture: Picture, xyxy: Xyxy) -> Appearance | None:
    """Return the colours of a box; None: it is too small for any.

    Args:
        picture: The frame.
        xyxy: In pixels of it.

    Source:
        Comparing histograms by the sum of the roots of their products: Bhattacharyya, 1943; of Lab colours.
    """
    wide, high = xyxy[2] - xyxy[0], xyxy[3] - xyxy[1]
    left, right = round(xyxy[0] + SIDE_SHARE * wide), round(xyxy[2] - SIDE_SHARE * wide)
    top, bottom = round(xyxy[1] + TOP_SHARE * high), round(xyxy[3] - BOTTOM_SHARE * high)
    left, top, right, bottom = max(0, left), max(0, top), min(picture.width, right), min(picture.height, bottom)
    if right - left < LEAST_SIZE[0] or bottom - top < LEAST_SIZE[1]:
        return None
    small = cv2.resize(picture.bgr_part(left, top, right, bottom), SCALED_SIZE, interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2LAB), np.uint8)
    lab[:, :, 1:] = lab[:, :, 1:].clip(*COLOUR_LIMITS)
    shares = [_shares(part) for part in (lab[:ROWS_ABOVE], lab[ROWS_ABOVE:])]
    return np.asarray(np.sqrt(np.concatenate(shares) / len(shares)), np.float32)


def _shares(lab: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how often each colour and each brightness is in a picture; the sum is 1."""
    limits = [float(COLOUR_LIMITS[0]), float(COLOUR_LIMITS[1] + 1)]
    colours = cv2.calcHist([lab], [1, 2], None, [COLOUR_BINS, COLOUR_BINS], [*limits, *limits]).ravel()
    lights = cv2.calcHist([lab], [0], None, [LIGHT_BINS], [0, 256]).ravel()
    return np.concatenate([each / (2 * max(float(each.sum()), 1.0)) for each in (colours, lights)])


def blended(known: Appearance | None, seen: Appearance, weight: float) -> Appearance:
    """Return an appearance that follows what is seen, slowly: `weight` is that of the newest."""
    if known is None:
        return seen
    mixed = (1 - weight) * known + weight * seen
    return np.asarray(mixed / max(float(np.linalg.norm(mixed)), 1e-6), np.float32)
