"""An archive on a second volume."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from camera_ctrler.recordings.archive import (
    READ_AHEAD_BYTES,
    ArchiveAwayError,
    ArchiveDamageError,
    ArchiveError,
    ArchiveFullError,
)
from contract.recording_paths import parse_segment_path

#: Empty file that says that the volume is mounted: a mount point without its volume is a folder as well.
MARK: Final = ".camfarm-archive"
#: Above a file: its hour, its day, the footage, the camera.
_FOLDERS: Final = 4
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class FolderArchive:
    """Files below one folder, in the layout of the frames volume."""

    def __init__(self, root: Path) -> None:
        self.root: Final = root

    def check(self, *, expects_footage: bool) -> None:
        """See that the folder is there and is the one that was there before.

        Raises:
            ArchiveAwayError: It is not, or cannot be written.
        """
        mark = self.root / MARK
        with self._named():
            if mark.exists():
                return
            if expects_footage:
                raise ArchiveAwayError(
                    f"the archive {self.root} lacks its file {MARK}: mount the volume; make the file if it was lost"
                )
            mark.touch()  # the folder itself is never made: a mount point is made by whoever mounts

    def store(self, path: str, file: Path) -> None:
        """Copy a file; see `Archive.store`."""
        target = self._file(path)
        part = target.with_name(f".{target.name}.part")
        size = file.stat().st_size
        with self._named():
            self._see_mark()
            self._make_folder(target.parent)
            try:
                with file.open("rb") as source, part.open("wb") as copy:
                    shutil.copyfileobj(source, copy, READ_AHEAD_BYTES)
                    copy.flush()
                    os.fsync(copy.fileno())
                if part.stat().st_size != size:
                    raise ArchiveDamageError(f"{path} changed while it was copied into the archive")
                part.replace(target)
                _sync(target.parent)  # the copy here is deleted next, and a power failure must not take both
            except OSError:
                part.unlink(missing_ok=True)
                raise

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and those above it, so that they outlive a power failure."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)

    def open(self, path: str) -> BinaryIO:
        """Open a file; see `Archive.open`."""
        target = self._file(path)
        with self._named():
            self._see_mark()
        return target.open("rb", buffering=READ_AHEAD_BYTES)

    def delete(self, path: str) -> None:
        """Delete a file and the folders that become empty."""
        target = self._file(path)
        with self._named():
            self._see_mark()
            target.unlink(missing_ok=True)
        for empty in list(target.parents)[:_FOLDERS]:
            try:
                empty.rmdir()
            except OSError:  # not empty
                return

    def _see_mark(self) -> None:
        if not (self.root / MARK).exists():
            raise ArchiveAwayError(f"the archive {self.root} is not mounted: it has no file {MARK}")

    def _file(self, path: str) -> Path:
        parse_segment_path(path)
        return self.root / path

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except ArchiveError:
            raise
        except OSError as error:
            if error.errno in _FULL:
                raise ArchiveFullError(f"the archive {self.root} is full; lower FARM_ARCHIVE_MAX_BYTES") from error
            if error.filename and not str(error.filename).startswith(str(self.root)):
                raise  # the file that was to be copied
            raise ArchiveAwayError(f"the archive {self.root} cannot be used: {error.strerror}") from error


def _sync(folder: Path) -> None:
    """Write to disk which files a folder has."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
