"""Recorded footage: what a camera is asked to record, and what one file of it is."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contract.errors import StatusReason
from contract.ids import CameraId

#: Seconds after which a file ends at the next keyframe.
SEGMENT_SECONDS: Final = 10.0
#: Seconds of one fragment: what a crash costs at most, and how far the live edge is behind at least.
FRAGMENT_SECONDS: Final = 1.0
#: Between two files of a camera with less time than this between them nothing is missing.
GAP_MS: Final = 1_000
#: No file is longer: it ends then, keyframe or not. So who asks what was recorded at a moment looks only at files that
#: start less than this before it.
MAX_SEGMENT_MS: Final = 600_000


class RecordMode(StrEnum):
    """When a camera's own packets are written to the volume."""

    OFF = "off"
    CONTINUOUS = "continuous"
    #: While something moves, with the seconds before and after it.
    MOTION = "motion"
    #: While something is tracked, with the seconds before and after it.
    EVENTS = "events"


class KeptFor(StrEnum):
    """The best reason a file is kept for; each has a retention of its own."""

    CONTINUOUS = "continuous"
    MOTION = "motion"
    EVENT = "event"

    @property
    def rank(self) -> int:
        """How good a reason it is: 0 to 2, as it is stored."""
        return _RANKED.index(self)

    @classmethod
    def ranked(cls, rank: int) -> Self:
        """Return the reason of a rank."""
        return cls(_RANKED[rank])


_RANKED: Final = (KeptFor.CONTINUOUS, KeptFor.MOTION, KeptFor.EVENT)


class RecordingSettings(BaseModel):
    """How one camera is recorded; the same fields in the API, the registry and the assignment."""

    model_config = ConfigDict(extra="forbid")

    record: RecordMode = RecordMode.OFF
    #: Sound, where the camera sends any: AAC as it is, G.711 as AAC; anything else is left out.
    record_audio: bool = True
    #: Seconds before a motion or an event that are recorded with it, as far as memory holds them.
    pre_roll_seconds: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 5.0
    #: Seconds after a motion or an event that are recorded with it.
    post_roll_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 10.0


class Segment(BaseModel):
    """One file of footage that is finished, keyed by ``(camera_id, start_ms, epoch)``; its path follows from the key.

    Footage is not fenced: what a former worker recorded is footage all the same, under its own epoch. Files of two
    workers may overlap.

    Clock: `start_ms` and `end_ms` are Unix time in milliseconds UTC, of the first picture and of the end of the last
    one, by the worker's clock; within a file the camera's own time stamps count.
    """

    camera_id: CameraId
    start_ms: Annotated[int, Field(ge=0)]
    end_ms: Annotated[int, Field(ge=0)]
    epoch: Annotated[int, Field(ge=1)]
    size_bytes: Annotated[int, Field(ge=0)]
    #: ``h264`` or ``hevc``.
    codec: Annotated[str, Field(max_length=16)]
    #: ``aac``; empty: no sound.
    audio: Annotated[str, Field(max_length=16)] = ""
    #: Size in pixels; 0: not known.
    width: int = 0
    height: int = 0
    kept_for: KeptFor = KeptFor.CONTINUOUS
    #: Share of the frames looked at in which something moved, in [0, 1].
    motion: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    #: Class name -> most objects of that class seen in one frame.
    seen: dict[str, int] = {}

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end_ms < self.start_ms:
            raise ValueError("end_ms must not be before start_ms")
        return self


class OpenSegment(BaseModel):
    """The file that a worker is writing for a camera, as far as it can be read now; the live edge of playback."""

    camera_id: CameraId
    worker_id: str
    start_ms: int
    #: End of the last whole fragment.
    end_ms: int
    epoch: int
    size_bytes: int
    codec: str
    audio: str = ""
    width: int = 0
    height: int = 0


class RecordingState(StrEnum):
    """What the recording of a camera is doing."""

    OFF = "off"
    #: For packets, for a keyframe, or for something to happen; `RecordingStatus.detail` says which.
    WAITING = "waiting"
    RECORDING = "recording"
    #: It should be recording and cannot; `RecordingStatus.reason` says why.
    FAILING = "failing"


class RecordingStatus(BaseModel):
    """What a worker says of a camera's recording; counts are since it took the camera."""

    state: RecordingState = RecordingState.OFF
    reason: StatusReason | None = None
    #: One sentence for people, secrets masked.
    detail: str = ""
    #: Of footage that is on the volume.
    seconds: float = 0.0
    size_bytes: int = 0
    #: Reason -> count of the video's packets that were to be recorded and are not.
    packets_lost: dict[str, int] = {}
    #: What becomes of the sound, where that is not plain.
    sound: str = ""
