"""What recognisers are asked."""

from typing import Annotated

from pydantic import BaseModel, Field

from contract.crops import Crop
from contract.events import EventKind
from contract.ids import CameraId

#: Names of recognisers.
RecogniserName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]


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
