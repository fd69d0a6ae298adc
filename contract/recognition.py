"""What recognisers are asked, and how far it has come."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from contract.crops import Crop
from contract.events import EventKind
from contract.ids import CameraId

#: Names of recognisers.
RecogniserName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]


class RecognitionState(StrEnum):
    """How far one recognition has come."""

    #: It has no place on a queue yet, or waits to be tried again.
    WAITING = "waiting"
    #: A job of it is on a queue, or being done.
    QUEUED = "queued"
    DONE = "done"
    #: It is not tried any more, for the reason that it has, until somebody replays it.
    DEAD = "dead"


class RecognitionQueue(StrEnum):
    """The queues of RQ, in the order in which they are served; the last one has a share of every batch all the same."""

    #: What somebody asked for and waits for.
    HIGH = "high"
    #: What has just happened.
    DEFAULT = "default"
    #: What happened a while ago and could not be looked at then.
    LOW = "low"


class RecognitionRequest(BaseModel):
    """One event's crops for one recogniser, keyed by ``(event_id, recogniser)``.

    Clock: `at_ms` is that of the event, Unix time in milliseconds UTC by the worker's clock.
    """

    event_id: str
    recogniser: RecogniserName
    kind: EventKind
    at_ms: int
    camera_id: CameraId
    #: Id of the event with which the track started.
    track: str
    #: When the object was seen first.
    started_at_ms: int
    class_name: str
    #: Best first.
    crops: list[Crop]
