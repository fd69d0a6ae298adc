"""What the API takes and gives when a camera is tried."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from contract.camera_specs import CameraPatch
from contract.camera_trials import WARNINGS, CameraTrialReply, TrialStream, TrialWarning
from contract.errors import REMEDIES, StatusReason
from contract.ids import CameraId


class CameraTrialBody(CameraPatch):
    """A camera that is not registered, one that is, or one that is as it would be after a change."""

    camera_id: CameraId | None = Field(None, description="A registered one; other fields are changes to it")
    stream: TrialStream = TrialStream.ANALYSED

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        # As a form sends it that has no camera yet.
        if isinstance(value, dict) and value.get("camera_id", "") is None:
            return {name: given for name, given in value.items() if name != "camera_id"}
        return value

    @model_validator(mode="after")
    def _names_a_camera(self) -> Self:
        if self.camera_id is None and self.url is None:
            raise ValueError("say which camera: a url, or the camera_id of a registered one")
        return self

    def patch(self) -> CameraPatch:
        """Return what is given of the camera itself."""
        return CameraPatch(**{name: getattr(self, name) for name in self.model_fields_set - {"camera_id", "stream"}})


class TrialWarningView(BaseModel):
    """What works, and may still be a trouble."""

    warning: TrialWarning
    text: str


class CameraTrial(BaseModel):
    """What came of trying a camera."""

    ok: bool
    worker_id: str | None = Field(description="Which worker tried; null: none did")
    reason: StatusReason | None = Field(description="Why it cannot be watched; null: it can")
    detail: str = Field(description="One sentence of what was seen, secrets masked")
    remedy: str = Field(description="What a person can do about the reason")
    codec: str
    width: int
    height: int
    fps: float = Field(description="Frames a second that came; 0: too few to tell")
    latency_ms: float = Field(description="From connecting to the first picture, milliseconds")
    gop_seconds: float | None = Field(description="Seconds from one keyframe to the next; null: no two came")
    warnings: list[TrialWarningView]
    picture: str | None = Field(description="JPEG of at most 640 pixels, base64, masks black; null: there is none")

    @classmethod
    def of(cls, reply: CameraTrialReply) -> Self:
        """Return what people are told."""
        return cls(
            ok=reply.reason is None,
            worker_id=reply.worker_id or None,
            reason=reply.reason,
            detail=reply.detail,
            remedy="" if reply.reason is None else REMEDIES[reply.reason],
            codec=reply.codec,
            width=reply.width,
            height=reply.height,
            fps=reply.fps,
            latency_ms=reply.latency_ms,
            gop_seconds=reply.gop_seconds,
            warnings=[TrialWarningView(warning=each, text=WARNINGS[each]) for each in reply.warnings],
            picture=reply.picture or None,
        )
