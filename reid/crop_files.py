"""Reads crops from the frames volume, and believes nothing of what lies there or of what names it."""

import errno
import os
import stat
import time
from pathlib import Path
from typing import Final, cast

import cv2
import numpy as np

from contract.crops import Crop
from contract.errors import FarmError
from reid.errors import UnusableCropsError
from reid.images import BgrImage

#: A crop is cut from one frame; no camera has larger ones.
MAX_PIXELS: Final = 40_000_000
#: Larger than any JPEG of that size that a worker writes.
MAX_BYTES: Final = 64_000_000
#: Seconds for which it is believed where a folder is, and folders of which that is known at most.
FOLDER_SECONDS: Final = 2.0
MAX_FOLDERS: Final = 1_000
#: What says that the file itself is the reason, and not the volume.
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL})
#: JPEG markers that say how large the picture is: all start-of-frame ones, without DHT, JPG and DAC.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class VolumeAwayError(FarmError):
    """The frames volume is not there now; nothing is wrong with the request."""


class UnreadableCropError(FarmError):
    """A crop could not be read now; another try may go better."""


class CropFiles:
    """The frames volume. Safe to use from several threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        #: Folder below the root -> where it really is, and the monotonic second until which that is believed.
        self._folders: dict[str, tuple[str, float]] = {}

    def check_volume(self) -> None:
        """Raise `VolumeAwayError` unless the volume can be listed and has something on it.

        An empty folder is what is left of a volume that is not mounted.
        """
        try:
            with os.scandir(self._root) as entries:
                if next(entries, None) is None:
                    raise VolumeAwayError(f"the frames volume {self._root} is empty; see that it is mounted")
        except OSError as error:
            raise VolumeAwayError(f"the frames volume {self._root} cannot be read: {error.strerror}") from error

    def load(self, event_id: str, crop: Crop) -> BgrImage:
        """Return a crop.

        Raises:
            UnusableCropsError: It is gone, is no picture, is larger than any crop, or its path leads elsewhere.
            VolumeAwayError: The volume is not there now.
            UnreadableCropError: It cannot be read now.
        """
        data = self._read(event_id, crop.path)
        problem = why_undecodable(data)
        if problem:
            raise UnusableCropsError(event_id, f"{crop.path} {problem}")
        try:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            image = None
        if image is None:
            raise UnusableCropsError(event_id, f"{crop.path} is a damaged JPEG")
        return cast("BgrImage", image)

    def _read(self, event_id: str, path: str) -> bytes:
        if not is_plain(path):
            raise UnusableCropsError(event_id, f"{path!r} is not a path on the frames volume")
        try:
            # Whoever may write there might have put a link, or a pipe in its place: reading that would never end.
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self._place(event_id, path), flags)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise UnusableCropsError(event_id, f"{path} is not a file")
                data = _read_all(descriptor, status.st_size)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.check_volume()
            if error.errno == errno.ELOOP:
                raise UnusableCropsError(event_id, f"{path} is a link, which may lead anywhere") from error
            if error.errno in _GONE:
                raise UnusableCropsError(event_id, f"{path} is gone") from error
            raise UnreadableCropError(f"{path} cannot be read: {error.strerror}") from error
        if len(data) > MAX_BYTES:
            raise UnusableCropsError(event_id, f"{path} is larger than {MAX_BYTES:,} bytes")
        return data

    def _place(self, event_id: str, path: str) -> str:
        """Return where a crop is, in a folder that is really on the volume.

        A folder is looked at once in a while: crops of one camera and hour lie together, and looking takes as long as
        reading.

        Raises:
            UnusableCropsError: It leads out of the volume.
            OSError: The folder is not there.
        """
        folder, _, name = path.rpartition("/")
        now = time.monotonic()
        known = self._folders.get(folder)
        if known is None or now >= known[1]:
            root = os.path.realpath(self._root)
            real = os.path.realpath(os.path.join(root, folder), strict=True)  # noqa: PTH118 - ten times as quick
            if real != root and not real.startswith(f"{root}{os.sep}"):
                raise UnusableCropsError(event_id, f"{path} leads out of the frames volume")
            known = real, now + FOLDER_SECONDS
            if len(self._folders) >= MAX_FOLDERS:
                self._folders.clear()
            self._folders[folder] = known
        return f"{known[0]}{os.sep}{name}"


def _read_all(descriptor: int, size: int) -> bytes:
    """Return what a file holds, of which `size` bytes are expected; no more than a byte above `MAX_BYTES`."""
    data = os.read(descriptor, min(size, MAX_BYTES) + 1)
    if len(data) == size:  # as nearly all are: whole, in one call
        return data
    parts = [data]
    while data and (left := MAX_BYTES + 1 - sum(map(len, parts))) > 0:
        data = os.read(descriptor, left)
        parts.append(data)
    return b"".join(parts)


def is_plain(path: str) -> bool:
    """Tell whether a path goes straight down from the volume's root."""
    parts = path.split("/")
    return "\0" not in path and "\\" not in path and all(part not in {"", ".", ".."} for part in parts)


def why_undecodable(data: bytes) -> str:
    """Tell why a file cannot be a crop, from its head and its end; empty: it may be one. Pure."""
    if not data:
        return "is empty"
    if not data.startswith(b"\xff\xd8"):
        return "is not a JPEG"
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):  # decoders would make something grey of what is missing
        return "is cut short"
    size = _jpeg_size(data)
    if size is None:
        return "is a damaged JPEG"
    width, height = size
    if width * height > MAX_PIXELS:
        return f"has {width} x {height} pixels, more than the {MAX_PIXELS:,} that are looked at"
    return "" if width * height else "has no pixels"


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height that the head of a JPEG states; None: it ends before.

    Source:
        ITU-T T.81, annex B.
    """
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
            continue
        if marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        if marker == 0xDA:
            return None
        at += 2 if 0xD0 <= marker <= 0xD8 or marker == 0x01 else 2 + int.from_bytes(data[at + 2 : at + 4])
    return None
