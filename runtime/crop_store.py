"""Crops on the shared volume: written whole or not at all, found by the paths that events name."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from contract.crop_paths import FOLDER, LAST_MS, hour_folder, parse_crop_path
from contract.errors import ContractError
from contract.ids import is_valid_id
from runtime.volume_files import delete_file, delete_folder, write_whole


@dataclass(frozen=True, slots=True)
class FoundCrop:
    """A crop as a listing of its folder shows it."""

    #: Relative to the volume.
    path: str
    #: As its name says, Unix ms UTC.
    captured_at_ms: int
    size_bytes: int


class CropStore:
    """The crops on the frames volume. Safe to use from several threads and processes."""

    def __init__(self, root: Path) -> None:
        self.root: Final = root.resolve()

    def save(self, path: str, data: bytes) -> None:
        """Write `data` to `path` (relative, from `contract.crop_paths`); readers see all of it or no file.

        Raises:
            ContractError: It is not the path of a crop; so it cannot lead out of the volume.
            VolumeFullError: No space, or over quota.
            OSError: The volume is gone or not writable.
        """
        parse_crop_path(path)
        write_whole(self.root, path, data)

    def resolve(self, path: str) -> Path:
        """Return the file that a relative path names.

        Raises:
            ContractError: It is not the path of a crop; so it cannot lead out of the volume.
            FileNotFoundError: There is no such crop, or no more.
        """
        parse_crop_path(path)
        target = self.root / path
        if not target.is_file():
            raise FileNotFoundError(f"crop {path} does not exist; it may have passed its retention, or was erased")
        return target

    def delete(self, path: str) -> int:
        """Delete a crop and the folders that become empty; return the bytes freed, 0 where it was gone already.

        Raises:
            ContractError: It is not the path of a crop.
            OSError: The volume is gone or not writable.
        """
        parse_crop_path(path)
        return delete_file(self.root, path)

    # --- hours -------------------------------------------------------------------------------------------------------

    def hours(self, from_ms: int = 0) -> Iterator[tuple[int, str]]:
        """Yield (begin of the hour in Unix ms UTC, camera id) of every folder of crops of that time or later."""
        first_day = f"{datetime.fromtimestamp(min(max(from_ms, 0), LAST_MS) / 1000, UTC):%Y%m%d}"
        for camera_id in sorted(name for name in _names(self.root) if is_valid_id(name)):
            crops = self.root / camera_id / FOLDER
            for day in sorted(name for name in _names(crops) if name >= first_day):
                for hour in sorted(_names(crops / day)):
                    start_ms = _hour_start_ms(day, hour)
                    if start_ms is not None and start_ms >= from_ms:
                        yield start_ms, camera_id

    def crops(self, camera_id: str, hour_ms: int) -> list[FoundCrop]:
        """Return a camera's crops of one hour, oldest first; what is not there is not an error."""
        folder = hour_folder(camera_id, hour_ms)
        found = []
        try:
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    crop = _read_entry(folder, entry)
                    if crop is not None:
                        found.append(crop)
        except FileNotFoundError:  # deleted meanwhile
            return []
        return sorted(found, key=lambda each: (each.captured_at_ms, each.path))

    def delete_hour(self, camera_id: str, hour_ms: int) -> int:
        """Delete all that is in a folder of crops, files half written too; return the bytes freed.

        Raises:
            FileNotFoundError: There is no such folder.
        """
        return delete_folder(self.root / hour_folder(camera_id, hour_ms), self.root)


def _read_entry(folder: str, entry: "os.DirEntry[str]") -> FoundCrop | None:
    """Return what a folder says of a file; None for what is no crop, or is gone by now."""
    path = f"{folder}/{entry.name}"
    try:
        name = parse_crop_path(path)
        if not entry.is_file(follow_symlinks=False):
            return None
        return FoundCrop(path, name.captured_at_ms, entry.stat(follow_symlinks=False).st_size)
    except (ContractError, FileNotFoundError):
        return None


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _hour_start_ms(day: str, hour: str) -> int | None:
    if len(day) != len("YYYYMMDD") or len(hour) != len("HH"):
        return None
    try:
        return round(datetime.strptime(f"{day}{hour}", "%Y%m%d%H").replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:  # not a folder of ours
        return None
