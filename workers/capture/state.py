"""What a capture says of its camera."""

from dataclasses import dataclass

from contract.cameras import CameraState
from contract.errors import StatusReason


@dataclass(frozen=True, slots=True)
class CaptureState:
    """One moment of a capture.

    Clock: `last_frame_at_ms` is Unix time in milliseconds UTC.
    """

    state: CameraState
    reason: StatusReason | None = None
    #: One sentence for people, secrets masked.
    detail: str = ""
    codec: str = ""
    #: Of the newest decoded frame, pixels.
    width: int = 0
    height: int = 0
    #: Frames received per second, over the last seconds.
    stream_fps: float = 0.0
    #: ``keyframes``: only they are decoded. ``all``: every frame is.
    decode_mode: str = ""
    last_frame_at_ms: int | None = None
    #: How often the stream was opened again after a failure.
    reconnects: int = 0
    #: Packets that could not be decoded.
    decode_errors: int = 0
