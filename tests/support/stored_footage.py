"""A volume with footage and saved frames on it, an index that knows of them, and what keeps both."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_ctrler.recordings.cleaner import Cleaner
from camera_ctrler.recordings.index import SegmentIndex, SegmentKey
from camera_ctrler.recordings.known_footage import KnownFootage
from camera_ctrler.recordings.retention import Condition, Limits
from camera_ctrler.recordings.volume_contents import KeepSettings, VolumeContents
from camera_ctrler.recordings.volume_guard import VolumeGuard
from contract.crop_paths import CropName, crop_path
from contract.frame_paths import captured_at_ms, frame_path
from contract.recording_paths import HOUR_MS, segment_path
from contract.recordings import KeptFor, Segment
from contract.retention import FOREVER, FOREVER_MS, KeepRules, parse_age
from runtime.crop_store import CropStore
from runtime.frame_store import FrameStore
from runtime.recording_store import RecordingStore
from tests.support.clocks import SetClock
from tests.support.segment_index import EIGHT_MS, segment

CONTINUOUS, MOTION, EVENT = KeptFor
DAY_MS = 24 * HOUR_MS
#: Class name -> most seen.
Seen = dict[str, int]


class StoredFootage:
    """One volume with its index and its cleaner, at a time that the test sets."""

    def __init__(
        self,
        root: Path,
        index: SegmentIndex,
        clock: SetClock,
        *,
        keep: str = "",
        frames_hours: float = 0,
        crops: str = FOREVER,
        floor_bytes: int = 0,
        limits: Limits | None = None,
    ) -> None:
        rules = KeepRules.parse(keep)
        self.index = index
        self.clock = clock
        self.store = RecordingStore(root)
        self.frames = FrameStore(root)
        self.known = KnownFootage(index, rules, clock)
        settings = KeepSettings(rules, round(frames_hours * HOUR_MS) if frames_hours else FOREVER_MS, parse_age(crops))
        self.crops = CropStore(root)
        self.contents = VolumeContents(
            self.store, self.frames, self.crops, known=self.known, keep=settings, clock=clock
        )
        self.cleaner = Cleaner(self.contents, self.known, clock)
        self.guard = VolumeGuard(
            self.store, self.cleaner, self.known, clock, floor_bytes=floor_bytes, limits=limits or Limits()
        )

    def record(
        self,
        start_ms: int,
        kept_for: KeptFor = CONTINUOUS,
        *,
        camera: str = "a",
        size: int = 1_000,
        seen: Seen | None = None,
    ) -> Segment:
        """Put a file of ten seconds on the volume and into the index."""
        made = self.put(start_ms, kept_for, camera=camera, size=size, seen=seen)
        self.index.add([made])
        return made

    def put(
        self,
        start_ms: int,
        kept_for: KeptFor = CONTINUOUS,
        *,
        camera: str = "a",
        size: int = 1_000,
        seen: Seen | None = None,
    ) -> Segment:
        """Put a file of ten seconds on the volume, of which the index knows nothing."""
        made = segment(start_ms, camera=camera, size_bytes=size, kept_for=kept_for, seen=seen or {})
        file = self.store.file(segment_path(camera, start_ms, made.epoch))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(size))
        os.utime(file, ns=(made.end_ms * 1_000_000, made.end_ms * 1_000_000))
        return made

    def save(self, at_ms: int, *, camera: str = "a", size: int = 100) -> str:
        """Put a frame on the volume; returns its path."""
        path = frame_path(camera, at_ms)
        self.frames.save(path, bytes(size))
        return path

    def crop(self, at_ms: int, *, camera: str = "a", size: int = 100) -> str:
        """Put a crop on the volume; returns its path."""
        path = crop_path(CropName(camera, at_ms, 1, 1))
        self.crops.save(path, bytes(size))
        return path

    def cropped(self, camera: str = "a") -> list[int]:
        """Return when the crops were captured that are on the volume."""
        hours = [hour_ms for hour_ms, name in self.crops.hours() if name == camera]
        return [crop.captured_at_ms for hour_ms in hours for crop in self.crops.crops(camera, hour_ms)]

    def files(self, *cameras: str) -> list[int]:
        """Return when the footage on the volume begins, of these cameras or of all, in order."""
        found = (
            each.start_ms
            for camera_id in cameras or self.store.cameras()
            for each in self.store.segments(camera_id, 0, FOREVER_MS)
        )
        return sorted(found)

    def rows(self, camera: str = "a") -> list[int]:
        """Return when the footage begins that the index places on the volume or in the archive."""
        return [each.segment.start_ms for each in self.index.find(camera, 0, FOREVER_MS)]

    def saved(self, *cameras: str) -> list[int]:
        """Return when the frames were captured that are on the volume."""
        return sorted(
            captured_at_ms(path) for camera in cameras or ("a", "b") for path in self.frames.frames(camera, 0, 10**14)
        )

    def look(self) -> Condition | None:
        """Let the guard look at the volume; returns what it finds wrong."""
        self.guard.look()
        return self.guard.condition

    def expire(self) -> None:
        """Ask the index how things stand, and delete what is too old."""
        self.known.survey()
        assert self.cleaner.expire(60)


def key_of(made: Segment) -> SegmentKey:
    """Return what the index knows a file by."""
    return made.camera_id, made.start_ms, made.epoch


@pytest.fixture
def make_footage(tmp_path: Path, sqlite_index: SegmentIndex) -> Callable[..., StoredFootage]:
    """Makes volumes with an index, one day after eight o'clock."""

    def made(root: Path | None = None, **settings: object) -> StoredFootage:
        return StoredFootage(
            root or tmp_path / "frames",
            sqlite_index,
            SetClock(EIGHT_MS + DAY_MS),
            **settings,  # type: ignore[arg-type]  # the test names what the class takes
        )

    return made
