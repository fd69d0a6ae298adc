"""Makes one MP4 file of saved frames."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from camera_ctrler.playback.mjpeg import read_frame
from camera_ctrler.playback.timeline import DueFrame, schedule
from contract.errors import FarmError
from contract.frame_paths import captured_at_ms, frame_path
from runtime.frame_store import FrameStore

#: Shape (H, W, 3), BGR, uint8.
BgrImage = NDArray[np.uint8]

#: Seconds of a tick: MPEG's usual one, fine enough for whole milliseconds divided by any speed.
TIME_BASE: Final = Fraction(1, 90_000)
_TICKS_PER_MS: Final = 90
#: Longest side in pixels: what every browser decodes.
MAX_SIDE: Final = 1_920
#: Milliseconds the last frame is shown, for nothing follows that would say.
LAST_FRAME_MS: Final = 1_000
_OPTIONS: Final = {"preset": "veryfast", "crf": "23", "bf": "0", "g": "60"}


class NothingToPlayError(FarmError):
    """No frame of the range can be decoded."""


class ClipInterruptedError(FarmError):
    """The server stops."""


@dataclass(frozen=True, slots=True)
class ClipFigures:
    """What went into a clip."""

    frames: int
    #: Frames that had vanished or are damaged.
    skipped: int
    width: int
    height: int


class ClipMaker:
    """Encodes saved frames as H.264, ``yuv420p``, in one MP4 file that can be played before it is loaded whole."""

    def __init__(self, store: FrameStore, stopping: threading.Event) -> None:
        self._store = store
        self._stopping = stopping

    def make(self, camera_id: str, times_ms: Iterable[int], speed: float, target: Path) -> ClipFigures:
        """Write the clip to `target`.

        Frames keep their real spacing divided by `speed`, with long gaps cut as in every playback. The size is that
        of the first frame; frames of another size are fitted into it with black bars.

        Raises:
            NothingToPlayError: No frame could be decoded; `target` holds nothing of use.
            ClipInterruptedError: The server stops.
            OSError: `target` cannot be written.
        """
        skipped = 0
        with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            encoder = _Encoder(container)
            for due, following in _with_next(schedule(times_ms, speed)):
                if self._stopping.is_set():
                    raise ClipInterruptedError("the server stops; ask again in a moment")
                image = self._image(camera_id, due)
                if image is None:
                    skipped += 1
                    continue
                shown_ms = following.due_ms - due.due_ms if following else LAST_FRAME_MS / speed
                encoder.add(image, round(due.due_ms * _TICKS_PER_MS), round(shown_ms * _TICKS_PER_MS))
            encoder.finish()
        return ClipFigures(encoder.frames, skipped, *encoder.size)

    def _image(self, camera_id: str, due: DueFrame) -> BgrImage | None:
        jpeg = read_frame(self._store, frame_path(camera_id, due.captured_at_ms))
        return None if jpeg is None else decode(jpeg)


def decode(jpeg: bytes) -> BgrImage | None:
    """Return a JPEG's picture, or None where it is damaged."""
    if not jpeg:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # for example a header that states an absurd size
        return None
    return None if image is None else cast("BgrImage", image)


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


class _Encoder:
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
            raise NothingToPlayError("no saved frame of that range can be decoded; choose another range")
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


def _with_next(frames: Iterator[DueFrame]) -> Iterator[tuple[DueFrame, DueFrame | None]]:
    former: DueFrame | None = None
    for frame in frames:
        if former is not None:
            yield former, frame
        former = frame
    if former is not None:
        yield former, None


def times_of(paths: Iterable[str]) -> Iterator[int]:
    """Yield the capture times that paths of saved frames state."""
    return map(captured_at_ms, paths)
