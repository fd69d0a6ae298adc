"""Watches one camera on a thread of its own, for ever: open, read, and after a failure wait and open again."""

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

import structlog

from contract.camera_urls import mask_url
from contract.cameras import CameraState
from contract.errors import StatusReason
from runtime.clock import Clock
from workers.capture.costs import CaptureCosts
from workers.capture.failures import CaptureError, CaptureStoppedError, failed
from workers.capture.openers import open_stream, plays_on_at_its_end
from workers.capture.reconnect import Outage
from workers.capture.sampling import Sampler
from workers.capture.state import CaptureSettings, CaptureState, StreamFacts
from workers.capture.streams import CameraStream, DuePicture, StreamContext
from workers.capture.watch import Watch
from workers.frames import Frame
from workers.mask_painter import MaskPainter
from workers.media import MediaTap
from workers.stage_meter import StageMeter

#: Seconds between two reports while nothing but figures changes.
REPORT_SECONDS: Final = 1.0
#: Seconds that `stop` waits for a call that is under way.
STOP_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CaptureOrder:
    """What may change while the camera is watched."""

    #: Frames per second that are to be handed over, greater than 0.
    analyse_fps: float
    #: Written into frames.
    epoch: int


class CameraCapture:
    """One camera's stream.

    `on_frame` and `on_state` are called on the capture's thread and must not block. After `stop` has returned no call
    of them begins; the tap may still get a packet, and is told of the end. The thread ends with the next packet;
    where libav waits for a silent RTSP server it ends when its time-out does, and being a daemon it holds up nothing.
    """

    def __init__(  # noqa: PLR0913 - each is a part of its own, and named
        self,
        camera_id: str,
        url: str,
        *,
        order: CaptureOrder,
        settings: CaptureSettings,
        clock: Clock,
        on_frame: Callable[[Frame], None],
        on_state: Callable[[CaptureState], None],
        tap: MediaTap | None = None,
        meter: StageMeter | None = None,
        painter: MaskPainter | None = None,
    ) -> None:
        """Prepare a capture; `start` begins.

        Args:
            camera_id: For frames and logs.
            url: Secrets included.
            order: How to begin; `update` changes it.
            settings: Time-outs and what is allowed.
            clock: Gives capture times, and times all waits.
            on_frame: Gets each due frame.
            on_state: Gets each change of state, and figures once a second while the stream runs.
            tap: Gets every packet (none of snapshots); None: the camera is not recorded, or from another stream.
            meter: Is told what receiving and decoding take; None: nobody asks.
            painter: Blacks out what the camera's masks hide; None: it has none.
        """
        self._camera_id = camera_id
        self._url = url
        self._settings = settings
        self._clock = clock
        self._on_frame = on_frame
        self._on_state = on_state
        self._tap = tap
        self._painter = painter
        self._costs = None if meter is None else CaptureCosts(meter)
        self._wanted = order
        self._calling = threading.Lock()
        self._watch = Watch(url, clock)
        self._sampler = Sampler(1 / order.analyse_fps)
        self._thread = threading.Thread(target=self._run, name=f"capture-{camera_id}", daemon=True)
        self._state = CaptureState(CameraState.CONNECTING)
        self._reported_at = self._report_at = float("-inf")
        #: What of `_wanted` the sampler knows of already.
        self._followed: CaptureOrder | None = None
        self._online_since: float | None = None
        self._outage = Outage(settings.reconnect_max_seconds)
        self._reconnects = 0
        self._was_online = False
        self._decode_errors_before = self._left_out_before = 0
        self._last_frame_at_ms: int | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; does not wait for the camera, only for a callback that is running now."""
        self._watch.stop()
        # A call that goes on for long must not keep a worker from leaving.
        if threading.current_thread() is not self._thread and self._calling.acquire(timeout=STOP_SECONDS):
            self._calling.release()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; False if it has not."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def update(self, *, analyse_fps: float, epoch: int) -> None:
        """Change rate and epoch without connecting again."""
        self._wanted = CaptureOrder(analyse_fps, epoch)

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._report(CaptureState(CameraState.CONNECTING))
            while not self._watch.stopped:
                self._watch.sleep(self._attempt())
        except CaptureStoppedError:
            pass

    def _attempt(self) -> float:
        """Watch the stream until it ends; return how long to wait before the next attempt."""
        try:
            self._watch_stream()
        except CaptureStoppedError:
            raise
        except CaptureError as error:
            return self._failed(error)
        except Exception:  # the outermost loop of this thread: one bad stream must not end it
            log.exception("capture_failed", camera=self._camera_id, url=mask_url(self._url))
            return self._failed(CaptureError(StatusReason.UNKNOWN, "unexpected failure; see the worker's log"))
        return 0.0

    def _watch_stream(self) -> None:
        self._sampler.restart()
        while True:
            stream = open_stream(
                StreamContext(
                    self._url, self._settings, self._sampler, self._watch, self._clock, self._tap, self._painter
                )
            )
            pictures = 0
            try:
                for picture in stream.pictures():
                    now = self._clock.monotonic()
                    if self._costs is not None:
                        self._costs.received(now)
                    if self._wanted is not self._followed:
                        self._follow_changes()
                    if picture is not None:
                        pictures += 1
                        self._deliver(picture)
                    # Most packets bring no picture: nothing is said of them, and asking what could be costs too much.
                    elif now < self._report_at:
                        continue
                    facts = stream.facts
                    self._report_stream(facts)
                    if self._costs is not None:
                        self._costs.decoded(facts)
                    self._report_at = now + REPORT_SECONDS / 4
            except CaptureError as error:
                if not (error.reason is StatusReason.STREAM_ENDED and plays_on_at_its_end(self._url) and pictures):
                    raise
            finally:
                self._close(stream)

    def _close(self, stream: CameraStream) -> None:
        facts = stream.facts
        self._decode_errors_before += facts.decode_errors
        self._left_out_before += facts.frames_left_out
        stream.close()

    def _follow_changes(self) -> None:
        self._followed = self._wanted
        self._sampler.change_interval(1 / self._followed.analyse_fps, self._clock.monotonic())

    def _deliver(self, picture: DuePicture) -> None:
        frame = Frame(
            camera_id=self._camera_id,
            epoch=self._wanted.epoch,
            captured_at_ms=picture.captured_at_ms,
            captured_monotonic=picture.captured_monotonic,
            picture=picture.pixels,
        )
        self._last_frame_at_ms = picture.captured_at_ms
        if self._online_since is None:
            self._online_since = picture.captured_monotonic
            self._reconnects += self._was_online
            self._was_online = True
        with self._costs.handing_over() if self._costs is not None else nullcontext(), self._calling:
            if not self._watch.stopped:
                self._on_frame(frame)

    def _failed(self, error: CaptureError) -> float:
        pause = self._outage.failed(error.reason, self._clock.monotonic(), good_since=self._online_since)
        if self._tap is not None:
            self._tap.failed(error.reason, error.detail)
        self._report_offline(StreamFacts(), error)
        return pause

    # --- reports -------------------------------------------------------------------------------------------------

    def _report_offline(self, facts: StreamFacts, error: CaptureError) -> None:
        self._online_since = None
        if (self._state.state, self._state.reason) != (CameraState.OFFLINE, error.reason):
            log.warning("camera_offline", camera=self._camera_id, reason=error.reason, detail=error.detail)
        self._report(self._figures(CameraState.OFFLINE, facts, error))

    def _report_stream(self, facts: StreamFacts) -> None:
        """Report, once the first frame is there: until then the reason of the last failure stands."""
        if facts.is_undecodable:
            if self._state.reason is not StatusReason.DECODE_FAILED:
                self._report_offline(facts, failed(StatusReason.DECODE_FAILED, self._url))
            return
        if self._online_since is None:
            return
        was_online = self._state.state is CameraState.ONLINE
        described = (facts.codec, facts.width, facts.height, facts.decode_mode)
        same = described == (self._state.codec, self._state.width, self._state.height, self._state.decode_mode)
        if was_online and same and self._clock.monotonic() - self._reported_at < REPORT_SECONDS:
            return
        if not was_online:
            log.info("camera_online", camera=self._camera_id, codec=facts.codec, size=f"{facts.width}x{facts.height}")
        self._report(self._figures(CameraState.ONLINE, facts))

    def _figures(self, state: CameraState, facts: StreamFacts, error: CaptureError | None = None) -> CaptureState:
        return CaptureState(
            state=state,
            reason=error.reason if error else None,
            detail=error.detail if error else "",
            codec=facts.codec,
            width=facts.width,
            height=facts.height,
            stream_fps=facts.stream_fps,
            decode_mode=facts.decode_mode,
            last_frame_at_ms=self._last_frame_at_ms,
            reconnects=self._reconnects,
            decode_errors=self._decode_errors_before + facts.decode_errors,
            frames_left_out=self._left_out_before + facts.frames_left_out,
            # Of this thread alone, which does all of it: the decoder has no threads of its own.
            cpu_seconds=time.thread_time(),
        )

    def _report(self, state: CaptureState) -> None:
        self._state = state
        self._reported_at = self._clock.monotonic()
        with self._calling:
            if not self._watch.stopped:
                self._on_state(state)
