"""Writes crops to the frames volume."""

from contract.crop_paths import CropName, crop_path
from contract.crops import Crop
from runtime.crop_store import CropStore
from workers.crops.cutting import Cut


class CropSaver:
    """Writes the crops that were chosen. Safe to use from several threads."""

    def __init__(self, store: CropStore) -> None:
        self._store = store

    def save(self, camera_id: str, track_id: int, cut: Cut) -> Crop:
        """Write one crop; return what events say of it.

        Raises:
            VolumeFullError: No room; nothing was written.
            OSError: The volume is gone or not writable.
        """
        path = crop_path(CropName(camera_id, cut.captured_at_ms, cut.epoch, track_id))
        self._store.save(path, cut.jpeg)
        return Crop(
            path=path,
            captured_at_ms=cut.captured_at_ms,
            xyxy=cut.xyxy,
            width=cut.width,
            height=cut.height,
            confidence=cut.confidence,
            quality=cut.quality,
        )
