"""What the API takes and gives, beside the messages of `contract`. Times are Unix milliseconds UTC, named `*_ms`."""

import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from camera_ctrler.api.problems import FieldError, invalid_request
from contract.camera_specs import Camera, CameraCreate
from contract.cameras import CameraState
from contract.errors import StatusReason
from contract.recordings import RecordingStatus

#: 9999-12-31T23:59:59Z, the last time that has a folder name on the frames volume.
MAX_MS: Final = 253_402_300_799_000
MAX_PAGE: Final = 1_000
#: The range that is meant when a request names none: what a person has just missed.
DEFAULT_RANGE_MS: Final = 300_000

_WHOLE = re.compile(r"-?\d{1,16}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,16}(\.\d{1,16})?", re.ASCII)


def whole_number(value: object) -> object:
    """Refuse texts that are no whole number in plain digits; for `BeforeValidator`."""
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("must be a whole number in decimal digits")
    return value


def decimal(value: object) -> object:
    """Refuse texts that are no number in plain digits; for `BeforeValidator`."""
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError("must be a number such as 2 or 0.5")
    return value


def _flag(value: object) -> object:
    if isinstance(value, str) and value not in {"true", "false"}:
        raise ValueError("must be true or false")
    return value


# pydantic takes " 1_0" for a number and "yes" for true; a query says what the document says or is refused.
Flag = Annotated[bool, BeforeValidator(_flag)]
EpochMs = Annotated[int, Field(ge=0, le=MAX_MS), BeforeValidator(whole_number)]
Limit = Annotated[int, Field(ge=1, le=MAX_PAGE), BeforeValidator(whole_number)]
Speed = Annotated[float, Field(ge=1, le=16, allow_inf_nan=False), BeforeValidator(decimal)]


class Query(BaseModel):
    """Parameters of a request; others are refused."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Query):
    """Which part of a list."""

    limit: Limit = Field(100, description="Entries on this page at most")
    cursor: str | None = Field(
        None, max_length=1000, description="`next_cursor` of the page before; leave it out for the first page"
    )


class CameraQuery(PageQuery):
    """Which cameras."""

    state: CameraState | None = Field(None, description="Only cameras in this state")
    enabled: Flag | None = Field(None, description="Only cameras that are switched on (true) or off (false)")


class TimeRange(Query):
    """A range of capture times, ``from_ms <= captured_at_ms < to_ms``."""

    from_ms: EpochMs | None = Field(None, description="Start, Unix ms UTC; five minutes before the end if left out")
    to_ms: EpochMs | None = Field(None, description="End (not included), Unix ms UTC; now if left out")

    def bounds(self, now_ms: int) -> tuple[int, int]:
        """Return start and end with the defaults filled in.

        Raises:
            ProblemError: The start is not before the end.
        """
        to_ms = now_ms + 1 if self.to_ms is None else self.to_ms
        from_ms = max(0, to_ms - DEFAULT_RANGE_MS) if self.from_ms is None else self.from_ms
        if from_ms >= to_ms:
            raise invalid_request(
                [FieldError(field="from_ms", message=f"must be before to_ms; {from_ms} is not before {to_ms}")]
            )
        return from_ms, to_ms


class FrameQuery(TimeRange, PageQuery):
    """Which saved frames."""


class PlaybackQuery(TimeRange):
    """Which saved frames, and how fast."""

    speed: Speed = Field(1.0, description="1 plays in real time, 16 is sixteen times as fast")


class LiveQuery(Query):
    """How a live view looks."""

    annotated: Flag = Field(True, description="Draw the boxes of what was seen")


class PictureSize(StrEnum):
    """Which of a camera's pictures."""

    FULL = "full"
    PREVIEW = "preview"


class SnapshotQuery(Query):
    """How a snapshot looks."""

    size: PictureSize = Field(
        PictureSize.FULL, description="full: the newest saved frame, else the preview. preview: small and cheap"
    )


class CameraPage(BaseModel):
    """Cameras by id."""

    items: list[Camera]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


class CameraImport(BaseModel):
    """Cameras to be registered together."""

    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[list[CameraCreate], Field(min_length=1, max_length=MAX_PAGE)]


class ImportedCameras(BaseModel):
    """Cameras that were registered together."""

    items: list[Camera]


class RecordingStatusView(RecordingStatus):
    """How the recording of one camera does, with what to do about it."""

    remedy: str = Field("", description="What a person can do about the reason")


class CameraStatusView(BaseModel):
    """How one camera does, with what to do about it."""

    camera_id: str
    name: str
    state: CameraState
    reason: StatusReason | None = Field(description="Why it is not online; null while it is")
    remedy: str = Field(description="What a person can do about the reason")
    detail: str = Field(description="One sentence of what was seen, secrets masked")
    stale: bool = Field(description="Its worker has not reported for a while: figures are the last known ones")
    worker_id: str | None
    epoch: int | None
    updated_at_ms: int | None
    last_frame_at_ms: int | None
    last_frame_age_ms: int | None = Field(description="Milliseconds since the last frame arrived")
    stream_fps: float
    analysed_fps: float
    age_ms: float = Field(description="Capture to published result, milliseconds, median of the last seconds")
    width: int
    height: int
    codec: str
    decode_mode: str
    frames_analysed: int
    frames_saved: int
    frames_dropped: dict[str, int] = Field(description="Reason to count of frames that were due and have no result")
    frames_unsaved: dict[str, int] = Field(description="Reason to count of analysed frames that could not be saved")
    crops_saved: int
    crops_unsaved: dict[str, int] = Field(description="Reason to count of crops of tracked objects that were not saved")
    reconnects: int
    saving_reason: StatusReason | None = Field(description="Why frames are not saved; null while they are")
    recording: RecordingStatusView
    objects: dict[str, int] = Field(description="What the newest frame shows, by class; empty unless online")
    result_key: str = Field(description="Changes with every new picture; empty while there is none")


class SavedFrame(BaseModel):
    """One saved frame."""

    captured_at_ms: int
    path: str = Field(description="Relative to the frames volume")
    url: str = Field(description="Where this API serves it")


class FramePage(BaseModel):
    """Saved frames in time order."""

    from_ms: int
    to_ms: int
    items: list[SavedFrame]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


class Health(BaseModel):
    """The process lives."""

    status: str = Field(examples=["ok"])
    version: str


class Readiness(BaseModel):
    """Everything the API needs answers."""

    status: str = Field(examples=["ready"])
    redis: str = Field(examples=["valkey 9.1.2"])
