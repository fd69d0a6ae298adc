"""Where a crop lies on the frames volume: the one place that maps path, camera, time, epoch and track. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from contract.errors import ContractError
from contract.ids import is_valid_id

#: Folder of a camera's crops, beside the days of its saved frames.
FOLDER: Final = "crops"
#: 9999-12-31T23:59:59.999Z: the last time that has a folder name.
LAST_MS: Final = 253_402_300_799_999
_PATH = re.compile(
    rf"(?P<camera>[^/]+)/{FOLDER}/(?P<day>\d{{8}})/(?P<hour>\d{{2}})"
    r"/(?P<ms>\d{1,15})-(?P<epoch>\d{1,15})-(?P<track>\d{1,15})\.jpg",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class CropName:
    """What the path of a crop says. An object has one crop of a frame at most, so that this names it.

    Clock: `captured_at_ms` is Unix time in milliseconds UTC, by the worker's clock.
    """

    camera_id: str
    captured_at_ms: int
    #: Of the assignment under which the frame was captured.
    epoch: int
    #: Of the tracker, which gives it to one object at a time.
    track_id: int


def crop_path(name: CropName) -> str:
    """Return ``<camera>/crops/<YYYYMMDD>/<HH>/<captured ms>-<epoch>-<track id>.jpg``, relative to the volume; UTC."""
    folder = hour_folder(name.camera_id, name.captured_at_ms)
    return f"{folder}/{name.captured_at_ms}-{name.epoch}-{name.track_id}.jpg"


def hour_folder(camera_id: str, at_ms: int) -> str:
    """Return the folder, relative to the volume, of all crops of the hour that contains `at_ms`."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{camera_id}/{FOLDER}/{at:%Y%m%d}/{at:%H}"


def parse_crop_path(path: str) -> CropName:
    """Return what a relative path says.

    Raises:
        ContractError: `path` is not one that `crop_path` makes.
    """
    match = _PATH.fullmatch(path)
    if match is not None and is_valid_id(match["camera"]):
        name = CropName(match["camera"], int(match["ms"]), int(match["epoch"]), int(match["track"]))
        if name.captured_at_ms <= LAST_MS and crop_path(name) == path:
            return name
    raise ContractError(
        f"{path!r} is not the path of a crop (<camera>/{FOLDER}/<YYYYMMDD>/<HH>/<captured ms>-<epoch>-<track id>.jpg)"
    )
