"""An archive in a bucket of S3-compatible storage."""

import asyncio
import hashlib
import io
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import aiohttp
import s3fs
from botocore.exceptions import BotoCoreError, ClientError
from fsspec.asyn import sync

from camera_ctrler.recordings.archive import READ_AHEAD_BYTES, ArchiveAwayError, ArchiveDamageError, ArchiveError
from contract.recording_paths import parse_segment_path

#: Seconds that the storage may take to answer: those who wait are people, and a mover that hears shutdown.
CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 6.0
_TRIES: Final = 2
#: A line on which several files go at once may give each of them little.
_SLOWEST_BYTES_PER_SECOND: Final = 50_000
#: Of a whole file in one piece the storage says the MD5, unless it encrypts it with keys of its own.
_MD5_LENGTH: Final = 32


class S3Archive:
    """Files below one prefix of a bucket, in the layout of the frames volume."""

    def __init__(self, bucket: str, prefix: str, *, endpoint: str = "", key: str = "", secret: str = "") -> None:
        """Remember where it is; nothing is connected yet.

        Args:
            bucket: Name of a bucket that exists.
            prefix: Put before every path; may be empty.
            endpoint: URL of the storage; empty: Amazon's.
            key: Access key; empty: what the machine has (``AWS_*`` variables, instance role).
            secret: Its secret.
        """
        self._bucket = bucket
        self._place = f"{bucket}/{prefix}".rstrip("/")
        self._files = s3fs.S3FileSystem(
            key=key or None,
            secret=secret or None,
            endpoint_url=endpoint or None,
            use_listings_cache=False,
            skip_instance_cache=True,
            config_kwargs={
                "connect_timeout": CONNECT_SECONDS,
                "read_timeout": READ_SECONDS,
                "retries": {"max_attempts": 0},  # s3fs itself tries again
                # Names of buckets are no host names of a server on one's own machine.
                "s3": {"addressing_style": "path" if endpoint else "auto"},
            },
        )
        self._files.retries = _TRIES

    def check(self, *, expects_footage: bool) -> None:  # noqa: ARG002 - a bucket that is not there says so itself
        """See that the bucket answers.

        Raises:
            ArchiveAwayError: It does not, or refuses the keys.
        """
        with self._named(), self._finding_the_bucket():
            self._do(self._files._call_s3("head_bucket", Bucket=self._bucket))

    def store(self, path: str, file: Path) -> None:
        """Send a file; see `Archive.store`. An upload that breaks off leaves no object."""
        data = file.read_bytes()
        place = self._key(path)
        with self._named(), self._finding_the_bucket():
            self._do(self._files._pipe_file(place, data), len(data))
            info = self._do(self._files._info(place, refresh=True))
            if info["size"] == len(data) and self._is_same(place, str(info.get("ETag", "")).strip('"'), data):
                return
            self._do(self._files._rm_file(place))
        raise ArchiveDamageError(f"{path} arrived damaged in the archive and was deleted there; it is sent again")

    def _is_same(self, place: str, etag: str, data: bytes) -> bool:
        """Tell whether what was stored is `data`, as far as the storage says what it has."""
        if len(etag) != _MD5_LENGTH:  # in several pieces: only the size is known
            return True
        if etag == hashlib.md5(data, usedforsecurity=False).hexdigest():
            return True
        return bool(
            self._do(self._files._cat_file(place), len(data)) == data
        )  # encrypted with its own keys, then the mark is no MD5

    def open(self, path: str) -> BinaryIO:
        """Open a file; see `Archive.open`."""
        place = self._key(path)
        with self._named():
            size = int(self._do(self._files._info(place, refresh=True))["size"])
        return cast("BinaryIO", io.BufferedReader(_S3File(self, place, size), READ_AHEAD_BYTES))

    def delete(self, path: str) -> None:
        """Delete a file; see `Archive.delete`."""
        place = self._key(path)
        with self._named():
            self._do(self._files._rm_file(place))

    def read(self, place: str, start: int, end: int) -> bytes:
        """Return a part of an object, ``[start, end)``.

        Raises:
            FileNotFoundError: It was deleted meanwhile.
            ArchiveAwayError: The storage does not answer.
        """
        with self._named():
            return bytes(self._do(self._files._cat_file(place, start=start, end=end), end - start))

    def _do(self, what: Coroutine[Any, Any, Any], size_bytes: int = 0) -> Any:
        """Wait for an answer of the storage, and give it up after a time.

        The client's own time limits are for what it reads: a storage that stops taking bytes would hold it for ever.
        """
        seconds = _TRIES * (CONNECT_SECONDS + READ_SECONDS) + size_bytes / _SLOWEST_BYTES_PER_SECOND
        return sync(self._files.loop, asyncio.wait_for, what, seconds)

    def _key(self, path: str) -> str:
        parse_segment_path(path)
        return f"{self._place}/{path}"

    @contextmanager
    def _finding_the_bucket(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise ArchiveAwayError(
                f"the archive has no bucket {self._bucket!r}; make it, or correct its name"
            ) from error

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (ArchiveError, FileNotFoundError):
            raise
        except (OSError, BotoCoreError, ClientError, aiohttp.ClientError, TimeoutError) as error:
            cause = str(error) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
            raise ArchiveAwayError(f"the archive s3://{self._place} cannot be used: {cause}") from error


class _S3File(io.RawIOBase):
    """An object, read piece by piece; the buffer around it reads ahead."""

    def __init__(self, archive: S3Archive, place: str, size: int) -> None:
        self._archive = archive
        self._place = place
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._size, self._at + len(buffer))
        if end <= self._at:
            return 0
        data = self._archive.read(self._place, self._at, end)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
