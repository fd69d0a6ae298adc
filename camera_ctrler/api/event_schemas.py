"""What the API takes and gives of events, tracks and streams of results."""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, Field

from camera_ctrler.api.problems import FieldError, invalid_request
from camera_ctrler.api.schemas import EpochMs, Limit, PageQuery, Query
from contract.detections import AnalysisResult, Xyxy
from contract.events import Event, EventKind
from contract.ids import CameraId
from contract.recognition import RecognitionState

_ENTRY_ID: Final = r"^[0-9]{1,18}-[0-9]{1,18}$"
EntryId = Annotated[str, Field(pattern=_ENTRY_ID, max_length=40)]


def _several(value: object) -> object:
    """Take one value for a list of one; a parameter that is given several times comes as a list."""
    return value if isinstance(value, list) else [value]


_Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
Cameras = Annotated[list[CameraId], Field(max_length=100), BeforeValidator(_several)]
Kinds = Annotated[list[EventKind], Field(max_length=20), BeforeValidator(_several)]
Classes = Annotated[list[_Word], Field(max_length=100), BeforeValidator(_several)]
TrackId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f/]*$")]
Tracks = Annotated[list[TrackId], Field(max_length=100), BeforeValidator(_several)]
IdentityId = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class EventFilterQuery(Query):
    """Which events; those that pass all of it."""

    camera: Cameras = Field([], description="Only events of this camera, or of these: give it several times")
    kind: Kinds = Field([], description="Only events of this kind, or of these")
    class_name: Classes = Field([], description="Only events of objects of this class, or of these")
    text: _Word | None = Field(
        None,
        description="Only events with this text, whatever its case, in their id, kind, camera, worker, reason or "
        "class; a camera's name counts too",
    )
    track: Tracks = Field([], description="Only events of this track, or of these")
    identity: IdentityId | None = Field(
        None,
        description="Only events of tracks in which this identity was seen, the newest 10,000 of the range, as far as "
        "that is decided by now",
    )
    from_ms: EpochMs | None = Field(None, description="Only what happened at this time or later, Unix ms UTC")
    to_ms: EpochMs | None = Field(None, description="Only what happened before this time, Unix ms UTC")

    def check(self) -> None:
        """Raise `ProblemError` where the range has no time in it."""
        refuse_no_time(self.from_ms, self.to_ms)


class EventQuery(EventFilterQuery, PageQuery):
    """Which events, and which part of them."""

    since_ms: EpochMs = Field(0, description="Only events recorded at this time or later, Unix ms UTC")
    after: EntryId | None = Field(
        None,
        description="Follow events: answers with those after this `entry_id`, oldest first; `0-0` begins with the "
        "oldest that Redis has. Not together with `cursor` or `since_ms`",
    )


class EventStreamQuery(EventFilterQuery):
    """Which events are sent as they come."""

    after: EntryId | None = Field(
        None, description="Begin behind this `entry_id`; what comes from now on if left out. `Last-Event-ID` wins"
    )


class ExportFormat(StrEnum):
    """How a file of events looks."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class EventExportQuery(EventFilterQuery):
    """Which events, and as what."""

    format: ExportFormat = Field(ExportFormat.CSV, description="csv: with a head line. jsonl: an event a line")


class TrackQuery(PageQuery):
    """Which tracks."""

    camera: Cameras = Field([], description="Only tracks of this camera, or of these: give it several times")
    class_name: Classes = Field([], description="Only tracks of this class, or of these")
    from_ms: EpochMs | None = Field(None, description="Only what was seen at this time or later, Unix ms UTC")
    to_ms: EpochMs | None = Field(None, description="Only what was seen before this time, Unix ms UTC")


class ResultQuery(Query):
    """Which results of a camera."""

    after: EntryId = Field("0-0", description="Only results after this `entry_id`, which is `epoch-seq`")
    limit: Limit = Field(100, description="Results at most")


class RecognitionBrief(BaseModel):
    """What one recogniser says of an event; more is in /events/{event_id}/recognitions."""

    recogniser: str
    state: RecognitionState
    reason: str | None = Field(description="Why it failed last")
    result: Any = Field(description="What it says; null while it says nothing")


class Who(BaseModel):
    """Who was seen in a track."""

    identity: str
    name: str | None = Field(description="What people call it")
    similarity: float | None = Field(description="To the nearest when it was decided")


class EventEntry(Event):
    """One event."""

    entry_id: str = Field(description="Its place among all events")
    recorded_at_ms: int = Field(
        description="When Redis took it, by the clock of Redis; after an outage later than `at_ms`"
    )
    recognitions: list[RecognitionBrief] = Field(
        [], description="What recognisers say of it so far; lists have it, streams and files do not"
    )
    who: Who | None = Field(
        None, description="Who was seen, as far as that is decided; lists have it, streams and files do not"
    )


class EventPage(BaseModel):
    """Events, newest first, or oldest first with `after`. A page may have fewer than were asked for."""

    items: list[EventEntry]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one and with `after`")
    next_after: str | None = Field(description="Ask with it as `after` for what comes next; null without `after`")


class ResultEntry(AnalysisResult):
    """The analysis of one frame."""

    entry_id: str = Field(description="Its place among the camera's results")


class ResultPage(BaseModel):
    """A camera's results in order."""

    items: list[ResultEntry]
    next_after: str = Field(description="Ask with it as `after` for what comes next")
    more: bool = Field(description="Whether there is more already")


class TrackEntry(BaseModel):
    """One object that was followed in one camera."""

    track: str = Field(description="Its id: that of the event with which it started", examples=["lobby:1:17"])
    camera_id: str
    epoch: int = Field(description="Epoch under which it started")
    track_id: int = Field(description="Its number in results, which a later track may have again")
    class_name: str | None
    first_seen_ms: int
    last_seen_ms: int
    ended: bool = Field(description="False: it is still there, or its end is not stored yet")
    frames_seen: int = Field(description="Analysed frames in which it was seen")
    frame_path: str | None = Field(description="Saved frame that shows it best, relative to the frames volume")
    picture_url: str | None = Field(description="Where this API serves that frame, for as long as it is kept")
    xyxy: Xyxy | None = Field(description="Where it is in that frame")
    confidence: float | None = Field(description="How sure the detector was then")


class TrackPage(BaseModel):
    """Tracks, the one that began last first."""

    items: list[TrackEntry]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


class DeadLetterEntry(BaseModel):
    """One entry of the stream of events that could not be stored."""

    entry_id: str
    kept_at_ms: int = Field(description="When it was put aside")
    reason: str = Field(description="Why it cannot be stored")
    body: str = Field(description="What the entry had, cut short where it was long")


class DeadLetterPage(BaseModel):
    """Dead letters, newest first."""

    items: list[DeadLetterEntry]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


def refuse_no_time(from_ms: int | None, to_ms: int | None) -> None:
    """Refuse a range whose start is not before its end.

    Raises:
        ProblemError: 400.
    """
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        message = f"must be before to_ms; {from_ms} is not before {to_ms}"
        raise invalid_request([FieldError(field="from_ms", message=message)])
