"""Writes analysed frames to the shared volume, as each camera's settings ask."""

from contract.cameras import SaveMode
from contract.frame_paths import frame_path
from runtime.frame_store import FrameStore
from workers.frames import Frame
from workers.jpeg import encode, encode_preview


class FrameSaver:
    """Makes the two pictures of a frame: the evidence on the volume and the preview for live views."""

    def __init__(self, store: FrameStore, *, jpeg_quality: int, preview_size: int) -> None:
        self._store = store
        self._quality = jpeg_quality
        self._preview_size = preview_size

    def save(self, frame: Frame) -> str:
        """Write `frame` to the volume; return its path relative to the volume.

        Raises:
            VolumeFullError: No room; nothing was written.
            OSError: The volume is gone or not writable.
        """
        path = frame_path(frame.camera_id, frame.captured_at_ms)
        self._store.save(path, encode(frame.image, self._quality))
        return path

    def preview(self, frame: Frame) -> bytes:
        """Return the small JPEG of `frame`."""
        return encode_preview(frame.image, self._preview_size)


def shall_save(mode: SaveMode, detections: int) -> bool:
    """Tell whether a frame with so many reported detections is kept."""
    return mode is SaveMode.ALL or (mode is SaveMode.DETECTIONS and detections > 0)
