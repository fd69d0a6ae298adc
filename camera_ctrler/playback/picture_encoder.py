"""Encodes pictures as H.264 into a container, each at its own time."""

from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from camera_ctrler.playback.errors import NothingToPlayError

#: Shape (H, W, 3), BGR, uint8.
BgrImage = NDArray[np.uint8]

#: Seconds of a tick: MPEG's usual one, fine enough for whole milliseconds divided by any speed.
TIME_BASE: Final = Fraction(1, 90_000)
#: Longest side in pixels: what every browser decodes.
MAX_SIDE: Final = 1_920
_OPTIONS: Final = {"preset": "veryfast", "crf": "23", "bf": "0", "g": "60"}


def clip_size(width: int, height: int) -> tuple[int, int]:
    """Return width and height of a clip whose first frame has the given ones: bounded, and even as H.264 wants."""
    scale = min(1.0, MAX_SIDE / max(width, height))
    return max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)


def fit(image: BgrImage, width: int, height: int) -> BgrImage:
    """Return `image` scaled to fit into the given size, centred, on black."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    return canvas


class PictureEncoder:
    """Encodes pictures into a container whose size is that of the first one."""

    def __init__(self, container: av.container.OutputContainer) -> None:
        self._container = container
        self._stream: VideoStream | None = None
        self._durations: dict[int, int] = {}
        self.frames = 0
        self.size = (0, 0)

    def add(self, image: BgrImage, pts: int, duration: int) -> None:
        """Add one picture; `pts` and `duration` in `TIME_BASE`."""
        if self._stream is None:
            self.size = clip_size(image.shape[1], image.shape[0])
            self._stream = self._open_stream()
        frame = av.VideoFrame.from_ndarray(fit(image, *self.size), format="bgr24")
        frame.pts, frame.time_base = pts, TIME_BASE
        self._durations[pts] = duration
        self.frames += 1
        self._write(self._stream, frame)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._stream is None:
            raise NothingToPlayError("no picture of that range can be decoded; choose another range")
        self._write(self._stream, None)

    def _write(self, stream: VideoStream, frame: av.VideoFrame | None) -> None:
        for packet in stream.encode(frame):
            # The encoder states the time of one frame at the nominal rate, which would cut the last one short.
            packet.duration = self._durations.pop(packet.pts or 0)
            self._container.mux(packet)

    def _open_stream(self) -> VideoStream:
        stream = self._container.add_stream("libx264", rate=30, options=dict(_OPTIONS))
        stream.width, stream.height = self.size
        stream.pix_fmt = "yuv420p"
        stream.time_base = TIME_BASE
        stream.codec_context.time_base = TIME_BASE
        stream.codec_context.thread_count = 1  # several clips at once must not starve the API's other answers
        return stream
