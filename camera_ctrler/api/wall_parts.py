"""The wall's stream as bytes: `multipart/mixed` of JSON messages and JPEG pictures. Pure."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from camera_ctrler.api.schemas import CameraStatusView
from camera_ctrler.api.wall_schemas import WallBox, WallIdentity, WallPicture, WallState
from contract.cameras import CameraState
from contract.detections import AnalysisResult

MIMETYPE: Final = "multipart/mixed"
BOUNDARY: Final = "camfarm-part"
CONTENT_TYPE: Final = f"{MIMETYPE}; boundary={BOUNDARY}"


def json_part(message: BaseModel) -> bytes:
    """Return a message as a part."""
    return _part("application/json", message.model_dump_json().encode())


def picture_part(jpeg: bytes) -> bytes:
    """Return a picture as a part; the message before it says whose it is."""
    return _part("image/jpeg", jpeg)


def picture_message(result: AnalysisResult, names: Mapping[int, tuple[str, str | None]]) -> WallPicture:
    """Return what is said of a picture.

    Args:
        result: The analysis of the frame that it shows.
        names: Identity and its name by track id, as far as they are known.
    """
    return WallPicture(
        camera_id=result.camera_id,
        captured_at_ms=result.captured_at_ms,
        width=result.width,
        height=result.height,
        boxes=[
            WallBox(
                xyxy=each.xyxy,
                class_name=each.class_name,
                confidence=round(each.confidence, 3),
                track_id=each.track_id,
                identity=_identity(names.get(each.track_id)) if each.track_id is not None else None,
            )
            for each in result.detections
        ],
    )


def state_message(camera_id: str, status: CameraStatusView | None) -> WallState:
    """Return how a camera does; `status` None: there is no such camera any more."""
    if status is None:
        return WallState(camera_id=camera_id, state="gone", reason=None, remedy="", detail="")
    is_online = status.state is CameraState.ONLINE
    return WallState(
        camera_id=camera_id,
        state=status.state,
        reason=status.reason,
        remedy=status.remedy,
        # While it is online it says with every report how many frames there were, which nobody reads on a wall.
        detail="" if is_online else status.detail,
    )


def _identity(known: tuple[str, str | None] | None) -> WallIdentity | None:
    return None if known is None else WallIdentity(identity=known[0], name=known[1])


def _part(content_type: str, body: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body + b"\r\n"
