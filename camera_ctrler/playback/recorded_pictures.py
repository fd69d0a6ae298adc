"""Makes pictures and time-lapses of recorded footage: JPEG of an instant, sprites of keyframes, MP4 of keyframes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import av
import cv2
import numpy as np

from camera_ctrler.playback.making import Making
from camera_ctrler.playback.moments import Moment, Moments
from camera_ctrler.playback.picture_encoder import TIME_BASE, BgrImage, PictureEncoder, fit

#: Pictures a second of a time-lapse.
TIMELAPSE_FPS: Final = 25
JPEG_QUALITY: Final = 85
_THUMBNAIL_QUALITY: Final = 75


@dataclass(frozen=True, slots=True)
class Sprite:
    """Small pictures side by side in one JPEG."""

    jpeg: bytes
    #: When each was taken, Unix ms UTC, row by row; None: nothing was recorded then, and it is black.
    times_ms: tuple[int | None, ...]
    #: Size of each in pixels.
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class TimelapseFigures:
    """What went into a time-lapse."""

    pictures: int
    #: Instants at which nothing was recorded.
    missing: int
    begin_ms: int
    end_ms: int


def jpeg_of(moment: Moment, width: int | None = None) -> bytes:
    """Return a picture as JPEG, scaled down to `width` pixels where it is wider."""
    return _jpeg(_image(moment.frame, width), JPEG_QUALITY)


def instants(from_ms: int, to_ms: int, count: int) -> list[int]:
    """Return `count` instants in the middle of equal parts of a range."""
    step = (to_ms - from_ms) / count
    return [int(from_ms + (number + 0.5) * step) for number in range(count)]


def make_sprite(moments: Moments, camera_id: str, times_ms: Sequence[int], columns: int, width: int) -> Sprite:
    """Return a sprite of the keyframes before each instant.

    Args:
        moments: Where pictures come from.
        camera_id: Whose.
        times_ms: Ascending; filled row by row.
        columns: Pictures in a row.
        width: Of each, pixels; the height follows from the first one.
    """
    taken: list[int | None] = []
    images: list[BgrImage | None] = []
    for moment in moments.keyframes(camera_id, times_ms):
        taken.append(None if moment is None else moment.at_ms)
        images.append(None if moment is None else _image(moment.frame, width))
    first = next((image for image in images if image is not None), None)
    height = width * 9 // 16 if first is None else first.shape[0]
    sheet = np.zeros((-(-len(images) // columns) * height, columns * width, 3), np.uint8)
    for place, image in enumerate(images):
        if image is not None:
            row, column = divmod(place, columns)
            top, left = row * height, column * width
            sheet[top : top + height, left : left + width] = fit(image, width, height)
    return Sprite(_jpeg(sheet, _THUMBNAIL_QUALITY), tuple(taken), width, height)


def make_timelapse(
    moments: Moments, camera_id: str, times_ms: Sequence[int], target: Path, making: Making
) -> TimelapseFigures:
    """Write an MP4 of the keyframes before each instant; one that would be shown twice is shown longer.

    Raises:
        NothingToPlayError: There is none.
        ClipInterruptedError: The server stops, or nobody wants it any more.
    """
    tick = TIME_BASE.denominator // TIMELAPSE_FPS
    shown: list[int] = []
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        encoder = PictureEncoder(container)
        for number, moment in enumerate(moments.keyframes(camera_id, times_ms)):
            making.tell(number / len(times_ms))
            if moment is not None:
                encoder.add(_image(moment.frame, None), len(shown) * tick, tick)
                shown.append(moment.at_ms)
        encoder.finish()
    return TimelapseFigures(len(shown), len(times_ms) - len(shown), shown[0], shown[-1])


def name_of(*parts: object) -> str:
    """Return a short name for what is made of `parts`."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _image(frame: av.VideoFrame, width: int | None) -> BgrImage:
    if width is None or frame.width <= width:
        return cast("BgrImage", frame.to_ndarray(format="bgr24"))
    height = max(2, round(frame.height * width / frame.width))
    return cast("BgrImage", frame.reformat(width, height, "bgr24", interpolation="AREA").to_ndarray(format="bgr24"))


def _jpeg(image: BgrImage, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be encoded as JPEG")
    return data.tobytes()
