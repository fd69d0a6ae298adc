"""Fetches files of the manifest: sources in order, verified, atomic, one process at a time."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from model_store.errors import FetchError, ModelStoreError, SourceError
from model_store.hashing import sha256_of
from model_store.manifest import ManifestFile, load_manifest
from model_store.sources import CLIENT_TIMEOUT_SECONDS, Progress, bring

_POLL_SECONDS: Final = 0.1


def no_progress(_done_bytes: int, _total_bytes: int) -> None:
    """Show nothing."""


def is_whole(path: Path, wanted: ManifestFile) -> bool:
    """Tell whether `path` is there and has the size and hash of the manifest."""
    return path.is_file() and path.stat().st_size == wanted.size_bytes and sha256_of(path) == wanted.sha256


def fetch_file(wanted: ManifestFile, folder: Path, progress: Progress = no_progress, *, remedy: str = "") -> Path:
    """Make `wanted` present in `folder`; a damaged file is replaced.

    Args:
        wanted: An entry of the manifest.
        folder: Made where it is missing.
        progress: Called with bytes done and in all, a few times a second.
        remedy: What else a person can do when no source answers.

    Returns:
        The verified file.

    Raises:
        FetchError: No source brought it; names the file, its hash, what each source said, and the remedy.
    """
    path = folder / wanted.file
    if is_whole(path, wanted):
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f".{wanted.file}.lock"):
            if not is_whole(path, wanted):  # nobody fetched it while this process waited
                _fetch_from_any(wanted, path, progress, remedy)
    except ModelStoreError:
        raise
    except OSError as error:  # a full disk, a folder of somebody else
        raise FetchError(f"cannot store {wanted.file} in {folder}: {error.strerror or error}") from error
    return path


def fetch_footage(name: str, folder: Path, progress: Progress = no_progress) -> Path:
    """Make the demo footage `name` of the manifest present in `folder`; errors as `fetch_file`."""
    return fetch_file(load_manifest().footage[name], folder, progress)


def _fetch_from_any(wanted: ManifestFile, path: Path, progress: Progress, remedy: str) -> None:
    _remove_left_over(path)
    failures: list[str] = []
    for source in wanted.sources:
        with tempfile.TemporaryDirectory(prefix=_scratch_prefix(path), dir=path.parent) as scratch:
            try:
                got = bring(source, wanted, Path(scratch), progress)
            except SourceError as error:
                failures.append(f"{source}: {error}")
                continue
            _put(got, path)
            return
    raise FetchError(
        f"cannot get {wanted.file} ({wanted.size_bytes:,} bytes, sha256 {wanted.sha256}): no source brought it "
        f"({'; '.join(failures)}). Connect to the internet, or put the file at {path}{remedy}"
    )


def _put(got: Path, path: Path) -> None:
    """Move `got` to `path` so that after a crash either is whole."""
    with got.open("rb") as stream:
        os.fsync(stream.fileno())
    got.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _scratch_prefix(path: Path) -> str:
    return f".{path.name}.part-"


def _remove_left_over(path: Path) -> None:
    """Remove what a killed process left; the caller holds the lock, so nobody is writing there."""
    for scratch in path.parent.glob(f"{_scratch_prefix(path)}*"):
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _alone(lock_file: Path) -> Iterator[None]:
    """Hold the lock on one file of the store; it goes with the process, however that ends."""
    end = time.monotonic() + CLIENT_TIMEOUT_SECONDS
    pause = threading.Event()
    with lock_file.open("a") as held:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise FetchError(
                        f"another process has held {lock_file} for too long; end it and try again"
                    ) from error
                pause.wait(_POLL_SECONDS)
        yield
