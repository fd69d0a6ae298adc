"""Makes one MP4 file of saved frames."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import av
import cv2
import numpy as np

from camera_ctrler.playback.errors import ClipInterruptedError
from camera_ctrler.playback.picture_encoder import BgrImage, PictureEncoder
from camera_ctrler.playback.saved_frames.mjpeg import read_frame
from camera_ctrler.playback.saved_frames.timeline import DueFrame, schedule
from contract.frame_paths import captured_at_ms, frame_path
from runtime.frame_store import FrameStore

_TICKS_PER_MS: Final = 90
#: Milliseconds the last frame is shown, for nothing follows that would say.
LAST_FRAME_MS: Final = 1_000


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
            encoder = PictureEncoder(container)
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
