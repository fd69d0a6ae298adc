"""Receives a camera's main stream for its recording alone: nothing of it is decoded."""

import threading
from typing import Final

import structlog

from contract.camera_urls import mask_url
from contract.errors import StatusReason
from runtime.clock import Clock
from workers.capture.costs import CaptureCosts
from workers.capture.failures import CaptureError, CaptureStoppedError
from workers.capture.openers import open_stream, plays_on_at_its_end
from workers.capture.reconnect import Outage
from workers.capture.state import CaptureSettings
from workers.capture.streams import StreamContext
from workers.capture.watch import Watch
from workers.media import MediaTap
from workers.stage_meter import StageMeter

log = structlog.get_logger(__name__)


class PacketCapture:
    """One stream on a thread of its own, for ever: open, read, and after a failure wait and open again."""

    def __init__(
        self,
        camera_id: str,
        url: str,
        tap: MediaTap,
        *,
        settings: CaptureSettings,
        clock: Clock,
        meter: StageMeter | None = None,
    ) -> None:
        """Prepare a capture; `start` begins.

        Args:
            camera_id: For logs.
            url: Secrets included.
            tap: Gets every packet.
            settings: Time-outs and what is allowed.
            clock: Times packets and waits.
            meter: Is told what receiving takes; None: nobody asks.
        """
        self._camera_id = camera_id
        self._tap = tap
        self._costs = None if meter is None else CaptureCosts(meter)
        self._clock = clock
        self._outage = Outage(settings.reconnect_max_seconds)
        self._watch = Watch(url, clock)
        self._context: Final = StreamContext(url, settings, None, self._watch, clock, tap)
        self._thread = threading.Thread(target=self._run, name=f"recording-{camera_id}", daemon=True)
        self._good_since: float | None = None
        self._reason: StatusReason | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        self._watch.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; False if it has not."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._watch.stopped:
                self._watch.sleep(self._attempt())
        except CaptureStoppedError:
            pass

    def _attempt(self) -> float:
        """Receive until the stream ends; return how long to wait before the next attempt."""
        self._good_since = None
        try:
            self._receive()
        except CaptureStoppedError:
            raise
        except CaptureError as error:
            return self._failed(error)
        except Exception:  # the outermost loop of this thread: one bad stream must not end it
            log.exception("capture_failed", camera=self._camera_id, url=mask_url(self._context.url))
            return self._failed(CaptureError(StatusReason.UNKNOWN, "unexpected failure; see the worker's log"))
        return 0.0

    def _receive(self) -> None:
        while True:
            stream = open_stream(self._context)
            packets = 0
            try:
                for _ in stream.pictures():
                    packets += 1
                    if self._costs is not None:
                        self._costs.received(self._clock.monotonic())
                    if self._good_since is None:
                        self._good_since, self._reason = self._clock.monotonic(), None
            except CaptureError as error:
                ended = error.reason is StatusReason.STREAM_ENDED
                if not (ended and plays_on_at_its_end(self._context.url) and packets):
                    raise
            finally:
                stream.close()

    def _failed(self, error: CaptureError) -> float:
        if self._reason is not error.reason:
            self._reason = error.reason
            log.warning("main_stream_offline", camera=self._camera_id, reason=error.reason, detail=error.detail)
        self._tap.failed(error.reason, error.detail)
        return self._outage.failed(error.reason, self._clock.monotonic(), good_since=self._good_since)
