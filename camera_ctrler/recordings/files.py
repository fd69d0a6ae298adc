"""Opens footage for players, wherever it lies: on the frames volume or in the archive."""

import errno
import os
from typing import BinaryIO, Self, cast

from camera_ctrler.recordings.archive import Archive, open_archive
from camera_ctrler.recordings.index import IndexedSegment
from runtime.recording_store import RecordingStore
from runtime.settings import ControllerSettings


class FootageFiles:
    """Files of both tiers. Safe to use from several threads."""

    def __init__(self, store: RecordingStore, archive: Archive | None = None) -> None:
        self._store = store
        self._archive = archive

    @classmethod
    def from_settings(cls, settings: ControllerSettings) -> Self:
        """Return what the settings name; nothing is opened yet."""
        return cls(RecordingStore(settings.frames_dir), open_archive(settings))

    def open(self, found: IndexedSegment) -> BinaryIO:
        """Open a file for reading; it can be sought in. A file that moves meanwhile is read to its end.

        Raises:
            FileNotFoundError: It is nowhere: the index was not repaired yet, or no archive is set any more.
            ArchiveAwayError: It is in the archive, which does not answer; reading may raise it, too.
            OSError: The volume is gone.
        """
        try:
            # Whatever tier the index says: it may have been moved since, and what is here is whole.
            return cast("BinaryIO", self._store.file(found.path).open("rb"))
        except FileNotFoundError:
            if self._archive is not None:
                return self._archive.open(found.path)
            if found.tier == 0:
                raise
        text = f"{os.strerror(errno.ENOENT)}; it is in the archive, and FARM_ARCHIVE_URL is not set"
        raise FileNotFoundError(errno.ENOENT, text, found.path)
