"""What the API takes and gives of recorded footage. Times are Unix milliseconds UTC, named `*_ms`."""

from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from camera_ctrler.api.event_schemas import EventEntry
from camera_ctrler.api.problems import FieldError, invalid_request
from camera_ctrler.api.schemas import DEFAULT_RANGE_MS, EpochMs, Flag, Query, whole_number

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
#: Clocks of a browser and of the controller may differ by this much before a range lies in the future.
_AHEAD_MS: Final = 5_000

Whole = BeforeValidator(whole_number)


class RecordedRange(Query):
    """A range of footage, ``from_ms <= time < to_ms``."""

    from_ms: EpochMs | None = Field(None, description="Start, Unix ms UTC; five minutes before the end if left out")
    to_ms: EpochMs | None = Field(None, description="End (not included), Unix ms UTC; now if left out")

    def bounds(self, now_ms: int, *, longest_ms: int, default_ms: int = DEFAULT_RANGE_MS) -> tuple[int, int]:
        """Return start and end with the defaults filled in.

        Raises:
            ProblemError: 400; it lies in the future, is too long, or ends before it starts.
        """
        to_ms = now_ms if self.to_ms is None else self.to_ms
        from_ms = max(0, to_ms - default_ms) if self.from_ms is None else self.from_ms
        refuse_future("from_ms", from_ms, now_ms)
        if from_ms >= to_ms:
            message = f"must be before to_ms; {from_ms} is not before {to_ms}"
            raise invalid_request([FieldError(field="from_ms", message=message)])
        if to_ms - from_ms > longest_ms:
            message = (
                f"is {(to_ms - from_ms) / HOUR_MS:.1f} h after from_ms; ask for at most {longest_ms / HOUR_MS:g} h"
            )
            raise invalid_request([FieldError(field="to_ms", message=message)])
        return from_ms, to_ms


def refuse_future(field: str, at_ms: int, now_ms: int) -> None:
    """Raise a `ProblemError` (400) for a time that is yet to come."""
    if at_ms > now_ms + _AHEAD_MS:
        message = (
            f"lies {(at_ms - now_ms) / 1000:.0f} s in the future: the controller's clock says {now_ms}; check that "
            "times are Unix milliseconds, and both clocks"
        )
        raise invalid_request([FieldError(field=field, message=message)])


class TimelineQuery(RecordedRange):
    """Which part of a timeline, and how fine."""

    buckets: Annotated[int, Field(ge=1, le=2_000), Whole] = Field(200, description="Buckets at most")
    events: Annotated[int, Field(ge=0, le=500), Whole] = Field(100, description="Events at most, the newest ones")


class PlaylistQuery(RecordedRange):
    """Which part of a camera's footage is played."""

    from_ms: EpochMs | None = Field(
        None, description="Start, Unix ms UTC. Left out together with `to_ms`: what is being recorded"
    )
    to_ms: EpochMs | None = Field(
        None, description="End (not included), Unix ms UTC. Left out: it goes on with what is being recorded"
    )


class PartQuery(Query):
    """How a part is served."""

    sound: Flag = Field(
        True, description="false: pictures alone. Playlists ask for it where only some of the footage has sound"
    )


class ClipQuery(RecordedRange):
    """Which part of a camera's footage becomes a file."""

    exact: Flag = Field(
        False, description="Begin and end with the very picture; what lies before the next keyframe is encoded anew"
    )


_SHA256: Final = Field(
    None,
    pattern="^[0-9a-f]{64}$",
    description="That of a file that was made of this range: it is sent, or 409 where the footage gives another by now",
)


class ClipFileQuery(ClipQuery):
    """Which clip is sent."""

    sha256: str | None = _SHA256


class EventClipQuery(Query):
    """How the clip of an event is cut."""

    exact: Flag = Field(False, description="As for clips of a range")


class MomentQuery(Query):
    """Which picture."""

    at_ms: EpochMs | None = Field(None, description="When, Unix ms UTC; the newest if left out")
    width: Annotated[int, Field(ge=16, le=7_680), Whole] | None = Field(
        None, description="Scaled down to so many pixels; as it was recorded if left out"
    )


class ThumbnailQuery(RecordedRange):
    """Which pictures, and how small."""

    columns: Annotated[int, Field(ge=1, le=20), Whole] = Field(5, description="Pictures in a row")
    rows: Annotated[int, Field(ge=1, le=20), Whole] = Field(5, description="Rows; at most 200 pictures in all")
    width: Annotated[int, Field(ge=16, le=640), Whole] = Field(160, description="Pixels of each picture")


