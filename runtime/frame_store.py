"""Saved frames on the shared volume: written whole or not at all, found by camera and time."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from contract.errors import ContractError
from contract.frame_paths import captured_at_ms, hour_folder
from contract.ids import is_valid_id
from runtime.volume_files import delete_file, delete_folder, write_whole

_HOUR_MS: Final = 3_600_000


class FrameStore:
    """The frames volume. Safe to use from several threads and processes."""

    def __init__(self, root: Path) -> None:
        self.root: Final = root.resolve()

    def save(self, path: str, data: bytes) -> None:
        """Write `data` to `path` (relative, from `contract.frame_paths`); readers see all of it or no file.

        Raises:
            ContractError: It is not the path of a saved frame; so it cannot lead out of the volume.
            VolumeFullError: No space, or over quota.
            OSError: The volume is gone or not writable.
        """
        captured_at_ms(path)
        write_whole(self.root, path, data)

    def resolve(self, path: str) -> Path:
        """Return the file that a relative path names.

        Raises:
            ContractError: It is not the path of a saved frame; so it cannot lead out of the volume.
            FileNotFoundError: There is no such frame, or no more.
        """
        captured_at_ms(path)
        target = self.root / path
        if not target.is_file():
            raise FileNotFoundError(f"saved frame {path} does not exist; it may have passed its retention")
        return target

    def frames(self, camera_id: str, from_ms: int, to_ms: int) -> Iterator[str]:
        """Yield relative paths of a camera's frames with ``from_ms <= captured_at_ms < to_ms``, in time order."""
        if not is_valid_id(camera_id):
            raise ContractError(f"{camera_id!r} is not a camera id")
        for folder in self._hours(camera_id, from_ms, to_ms):
            found = sorted(ms for name in _names(self.root / folder) if (ms := _captured(folder, name)) is not None)
            yield from (f"{folder}/{ms}.jpg" for ms in found if from_ms <= ms < to_ms)

    def _hours(self, camera_id: str, from_ms: int, to_ms: int) -> Iterator[str]:
        """Yield folders of hours that exist, in time order; cost follows what is stored, not the range asked."""
        first, last = (hour_folder(camera_id, min(max(at_ms, 0), _MAX_MS)) for at_ms in (from_ms, to_ms))
        for day in sorted(_names(self.root / camera_id)):
            if not first.split("/")[1] <= day <= last.split("/")[1]:
                continue
            for hour in sorted(_names(self.root / camera_id / day)):
                folder = f"{camera_id}/{day}/{hour}"
                if first <= folder <= last:
                    yield folder

    def oldest_hours(self, from_ms: int = 0) -> Iterator[tuple[int, Path]]:
        """Yield (start of the hour in Unix ms UTC, folder) of everything stored since then, oldest first.

        Args:
            from_ms: Days that ended before it are not looked at, Unix ms UTC.
        """
        first_day = hour_folder("x", min(max(from_ms, 0), _MAX_MS)).split("/")[1]
        found = []
        for camera_id in _names(self.root):
            if not is_valid_id(camera_id):
                continue
            for day in _names(self.root / camera_id):
                if day < first_day or not day.isdecimal():
                    continue
                for hour in _names(self.root / camera_id / day):
                    start_ms = _hour_start_ms(day, hour)
                    if start_ms is not None:
                        found.append((start_ms, self.root / camera_id / day / hour))
        yield from sorted(found)

    def delete_hour(self, folder: Path) -> int:
        """Delete the frames in `folder` and the folders that become empty; return the bytes freed."""
        return delete_folder(folder, self.root)

    def delete(self, path: str) -> int:
        """Delete a frame and the folders that become empty; return the bytes freed, 0 where it was gone already.

        Raises:
            ContractError: It is not the path of a saved frame.
        """
        captured_at_ms(path)
        return delete_file(self.root, path)

    def free_bytes(self) -> int:
        """Return the free bytes of the volume."""
        self.root.mkdir(parents=True, exist_ok=True)
        stats = os.statvfs(self.root)
        return stats.f_bavail * stats.f_frsize


#: 9999-12-31T23:59:59Z: the last time that has a folder name.
_MAX_MS: Final = 253_402_300_799_000


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _captured(folder: str, name: str) -> int | None:
    try:
        return captured_at_ms(f"{folder}/{name}")
    except ContractError:  # a file being written, or not ours
        return None


def _hour_start_ms(day: str, hour: str) -> int | None:
    try:
        return int(datetime.strptime(f"{day}{hour}", "%Y%m%d%H").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:  # not a folder of ours
        return None
