"""Streams that libav reads: RTSP, HTTP streams, files. Decodes only what will be analysed."""

import threading
from collections.abc import Iterator
from typing import Final, cast

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from contract.errors import StatusReason
from runtime.clock import Clock
from workers.capture.failures import CaptureError
from workers.capture.pace import Pace
from workers.capture.sampling import DecodeMode, KeyframeMeter, Sampler
from workers.capture.source import CaptureSettings, Received
from workers.capture.source_kind import SourceKind
from workers.frames import BgrImage

#: Bytes and microseconds that libav may read to find out what a stream is: a camera says it in its first packets.
PROBE_BYTES: Final = 500_000
PROBE_MICROSECONDS: Final = 1_000_000
#: What a remote stream may make libav open. Without this, a playlist could name files of this machine.
REMOTE_PROTOCOLS: Final = {
    SourceKind.RTSP: "rtsp,rtsps,rtp,srtp,tcp,udp,tls,http,https,httpproxy,crypto",
    SourceKind.HTTP_STREAM: "http,https,httpproxy,tcp,tls,crypto",
    SourceKind.FILE: "file",
}
#: Packets in a row that may fail to decode before the stream is opened anew.
MAX_DECODE_ERRORS: Final = 50


class LibavSource:
    """One open stream."""

    def __init__(
        self,
        url: str,
        kind: SourceKind,
        settings: CaptureSettings,
        *,
        sampler: Sampler,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        options = {
            "protocol_whitelist": REMOTE_PROTOCOLS[kind],
            "probesize": str(PROBE_BYTES),
            "analyzeduration": str(PROBE_MICROSECONDS),
            # Frames per second are measured here as they arrive; waiting for libav's guess cost a second per camera.
            "fpsprobesize": "0",
        }
        if kind is SourceKind.RTSP:
            options["rtsp_transport"] = settings.rtsp_transport
        self._sampler = sampler
        self._clock = clock
        self._stop = stop
        self._stall_seconds = settings.stall_timeout_seconds
        self._container: InputContainer = av.open(
            url, options=options, timeout=(settings.connect_timeout_seconds, settings.stall_timeout_seconds)
        )
        try:
            self._stream = _video_stream(self._container)
        except CaptureError:
            self._container.close()
            raise
        self._meter = KeyframeMeter()
        self._reformatter = VideoReformatter()
        self._mode = DecodeMode.ALL
        self._errors_in_a_row = 0
        self._decode_errors = 0
        self._video_packets = 0
        #: A recorded file comes as fast as it can be read; it is played at its own pace.
        recorded = kind is SourceKind.FILE or bool(self._container.duration and self._container.size > 0)
        self._pace = Pace(clock, stop, longest_wait=settings.stall_timeout_seconds) if recorded else None

    @property
    def codec(self) -> str:
        """Name of the codec, as FFmpeg spells it."""
        return self._stream.codec_context.name

    @property
    def mode(self) -> DecodeMode:
        """Which packets are decoded now."""
        return self._mode

    @property
    def decode_errors(self) -> int:
        """Packets that could not be decoded."""
        return self._decode_errors

    def receive(self) -> Iterator[Received]:
        """Yield one entry for each video packet; see `Source`. A recorded file has no end: it begins again."""
        while True:
            before = self._video_packets
            yield from self._receive_once()
            if self._pace is None or self._video_packets == before or self._stop.is_set():
                return
            self._container.seek(0)
            self._stream.codec_context.flush_buffers()
            self._pace.restart()

    def _receive_once(self) -> Iterator[Received]:
        decoding = False
        last_packet = last_video = self._clock.monotonic()
        for packet in self._container.demux():
            if self._pace is not None:
                self._pace.wait_for(packet)
            arrived = self._clock.monotonic()
            if self._pace is None and arrived - last_packet >= self._stall_seconds:
                # An interrupted read may still give what it had of a packet; the next one would wait as long again.
                raise CaptureError(StatusReason.STREAM_STALLED, f"no packet for {arrived - last_packet:.0f} s")
            last_packet = arrived
            if packet.stream.index != self._stream.index:
                if arrived - last_video > self._stall_seconds:
                    raise CaptureError(StatusReason.STREAM_STALLED, "sound goes on, but no video comes")
                continue
            if packet.size == 0:  # the end of the stream
                continue
            last_video = arrived
            self._video_packets += 1
            if packet.is_keyframe:
                self._meter.saw_keyframe(arrived)
                self._choose_mode(arrived)
                decoding = True
            elif self._mode is DecodeMode.KEYFRAMES:
                if self._meter.mode(self._sampler.interval, arrived) is DecodeMode.ALL:
                    # Keyframes have become rarer. What lies between can be decoded only from the next one on.
                    decoding = False
                    self._mode = DecodeMode.ALL
                yield Received(None)
                continue
            # Before its first keyframe a stream decodes to nothing but errors and grey.
            yield Received(self._decode(cast("av.Packet[VideoStream]", packet), arrived) if decoding else None)

    def _choose_mode(self, now: float) -> None:
        mode = self._meter.mode(self._sampler.interval, now)
        if mode is not self._mode:
            self._stream.codec_context.flush_buffers()
            self._sampler.expect_spacing(self._meter.interval if mode is DecodeMode.KEYFRAMES else 0.0)
            self._mode = mode

    def _decode(self, packet: "av.Packet[VideoStream]", arrived: float) -> BgrImage | None:
        due = self._mode is DecodeMode.ALL or self._sampler.is_due(arrived)
        if not due:
            return None
        context = self._stream.codec_context
        try:
            frames = context.decode(packet)
            if self._mode is DecodeMode.KEYFRAMES:
                # A decoder that expects reordered frames keeps a keyframe back until more come; none will.
                frames += context.decode(None)
                context.flush_buffers()
        except av.error.FFmpegError as error:
            self._count_error(error)
            return None
        if not frames:
            return None
        self._errors_in_a_row = 0
        if self._mode is DecodeMode.ALL and not self._sampler.is_due(arrived):
            return None
        return self._to_bgr(frames[-1])

    def _count_error(self, error: av.error.FFmpegError) -> None:
        self._decode_errors += 1
        self._errors_in_a_row += 1
        if self._errors_in_a_row >= MAX_DECODE_ERRORS:
            raise CaptureError(
                StatusReason.DECODE_FAILED, f"{MAX_DECODE_ERRORS} packets in a row: {error.strerror}"
            ) from error

    def _to_bgr(self, frame: VideoFrame) -> BgrImage:
        """Convert to BGR at full size with the one reused converter of this stream."""
        converted = self._reformatter.reformat(frame, format="bgr24", threads=1)
        return np.ascontiguousarray(converted.to_ndarray(), np.uint8)

    def close(self) -> None:
        """Close the stream."""
        self._container.close()


def _video_stream(container: InputContainer) -> VideoStream:
    """Return the stream that shows most, with a decoder that runs in the caller's thread."""
    streams = [stream for stream in container.streams.video if stream.codec_context is not None]
    if not streams:
        if container.streams.video:
            raise CaptureError(StatusReason.CODEC_UNSUPPORTED, "no decoder for it is built in")
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise CaptureError(StatusReason.NOT_VIDEO, f"the stream carries {kinds}")
    best = max(streams, key=lambda stream: stream.codec_context.width * stream.codec_context.height)
    # Many cameras share a process: threads of one decoder would only get in the way of the others.
    best.codec_context.thread_count = 1
    return best
