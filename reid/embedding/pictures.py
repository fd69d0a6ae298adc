"""Makes pictures what an embedder was trained on: one size, red, green, blue, less the mean of ImageNet."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from reid.images import BgrImage

#: Changes with anything here that changes embeddings: they are part of `Embedder.version`.
PREPROCESSING: Final = 1
#: Of red, green, blue; values from 0 to 255.
MEAN: Final = (123.675, 116.28, 103.53)
DEVIATION: Final = (58.395, 57.12, 57.375)

#: For each of blue, green and red what 0 to 255 become; shape (1, 256, 3).
_TABLE: Final = np.ascontiguousarray(
    ((np.arange(256)[:, None] - np.array(MEAN)) / np.array(DEVIATION))[None, :, ::-1], np.float32
)


def check_images(images: Sequence[BgrImage]) -> None:
    """Refuse what is no colour picture.

    Raises:
        ValueError: Names the first one that is none.
    """
    for index, image in enumerate(images):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ValueError(
                f"picture {index} has shape {image.shape} of {image.dtype}; an embedder takes (height, width, 3) of "
                "uint8"
            )


def fit(image: BgrImage, target: BgrImage) -> None:
    """Scale `image` into `target`, without keeping its proportions, as people are cropped for training.

    Args:
        image: Shape (any, any, 3).
        target: Shape (height, width, 3), C-contiguous; written to.
    """
    height, width = target.shape[:2]
    # Averaged where it shrinks: a single pixel of a large crop is noise.
    is_larger = image.shape[0] > height and image.shape[1] > width
    cv2.resize(image, (width, height), dst=target, interpolation=cv2.INTER_AREA if is_larger else cv2.INTER_LINEAR)


def planes(images: Sequence[BgrImage], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return what a model takes, shape (N, 3, height, width), red, green, blue.

    Args:
        images: Each of shape (any, any, 3).
        size: Height and width.
    """
    batch = np.empty((len(images), 3, *size), np.float32)
    scaled = np.empty((*size, 3), np.uint8)
    for index, image in enumerate(images):
        fit(image, scaled)
        batch[index] = cv2.LUT(scaled, _TABLE).transpose(2, 0, 1)[::-1]
    return batch
