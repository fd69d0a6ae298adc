"""Tries a camera once and says what came of it, for people who set one up."""

import threading
from dataclasses import dataclass, replace
from typing import Final

from contract.camera_trials import KEYFRAME_SECONDS, TrialWarning
from contract.errors import StatusReason
from runtime.clock import Clock
from workers.capture.failures import CaptureError, CaptureStoppedError, failed
from workers.capture.openers import open_stream
from workers.capture.sampling import Sampler
from workers.capture.state import CaptureSettings
from workers.capture.streams import CameraStream, DuePicture, StreamContext
from workers.capture.watch import Watch
from workers.mask_painter import MaskPainter
from workers.media import MediaPacket, MediaTemplate
from workers.pictures import BgrImage

#: Seconds that are watched after the first frame to measure the rate, and at most, to see a second keyframe.
RATE_SECONDS: Final = 1.0
GOP_SECONDS: Final = 3.0
#: Frames per second decoded meanwhile; only the first is kept.
_SAMPLE_FPS: Final = 1.0
#: Seconds between keyframes, and frames a second, that people are warned of.
LONG_GOP_SECONDS: Final = 5.0
LOW_FPS: Final = 0.9
#: Seconds of a stream that tell its rate.
LEAST_SECONDS: Final = 0.4
_RECORDED: Final = frozenset({"h264", "hevc"})


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
    #: Seconds from one keyframe to the next; None: no two came.
    gop_seconds: float | None = None
    warnings: tuple[TrialWarning, ...] = ()
    #: Shape (H, W, 3), BGR, uint8; None also where the stream is good, but no keyframe came for a picture.
    image: BgrImage | None = None


class _PacketLook:
    """A tap that keeps nothing of packets but what they say of their stream."""

    wants_audio: Final = False

    def __init__(self) -> None:
        self.packets = self.keyframes = 0
        self.gop_seconds: float | None = None
        self.has_b_frames = False
        #: Monotonic seconds when the first packet arrived.
        self.first_at: float | None = None
        self._keyframe_seconds: float | None = None
        self._newest_pts: int | None = None
        self._oldest_pts: int | None = None
        self._tick_seconds = 0.0

    def opened(self, template: MediaTemplate) -> None:
        """Take note of nothing."""

    def packet(self, packet: MediaPacket, *, is_video: bool, at: float, at_ms: int) -> None:
        """Look at its times."""
        del at_ms
        if not is_video:
            return
        self.packets += 1
        self.first_at = at if self.first_at is None else self.first_at
        if packet.pts is not None:
            self.has_b_frames |= self._newest_pts is not None and packet.pts < self._newest_pts
            self._newest_pts = packet.pts if self._newest_pts is None else max(packet.pts, self._newest_pts)
            self._oldest_pts = packet.pts if self._oldest_pts is None else min(packet.pts, self._oldest_pts)
            self._tick_seconds = float(packet.time_base)
        if packet.is_keyframe:
            self.keyframes += 1
            seconds = at if packet.pts is None else float(packet.pts * packet.time_base)
            if self._keyframe_seconds is not None and self.gop_seconds is None and seconds > self._keyframe_seconds:
                self.gop_seconds = seconds - self._keyframe_seconds
            self._keyframe_seconds = seconds

    def ended(self) -> None:
        """Take note of nothing."""

    def failed(self, reason: StatusReason, detail: str) -> None:
        """Take note of nothing."""

    @property
    def fps(self) -> float:
        """Frames a second by the camera's own times, for a stream often begins with a burst; 0: they do not tell."""
        if self._newest_pts is None or self._oldest_pts is None:
            return 0.0
        seconds = (self._newest_pts - self._oldest_pts) * self._tick_seconds
        return (self.packets - 1) / seconds if seconds >= LEAST_SECONDS else 0.0

    def waits_too_long(self, now: float) -> bool:
        """Tell whether packets have come for long and no keyframe among them."""
        return self.first_at is not None and not self.keyframes and now - self.first_at >= KEYFRAME_SECONDS


def probe(
    url: str,
    settings: CaptureSettings,
    *,
    timeout_seconds: float,
    clock: Clock,
    painter: MaskPainter | None = None,
) -> ProbeResult:
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
        look = _PacketLook()
        context = StreamContext(url, patient, Sampler(1 / _SAMPLE_FPS), watch, clock, look, painter)
        return _probe(context, look)
    except CaptureError as error:
        return ProbeResult(error.reason, error.detail)
    except CaptureStoppedError:
        return ProbeResult(StatusReason.TIMEOUT, failed(StatusReason.TIMEOUT, url).detail)
    finally:
        timer.cancel()


def _probe(context: StreamContext, look: _PacketLook) -> ProbeResult:
    began = context.clock.monotonic()
    stream = open_stream(context)
    first: DuePicture | None = None
    try:
        for picture in stream.pictures():
            first, now = first or picture, context.clock.monotonic()
            if _has_seen_enough(look, first, now):
                break
    except (CaptureError, CaptureStoppedError) as error:
        if first is None:
            raise _clearer(error, stream, look, context.url) from None
    finally:
        stream.close()
    return _result(stream, look, first, began)


def _has_seen_enough(look: _PacketLook, first: DuePicture | None, now: float) -> bool:
    if first is None:
        return look.waits_too_long(now)
    watched = now - first.captured_monotonic
    # A snapshot camera has no packets, and so no keyframes to wait for.
    return watched >= (RATE_SECONDS if look.gop_seconds is not None or not look.packets else GOP_SECONDS)


def _clearer(
    error: CaptureError | CaptureStoppedError, stream: CameraStream, look: _PacketLook, url: str
) -> CaptureError | CaptureStoppedError:
    """Return why there is no picture although the stream was opened, where that is known better."""
    if stream.facts.is_undecodable or (isinstance(error, CaptureStoppedError) and look.keyframes):
        return failed(StatusReason.DECODE_FAILED, url)
    return error


def _result(stream: CameraStream, look: _PacketLook, first: DuePicture | None, began: float) -> ProbeResult:
    facts = stream.facts
    found = ProbeResult(
        codec=facts.codec,
        width=facts.width,
        height=facts.height,
        stream_fps=look.fps or facts.stream_fps,
        latency_ms=(first.captured_monotonic - began) * 1000 if first else 0.0,
        gop_seconds=look.gop_seconds,
        image=first.pixels.bgr() if first else None,
    )
    return replace(found, warnings=warnings_of(found, look.has_b_frames, is_snapshots=not look.packets))


def warnings_of(found: ProbeResult, has_b_frames: bool, *, is_snapshots: bool) -> tuple[TrialWarning, ...]:
    """Return what people should know of a stream that works. Pure."""
    told = (
        (TrialWarning.H265, found.codec == "hevc"),
        (TrialWarning.NOT_RECORDABLE, found.codec not in _RECORDED),
        (TrialWarning.B_FRAMES, has_b_frames),
        (TrialWarning.NO_KEYFRAME, found.image is None),
        (TrialWarning.LONG_GOP, found.gop_seconds is not None and found.gop_seconds > LONG_GOP_SECONDS),
        (TrialWarning.LOW_RATE, not is_snapshots and 0 < found.stream_fps < LOW_FPS),
    )
    return tuple(warning for warning, holds in told if holds)
