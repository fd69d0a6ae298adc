"""Segments on disk: written whole or not at all, with a checksum, and never needed: the database has everything.

One process of a host writes them, all others map the same files. They hold personal data, as the database does.
"""

import fcntl
import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Final

import structlog
from pydantic import BaseModel

from reid.gallery.segment import FORMAT, Extent, Segment

_NAME: Final = re.compile(r"(?P<place>\d{8})-(?P<erasures>\d+)-(?P<up_to>\d+)\.json")
_CHUNK: Final = 1 << 20
#: What lies beside a note.
ENDING: Final = ".segment"

log = structlog.get_logger(__name__)


class SnapshotNote(BaseModel):
    """What a file should be like; lies beside it, and is written after it."""

    format: str
    version: str
    dimension: int
    #: See `Extent`.
    rows: int
    begun_ms: int
    newest_ms: int
    size_bytes: int
    sha256: str


class SnapshotFolder:
    """The files of one version of embeddings."""

    def __init__(self, root: Path, version: str, dimension: int) -> None:
        """Prepare; nothing is made yet.

        Args:
            root: Folder for the files of all versions.
            version: Of the embedder.
            dimension: Numbers in one embedding.
        """
        # A version is free text and no file name.
        self._folder = root / hashlib.sha256(version.encode()).hexdigest()[:16]
        self._version = version
        self._dimension = dimension
        self._lock: int | None = None

    def try_to_keep(self) -> bool:
        """Be the process that writes the files, unless another one of this host is."""
        if self._lock is None:
            self._lock = _locked(self._folder)
        return self._lock is not None

    def close(self) -> None:
        """Let another process write them."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def load(self, place: int, erasures: int) -> Segment | None:
        """Return a segment as it was written last; None: there is no file that can be used.

        A file that is damaged is deleted and said to be.

        Args:
            place: Which segment.
            erasures: How often something was erased from it: no file from before the last time is used.
        """
        for up_to, note_path in self._notes(place, erasures):
            path = note_path.with_suffix(ENDING)
            try:
                note = SnapshotNote.model_validate_json(note_path.read_text())
                problem = self._problem(note, path)
                if not problem:
                    extent = Extent(note.rows, note.begun_ms, note.newest_ms)
                    return Segment.read(path, place, self._dimension, extent, erasures=erasures, up_to=up_to)
            except (OSError, ValueError) as error:  # of pydantic, too
                problem = str(error).splitlines()[0]
            log.warning("gallery_snapshot_unusable", file=path.name, problem=problem, remedy="it is made anew from SQL")
            if self._lock is not None:
                _delete(note_path)
        return None

    def save(self, segment: Segment) -> bool:
        """Write a segment, if this process is the one that writes; older files of it are deleted.

        Raises:
            OSError: The disk is full, or not writable; the former file stays.
        """
        if not self.try_to_keep():
            return False
        extent = segment.extent
        note_path = self._folder / f"{segment.place:08d}-{segment.erasures}-{segment.up_to}.json"
        part = note_path.with_suffix(f".{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                segment.write(file)
            note = SnapshotNote(
                format=FORMAT,
                version=self._version,
                dimension=self._dimension,
                rows=extent.rows,
                begun_ms=extent.begun_ms,
                newest_ms=extent.newest_ms,
                size_bytes=part.stat().st_size,
                sha256=_sha256(part),
            )
            _to_disk(part)
            part.replace(note_path.with_suffix(ENDING))
            part.write_text(note.model_dump_json())
            _to_disk(part)
            part.replace(note_path)
        finally:
            part.unlink(missing_ok=True)
        for other in self._folder.glob(f"{segment.place:08d}-*.json"):
            if other != note_path:
                _delete(other)
        return True

    def forget(self, place: int) -> None:
        """Delete the files of a segment, whoever wrote them; those that are mapped go when nobody maps them."""
        for note_path in self._folder.glob(f"{place:08d}-*.json"):
            _delete(note_path)
        for path in self._folder.glob(f"{place:08d}-*"):
            path.unlink(missing_ok=True)

    def clear_strangers(self, places: set[int]) -> None:
        """Delete the files of all other segments, and those of versions that no process of this host uses."""
        if not self.try_to_keep():
            return
        for note_path in self._folder.glob("*.json"):
            match = _NAME.fullmatch(note_path.name)
            if match is None or int(match["place"]) not in places:
                _delete(note_path)
        for path in self._folder.glob("*.*"):  # of a process that died while it wrote
            if not path.with_name(f"{path.name.split('.')[0]}.json").exists():
                path.unlink()
        for other in self._folder.parent.iterdir():
            if other != self._folder and other.is_dir():
                lock = _locked(other)
                if lock is not None:
                    shutil.rmtree(other, ignore_errors=True)
                    os.close(lock)

    def _notes(self, place: int, erasures: int) -> list[tuple[int, Path]]:
        """Return what there is of a segment: up to which number, and the note; the newest first."""
        found = []
        for path in self._folder.glob(f"{place:08d}-{erasures}-*.json"):
            match = _NAME.fullmatch(path.name)
            if match is not None:
                found.append((int(match["up_to"]), path))
        return sorted(found, reverse=True)

    def _problem(self, note: SnapshotNote, path: Path) -> str:
        """Tell why a file cannot be used; empty: it can."""
        size = path.stat().st_size
        if (note.format, note.version, note.dimension) != (FORMAT, self._version, self._dimension):
            return "it was written by another version of CamFarm or of the model"
        if size != note.size_bytes:
            return f"it has {size} bytes and should have {note.size_bytes}"
        if _sha256(path) != note.sha256:
            return "its checksum is wrong"
        return ""


def _locked(folder: Path) -> int | None:
    """Return a file descriptor that holds the lock of a folder; None: another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _delete(note_path: Path) -> None:
    """Delete a note, and then whatever lies beside it, also what another version of CamFarm has put there."""
    note_path.unlink(missing_ok=True)
    for path in note_path.parent.glob(f"{note_path.stem}.*"):
        path.unlink(missing_ok=True)
