"""Pictures of one tracked object, chosen from many to be recognised from."""

from typing import Annotated

from pydantic import BaseModel, Field

from contract.detections import Xyxy


class Crop(BaseModel):
    """One crop that lies on the frames volume as JPEG.

    Clock: `captured_at_ms` is Unix time in milliseconds UTC, by the worker's clock.
    """

    #: Relative to the frames volume.
    path: str
    captured_at_ms: int
    #: Where the object was in its frame, without the padding that the crop has around it.
    xyxy: Xyxy
    #: Size in pixels of the crop itself.
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    confidence: Annotated[float, Field(ge=0, le=1)]
    #: How much can be seen in it, in [0, 1]: size, sharpness, nothing in front of it, all of it inside the frame.
    quality: Annotated[float, Field(ge=0, le=1)]
