"""What a camera is: the settings people give, and the status a worker reports."""

import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contract.errors import StatusReason
from contract.ids import CameraId
from contract.recordings import RecordingStatus

#: Analysed frames per second unless the camera says otherwise.
DEFAULT_ANALYSE_FPS: Final = 1.0
DEFAULT_CONFIDENCE: Final = 0.25
MAX_CLASSES: Final = 80


class SaveMode(StrEnum):
    """Which analysed frames are kept as JPEG files."""

    ALL = "all"
    DETECTIONS = "detections"
    NONE = "none"


class DetectOn(StrEnum):
    """Which frames the detector looks at."""

    #: Where something moves, where known objects are, and everywhere now and then.
    MOTION = "motion"
    #: All of every analysed frame.
    EVERY_FRAME = "every_frame"


class AnalysisSettings(BaseModel):
    """How one camera is analysed; the same fields in the API, the registry and the assignment."""

    model_config = ConfigDict(extra="forbid")

    analyse_fps: Annotated[float, Field(gt=0, le=30, allow_inf_nan=False)] = DEFAULT_ANALYSE_FPS
    #: Class names to report, for example ``["person", "car"]``; empty means every class of the model.
    classes: Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=MAX_CLASSES)] = []
    #: Detections below this are dropped, in [0, 1].
    confidence: Annotated[float, Field(ge=0.01, le=1, allow_inf_nan=False)] = DEFAULT_CONFIDENCE
    #: How much every reported box is widened on each side, as a share of its width and height.
    box_padding: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    save_frames: SaveMode = SaveMode.ALL
    #: ``motion`` finds what ``every_frame`` finds, for a fraction of the detector's time.
    detect_on: DetectOn = DetectOn.MOTION


#: ``gpu`` or ``site=north``.
LABEL_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._/-]*(=[A-Za-z0-9._/-]+)?$"
_LABEL: Final = re.compile(LABEL_PATTERN)


def _check_label(value: str) -> str:
    # In words: what pydantic says of a pattern helps nobody who is no programmer.
    if _LABEL.fullmatch(value) is None:
        raise ValueError("is not a label; use names such as gpu or site=north")
    return value


Label = Annotated[str, Field(max_length=64, json_schema_extra={"pattern": LABEL_PATTERN}), AfterValidator(_check_label)]
Labels = Annotated[list[Label], Field(max_length=16)]


class PlacementSettings(BaseModel):
    """Which workers may have a camera; the same fields in the API and the registry."""

    model_config = ConfigDict(extra="forbid")

    #: Only workers that have all of these labels get the camera.
    require_labels: Labels = []
    #: Workers that have more of these get it while they have room.
    prefer_labels: Labels = []


class CameraState(StrEnum):
    """What a camera is doing now."""

    #: Registered; no worker has it yet.
    PENDING = "pending"
    CONNECTING = "connecting"
    ONLINE = "online"
    #: Tried and failed, `reason` says why; tried again after a pause.
    OFFLINE = "offline"
    DISABLED = "disabled"


class CameraStatus(BaseModel):
    """What the worker that holds a camera says of it.

    Clock: every `*_ms` is Unix time in milliseconds UTC, by the worker's clock.
    """

    camera_id: CameraId
    worker_id: str
    epoch: int
    state: CameraState
    reason: StatusReason | None = None
    #: One sentence for people, secrets masked.
    detail: str = ""
    updated_at_ms: int
    last_frame_at_ms: int | None = None
    #: Frames per second received, over the last seconds (0 where only keyframes are looked at and none is known).
    stream_fps: float = 0.0
    #: Frames per second analysed, over the last seconds.
    analysed_fps: float = 0.0
    width: int = 0
    height: int = 0
    codec: str = ""
    #: How frames are chosen for decoding: ``keyframes`` or ``all``.
    decode_mode: str = ""
    frames_analysed: int = 0
    frames_saved: int = 0
    #: Reason -> count of frames that were due and have no result.
    frames_dropped: dict[str, int] = {}
    #: Reason -> count of frames that have a result, were to be saved and were not.
    frames_unsaved: dict[str, int] = {}
    #: Crops of tracked objects that were saved.
    crops_saved: int = 0
    #: Reason -> count of crops that were chosen and not saved; what they were of is told all the same.
    crops_unsaved: dict[str, int] = {}
    reconnects: int = 0
    #: Capture to published result, milliseconds, median over the last seconds.
    age_ms: float = 0.0
    saving_reason: StatusReason | None = None
    recording: RecordingStatus = RecordingStatus()
