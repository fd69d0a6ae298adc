"""What every kind of open stream offers to the capture, and what it is given."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from runtime.clock import Clock
from workers.capture.sampling import Sampler
from workers.capture.state import CaptureSettings, StreamFacts
from workers.capture.watch import Watch
from workers.mask_painter import MaskPainter
from workers.media import MediaTap
from workers.pictures import Picture


@dataclass(frozen=True, slots=True)
class DuePicture:
    """One decoded frame that was due."""

    #: Its pixels.
    pixels: Picture
    #: Unix time in milliseconds UTC when it arrived.
    captured_at_ms: int
    #: Monotonic seconds when it arrived.
    captured_monotonic: float


@dataclass(frozen=True, slots=True)
class StreamContext:
    """What a stream needs while it is open."""

    #: Secrets included.
    url: str
    settings: CaptureSettings
    #: Says which packets are decoded; None: none is, they go to the tap alone.
    sampler: Sampler | None
    watch: Watch
    clock: Clock
    #: Given every packet; None: nobody wants them.
    tap: MediaTap | None = None
    #: Blacks out what the camera's masks hide, before anybody sees a picture; None: it has none.
    painter: MaskPainter | None = None

    @property
    def wants_audio(self) -> bool:
        """Whether sound is to be received too."""
        return self.tap is not None and self.tap.wants_audio


class CameraStream(Protocol):
    """A stream that is open."""

    def pictures(self) -> Iterator[DuePicture | None]:
        """Yield each due picture, and None where something arrived of which nothing is due.

        Raises:
            CaptureError: The stream has come to an end; says why.
            CaptureStoppedError: Asked to stop.
        """
        ...

    @property
    def facts(self) -> StreamFacts:
        """What is known of it by now."""
        ...

    def close(self) -> None:
        """Free what it holds; from the thread that reads it."""
