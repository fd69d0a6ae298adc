"""Files on a volume that others read meanwhile: written whole or not at all, deleted with folders that are empty."""

import errno
import os
import threading
from pathlib import Path
from typing import Final

from contract.errors import FarmError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class VolumeFullError(FarmError):
    """The volume has no room; nothing was written."""


def write_whole(root: Path, path: str, data: bytes) -> None:
    """Write `data` to `path` below `root`; readers see all of it or no file. Folders are made as they are needed.

    Raises:
        VolumeFullError: No space, or over quota.
        OSError: The volume is gone or not writable.
    """
    target = root / path
    part = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        try:
            part.write_bytes(data)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise VolumeFullError(f"the frames volume {root} is full; free space or shorten retention") from error
        raise


def delete_file(root: Path, path: str) -> int:
    """Delete a file and the folders that become empty; return the bytes freed, 0 where it was gone already."""
    file = root / path
    try:
        size = file.stat().st_size
        file.unlink()
    except FileNotFoundError:  # another cleaner was quicker
        size = 0
    remove_empty(file.parent, root)
    return size


def delete_folder(folder: Path, root: Path) -> int:
    """Delete the files in `folder` and the folders that become empty; return the bytes freed.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    freed = 0
    for entry in os.scandir(folder):
        if entry.is_file(follow_symlinks=False):
            freed += entry.stat(follow_symlinks=False).st_size
            Path(entry.path).unlink(missing_ok=True)
    remove_empty(folder, root)
    return freed


def remove_empty(folder: Path, root: Path) -> None:
    """Remove a folder and those above it, up to `root`, as long as they are empty."""
    for empty in (folder, *folder.parents):
        if empty == root:
            return
        try:
            empty.rmdir()
        except FileNotFoundError:  # somebody was quicker
            continue
        except OSError:  # not empty: a worker has just begun a new file in it
            return
