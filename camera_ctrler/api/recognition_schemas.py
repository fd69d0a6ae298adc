"""What the API takes and gives of recognitions."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from camera_ctrler.api.event_schemas import Cameras
from camera_ctrler.api.schemas import PageQuery, Query
from contract.crops import Crop
from contract.ids import CameraId
from contract.recognition import RecogniserName, RecognitionQueue, RecognitionState
from contract.reid_workers import ReidWorkerStatus


def _several(value: object) -> object:
    """Take one value for a list of one; a parameter that is given several times comes as a list."""
    return value if isinstance(value, list) else [value]


_Word = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f]*$")]
_States = Annotated[list[RecognitionState], Field(max_length=4), BeforeValidator(_several)]
_Recognisers = Annotated[list[RecogniserName], Field(max_length=50), BeforeValidator(_several)]


class DeadQuery(Query):
    """Which dead letters; those that pass all of it."""

    recogniser: _Recognisers = Field([], description="Only of this recogniser, or of these: give it several times")
    camera: Cameras = Field([], description="Only of this camera, or of these")
    event_id: _Word | None = Field(None, description="Only of this event")
    track: _Word | None = Field(None, description="Only of events of this track")


class RecognitionQuery(DeadQuery, PageQuery):
    """Which recognitions, and which part of them."""

    state: _States = Field([], description="Only in this state, or in these")


class DeadFilter(BaseModel):
    """Which dead letters; those that pass all of it. An empty object: all of them."""

    model_config = ConfigDict(extra="forbid")

    recogniser: list[RecogniserName] = Field([], max_length=50, description="Only of these recognisers")
    camera: list[CameraId] = Field([], max_length=100, description="Only of these cameras")
    event_id: _Word | None = Field(None, description="Only of this event")
    track: _Word | None = Field(None, description="Only of events of this track")


class CropEntry(Crop):
    """One crop of a request."""

    url: str = Field(description="Where this API serves it, for as long as it is kept")


class RecognitionEntry(BaseModel):
    """What one recogniser was asked of one event, and said."""

    event_id: str
    recogniser: str
    at_ms: int = Field(description="When the event happened")
    camera_id: str
    track: str
    class_name: str
    state: RecognitionState
    queue: RecognitionQueue
    attempts: int = Field(description="How often it was tried in vain")
    left_out: int = Field(description="Crops, the worst, that were not looked at because there was too much to do")
    reason: str | None = Field(description="Why it failed last")
    version: str | None = Field(description="Of the recogniser that made the result")
    result: Any = Field(description="What the recogniser says; null while it says nothing")
    due_at_ms: int = Field(description="It is not tried before; 0: at once")
    queued_at_ms: int | None
    done_at_ms: int | None = Field(description="When it became done or dead")
    crops: list[CropEntry] = Field(description="Best first")


class RecognitionPage(BaseModel):
    """Recognitions, those of the newest events first."""

    items: list[RecognitionEntry]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


class Changed(BaseModel):
    """How many recognitions were changed."""

    changed: int


class ReidWorkerEntry(BaseModel):
    """One ReID worker."""

    worker_id: str
    alive: bool = Field(description="Whether its lease is held")
    status: ReidWorkerStatus | None = Field(description="What it says of itself; null while it says nothing")


class RecognitionSummary(BaseModel):
    """How much is to be recognised, and by whom."""

    waiting: int = Field(description="Without a place on a queue")
    queued: int = Field(description="On a queue, or being done")
    dead: int
    oldest_waiting_ms: int | None = Field(description="When the oldest event happened that waits; null: none does")
    oldest_queued_ms: int | None = Field(description="The same of those on a queue, or being done")
    workers: list[ReidWorkerEntry]


class EventRecognitions(BaseModel):
    """All recognitions of one event."""

    items: list[RecognitionEntry]
