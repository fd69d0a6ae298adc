"""Where a saved frame lies on the volume and when it was captured: the one place that maps path and time. Pure."""

import re
from datetime import UTC, datetime

from contract.errors import ContractError
from contract.ids import is_valid_id

_PATH = re.compile(r"(?P<camera>[^/]+)/(?P<day>\d{8})/(?P<hour>\d{2})/(?P<ms>\d{1,15})\.jpg", re.ASCII)


def frame_path(camera_id: str, captured_at_ms: int) -> str:
    """Return ``<camera>/<YYYYMMDD>/<HH>/<ms>.jpg``, relative to the frames volume, day and hour in UTC."""
    captured = datetime.fromtimestamp(captured_at_ms / 1000, UTC)
    return f"{camera_id}/{captured:%Y%m%d}/{captured:%H}/{captured_at_ms}.jpg"


def hour_folder(camera_id: str, at_ms: int) -> str:
    """Return the folder, relative to the frames volume, of all frames of the hour that contains `at_ms`."""
    return frame_path(camera_id, at_ms).rpartition("/")[0]


def captured_at_ms(path: str) -> int:
    """Return the capture time (Unix ms UTC) that a frame's relative path states.

    Raises:
        ContractError: `path` is not one that `frame_path` makes.
    """
    match = _PATH.fullmatch(path)
    if match is None or not is_valid_id(match["camera"]):
        raise ContractError(f"{path!r} is not the path of a saved frame (<camera>/<YYYYMMDD>/<HH>/<ms>.jpg)")
    return int(match["ms"])
