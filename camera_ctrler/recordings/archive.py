"""The second tier of footage: a folder on another volume, or a bucket of S3-compatible storage."""

from pathlib import Path
from typing import BinaryIO, Final, Protocol
from urllib.parse import unquote, urlsplit

from contract.errors import FarmError
from runtime.settings import ControllerSettings

#: Bytes that are read at a time: what a player asks for next is mostly there already.
READ_AHEAD_BYTES: Final = 1 << 20


class ArchiveError(FarmError, OSError):
    """The archive cannot do what was asked; the text names what is wrong and the remedy."""


class ArchiveAwayError(ArchiveError):
    """It does not answer, is not mounted, or refuses the keys."""


class ArchiveFullError(ArchiveError):
    """It has no room."""


class ArchiveDamageError(ArchiveError):
    """What was stored is not what was sent; it does not count."""


class Archive(Protocol):
    """Files by their relative path, as `contract.recording_paths` makes it. Safe to use from several threads."""

    def check(self, *, expects_footage: bool) -> None:
        """See that it can be used.

        Args:
            expects_footage: Whether there must be footage in it already: an empty folder is then one that is not
                mounted.

        Raises:
            ArchiveAwayError: It cannot.
        """
        ...

    def store(self, path: str, file: Path) -> None:
        """Copy a file into it and see that it arrived; readers find all of it or nothing.

        Raises:
            FileNotFoundError: `file` is gone.
            ArchiveError: It did not arrive; nothing that counts is left of it.
        """
        ...

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading; it can be sought in, and reads `READ_AHEAD_BYTES` ahead.

        Raises:
            FileNotFoundError: There is no such file.
            ArchiveAwayError: The archive does not answer; reading from what was returned may raise it, too.
        """
        ...

    def delete(self, path: str) -> None:
        """Delete a file; one that is not there is as good as deleted.

        Raises:
            ArchiveAwayError: The archive does not answer.
        """
        ...


def open_archive(settings: ControllerSettings) -> Archive | None:
    """Return the archive that the settings name, or None; nothing is connected yet."""
    if not settings.archive_url:
        return None
    parts = urlsplit(settings.archive_url)
    if parts.scheme == "file":
        from camera_ctrler.recordings.folder_archive import FolderArchive

        return FolderArchive(Path(unquote(parts.path)))
    from camera_ctrler.recordings.s3_archive import S3Archive

    return S3Archive(
        parts.netloc,
        unquote(parts.path).strip("/"),
        endpoint=settings.archive_s3_endpoint,
        key=settings.archive_s3_key.get_secret_value(),
        secret=settings.archive_s3_secret.get_secret_value(),
    )
