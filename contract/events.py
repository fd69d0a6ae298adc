"""What happens at cameras, as records that are delivered once and in order."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from contract.crops import Crop
from contract.detections import Xyxy
from contract.errors import StatusReason
from contract.ids import CameraId


class EventKind(StrEnum):
    """What happened."""

    CAMERA_ONLINE = "camera_online"
    CAMERA_OFFLINE = "camera_offline"
    #: A tracked object was seen for the first time.
    TRACK_STARTED = "track_started"
    #: It was saved for the first time, was seen better than before, or is there for long; seldom, never for each frame.
    TRACK_UPDATED = "track_updated"
    #: A tracked object has not been seen for a while; `at_ms` is when it was seen last.
    TRACK_ENDED = "track_ended"
    #: An identity of the watch list was seen: once for each track and entry of the list. Written by the gallery writer,
    #: not by a worker; its `epoch` and `number` are 0.
    IDENTITY_SEEN = "identity_seen"


class Event(BaseModel):
    """One event, keyed by ``(camera_id, epoch, number)``.

    Clock: `at_ms` is Unix time in milliseconds UTC, by the worker's clock.
    """

    #: Camera, epoch and number, joined by colons: the same event has the same id however often it is sent. Of
    #: `IDENTITY_SEEN`: ``watch:<watch>:<track>``.
    event_id: str
    kind: EventKind
    camera_id: CameraId
    epoch: int
    #: Counts events of this epoch from 1; 0: it was no worker that wrote it.
    number: Annotated[int, Field(ge=0)]
    worker_id: str
    at_ms: int
    #: Why the camera went offline.
    reason: StatusReason | None = None
    track_id: int | None = None
    #: Id of the event with which the track started, the same in all its events: a tracker gives a number again after it
    #: has begun anew, and a track goes on when the epoch changes. None: a worker that did not say so yet.
    track: str | None = None
    #: When the object was seen first.
    started_at_ms: int | None = None
    #: Frames in which it was seen so far.
    frames_seen: int | None = None
    class_id: int | None = None
    class_name: str | None = None
    #: Saved frame in which the object was seen best, relative to the frames volume.
    frame_path: str | None = None
    #: Where it was in the frame of `frame_path`, and how sure the detector was; where none was saved, in the best one.
    xyxy: Xyxy | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    #: Size in pixels of the frame that `xyxy` refers to.
    width: int | None = None
    height: int | None = None
    #: Crops of the object that were kept since the last event which had some, best first; recognisers look at them.
    crops: Annotated[list[Crop], Field(max_length=32)] = []
    #: Who was seen, how alike in [-1, 1], and for which entry of the watch list; of `IDENTITY_SEEN`.
    identity: str | None = None
    similarity: Annotated[float, Field(ge=-1, le=1)] | None = None
    watch: str | None = None
