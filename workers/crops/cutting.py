"""Cuts an object out of a frame: its box, widened as the camera's settings say, as JPEG."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from contract.detections import Xyxy
from workers.frames import Frame, Region
from workers.jpeg import encode
from workers.pictures import Picture

#: Quality of crops, in percent: they are looked at closely, and are small.
QUALITY: Final = 90
#: Longest side of a crop in pixels; larger ones are scaled down. A number plate of a car that fills it has some 150.
LARGEST_SIDE: Final = 1_024


@dataclass(frozen=True, slots=True)
class Cut:
    """One crop in memory."""

    jpeg: bytes
    #: Size of the picture in pixels.
    width: int
    height: int
    #: Of the frame that it was cut from.
    captured_at_ms: int
    epoch: int
    #: Where the object was in its frame, without padding.
    xyxy: Xyxy
    confidence: float
    #: In [0, 1].
    quality: float


def region_around(xyxy: Xyxy, padding: float, width: int, height: int) -> Region | None:
    """Return the pixels of a box that is widened on each side by a share of its size; None: there are none.

    Args:
        xyxy: In pixels of the frame.
        padding: Share of the box's width (and height) added on the left and right (above and below).
        width: Of the frame, pixels.
        height: Of the frame, pixels.
    """
    wider, higher = (xyxy[2] - xyxy[0]) * padding, (xyxy[3] - xyxy[1]) * padding
    left, top = max(0, round(xyxy[0] - wider)), max(0, round(xyxy[1] - higher))
    right, bottom = min(width, round(xyxy[2] + wider)), min(height, round(xyxy[3] + higher))
    return Region(left, top, right, bottom) if left < right and top < bottom else None


def cut(frame: Frame, region: Region, xyxy: Xyxy, *, confidence: float, quality: float) -> Cut:
    """Cut a region out of a frame.

    Raises:
        ValueError: It cannot be made a JPEG.
    """
    jpeg, width, height = _encoded(frame.picture, region)
    return Cut(
        jpeg=jpeg,
        width=width,
        height=height,
        captured_at_ms=frame.captured_at_ms,
        epoch=frame.epoch,
        xyxy=xyxy,
        confidence=confidence,
        quality=quality,
    )


def _encoded(picture: Picture, region: Region) -> tuple[bytes, int, int]:
    """Return a region as JPEG, and its width and height."""
    image = picture.bgr_part(region.left, region.top, region.right, region.bottom)
    height, width = image.shape[:2]
    scale = LARGEST_SIDE / max(height, width)
    if scale < 1:
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return encode(np.ascontiguousarray(image), QUALITY), width, height
