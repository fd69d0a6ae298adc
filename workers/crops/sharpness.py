"""What the pixels of a crop say: how sharp it is, and what it looks like at a glance. Pure."""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.pictures import GrayImage

#: Pixels of area that a crop is scaled down to: sharper than recognisers look is of no use.
LOOKED_AT_AREA: Final = 64 * 128
#: Sharpness that counts as half of what can be; chosen on crops of the test footage, as they are and blurred.
HALF_SHARP: Final = 0.15
#: Grey levels squared that are noise and no contrast.
NOISE: Final = 25.0
#: Width and height of a glance.
GLANCE_SIZE: Final = (8, 16)


def sharpness(gray: GrayImage) -> tuple[float, NDArray[np.float32]]:
    """Look at a crop in grey.

    Args:
        gray: Shape (H, W), not empty.

    Returns:
        How sharp it is, in [0, 1): the share of contrast that is between neighbouring pixels, whatever the light. And
        its glance, shape (128,): `likeness` compares two.

    Source:
        Variance of the Laplacian: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    height, width = gray.shape
    scale = math.sqrt(LOOKED_AT_AREA / (height * width))
    small = np.ascontiguousarray(gray)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.uint8)
    detail = float(cv2.meanStdDev(cv2.Laplacian(small, cv2.CV_16S))[1][0, 0]) ** 2
    contrast = float(cv2.meanStdDev(small)[1][0, 0]) ** 2
    relative = detail / (contrast + NOISE)
    glance = cv2.resize(small, GLANCE_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    glance -= glance.mean()
    return relative / (relative + HALF_SHARP), np.asarray(glance / max(float(np.linalg.norm(glance)), 1.0), np.float32)


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return how alike two glances are, in [-1, 1]."""
    return float(one @ other)
