"""What lies on the frames volume, hour by hour: footage as folders and index say, saved frames, and crops."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from camera_ctrler.recordings.index import ARCHIVE, VOLUME, SegmentKey
from camera_ctrler.recordings.known_footage import SETTLES_MS, HourKnowledge, KnownFootage
from camera_ctrler.recordings.retention import LEFT_BEHIND, NEWEST_MS, VolumeFile, first_expiry_ms
from contract.frame_paths import captured_at_ms
from contract.frame_paths import hour_folder as frame_folder
from contract.recording_paths import HOUR_MS
from contract.recordings import KeptFor
from contract.retention import FOREVER_MS, KeepRules
from runtime.clock import Clock
from runtime.crop_store import CropStore
from runtime.frame_store import FrameStore
from runtime.recording_store import FoundFile, RecordingStore


class Kind(StrEnum):
    """What a shelf holds."""

    FOOTAGE = "footage"
    FRAMES = "frames"
    CROPS = "crops"


@dataclass(frozen=True, slots=True, order=True)
class Shelf:
    """What one camera has of one hour, of one kind."""

    #: Begin of the hour, Unix ms UTC.
    hour_ms: int
    camera_id: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class KeepSettings:
    """How long what is kept."""

    footage: KeepRules
    #: Milliseconds after the end of its hour; `FOREVER_MS`: for ever.
    frames_ms: int = FOREVER_MS
    #: The same of crops.
    crops_ms: int = FOREVER_MS


class VolumeContents:
    """Lists the volume. Safe to use from several threads; raises `OSError` where the volume cannot be read."""

    def __init__(
        self,
        footage: RecordingStore,
        frames: FrameStore,
        crops: CropStore,
        *,
        known: KnownFootage,
        keep: KeepSettings,
        clock: Clock,
    ) -> None:
        self.footage: Final = footage
        self.frames: Final = frames
        self.crops: Final = crops
        self._known = known
        self._keep = keep
        self._clock = clock

    def shelves(self, from_ms: int = 0) -> list[Shelf]:
        """Return all that is there of hours that begin at a time or later, oldest first."""
        frames = self.frames.oldest_hours(from_ms)
        found = [Shelf(hour_ms, folder.parent.parent.name, Kind.FRAMES) for hour_ms, folder in frames]
        found += [Shelf(hour_ms, camera_id, Kind.CROPS) for hour_ms, camera_id in self.crops.hours(from_ms)]
        for camera_id in self.footage.cameras():
            hours = self.footage.hours(camera_id, from_ms)
            found += [Shelf(hour_ms, camera_id, Kind.FOOTAGE) for hour_ms in hours]
        return sorted(shelf for shelf in found if shelf.hour_ms >= from_ms)

    def due_ms(self, shelf: Shelf) -> int:
        """Return the time before which nothing on a shelf has been kept for long enough, Unix ms UTC."""
        if shelf.kind is Kind.FRAMES:
            return shelf.hour_ms + HOUR_MS + self._keep.frames_ms
        if shelf.kind is Kind.CROPS:
            return shelf.hour_ms + HOUR_MS + self._keep.crops_ms
        hour = self._known.hours.get((shelf.camera_id, shelf.hour_ms))
        if hour is None and self._known.is_surveyed:
            # Left behind by a move into the archive, or known to nobody: one look tells which.
            return shelf.hour_ms + HOUR_MS + SETTLES_MS
        kept = [kept_for for kept_for, count in hour.count.items() if count] if hour is not None else []
        return first_expiry_ms(shelf.hour_ms, kept, self._keep.footage)

    def files(self, shelf: Shelf) -> Iterator[VolumeFile]:
        """Yield what is on a shelf, in the order of time."""
        if shelf.kind is Kind.CROPS:
            yield from self._crops(shelf)
            return
        knowledge = self._known.of_hour(shelf.camera_id, shelf.hour_ms)
        if shelf.kind is Kind.FRAMES:
            yield from self._frames(shelf, knowledge)
            return
        for found in self.footage.segments(shelf.camera_id, shelf.hour_ms, shelf.hour_ms + HOUR_MS):
            yield self._footage_file(found, knowledge)

    def delete(self, file: VolumeFile) -> int:
        """Delete a file and the folders that become empty; return the bytes freed, 0 where it was gone already."""
        if file.is_footage:
            return self.footage.delete(file.path)
        if file.is_crop:
            return self.crops.delete(file.path)
        return self.frames.delete(file.path)

    def sweep(self, shelf: Shelf) -> None:
        """Delete what is left in a folder of pictures of which none is kept: files that were never finished."""
        with suppress(FileNotFoundError):
            if shelf.kind is Kind.CROPS:
                self.crops.delete_hour(shelf.camera_id, shelf.hour_ms)
                return
            self.frames.delete_hour(self.frames.root / frame_folder(shelf.camera_id, shelf.hour_ms))

    def rows_without_file(self, shelf: Shelf) -> list[SegmentKey]:
        """Return keys of footage that the index places on a shelf and that is not there."""
        knowledge = self._known.of_hour(shelf.camera_id, shelf.hour_ms)
        settled_ms = self._clock.now_ms() - NEWEST_MS
        return [
            each.key
            for each in knowledge.files.values()
            if each.tier == VOLUME and each.segment.end_ms < settled_ms and self.footage.found(each.path) is None
        ]

    def may_hide_evidence(self, shelf: Shelf) -> bool:
        """Tell whether the index is silent and something on the shelf may be evidence that nobody remembers."""
        if shelf.kind is Kind.CROPS:
            return False
        return self._known.of_hour(shelf.camera_id, shelf.hour_ms).unknown_is is KeptFor.EVENT

    def _footage_file(self, found: FoundFile, knowledge: HourKnowledge) -> VolumeFile:
        indexed = knowledge.files.get((found.start_ms, found.epoch))
        end_ms, kept_for = found.start_ms, knowledge.unknown_is
        age_ms = self._keep.footage.longest_ms
        if indexed is not None:
            end_ms, kept_for = indexed.segment.end_ms, indexed.segment.kept_for
            age_ms = self._keep.footage.age_ms(kept_for, indexed.segment.seen)
        expires_ms = max(end_ms, found.start_ms) + age_ms
        if indexed is not None and indexed.tier == ARCHIVE:
            expires_ms, kept_for = LEFT_BEHIND, KeptFor.CONTINUOUS
        return VolumeFile(
            camera_id=found.camera_id,
            start_ms=found.start_ms,
            # A worker whose clock is behind writes what looks old; and nobody knows the end of an unknown file.
            end_ms=max(end_ms, found.changed_at_ms),
            size_bytes=found.size_bytes,
            kept_for=kept_for,
            expires_ms=expires_ms,
            path=found.path,
            epoch=found.epoch,
            recorded_ms=indexed.segment.end_ms - indexed.segment.start_ms if indexed is not None else 0,
        )

    def _frames(self, shelf: Shelf, knowledge: HourKnowledge) -> Iterator[VolumeFile]:
        expires_ms = self.due_ms(shelf)
        for path in self.frames.frames(shelf.camera_id, shelf.hour_ms, shelf.hour_ms + HOUR_MS):
            at_ms = captured_at_ms(path)
            evidence_ms = knowledge.evidence.kept_until_ms(at_ms)
            is_evidence = evidence_ms > 0 or knowledge.unknown_is is KeptFor.EVENT
            try:
                size_bytes = (self.frames.root / path).stat().st_size
            except FileNotFoundError:  # another cleaner was quicker
                continue
            yield VolumeFile(
                camera_id=shelf.camera_id,
                start_ms=at_ms,
                end_ms=at_ms,
                size_bytes=size_bytes,
                kept_for=KeptFor.EVENT if is_evidence else KeptFor.CONTINUOUS,
                expires_ms=max(expires_ms, evidence_ms),
                path=path,
            )

    def _crops(self, shelf: Shelf) -> Iterator[VolumeFile]:
        expires_ms = self.due_ms(shelf)
        for crop in self.crops.crops(shelf.camera_id, shelf.hour_ms):
            yield VolumeFile(
                camera_id=shelf.camera_id,
                start_ms=crop.captured_at_ms,
                end_ms=crop.captured_at_ms,
                size_bytes=crop.size_bytes,
                # For want of room they go with footage of motion, after all saved frames that are no evidence.
                kept_for=KeptFor.MOTION,
                expires_ms=expires_ms,
                path=crop.path,
                is_crop=True,
            )
