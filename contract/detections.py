"""What was seen in one frame."""

from typing import Annotated

from pydantic import BaseModel, Field

from contract.ids import CameraId

#: ``xyxy``: left, top, right, bottom in pixels of the analysed frame, origin at its top left.
Xyxy = tuple[float, float, float, float]


class TrackedDetection(BaseModel):
    """One box in one frame."""

    xyxy: Xyxy
    confidence: Annotated[float, Field(ge=0, le=1)]
    class_id: int
    class_name: str
    #: The same object keeps it while it is tracked in this camera; None until a track is confirmed.
    track_id: int | None = None


class AnalysisResult(BaseModel):
    """The analysis of one frame of one camera, keyed by ``(camera_id, epoch, seq)``.

    Clock: `captured_at_ms` is Unix time in milliseconds UTC when the frame arrived at the worker.
    """

    camera_id: CameraId
    epoch: int
    #: Counts analysed frames of this epoch from 1.
    seq: int
    worker_id: str
    captured_at_ms: int
    published_at_ms: int
    #: Size in pixels of the frame the boxes refer to.
    width: int
    height: int
    detections: list[TrackedDetection] = []
    #: Saved frame, relative to the frames volume; None where nothing was saved.
    frame_path: str | None = None
    #: Which masks were blacked out in the frame: `zones.mark_of_masks` of the camera then; empty: none.
    masks: str = ""
