"""Where a file of footage lies on the volume: the one place that maps path, time and epoch. Pure."""

import re
from datetime import UTC, datetime
from typing import Final

from contract.errors import ContractError
from contract.ids import is_valid_id

#: Folder of a camera's footage, beside the days of its saved frames.
FOLDER: Final = "recordings"
#: Files lie in folders by the hour in which they start.
HOUR_MS: Final = 3_600_000
_PATH = re.compile(
    rf"(?P<camera>[^/]+)/{FOLDER}/(?P<day>\d{{8}})/(?P<hour>\d{{2}})/(?P<ms>\d{{1,15}})-(?P<epoch>\d{{1,15}})\.mp4",
    re.ASCII,
)


def segment_path(camera_id: str, start_ms: int, epoch: int) -> str:
    """Return ``<camera>/recordings/<YYYYMMDD>/<HH>/<start ms>-<epoch>.mp4``, relative to the volume, in UTC."""
    return f"{hour_folder(camera_id, start_ms)}/{start_ms}-{epoch}.mp4"


def hour_folder(camera_id: str, at_ms: int) -> str:
    """Return the folder, relative to the volume, of all files that start in the hour that contains `at_ms`."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{camera_id}/{FOLDER}/{at:%Y%m%d}/{at:%H}"


def parse_segment_path(path: str) -> tuple[str, int, int]:
    """Return camera id, start (Unix ms UTC) and epoch that a relative path states.

    Raises:
        ContractError: `path` is not one that `segment_path` makes.
    """
    match = _PATH.fullmatch(path)
    if match is not None and is_valid_id(match["camera"]):
        camera_id, start_ms, epoch = match["camera"], int(match["ms"]), int(match["epoch"])
        if segment_path(camera_id, start_ms, epoch) == path:
            return camera_id, start_ms, epoch
    raise ContractError(
        f"{path!r} is not the path of a recording (<camera>/{FOLDER}/<YYYYMMDD>/<HH>/<start ms>-<epoch>.mp4)"
    )
