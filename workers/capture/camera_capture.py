"""One camera on one thread: opens its stream, hands over due frames, and tries again for ever when it fails."""

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from contract.cameras import CameraState
from contract.errors import StatusReason
from runtime.clock import Clock
from workers.capture.backoff import pause_before_retry
from workers.capture.failures import CaptureError, Stage, failure_of
from workers.capture.sampling import RateMeter, Sampler
from workers.capture.source import CaptureSettings, Received, Source
from workers.capture.state import CaptureState
from workers.frames import Frame

#: Seconds between two reports while nothing changes.
REPORT_SECONDS: Final = 1.0
#: Seconds of good stream after which earlier failures are forgotten.
GOOD_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


class CameraCapture:
    """One camera's stream, on a thread of its own.

    A thread that waits inside libav cannot be interrupted; `stop` is heard with the next packet, at the latest when
    the stall timeout ends. It hands over nothing after `stop`.
    """

    def __init__(
        self,
        camera_id: str,
        *,
        epoch: int,
        analyse_fps: float,
        open_stream: Callable[[Sampler, threading.Event], Source],
        settings: CaptureSettings,
        on_frame: Callable[[Frame], None],
        on_state: Callable[[CaptureState], None],
        clock: Clock,
    ) -> None:
        self._camera_id = camera_id
        self._epoch = epoch
        self._open_stream = open_stream
        self._settings = settings
        self._on_frame = on_frame
        self._on_state = on_state
        self._clock = clock
        self._sampler = Sampler(analyse_fps)
        self._rate = RateMeter()
        self._stop = threading.Event()
        self._state = CaptureState(state=CameraState.CONNECTING)
        self._reported_at = 0.0
        self._failures = 0
        self._decode_errors = 0
        self._thread = threading.Thread(target=self._run, name=f"capture-{camera_id}", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        self._stop.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; False if it has not."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def update(self, *, analyse_fps: float, epoch: int) -> None:
        """Change rate and epoch without connecting again."""
        self._epoch = epoch
        self._sampler.set_rate(analyse_fps)

    def _run(self) -> None:
        self._report(self._state)
        while not self._stop.is_set():
            try:
                failure = self._watch_once()
            except Exception as error:  # the outermost loop of this thread: nothing may end a camera for good
                log.exception("capture_failed", camera=self._camera_id)
                failure = CaptureError(StatusReason.UNKNOWN, type(error).__name__)
            if failure is None or self._stop.is_set():
                continue
            self._failures += 1
            log.info("camera_offline", camera=self._camera_id, reason=failure.reason, detail=failure.detail)
            self._report(
                replace(
                    self._state,
                    state=CameraState.OFFLINE,
                    reason=failure.reason,
                    detail=failure.detail,
                    stream_fps=0.0,
                    reconnects=self._state.reconnects + 1,
                )
            )
            longest = self._settings.reconnect_max_seconds
            self._stop.wait(pause_before_retry(failure.reason, self._failures, longest, random.random))

    def _watch_once(self) -> CaptureError | None:
        """Open the stream and hand over frames until it ends; return why, or None: begin again at once."""
        started = self._clock.monotonic()
        self._sampler.restart()
        try:
            source = self._open_stream(self._sampler, self._stop)
        except Exception as error:  # every failure is named by one function and goes into the status
            seconds, limit = self._clock.monotonic() - started, self._settings.connect_timeout_seconds
            return failure_of(error, stage=Stage.OPEN, seconds=seconds, limit=limit)
        received_at = opened = self._clock.monotonic()
        try:
            for received in source.receive():
                received_at = self._clock.monotonic()
                self._take(source, received, received_at)
                if self._stop.is_set():
                    return None
                if received_at - opened > GOOD_SECONDS:
                    self._failures = 0
        except Exception as error:
            seconds = self._clock.monotonic() - received_at
            return failure_of(error, stage=Stage.READ, seconds=seconds, limit=self._settings.stall_timeout_seconds)
        finally:
            self._decode_errors += source.decode_errors
            source.close()
        return CaptureError(StatusReason.STREAM_ENDED)

    def _take(self, source: Source, received: Received, arrived: float) -> None:
        self._rate.saw(arrived)
        image = received.image
        if image is not None and not self._stop.is_set():
            now_ms = self._clock.now_ms()
            self._on_frame(Frame(self._camera_id, self._epoch, now_ms, arrived, image))
            self._state = replace(
                self._state,
                state=CameraState.ONLINE,
                reason=None,
                detail="",
                codec=source.codec,
                width=int(image.shape[1]),
                height=int(image.shape[0]),
                last_frame_at_ms=now_ms,
            )
        due = arrived - self._reported_at >= REPORT_SECONDS
        if due or (image is not None and self._reported_state is not CameraState.ONLINE):
            self._report(
                replace(
                    self._state,
                    stream_fps=self._rate.rate(arrived),
                    decode_mode=source.mode.value,
                    decode_errors=self._decode_errors + source.decode_errors,
                )
            )

    _reported_state: CameraState | None = None

    def _report(self, state: CaptureState) -> None:
        self._state = state
        self._reported_at = self._clock.monotonic()
        self._reported_state = state.state
        self._on_state(state)
