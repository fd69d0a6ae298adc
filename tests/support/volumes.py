"""A real file system that is small enough to be filled."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted_volume(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a file system of so many kB in a new folder; skips where this user may not."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def megabyte_volume(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MB; skips where this user may not mount one."""
    with mounted_volume(tmp_path / "volume", 1_000) as folder:
        yield folder


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 256 kB; skips where this user may not."""
    with mounted_volume(tmp_path / "volume", 256) as folder:
        yield folder
