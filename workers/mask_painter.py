"""Blacks masks out of decoded pictures, before anybody sees them.

All of a picture's planes are painted, so that whatever is made of it later (grey levels, small sizes, parts) is without
what the masks hide. Each mask is filled by itself: filled together, areas that two of them cover would show again.
"""

from typing import Final

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from contract.zones import Polygon
from workers.pictures import BgrImage, converted

#: Pixel formats -> how many pixels of width and height one sample of the colours stands for.
_PLANAR: Final = {
    "yuv420p": (2, 2),
    "yuvj420p": (2, 2),
    "yuv422p": (2, 1),
    "yuvj422p": (2, 1),
    "yuv444p": (1, 1),
    "yuvj444p": (1, 1),
    "gray": (1, 1),
}
#: The same, with both colours side by side in one plane.
_INTERLEAVED: Final = {"nv12": (2, 2), "nv21": (2, 2)}
#: What all others are made before they are painted.
_FALLBACK: Final = "yuv420p"
_NO_COLOUR: Final = 128
#: Black of a luma whose range is that of television, and of one that uses all values.
_BLACK, _FULL_BLACK = 16, 0

Samples = NDArray[np.uint8]


class MaskPainter:
    """The masks of one camera. Safe to use from several threads."""

    def __init__(self, masks: tuple[Polygon, ...]) -> None:
        """Take outlines in shares of the picture's width and height."""
        self._masks: Final = tuple(np.asarray(mask, np.float64) for mask in masks)

    def frame(self, frame: VideoFrame) -> VideoFrame:
        """Return a decoded frame without what the masks hide: another one, where the decoder still needs this one."""
        name = frame.format.name
        if name not in _PLANAR and name not in _INTERLEAVED:
            frame = converted(frame, frame.width, frame.height, _FALLBACK)
            name = _FALLBACK
        frame.make_writable()
        is_full = name.startswith("yuvj") or name == "gray" or frame.color_range == ColorRange.JPEG
        self._fill(_rows(frame, 0, frame.width, frame.height), _FULL_BLACK if is_full else _BLACK)
        if name in _INTERLEAVED:
            self._fill(_pairs(frame, *_INTERLEAVED[name]), (_NO_COLOUR, _NO_COLOUR))
            return frame
        across, down = _PLANAR[name]
        for plane in range(1, len(frame.planes)):
            self._fill(_rows(frame, plane, -(-frame.width // across), -(-frame.height // down)), _NO_COLOUR)
        return frame

    def image(self, image: BgrImage) -> BgrImage:
        """Black out a picture of shape (H, W, 3), which is written to and returned."""
        self._fill(image, (0, 0, 0))
        return image

    def _fill(self, samples: Samples, value: int | tuple[int, ...]) -> None:
        size = np.asarray((samples.shape[1], samples.shape[0]), np.float64)
        for mask in self._masks:
            # Where a corner lies in the middle of a sample, and the samples that a side only touches, are filled too.
            corners = np.floor(mask * size).astype(np.int32)
            cv2.fillPoly(samples, [corners], value if isinstance(value, tuple) else (value,))


def _rows(frame: VideoFrame, plane: int, width: int, height: int) -> Samples:
    """Return the samples of a plane, shape (height, width), as they lie in memory."""
    of_plane = frame.planes[plane]
    rows: Samples = np.frombuffer(memoryview(of_plane), np.uint8).reshape(-1, of_plane.line_size)
    return rows[:height, :width]


def _pairs(frame: VideoFrame, across: int, down: int) -> Samples:
    """Return the colours of a format that has both in one plane, shape (height, width, 2), as they lie in memory."""
    plane = frame.planes[1]
    pairs: Samples = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size // 2, 2)
    return pairs[: -(-frame.height // down), : -(-frame.width // across)]
