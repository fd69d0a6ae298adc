"""A camera's newest pictures, plain and with boxes; each picture is drawn once however many people look."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from camera_ctrler.api.drawing import draw_result, encode
from camera_ctrler.api.schemas import PictureSize
from camera_ctrler.playback.saved_frames.clip import decode
from camera_ctrler.playback.saved_frames.mjpeg import read_frame
from contract.detections import AnalysisResult
from runtime.farm_reader import FarmReader, Preview
from runtime.frame_store import FrameStore

#: Bytes of drawn pictures kept: some hundred previews and some ten full frames.
MAX_CACHE_BYTES: Final = 48_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """One JPEG and the analysis of the frame it shows."""

    jpeg: bytes
    result: AnalysisResult
    #: Changes with the picture; fit for an ETag.
    tag: str

    def has_masks(self, mark: str) -> bool:
        """Tell whether nothing of it is shown that a camera's masks hide now.

        Args:
            mark: `zones.mark_of_masks` of the camera; empty: it has none, and all may be shown.
        """
        return mark in {"", self.result.masks}


class DrawnCache:
    """Drawn pictures by tag, the least recently asked for dropped first. Safe to use from several threads."""

    def __init__(self, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, tag: str, draw: Callable[[], bytes]) -> bytes:
        """Return the picture of `tag`, drawn by `draw` unless it is kept."""
        with self._lock:
            found = self._kept.get(tag)
            if found is not None:
                self._kept.move_to_end(tag)
                return found
        drawn = draw()
        with self._lock:
            if tag not in self._kept:
                self._kept[tag] = drawn
                self._bytes += len(drawn)
            while self._bytes > self._max_bytes and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return drawn


class Pictures:
    """Finds and draws pictures."""

    def __init__(self, reader: FarmReader, store: FrameStore) -> None:
        self._reader = reader
        self._store = store
        self._drawn = DrawnCache()

    def newest(self, camera_id: str, size: PictureSize, masks: str) -> Picture | None:
        """Return a camera's newest picture, or None where there is none.

        Raises what redis-py raises when Redis is away.

        Args:
            camera_id: Which camera.
            size: Which of its pictures.
            masks: `zones.mark_of_masks` of it now: what was captured before they were drawn is not shown as new.
        """
        if size is PictureSize.FULL:
            result = self._reader.results([camera_id]).get(camera_id)
            if result is not None and result.frame_path is not None:
                jpeg = read_frame(self._store, result.frame_path)
                found = None if jpeg is None else Picture(jpeg, result, _tag(result, "full"))
                if found is not None and found.has_masks(masks):
                    return found
        preview = self._reader.preview(camera_id)
        found = None if preview is None else picture_of(preview)
        return found if found is not None and found.has_masks(masks) else None

    def annotated(self, picture: Picture) -> bytes:
        """Return the picture with its boxes; as it is, where it cannot be decoded or shows nothing."""
        if not picture.result.detections:
            return picture.jpeg
        return self._drawn.get(picture.tag, lambda: _draw(picture))


def picture_of(preview: Preview) -> Picture:
    """Return a preview as a picture."""
    return Picture(preview.jpeg, preview.result, preview_tag(preview.result))


def preview_tag(result: AnalysisResult) -> str:
    """Return the tag of a preview."""
    return _tag(result, "preview")


def _tag(result: AnalysisResult, kind: str) -> str:
    # With the capture time: a camera that was deleted and registered again may count from the start.
    return f"{result.camera_id}-{result.epoch}-{result.seq}-{result.captured_at_ms}-{kind}"


def _draw(picture: Picture) -> bytes:
    image = decode(picture.jpeg)
    return picture.jpeg if image is None else encode(draw_result(image, picture.result))
