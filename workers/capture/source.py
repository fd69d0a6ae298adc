"""What every way of getting frames has in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runtime.settings import WorkerSettings
from workers.capture.sampling import DecodeMode
from workers.frames import BgrImage


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """How streams are opened; the same for every camera of a worker."""

    rtsp_transport: str
    connect_timeout_seconds: float
    stall_timeout_seconds: float
    reconnect_max_seconds: float
    local_video_dir: Path | None

    @classmethod
    def from_settings(cls, settings: WorkerSettings) -> "CaptureSettings":
        """Take the part of a worker's settings that capture needs."""
        return cls(
            rtsp_transport=settings.rtsp_transport,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            stall_timeout_seconds=settings.stall_timeout_seconds,
            reconnect_max_seconds=settings.reconnect_max_seconds,
            local_video_dir=settings.local_video_dir,
        )


@dataclass(frozen=True, slots=True)
class Received:
    """One thing that a source received: a frame that is due, or only a sign of life."""

    #: Shape (H, W, 3), BGR, uint8, owned by the receiver; None: a frame that was not due.
    image: BgrImage | None


class Source(Protocol):
    """An open stream. Used by one thread."""

    @property
    def codec(self) -> str:
        """Name of the codec, as FFmpeg spells it."""
        ...

    @property
    def mode(self) -> DecodeMode:
        """Which frames are decoded now."""
        ...

    @property
    def decode_errors(self) -> int:
        """Packets that could not be decoded, since it was opened."""
        ...

    def receive(self) -> Iterator[Received]:
        """Yield what is received until the stream ends.

        Raises:
            CaptureError: Or an error that `failures.failure_of` can name.
        """
        ...

    def close(self) -> None:
        """Close the stream."""
        ...
