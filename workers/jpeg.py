"""JPEG pictures of frames and of parts of them."""

import cv2
import numpy as np

from workers.pictures import BgrImage

#: Quality of previews, in percent: they are looked at small.
PREVIEW_QUALITY = 70


def encode(image: BgrImage, quality: int) -> bytes:
    """Return `image` as a JPEG of `quality` percent.

    Raises:
        ValueError: It has no pixels, or more on a side than JPEG allows (65,535).
    """
    try:
        done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error:
        done, data = False, np.empty(0, np.uint8)
    if not done:
        raise ValueError(f"a frame of shape {image.shape} cannot be encoded as JPEG")
    return bytes(np.asarray(data))


def encode_preview(image: BgrImage, longest_side: int) -> bytes:
    """Return `image` as a small JPEG whose longest side has at most `longest_side` pixels."""
    height, width = image.shape[:2]
    scale = longest_side / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return encode(small, PREVIEW_QUALITY)
    return encode(image, PREVIEW_QUALITY)
