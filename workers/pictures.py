"""The pixels of one frame, made when somebody asks for them: most frames are only looked at small and in grey."""

import threading
from collections import OrderedDict
from typing import Final, Protocol

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

#: Shape (H, W, 3), BGR, uint8.
BgrImage = NDArray[np.uint8]
#: Shape (H, W), grey levels (luma), uint8.
GrayImage = NDArray[np.uint8]

#: Pixel formats whose first plane is the luma, a byte per pixel.
_LUMA_FIRST: Final = frozenset(
    {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray"}
)
#: Converters kept per thread: one for every size of camera and of what is wanted of it.
_CONVERTERS: Final = 16
#: Pixel formats of three planes whose colours have half the luma's width and height, a byte per pixel.
_HALF_COLOURS: Final = frozenset({"yuv420p", "yuvj420p"})


class Picture(Protocol):
    """The pixels of one frame. Safe to use from several threads; nothing that it returns may be written to."""

    @property
    def width(self) -> int:
        """Width in pixels."""
        ...

    @property
    def height(self) -> int:
        """Height in pixels."""
        ...

    def luma(self) -> GrayImage:
        """Return the brightness at full size, shape (H, W), rows not always contiguous; costs nothing where it can."""
        ...

    def bgr(self) -> BgrImage:
        """Return the picture at full size, shape (H, W, 3), C-contiguous; made once."""
        ...

    def bgr_at(self, width: int, height: int) -> BgrImage:
        """Return the picture scaled to `width` and `height`, shape (height, width, 3); the last size is kept."""
        ...

    def bgr_part(self, left: int, top: int, right: int, bottom: int) -> BgrImage:
        """Return a rectangle of the picture at full size, shape (bottom - top, right - left, 3), not always contiguous.

        Costs what its own pixels cost where that can be, instead of all of them. The rectangle lies inside the picture
        and is not empty.
        """
        ...


class BgrPicture:
    """A picture whose pixels are there already."""

    def __init__(self, image: BgrImage) -> None:
        """Take shape (H, W, 3), BGR, uint8, which nobody writes to any more."""
        self._image = image
        self._scaled: BgrImage | None = None

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self._image.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self._image.shape[0])

    def luma(self) -> GrayImage:
        """Return the brightness at full size; see `Picture.luma`."""
        return np.asarray(cv2.cvtColor(self._image, cv2.COLOR_BGR2GRAY), np.uint8)

    def bgr(self) -> BgrImage:
        """Return the picture at full size."""
        return self._image

    def bgr_at(self, width: int, height: int) -> BgrImage:
        """Return the picture scaled; see `Picture.bgr_at`."""
        if (width, height) == (self.width, self.height):
            return self._image
        scaled = self._scaled
        if scaled is None or scaled.shape[:2] != (height, width):
            scaled = np.asarray(cv2.resize(self._image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
            self._scaled = scaled
        return scaled

    def bgr_part(self, left: int, top: int, right: int, bottom: int) -> BgrImage:
        """Return a rectangle of the picture; see `Picture.bgr_part`."""
        return self._image[top:bottom, left:right]


class DecodedPicture:
    """A picture as libav decoded it; holds the decoder's buffer for as long as it lives."""

    def __init__(self, frame: VideoFrame) -> None:
        self._frame = frame
        self._lock = threading.Lock()
        self._bgr: BgrImage | None = None
        self._scaled: BgrImage | None = None

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self._frame.width)

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self._frame.height)

    def luma(self) -> GrayImage:
        """Return the brightness at full size; see `Picture.luma`."""
        frame = self._frame
        if frame.format.name not in _LUMA_FIRST:
            frame = converted(frame, self.width, self.height, "gray")
        plane = frame.planes[0]
        rows: GrayImage = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return rows[: self.height, : self.width]

    def bgr(self) -> BgrImage:
        """Return the picture at full size; see `Picture.bgr`."""
        with self._lock:
            if self._bgr is None:
                self._bgr = self._to_bgr(self.width, self.height)
            return self._bgr

    def bgr_at(self, width: int, height: int) -> BgrImage:
        """Return the picture scaled; see `Picture.bgr_at`."""
        if (width, height) == (self.width, self.height):
            return self.bgr()
        with self._lock:
            if self._scaled is None or self._scaled.shape[:2] != (height, width):
                self._scaled = self._to_bgr(width, height)
            return self._scaled

    def bgr_part(self, left: int, top: int, right: int, bottom: int) -> BgrImage:
        """Return a rectangle of the picture; see `Picture.bgr_part`."""
        with self._lock:
            if self._bgr is None and self._frame.format.name in _HALF_COLOURS:
                # To even numbers, for every colour is that of two pixels.
                even_left, even_top = left // 2 * 2, top // 2 * 2
                part = _part(self._frame, even_left, even_top, right, bottom)
                return _bgr_of(part)[top - even_top :, left - even_left :]
        return self.bgr()[top:bottom, left:right]

    def _to_bgr(self, width: int, height: int) -> BgrImage:
        return np.ascontiguousarray(converted(self._frame, width, height, "bgr24").to_ndarray())


class _Converters(threading.local):
    """The converters of one thread: libav's are bound to sizes and formats, and not safe to share."""

    def __init__(self) -> None:
        self._by_use: OrderedDict[tuple[object, ...], VideoReformatter] = OrderedDict()

    def get(self, *use: object) -> VideoReformatter:
        converter = self._by_use.pop(use, None) or VideoReformatter()
        self._by_use[use] = converter
        if len(self._by_use) > _CONVERTERS:
            self._by_use.popitem(last=False)
        return converter


_converters: Final = _Converters()


def converted(frame: VideoFrame, width: int, height: int, pixel_format: str) -> VideoFrame:
    """Return a frame in another size and pixel format; this thread keeps the converter for the next one."""
    converter = _converters.get(frame.width, frame.height, frame.format.name, width, height, pixel_format)
    return converter.reformat(
        frame, width, height, format=pixel_format, interpolation=Interpolation.BILINEAR, threads=1
    )


def _part(frame: VideoFrame, left: int, top: int, right: int, bottom: int) -> VideoFrame:
    """Return a rectangle of a frame of `_HALF_COLOURS` as a frame of its own; `left` and `top` are even."""
    part = VideoFrame(right - left, bottom - top, frame.format.name)
    part.colorspace, part.color_range = frame.colorspace, frame.color_range
    for plane, target, size in zip(frame.planes, part.planes, (1, 2, 2), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        wanted = rows[top // size : -(-bottom // size), left // size : -(-right // size)]
        np.frombuffer(memoryview(target), np.uint8).reshape(-1, target.line_size)[
            : wanted.shape[0], : wanted.shape[1]
        ] = wanted
    return part


def _bgr_of(frame: VideoFrame) -> BgrImage:
    """Convert a frame whose size will not come again: a converter that is kept would be of no use."""
    converted = VideoReformatter().reformat(
        frame, frame.width, frame.height, format="bgr24", interpolation=Interpolation.BILINEAR, threads=1
    )
    return np.asarray(converted.to_ndarray(), np.uint8)
