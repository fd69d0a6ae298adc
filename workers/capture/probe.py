"""Tries a camera once and says what came of it, for people who set one up."""

import threading
from dataclasses import dataclass, replace

from contract.errors import StatusReason
from runtime.clock import Clock
from workers.capture.failures import CaptureError, CaptureStoppedError, failed
from workers.capture.openers import open_stream
from workers.capture.sampling import Sampler
from workers.capture.state import CaptureSettings
from workers.capture.streams import CameraStream, DuePicture, StreamContext
from workers.capture.watch import Watch
from workers.pictures import BgrImage

#: Seconds that are watched after the first frame to measure the rate.
RATE_SECONDS = 1.0
#: Frames per second decoded meanwhile; only the first is kept.
_SAMPLE_FPS = 1.0


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one attempt found: either a frame, or a reason why there is none."""

    reason: StatusReason | None = None
    #: One sentence for people, secrets masked.
    detail: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    #: Frames per second received; 0 where too few came to tell.
    stream_fps: float = 0.0
    #: From the first word to the first decoded frame, milliseconds.
    latency_ms: float = 0.0
    #: Shape (H, W, 3), BGR, uint8.
    image: BgrImage | None = None


def probe(url: str, settings: CaptureSettings, *, timeout_seconds: float, clock: Clock) -> ProbeResult:
    """Open `url` (secrets included), take one frame, hang up.

    Blocks for at most about `timeout_seconds`, and for a name that does not resolve as long as the resolver takes.
    """
    patient = replace(
        settings,
        connect_timeout_seconds=min(settings.connect_timeout_seconds, timeout_seconds),
        stall_timeout_seconds=min(settings.stall_timeout_seconds, timeout_seconds),
    )
    watch = Watch(url, clock)
    timer = threading.Timer(timeout_seconds, watch.stop)
    timer.daemon = True
    timer.start()
    try:
        return _probe(StreamContext(url, patient, Sampler(1 / _SAMPLE_FPS), watch, clock))
    except CaptureError as error:
        return ProbeResult(error.reason, error.detail)
    except CaptureStoppedError:
        return ProbeResult(StatusReason.TIMEOUT, failed(StatusReason.TIMEOUT, url).detail)
    finally:
        timer.cancel()


def _probe(context: StreamContext) -> ProbeResult:
    began = context.clock.monotonic()
    stream = open_stream(context)
    first: DuePicture | None = None
    try:
        for picture in stream.pictures():
            first = first or picture
            if first and context.clock.monotonic() - first.captured_monotonic >= RATE_SECONDS:
                break
    except (CaptureError, CaptureStoppedError):
        if first is None:
            raise
    finally:
        stream.close()
    return _result(stream, first, began)


def _result(stream: CameraStream, first: DuePicture | None, began: float) -> ProbeResult:
    facts = stream.facts
    return ProbeResult(
        codec=facts.codec,
        width=facts.width,
        height=facts.height,
        stream_fps=facts.stream_fps,
        latency_ms=(first.captured_monotonic - began) * 1000 if first else 0.0,
        image=first.pixels.bgr() if first else None,
    )
