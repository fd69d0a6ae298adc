"""Footage on the shared volume: files found by camera and time, their sizes, and deleting them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from contract.errors import ContractError
from contract.ids import is_valid_id
from contract.recording_paths import FOLDER, HOUR_MS, hour_folder, parse_segment_path, segment_path
from runtime.volume_files import delete_file, remove_empty

#: Folder, beside the days of a camera's footage, of files that cannot be played; nothing deletes them.
DAMAGED: Final = "damaged"
#: The last millisecond of the year 9999: later ones have no path.
LAST_MS: Final = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as a listing of its folder shows it."""

    camera_id: str
    #: As its name says, Unix ms UTC.
    start_ms: int
    epoch: int
    size_bytes: int
    #: When it was written to last, Unix ms UTC by the clock of the volume's host.
    changed_at_ms: int

    @property
    def path(self) -> str:
        """Path relative to the volume."""
        return segment_path(self.camera_id, self.start_ms, self.epoch)


class RecordingStore:
    """The footage on one volume. Safe to use from several threads and processes.

    Every method raises `OSError` where the volume is gone or cannot be read; what is not there is not an error.
    """

    def __init__(self, root: Path) -> None:
        self.root: Final = root.resolve()

    def file(self, path: str) -> Path:
        """Return the file that a relative path names, whether it is there or not.

        Raises:
            ContractError: It is not the path of a recording; so it cannot lead out of the volume.
        """
        parse_segment_path(path)
        return self.root / path

    # --- finding -------------------------------------------------------------------------------------------------

    def cameras(self) -> list[str]:
        """Return the ids of cameras that have a folder of footage, sorted."""
        names = sorted(name for name in _folders(self.root) if is_valid_id(name))
        return [name for name in names if (self.root / name / FOLDER).is_dir()]

    def hours(self, camera_id: str, from_ms: int = 0, to_ms: int = LAST_MS) -> Iterator[int]:
        """Yield the begin of every hour that a camera has a folder of and that has something of the range, in order."""
        if not is_valid_id(camera_id):
            raise ContractError(f"{camera_id!r} is not a camera id")
        footage = self.root / camera_id / FOLDER
        first, last = _day(from_ms - HOUR_MS), _day(to_ms)
        # A range of an hour must not list the folders of a month.
        for day in sorted(name for name in _folders(footage) if first <= name <= last):
            for hour in sorted(_folders(footage / day)):
                start_ms = _hour_start_ms(day, hour)
                if start_ms is not None and from_ms - HOUR_MS < start_ms < to_ms:
                    yield start_ms

    def segments(self, camera_id: str, from_ms: int, to_ms: int) -> Iterator[FoundFile]:
        """Yield a camera's files that start in ``[from_ms, to_ms)``, by start and epoch, as their folders list them.

        Files that are being written are among them, and on a network file system the newest of another machine are
        not yet.
        """
        for hour_ms in self.hours(camera_id, from_ms, to_ms):
            found = self._files_of_hour(camera_id, hour_ms)
            yield from (each for each in found if from_ms <= each.start_ms < to_ms)

    def found(self, path: str) -> FoundFile | None:
        """Return what is known of one file; None: it is not there.

        Raises:
            ContractError: It is not the path of a recording.
        """
        camera_id, start_ms, epoch = parse_segment_path(path)
        try:
            stat = (self.root / path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return FoundFile(camera_id, start_ms, epoch, stat.st_size, stat.st_mtime_ns // 1_000_000)

    def _files_of_hour(self, camera_id: str, hour_ms: int) -> list[FoundFile]:
        folder = hour_folder(camera_id, hour_ms)
        found: list[FoundFile] = []
        try:
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    each = _read_entry(folder, entry)
                    if each is not None:
                        found.append(each)
        except FileNotFoundError:  # deleted meanwhile
            pass
        return sorted(found, key=lambda each: (each.start_ms, each.epoch))

    # --- changing ------------------------------------------------------------------------------------------------

    def delete(self, path: str) -> int:
        """Delete a file and the folders that become empty; return the bytes freed, 0 where it was gone already.

        Raises:
            ContractError: It is not the path of a recording.
        """
        self.file(path)
        return delete_file(self.root, path)

    def put_aside(self, path: str) -> str:
        """Move a file that cannot be played to the folder `DAMAGED` of its camera; return its new relative path.

        Raises:
            ContractError: It is not the path of a recording.
            FileNotFoundError: It is gone.
        """
        camera_id, start_ms, epoch = parse_segment_path(path)
        folder = self.root / camera_id / FOLDER / DAMAGED
        folder.mkdir(parents=True, exist_ok=True)
        target, number = folder / f"{start_ms}-{epoch}.mp4", 1
        while target.exists():  # one of the same name was put aside before
            number += 1
            target = folder / f"{start_ms}-{epoch}.{number}.mp4"
        source = self.root / path
        source.rename(target)
        remove_empty(source.parent, self.root)
        return target.relative_to(self.root).as_posix()

    def free_bytes(self) -> int:
        """Return the free bytes of the volume."""
        self.root.mkdir(parents=True, exist_ok=True)
        stats = os.statvfs(self.root)
        return stats.f_bavail * stats.f_frsize


def _read_entry(folder: str, entry: "os.DirEntry[str]") -> FoundFile | None:
    """Return what a folder says of a file; None for what is no footage, or is gone by now."""
    try:
        camera_id, start_ms, epoch = parse_segment_path(f"{folder}/{entry.name}")
        if not entry.is_file(follow_symlinks=False):
            return None
        stat = entry.stat(follow_symlinks=False)
    except (ContractError, FileNotFoundError):
        return None
    return FoundFile(camera_id, start_ms, epoch, stat.st_size, stat.st_mtime_ns // 1_000_000)


def _folders(path: Path) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(min(max(at_ms, 0), LAST_MS) / 1000, UTC):%Y%m%d}"


def _hour_start_ms(day: str, hour: str) -> int | None:
    if len(day) != len("YYYYMMDD") or len(hour) != len("HH"):
        return None
    try:
        start = datetime.strptime(f"{day}{hour}", "%Y%m%d%H").replace(tzinfo=UTC)
    except ValueError:
        return None
    return round(start.timestamp()) * 1000