class TimelapseQuery(RecordedRange):
    """Which part of a camera's footage, and how short it becomes."""

    seconds: Annotated[int, Field(ge=1, le=60), Whole] = Field(20, description="Length of the time-lapse")


class TimelapseFileQuery(TimelapseQuery):
    """Which time-lapse is sent."""

    sha256: str | None = _SHA256


class TogetherQuery(RecordedRange):
    """Which cameras are played in step."""

    cameras: str = Field("", max_length=2_000, description="Ids, separated by commas, 16 at most")


class RecordedSpan(BaseModel):
    """A time in which everything was recorded, or nothing."""

    start_ms: int
    end_ms: int


class TimelineBucket(BaseModel):
    """What was recorded and seen in one step of the timeline; the first and the last count within the range only."""

    start_ms: int
    recorded_seconds: float
    motion: float = Field(description="Share of the frames looked at in which something moved, 0 to 1")
    seen: dict[str, int] = Field(description="Class name to most objects of that class seen in one frame")


class Timeline(BaseModel):
    """What there is of a camera in a range."""

    camera_id: str
    from_ms: int
    to_ms: int
    spans: list[RecordedSpan] = Field(description="What was recorded")
    gaps: list[RecordedSpan] = Field(description="What was not, up to now")
    bucket_ms: int = Field(description="Width of a bucket; they begin at multiples of it")
    buckets: list[TimelineBucket] = Field(description="Those with something in them")
    events: list[EventEntry] = Field(description="Newest first")
    events_complete: bool = Field(
        description="Whether all events of the range are there; false too while Redis cannot be reached"
    )
    live_edge_ms: int | None = Field(description="How far the file that is being written can be played; null: none is")


class ClipExport(BaseModel):
    """A clip that was made, and its digest."""

    camera_id: str
    from_ms: int = Field(description="As asked for")
    to_ms: int = Field(description="As asked for, or where the footage ended when it was made")
    begin_ms: int = Field(description="When its first picture was taken")
    end_ms: int = Field(description="When its last picture ends")
    gaps: list[RecordedSpan] = Field(description="What was not recorded in between; the clip goes on without it")
    encoded_ms: int = Field(description="Milliseconds that were encoded anew; everything else is the camera's stream")
    notes: list[str] = Field(description="For people")
    size_bytes: int
    sha256: str = Field(description="Of the file, in hexadecimal digits")
    url: str = Field(description="Where this API serves it: this very file, named by its digest")


class CameraTogether(BaseModel):
    """One of several cameras that are played in step."""

    camera_id: str
    playlist: str = Field(description="HLS; its parts state their wall-clock time")
    spans: list[RecordedSpan] = Field(description="What was recorded of the range; show nothing in between")
    live_edge_ms: int | None


class Together(BaseModel):
    """Playlists of several cameras for the same time, and its clock."""

    from_ms: int
    to_ms: int
    now_ms: int = Field(description="The controller's clock")
    cameras: list[CameraTogether]
    next: str | None = Field(description="The range that follows; null where it would begin in the future")


class LinkCreate(BaseModel):
    """What a link shall give access to."""

    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, Field(min_length=1, max_length=2_000)] = Field(
        description="Path of this API with its query: of a clip, a picture, a time-lapse or a playlist"
    )
    expires_seconds: Annotated[int, Field(ge=1, le=30 * 86_400)] = 3_600


class SignedLink(BaseModel):
    """A link that works for a while and for nothing else, without an account."""

    url: str
    path: str = Field(description="The same without scheme and host")
    expires_at_ms: int


class LinkedQuery(Query):
    """The query that was signed; it is checked against the link and then as it is without one."""

    from_ms: str | None = Field(None, max_length=20, description="As it was signed")
    to_ms: str | None = Field(None, max_length=20, description="As it was signed")
    at_ms: str | None = Field(None, max_length=20, description="As it was signed")
    exact: str | None = Field(None, max_length=20, description="As it was signed")
    sound: str | None = Field(None, max_length=20, description="As the playlist has it")
    width: str | None = Field(None, max_length=20, description="As it was signed")
    columns: str | None = Field(None, max_length=20, description="As it was signed")
    rows: str | None = Field(None, max_length=20, description="As it was signed")
    seconds: str | None = Field(None, max_length=20, description="As it was signed")
    sha256: str | None = Field(None, max_length=64, description="As it was signed")
