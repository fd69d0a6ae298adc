"""A stream that libav demuxes: RTSP, anything in a container, MJPEG, HLS, local files."""

from collections.abc import Callable, Iterator
from typing import Final, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from contract.errors import StatusReason
from workers.capture.decoding import FrameDecoder
from workers.capture.failures import Stage, classify, failed
from workers.capture.lag import CatchingUp, Lag
from workers.capture.pacing import Pacer
from workers.capture.sampling import Sampler
from workers.capture.state import StreamFacts
from workers.capture.streams import DuePicture, StreamContext
from workers.media import MediaPacket, MediaTemplate, VideoPacket
from workers.pictures import DecodedPicture

#: Where nobody says what is unread: a packet that was waited for longer than this was not there yet, and one that is
#: behind by less than that is as new as can be: all before it have been read. On a busy machine everything is waited
#: for, and only both together say so.
WAITED_SECONDS: Final = 0.002
BEHIND_SECONDS: Final = 0.05
#: Packets that must have been read since the last rest: a slow stream gains nothing by another one.
LEAST_PACKETS: Final = 3


class PacketStream:
    """Reads packets, decodes what the sampler asks for, and hands all of them to the tap."""

    def __init__(
        self,
        container: InputContainer,
        context: StreamContext,
        *,
        pacer: Pacer | None = None,
        is_sent_as_made: bool = False,
        unread_bytes: Callable[[], int] | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Take over an open container.

        Args:
            container: Closed by `close`.
            context: What the stream needs.
            pacer: Holds packets back, for media that does not come at the speed of life; None: it does.
            is_sent_as_made: Whether each packet comes as soon as there is one, so that one that is late was read late.
            unread_bytes: Returns how much has come and was not read yet; None: nobody knows.
            close: Called when the stream is closed, after the container.

        Raises:
            CaptureError: It has no video, or none that can be decoded; nothing has been closed.
        """
        self._container = container
        self._context = context
        self._pacer = pacer
        self._unread_bytes = unread_bytes
        self._close = close
        self._video = best_video(container, context.url)
        self._audio = best_audio(container) if context.wants_audio else None
        for stream in container.streams:
            if stream.index not in {self._video.index, -1 if self._audio is None else self._audio.index}:
                stream.discard = Discard.all
        self._look = None if context.sampler is None else _Look(self._video, context.sampler)
        self._is_tapped = False
        self._lag = Lag()
        self._catching_up = CatchingUp(self._lag) if is_sent_as_made else None
        #: Seconds of a tick of the video's stamps: a fraction would take too long for every packet.
        self._tick_seconds = float(self._video.time_base or 0)
        self._since_rest = 0
        #: Packets after which it is worth asking what is unread: as many as have gathered during the rest.
        self._gathered = LEAST_PACKETS

    @property
    def facts(self) -> StreamFacts:
        """What is known of it by now."""
        look, codec = self._look, self._video.codec_context
        if look is None:
            return StreamFacts(codec.codec.canonical_name, codec.width, codec.height)
        return StreamFacts(
            codec=codec.codec.canonical_name,
            width=look.size[0],
            height=look.size[1],
            stream_fps=look.sampler.frames.per_second(),
            decode_mode=look.sampler.mode.value,
            decode_errors=look.decoder.errors,
            frames_decoded=look.decoder.frames,
            decode_seconds=look.decoder.cpu_seconds,
            frames_left_out=look.decoder.left_out,
            is_undecodable=look.is_hopeless,
        )

    def pictures(self) -> Iterator[DuePicture | None]:
        """Yield each due picture, and None for other packets of the video; see `CameraStream`."""
        clock, watch, settings = self._context.clock, self._context.watch, self._context.settings
        asked_at = clock.monotonic()
        watch.expect(settings.stall_timeout_seconds, StatusReason.STREAM_STALLED)
        self._open_tap()
        wanted = [self._video] if self._audio is None else [self._video, self._audio]
        try:
            for packet in self._container.demux(wanted):
                watch.check()
                if not packet.size:
                    continue
                if packet.stream_index != self._video.index:
                    # It does not count as a sign of life: a live sound would hide a frozen picture.
                    self._tapped(cast("MediaPacket", packet), clock.monotonic(), clock.now_ms(), is_video=False)
                    continue
                of_video = cast("VideoPacket", packet)
                self._pace(of_video)
                arrived_at = clock.monotonic()
                behind = self._behind(of_video, arrived_at)
                yield self._arrived(of_video, arrived_at, behind)
                self._rest(arrived_at, behind, waited=arrived_at - asked_at)
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
        watch.check()  # a connection that was cut ends like any other
        # A recording was there to its end, a live stream had something to decode: its end is not what is wrong.
        look = self._look
        if look is not None and look.size == (0, 0) and (look.decoder.errors or self._pacer is not None):
            raise failed(StatusReason.DECODE_FAILED, self._context.url)
        raise failed(StatusReason.STREAM_ENDED, self._context.url)

    def _pace(self, packet: VideoPacket) -> None:
        if self._pacer is not None:
            self._context.watch.sleep(self._pacer.seconds_to_wait(_seconds(packet, packet.dts), self._now()))

    def _behind(self, packet: VideoPacket, at: float) -> float:
        ticks = packet.pts if packet.dts is None else packet.dts
        return self._lag.behind(at, None if ticks is None else ticks * self._tick_seconds)

    def _rest(self, at: float, behind: float, *, waited: float) -> None:
        """Let packets gather that nobody waits for, once what had come is read; see `Sampler.seconds_to_rest`."""
        look = self._look
        if self._pacer is not None or look is None:
            return
        self._since_rest += 1
        if self._since_rest < self._gathered:
            return
        seconds = look.sampler.seconds_to_rest(at)
        if seconds > 0 and self._has_read_all(look, behind, waited):
            self._since_rest = 0
            self._gathered = max(LEAST_PACKETS, int(seconds * look.sampler.frames.per_second()))
            self._context.watch.sleep(seconds)

    def _has_read_all(self, look: "_Look", behind: float, waited: float) -> bool:
        if self._unread_bytes is not None:
            # libav knows where a frame ends when the next one has begun, and that comes as several packets at once, of
            # which most are always unread then.
            return self._unread_bytes() <= look.sampler.bytes_per_frame
        return waited >= WAITED_SECONDS and behind <= BEHIND_SECONDS

    def _now(self) -> float:
        return self._context.clock.monotonic()

    def _arrived(self, packet: VideoPacket, at: float, behind: float) -> DuePicture | None:
        at_ms = self._context.clock.now_ms()
        is_left_out = self._catching_up is not None and self._catching_up.leaves_out(behind, at)
        try:
            return None if self._look is None else self._looked(self._look, packet, at, at_ms, is_left_out=is_left_out)
        finally:
            # Behind the decoder, which is done with it then.
            self._tapped(packet, at, at_ms, is_video=True)

    def _looked(
        self, look: "_Look", packet: VideoPacket, at: float, at_ms: int, *, is_left_out: bool
    ) -> DuePicture | None:
        is_keyframe = packet.is_keyframe
        # Reckoned for keyframes alone: with fractions, and for all packets, it would take longer than the rest of this.
        media_seconds = _seconds(packet, packet.pts) if is_keyframe else None
        look.sampler.saw_packet(is_keyframe=is_keyframe, at=at, media_seconds=media_seconds, size=packet.size)
        if is_left_out:
            look.decoder.leave_out(at)
            return None
        frame = look.decoder.decode(packet, at)
        if look.decoder.hopeless:
            if self._context.tap is None:
                raise failed(StatusReason.DECODE_FAILED, self._context.url)
            # What cannot be looked at is recorded all the same, and another connection would cost the recording a gap.
            look.decoder.start_again()
            look.is_hopeless = True
        if frame is None:
            return None
        look.is_hopeless = False
        look.size = (frame.width, frame.height)
        painter = self._context.painter
        return DuePicture(DecodedPicture(frame if painter is None else painter.frame(frame)), at_ms, at)

    # --- the tap -------------------------------------------------------------------------------------------------

    def _open_tap(self) -> None:
        if self._context.tap is not None:
            self._context.tap.opened(MediaTemplate(self._video, self._audio))
            self._is_tapped = True

    def _tapped(self, packet: MediaPacket, at: float, at_ms: int, *, is_video: bool) -> None:
        if self._context.tap is not None:
            self._context.tap.packet(packet, is_video=is_video, at=at, at_ms=at_ms)

    def close(self) -> None:
        """Hang up."""
        if self._context.tap is not None and self._is_tapped:
            self._context.tap.ended()
        self._container.close()
        self._close()


class _Look:
    """What decoding needs."""

    def __init__(self, video: VideoStream, sampler: Sampler) -> None:
        self.sampler = sampler
        self.decoder = FrameDecoder(video.codec_context, sampler)
        #: Width and height of the last decoded frame; 0, 0: there was none.
        self.size = (0, 0)
        #: Whether nothing has come out of the decoder for a while.
        self.is_hopeless = False


def best_video(container: InputContainer, url: str) -> VideoStream:
    """Return the video stream to watch.

    Raises:
        CaptureError: There is none, or none that can be decoded.
    """
    videos = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not videos:
        raise failed(StatusReason.NOT_VIDEO, url, "the stream has no video in it")
    known = [stream for stream in videos if _has_decoder(stream)]
    if not known:
        raise failed(StatusReason.CODEC_UNSUPPORTED, url)
    # libav's own choice goes by what it happened to have read of each; the first of the largest is the main stream.
    return max(known, key=lambda stream: stream.codec_context.width * stream.codec_context.height)


def best_audio(container: InputContainer) -> AudioStream | None:
    """Return the first sound that can be decoded; None: there is none."""
    return next((stream for stream in container.streams.audio if _has_decoder(stream)), None)


def _has_decoder(stream: VideoStream | AudioStream) -> bool:
    # PyAV's types do not say it, but a stream without a decoder has no context.
    context: object = stream.codec_context
    return context is not None


def _seconds(packet: VideoPacket, ticks: int | None) -> float | None:
    if ticks is None or packet.time_base is None:
        return None
    return float(ticks * packet.time_base)
