"""What a wall of live views asks for, and the messages that it is sent."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field

from camera_ctrler.api.event_schemas import Cameras
from camera_ctrler.api.schemas import PictureSize, Query, decimal
from contract.cameras import CameraState
from contract.detections import Xyxy
from contract.errors import StatusReason
from contract.ids import CameraId

#: Cameras of one wall: more than fit a screen, few enough that one thread sends them.
MAX_CAMERAS: Final = 36
MAX_FPS: Final = 15.0

_Fps = Annotated[float, Field(ge=0.1, le=MAX_FPS, allow_inf_nan=False), BeforeValidator(decimal)]


class WallQuery(Query):
    """Which cameras, how often and how large."""

    camera: Cameras = Field([], description="A camera; give it several times, up to 36 cameras")
    fps: _Fps = Field(5.0, description="Pictures a second of each camera at most; more than are analysed never come")
    size: PictureSize = Field(
        PictureSize.PREVIEW, description="preview: small and cheap. full: the newest saved frame, else the preview"
    )


class WallIdentity(BaseModel):
    """Who a tracked object is."""

    identity: str
    name: str | None


class WallBox(BaseModel):
    """One object in a picture."""

    xyxy: Xyxy = Field(description="Pixels of the analysed frame")
    class_name: str
    confidence: float
    track_id: int | None
    identity: WallIdentity | None = Field(None, description="Null while nobody knows who it is")


class WallPicture(BaseModel):
    """A picture of a camera comes next, and this is what was seen in it."""

    kind: Literal["picture"] = "picture"
    camera_id: CameraId
    captured_at_ms: int
    width: int = Field(description="Of the analysed frame, which the boxes refer to; the picture may be smaller")
    height: int
    boxes: list[WallBox]


class WallState(BaseModel):
    """How a camera does; it comes first, and whenever it changes."""

    kind: Literal["state"] = "state"
    camera_id: CameraId
    state: CameraState | Literal["gone"] = Field(description="gone: it was deleted, nothing more comes of it")
    reason: StatusReason | None
    remedy: str
    detail: str


class WallClock(BaseModel):
    """The controller's clock; it comes every two seconds, so that ages can be told by it and silence is noticed."""

    kind: Literal["clock"] = "clock"
    now_ms: int
