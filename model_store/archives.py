"""Takes the one wanted file out of an archive, and nothing else.

The name inside the archive is only compared, never used as a path, so that ``../`` or a link in an archive leads
nowhere; what is written is bounded by the size that the manifest gives.
"""

import hashlib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from model_store.errors import ArchiveError
from model_store.hashing import blocks

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, NotImplementedError)


def write_checked(parts: Iterable[bytes], target: Path, *, size_bytes: int, sha256: str) -> None:
    """Write `parts` to `target` while counting and hashing; not more than `size_bytes` are written.

    Raises:
        ArchiveError: It has another size or hash; `target` is left as far as it was written.
    """
    digest = hashlib.sha256()
    written = 0
    with target.open("wb") as output:
        for part in parts:
            if written + len(part) > size_bytes:
                raise ArchiveError(f"it has more than {size_bytes} bytes")
            written += len(part)
            digest.update(part)
            output.write(part)
    if written != size_bytes:
        raise ArchiveError(f"it has {written} bytes, not {size_bytes}")
    if digest.hexdigest() != sha256:
        raise ArchiveError(f"its sha256 is {digest.hexdigest()}, not {sha256}")


def extract(archive: Path, member: str, target: Path, *, size_bytes: int, sha256: str) -> None:
    """Write file `member` of a wheel (zip) or a ``.tgz`` to `target`.

    Args:
        archive: The archive; told apart by its content.
        member: The file's exact name in it.
        target: Written, or overwritten.
        size_bytes: Size that the file must have.
        sha256: Hash that the file must have.

    Raises:
        ArchiveError: The archive is damaged, has no such file (a link is none), or a different one.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as stream:
                write_checked(blocks(stream), target, size_bytes=size_bytes, sha256=sha256)
        else:
            with archive.open("rb") as packed:
                extract_tar(packed, member, target, size_bytes=size_bytes, sha256=sha256)
    except KeyError as error:
        raise ArchiveError(f"{archive.name} has no file {member}") from error
    except _DAMAGED as error:
        raise ArchiveError(f"{archive.name} is damaged: {error}") from error


def extract_tar(packed: IO[bytes], member: str, target: Path, *, size_bytes: int, sha256: str) -> None:
    """Write file `member` of a tar stream, compressed or not, to `target`; arguments and errors as `extract`."""
    try:
        with tarfile.open(fileobj=packed, mode="r|*") as tar:
            for item in tar:
                if item.name == member and item.isfile():
                    stream = tar.extractfile(item)
                    assert stream is not None  # it is a file
                    write_checked(blocks(stream), target, size_bytes=size_bytes, sha256=sha256)
                    return
    except _DAMAGED as error:
        raise ArchiveError(f"the archive is damaged: {error}") from error
    raise ArchiveError(f"the archive has no file {member}")
