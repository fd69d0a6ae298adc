"""What a worker is asked when somebody wants to know whether a camera can be watched, and what it answers."""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel

from contract.assignments import Assignment
from contract.errors import StatusReason

#: Seconds that one trial may take, and that who asks waits for the answer.
TRIAL_SECONDS: Final = 15.0
WAIT_SECONDS: Final = 20.0
#: Longest side of the picture in the answer, pixels.
PICTURE_SIDE: Final = 640
#: Seconds without a keyframe after which people are warned.
KEYFRAME_SECONDS: Final = 8.0


class TrialStream(StrEnum):
    """Which of a camera's streams is tried."""

    #: That of its `url`.
    ANALYSED = "analysed"
    #: That of its `main_url`; of a camera without one that of its `url`.
    RECORDED = "recorded"


class TrialWarning(StrEnum):
    """What works, and may still be a trouble; each has words in `WARNINGS`."""

    H265 = "h265"
    NOT_RECORDABLE = "not_recordable"
    B_FRAMES = "b_frames"
    NO_KEYFRAME = "no_keyframe"
    LONG_GOP = "long_gop"
    LOW_RATE = "low_rate"


WARNINGS: Final[dict[TrialWarning, str]] = {
    TrialWarning.H265: "The stream is H.265, which not every browser plays. Set the camera to H.264, if it can.",
    TrialWarning.NOT_RECORDABLE: "The stream is neither H.264 nor H.265: it is analysed, but cannot be recorded.",
    TrialWarning.B_FRAMES: "The stream has B-frames, which make live pictures late. Switch them off in the camera.",
    TrialWarning.NO_KEYFRAME: "No keyframe came within 8 s. Set the camera's keyframe interval to one or two seconds.",
    TrialWarning.LONG_GOP: "Keyframes are far apart: live views begin late. Set an interval of one or two seconds.",
    TrialWarning.LOW_RATE: "Less than one frame a second comes.",
}


class CameraTrialRequest(BaseModel):
    """One trial.

    Clock: `until_ms` is Unix time in milliseconds UTC by the clock of Redis.
    """

    request_id: str
    #: When nobody waits for the answer any more.
    until_ms: int
    #: The camera as it would be assigned; its secrets are encrypted, its epoch means nothing.
    camera: Assignment
    stream: TrialStream = TrialStream.ANALYSED


class CameraTrialReply(BaseModel):
    """What came of it."""

    request_id: str
    worker_id: str = ""
    #: Why it cannot be watched; None: it can.
    reason: StatusReason | None = None
    #: One sentence for people, secrets masked.
    detail: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    #: Frames a second that came; 0: too few to tell.
    fps: float = 0.0
    #: From connecting to the first picture, milliseconds.
    latency_ms: float = 0.0
    #: Seconds from one keyframe to the next; None: no two came.
    gop_seconds: float | None = None
    warnings: list[TrialWarning] = []
    #: JPEG of at most `PICTURE_SIDE` pixels, base64; empty: there is none.
    picture: str = ""
