"""A stream that libav demuxes: RTSP, anything in a container, MJPEG, HLS, local files."""

from collections.abc import Callable, Iterator

import av
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from contract.errors import StatusReason
from workers.capture.decoding import FrameDecoder
from workers.capture.failures import Stage, classify, failed
from workers.capture.pacing import Pacer
from workers.capture.state import StreamFacts
from workers.capture.streams import Picture, StreamContext, VideoPacket


class PacketStream:
    """Reads packets, decodes what the sampler asks for."""

    def __init__(
        self,
        container: InputContainer,
        context: StreamContext,
        *,
        pacer: Pacer | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Take over an open container.

        Args:
            container: Closed by `close`.
            context: What the stream needs.
            pacer: Holds packets back, for media that does not come at the speed of life; None: it does.
            close: Called when the stream is closed, after the container.

        Raises:
            CaptureError: It has no video, or none that can be decoded; nothing has been closed.
        """
        self._container = container
        self._context = context
        self._pacer = pacer
        self._close = close
        self._stream = best_video(container, context.url)
        self._decoder = FrameDecoder(self._stream.codec_context, context.sampler)
        self._size = (0, 0)

    @property
    def facts(self) -> StreamFacts:
        """What is known of it by now."""
        sampler = self._context.sampler
        return StreamFacts(
            codec=self._stream.codec_context.codec.canonical_name,
            width=self._size[0],
            height=self._size[1],
            stream_fps=sampler.frames.per_second(),
            decode_mode=sampler.mode.value,
            decode_errors=self._decoder.errors,
        )

    def pictures(self) -> Iterator[Picture | None]:
        """Yield each due picture, and None for other packets; see `CameraStream`."""
        clock, watch, settings = self._context.clock, self._context.watch, self._context.settings
        asked_at = clock.monotonic()
        watch.expect(settings.stall_timeout_seconds, StatusReason.STREAM_STALLED)
        try:
            for packet in self._container.demux(self._stream):
                watch.check()
                if not packet.size:
                    continue
                self._pace(packet)
                yield self._arrived(packet)
                watch.expect(settings.stall_timeout_seconds, StatusReason.STREAM_STALLED)
                asked_at = clock.monotonic()
        except (av.FFmpegError, OSError, ValueError, EOFError) as error:
            watch.check()
            raise classify(
                error,
                Stage.READING,
                self._context.url,
                waited_seconds=clock.monotonic() - asked_at,
                limit_seconds=settings.stall_timeout_seconds,
            ) from None
        # A recording was there to its end, a live stream had something to decode: its end is not what is wrong.
        if self._size == (0, 0) and (self._decoder.errors or self._pacer is not None):
            raise failed(StatusReason.DECODE_FAILED, self._context.url)
        raise failed(StatusReason.STREAM_ENDED, self._context.url)

    def _pace(self, packet: VideoPacket) -> None:
        if self._pacer is not None:
            self._context.watch.sleep(self._pacer.seconds_to_wait(_seconds(packet, packet.dts), self._now()))

    def _now(self) -> float:
        return self._context.clock.monotonic()

    def _arrived(self, packet: VideoPacket) -> Picture | None:
        at, at_ms = self._now(), self._context.clock.now_ms()
        if self._context.on_packet is not None:
            self._context.on_packet(packet)
        self._context.sampler.saw_packet(
            is_keyframe=packet.is_keyframe, at=at, media_seconds=_seconds(packet, packet.pts)
        )
        frame = self._decoder.decode(packet, at)
        if self._decoder.hopeless:
            raise failed(StatusReason.DECODE_FAILED, self._context.url)
        if frame is None:
            return None
        self._size = (frame.width, frame.height)
        return Picture(self._decoder.to_bgr(frame), at_ms, at)

    def close(self) -> None:
        """Hang up."""
        self._container.close()
        self._close()


def best_video(container: InputContainer, url: str) -> VideoStream:
    """Return the video stream to watch, and let libav throw all others away.

    Raises:
        CaptureError: There is none, or none that can be decoded.
    """
    videos = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not videos:
        raise failed(StatusReason.NOT_VIDEO, url, "the stream has no video in it")
    known = [stream for stream in videos if _can_be_decoded(stream)]
    if not known:
        raise failed(StatusReason.CODEC_UNSUPPORTED, url)
    # libav's own choice goes by what it happened to have read of each; the first of the largest is the main stream.
    chosen = max(known, key=lambda stream: stream.codec_context.width * stream.codec_context.height)
    for stream in container.streams:
        if stream.index != chosen.index:
            stream.discard = Discard.all
    return chosen


def _can_be_decoded(stream: VideoStream) -> bool:
    # PyAV's types do not say it, but a stream without a decoder has no context.
    context: object = stream.codec_context
    return context is not None


def _seconds(packet: VideoPacket, ticks: int | None) -> float | None:
    if ticks is None or packet.time_base is None:
        return None
    return float(ticks * packet.time_base)
