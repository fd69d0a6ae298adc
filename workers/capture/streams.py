"""What every kind of open stream offers to the capture, and what it is given."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from av.packet import Packet
from av.video.stream import VideoStream

from runtime.clock import Clock
from workers.capture.sampling import Sampler
from workers.capture.state import CaptureSettings, StreamFacts
from workers.capture.watch import Watch
from workers.frames import BgrImage

if TYPE_CHECKING:
    VideoPacket: TypeAlias = Packet[VideoStream]
else:
    # PyAV's packet takes a parameter only in its type stubs.
    VideoPacket = Packet


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded frame that was due."""

    #: Shape (H, W, 3), BGR, uint8; see `Frame.image`.
    image: BgrImage
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
    sampler: Sampler
    watch: Watch
    clock: Clock
    #: Given every packet of the video stream as it arrives, in order; must not block.
    on_packet: Callable[[VideoPacket], None] | None = None


class CameraStream(Protocol):
    """A stream that is open."""

    def pictures(self) -> Iterator[Picture | None]:
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
