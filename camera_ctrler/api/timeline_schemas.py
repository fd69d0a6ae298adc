"""What the API takes and gives of the time of several cameras. Times are Unix milliseconds UTC, named `*_ms`."""

from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, Field

from camera_ctrler.api.event_schemas import Cameras, EventEntry, Kinds, Who
from camera_ctrler.api.recording_schemas import RecordedRange, RecordedSpan
from camera_ctrler.api.schemas import whole_number
from contract.detections import Xyxy
from contract.errors import StatusReason
from contract.events import EventKind

#: Cameras of one answer: a screen full of rows, and some 150 kB.
MAX_ROWS: Final = 40
_Whole = BeforeValidator(whole_number)


class TimelinesQuery(RecordedRange):
    """Which part of the timelines of which cameras, and how fine."""

    camera: Annotated[Cameras, Field(max_length=MAX_ROWS)] = Field(
        [], description="Of this camera, or of these: give it several times, 40 at most"
    )
    buckets: Annotated[int, Field(ge=1, le=1_000), _Whole] = Field(200, description="Buckets at most")
    marks: Annotated[int, Field(ge=0, le=2_000), _Whole] = Field(
        500, description="Events at most, of all cameras together, the newest ones"
    )
    kind: Kinds = Field([], description="Only events of this kind, or of these")


class Density(BaseModel):
    """What happened in each step, in columns: the same place in each list is the same step."""

    start_ms: list[int] = Field(description="Beginnings of those steps in which something was recorded")
    motion: list[float] = Field(description="Share of the frames looked at in which something moved, 0 to 1")
    seen: dict[str, list[int]] = Field(description="Class name to most objects of that class seen in one frame")


class TimelineMark(BaseModel):
    """One event, as little of it as a timeline shows."""

    event_id: str
    kind: EventKind
    at_ms: int
    class_name: str | None
    track: str | None
    reason: StatusReason | None
    identity: str | None = Field(description="Of those of the watch list")
    crops: int = Field(description="Pictures that it has; `/events/{event_id}/crops/0.jpg` is the best")


class CameraTimeline(BaseModel):
    """One camera's row."""

    camera_id: str
    spans: list[RecordedSpan] = Field(description="What was recorded; everything else, up to now, was not")
    density: Density
    marks: list[TimelineMark] = Field(description="Newest first")
    live_edge_ms: int | None = Field(description="How far the file that is being written can be played; null: none is")


class Timelines(BaseModel):
    """What there is of several cameras in a range."""

    from_ms: int
    to_ms: int
    now_ms: int = Field(description="The controller's clock")
    bucket_ms: int = Field(description="Width of a step; they begin at multiples of it")
    cameras: list[CameraTimeline] = Field(description="In the order in which they were named")
    marks_complete: bool = Field(description="Whether all events of the range are there; false too while Redis is away")


class WayPoint(BaseModel):
    """Where an object was at some time."""

    at_ms: int
    xyxy: Xyxy = Field(description="In pixels of a frame of `width` and `height`")
    width: int
    height: int


class ClipRange(BaseModel):
    """The time around an event, and what is recorded of it."""

    from_ms: int
    to_ms: int
    spans: list[RecordedSpan] = Field(description="What was recorded; empty: nothing, or it was deleted")


class EventDetail(BaseModel):
    """One event with all there is to see of it."""

    event: EventEntry
    picture_url: str | None = Field(description="Its best picture: a saved frame, else a recorded one; null: neither")
    crop_urls: list[str] = Field(description="Crops of its track, best first, for as long as they are kept")
    clip: ClipRange
    way: list[WayPoint] = Field(description="Where the track's object was, as its events and crops say, in time order")
    track_events: int = Field(description="Events of the same track, up to 200")
    who: Who | None = Field(description="Who was seen, as far as that is decided")
    searchable: bool = Field(description="Whether the track was embedded, so that one can search with it")
