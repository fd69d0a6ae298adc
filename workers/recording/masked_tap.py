"""Stands between a camera with masks and its recording: what goes by is without what the masks hide.

Captures must not wait, and encoding takes longer than receiving: packets wait in a bounded inbox for a thread of this
camera alone. Where it cannot keep up, whole GOPs go and are counted; where masks cannot be painted, nothing is
recorded.
"""

import threading
import time
from typing import Final

import av
import structlog

from contract.errors import StatusReason
from contract.workers import Stage
from workers.mask_painter import MaskPainter
from workers.media import MediaPacket, MediaTemplate
from workers.recording.camera_recorder import CameraRecorder
from workers.recording.held_packets import OVERHEAD_BYTES, Arrived, Ended, Failed, Inbox, Opened, Told
from workers.recording.masking import MaskedPacket, MaskedStream
from workers.stage_meter import StageMeter

#: Seconds between two rounds.
ROUND_SECONDS: Final = 0.1
#: Why packets are not recorded that came faster than they could be encoded.
TOO_SLOW: Final = "masking"

log = structlog.get_logger(__name__)


class MaskedTap:
    """A `MediaTap` that hands masked packets on to a camera's recording."""

    def __init__(
        self, recording: CameraRecorder, painter: MaskPainter, *, buffer_bytes: int, meter: StageMeter
    ) -> None:
        """Prepare; a thread begins with the first stream that is opened.

        Args:
            recording: Gets what comes out.
            painter: Blacks out what is hidden.
            buffer_bytes: Most bytes of packets that wait.
            meter: Is told what it takes.
        """
        self._recording = recording
        self._painter = painter
        self._meter = meter
        self._inbox = Inbox(buffer_bytes)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        #: CPU-seconds that were spent.
        self.cpu_seconds = 0.0
        # From here on, the thread alone.
        self._template: MediaTemplate | None = None
        self._stream: MaskedStream | None = None
        self._is_open = self._has_failed = False

    # --- the tap; the capture's thread ---------------------------------------------------------------------------

    @property
    def wants_audio(self) -> bool:
        """Whether sound is recorded; asked when a stream is opened."""
        return self._recording.wants_audio

    def opened(self, template: MediaTemplate) -> None:
        """Take note that a stream is open."""
        self._inbox.put(Opened(template))
        if self._thread is None:
            name = f"masking-{self._recording.camera_id}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    def packet(self, packet: MediaPacket, *, is_video: bool, at: float, at_ms: int) -> None:
        """Take a packet; see `MediaTap`."""
        is_keyframe = is_video and packet.is_keyframe
        self._inbox.put(Arrived(packet, is_video, is_keyframe, at, at_ms, packet.size + OVERHEAD_BYTES))

    def ended(self) -> None:
        """Take note that the stream has ended."""
        self._inbox.put(Ended())

    def failed(self, reason: StatusReason, detail: str) -> None:
        """Take note of why there is no stream."""
        if self._thread is None:
            self._recording.failed(reason, detail)
        else:
            self._inbox.put(Failed(reason, detail))

    def close(self) -> None:
        """Let the thread end as soon as the stream has, which was asked to; does not wait."""
        self._closing.set()

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            is_closing = self._closing.wait(ROUND_SECONDS)
            told, dropped = self._inbox.take()
            with self._meter.timing(Stage.RECORD, count=0):
                if dropped:
                    self._recording.lost(TOO_SLOW, dropped)
                for each in told:
                    try:
                        self._handle(each)
                    except Exception:  # the outermost loop of this thread: one bad packet must not end it
                        log.exception("masking_failed", camera=self._recording.camera_id)
                        self._give_up("unexpected failure; see the worker's log")
            self.cpu_seconds = time.thread_time()
            if is_closing and not told:
                if self._template is None:
                    return
                time.sleep(ROUND_SECONDS)  # the capture, which was asked to end, has not yet

    def _handle(self, told: Told) -> None:
        if isinstance(told, Arrived):
            self._take(told)
        elif isinstance(told, Failed):
            self._recording.failed(told.reason, told.detail)
        elif isinstance(told, Opened | Ended):
            self._end()
            self._template = told.template if isinstance(told, Opened) else None
            self._has_failed = False

    def _take(self, arrived: Arrived) -> None:
        if not arrived.is_video:
            if self._is_open:
                self._recording.packet(arrived.packet, is_video=False, at=arrived.at, at_ms=arrived.at_ms)
            return
        if arrived.follows_hole:
            self._end()
        try:
            if self._stream is None and not self._began(arrived):
                return
            assert self._stream is not None
            self._pass_on(self._stream.take(arrived.packet, arrived.at, arrived.at_ms))
        except (av.FFmpegError, ValueError) as error:
            self._give_up(str(error))
            self._recording.lost(StatusReason.MASK_FAILED, 1)

    def _began(self, arrived: Arrived) -> bool:
        """Make the stream that begins with a keyframe; False: this is none, and nothing can begin with it."""
        if self._template is None:
            return False
        if not arrived.is_keyframe:
            if self._has_failed:
                self._recording.lost(StatusReason.MASK_FAILED, 1)
            return False
        self._stream = MaskedStream(self._template, self._painter)
        return True

    def _pass_on(self, made: list[MaskedPacket]) -> None:
        for each in made:
            if each.begins is not None:
                if self._is_open:
                    self._recording.ended()
                self._recording.opened(each.begins)
                self._is_open, self._has_failed = True, False
            self._recording.packet(each.packet, is_video=True, at=each.at, at_ms=each.at_ms)

    def _end(self) -> None:
        """End the stream that goes out; what is left in decoder and encoder goes with it."""
        stream, self._stream = self._stream, None
        if self._is_open:
            self._is_open = False
            if stream is not None:
                try:
                    self._pass_on_rest(stream)
                except (av.FFmpegError, ValueError) as error:
                    log.info("masking_ended_early", camera=self._recording.camera_id, error=str(error))
            self._recording.ended()

    def _pass_on_rest(self, stream: MaskedStream) -> None:
        for each in stream.rest():
            self._recording.packet(each.packet, is_video=True, at=each.at, at_ms=each.at_ms)

    def _give_up(self, detail: str) -> None:
        """Record nothing until the next keyframe, with which it is tried again: never what is not masked."""
        self._stream = None
        self._end()
        if not self._has_failed:
            log.error("not_masked", camera=self._recording.camera_id, error=detail)
        self._has_failed = True
        self._recording.failed(StatusReason.MASK_FAILED, detail)
