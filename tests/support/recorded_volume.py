"""A volume of footage whose files are copies of one real file: quick to make by the hundred."""

import os
import shutil
import time
from pathlib import Path

import pytest

from contract.recording_paths import segment_path
from contract.recordings import MAX_SEGMENT_MS, Segment
from runtime.recording_store import RecordingStore
from tests.support.footage import Look, cut_into_last_fragment, remove_moov, write_segment

LOOK = Look(size=(320, 240), fps=10, gop=10)
SECONDS = 4.0


class RecordedVolume:
    """Files on a volume, old enough to be finished."""

    def __init__(self, root: Path, pattern: Segment, pattern_file: Path) -> None:
        self.store = RecordingStore(root)
        self._pattern = pattern
        self._pattern_file = pattern_file

    def write(self, start_ms: int, *, camera: str = "lobby", epoch: int = 1) -> Segment:
        """Put a file of `SECONDS` onto the volume; return what its worker would tell of it."""
        file = self.store.root / segment_path(camera, start_ms, epoch)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._pattern_file, file)
        self.age(file)
        end_ms = start_ms + self._pattern.end_ms - self._pattern.start_ms
        return self._pattern.model_copy(
            update={"camera_id": camera, "start_ms": start_ms, "end_ms": end_ms, "epoch": epoch}
        )

    def write_row(self, start_ms: int, count: int, *, camera: str = "lobby") -> list[Segment]:
        """Put files onto the volume, each beginning where the one before ends."""
        return [self.write(start_ms + round(SECONDS * 1000) * number, camera=camera) for number in range(count)]

    def file(self, segment: Segment) -> Path:
        """Return where a file lies."""
        return self.store.root / segment_path(segment.camera_id, segment.start_ms, segment.epoch)

    def cut(self, segment: Segment) -> None:
        """Leave a file as a killed worker does."""
        cut_into_last_fragment(self.file(segment))
        self.age(self.file(segment))

    def without_moov(self, segment: Segment) -> None:
        """Leave a file without what says how to decode it."""
        remove_moov(self.file(segment))
        self.age(self.file(segment))

    def garbage(self, segment: Segment, data: bytes) -> None:
        """Leave something else in a file."""
        self.file(segment).write_bytes(data)
        self.age(self.file(segment))

    @staticmethod
    def age(file: Path, milliseconds: int = 2 * MAX_SEGMENT_MS) -> None:
        """Let a file have been written to last some time ago: longer than anybody writes a file, if not told."""
        changed = time.time() - milliseconds / 1000
        os.utime(file, (changed, changed))


@pytest.fixture(scope="session")
def recorded_pattern(tmp_path_factory: pytest.TempPathFactory) -> tuple[Segment, Path]:
    """One real file of footage, and what its worker would tell of it."""
    root = tmp_path_factory.mktemp("pattern")
    segment = write_segment(root, "lobby", 1_000, seconds=SECONDS, look=LOOK)
    return segment, root / segment_path("lobby", 1_000, 1)


@pytest.fixture
def volume(tmp_path: Path, recorded_pattern: tuple[Segment, Path]) -> RecordedVolume:
    """An empty volume."""
    root = tmp_path / "volume"
    root.mkdir()
    return RecordedVolume(root, *recorded_pattern)
