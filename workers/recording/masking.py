"""Decodes a stream that is recorded, blacks out what the camera's masks hide, and encodes it again as H.264.

Packets come out one for each picture, with the camera's own times and keyframes where the camera has them, so that all
behind it (placing in time, files, pre-roll) is the same as for packets that come straight from the camera.
"""

import io
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, cast

import av
from av.codec.context import ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from workers.mask_painter import MaskPainter
from workers.media import MediaPacket, MediaTemplate, VideoPacket
from workers.pictures import converted

#: The encoder that PyAV ships. Fast rather than small: it shares the worker's cores with the analysis of all cameras.
ENCODER: Final = "libx264"
OPTIONS: Final = {"preset": "superfast", "tune": "zerolatency", "crf": "23", "forced-idr": "1", "sc_threshold": "0"}
#: Frames after which a keyframe is made where the camera makes none.
MOST_FRAMES: Final = 300
#: Frames from one keyframe to the next at least: of a stream of nothing but keyframes not each one stays one.
LEAST_FRAMES: Final = 5
#: Rate that the encoder is told, for it must be told one; times are the camera's.
_RATE: Final = 25
#: Pixel formats that are encoded as they are; every browser plays what comes of them.
_ENCODED: Final = frozenset({"yuv420p", "yuvj420p", "nv12"})
_FALLBACK: Final = "yuv420p"


@dataclass(slots=True)
class MaskedPacket:
    """One encoded picture."""

    packet: MediaPacket
    #: Monotonic seconds, and Unix ms UTC, when that arrived which brought the picture out of the decoder.
    at: float
    at_ms: int
    #: Parameters of the stream that begins with it; None: it goes on.
    begins: MediaTemplate | None = None


@dataclass(frozen=True, slots=True)
class _Times:
    pts: int | None
    base: Fraction | None
    at: float
    at_ms: int


class MaskedStream:
    """One open stream, decoded and encoded anew. Not thread-safe."""

    def __init__(self, template: MediaTemplate, painter: MaskPainter) -> None:
        """Prepare.

        Args:
            template: Parameters of what comes.
            painter: Blacks out what is hidden.

        Raises:
            av.FFmpegError, ValueError: There is no decoder for it.
        """
        self._template = template
        self._painter = painter
        self._decoder = cast("VideoCodecContext", av.CodecContext.create(template.video_codec, "r"))
        self._decoder.extradata = template.video.codec_context.extradata
        self._decoder.thread_type, self._decoder.thread_count = ThreadType.NONE, 1
        self._encoder: VideoCodecContext | None = None
        #: Whether a packet of the encoder has come out, so that its stream has begun.
        self._has_begun = False
        #: Times of the pictures that are in the encoder.
        self._times: deque[_Times] = deque()
        self._frames = 0
        #: When the last packet arrived.
        self._arrived = (0.0, 0)
        self._since_keyframe = LEAST_FRAMES
        #: Packets that could not be decoded.
        self.errors = 0

    def take(self, packet: MediaPacket, at: float, at_ms: int) -> list[MaskedPacket]:
        """Return what comes out when a packet of the video goes in; the first one to go in is a keyframe.

        Raises:
            av.FFmpegError, ValueError: A picture cannot be encoded.
        """
        self._arrived = at, at_ms
        return self._encoded(self._decoded(packet), at, at_ms)

    def rest(self) -> list[MaskedPacket]:
        """Return what is left when no more packets come; nothing may be called afterwards."""
        made = self._encoded(self._decoded(None), *self._arrived)
        return made if self._encoder is None else made + self._timed(self._encoder.encode(None))

    def _decoded(self, packet: MediaPacket | None) -> list[VideoFrame]:
        try:
            return self._decoder.decode(packet)
        except (av.FFmpegError, ValueError):
            self.errors += 1
            return []

    def _encoded(self, frames: list[VideoFrame], at: float, at_ms: int) -> list[MaskedPacket]:
        made: list[MaskedPacket] = []
        for decoded in frames:
            is_keyframe = bool(decoded.key_frame) and self._since_keyframe >= LEAST_FRAMES
            times = _Times(decoded.pts, decoded.time_base, at, at_ms)
            frame = self._painter.frame(decoded)
            if frame.format.name not in _ENCODED:
                frame = converted(frame, frame.width, frame.height, _FALLBACK)
            encoder = self._encoder_of(frame)
            self._since_keyframe = 1 if is_keyframe else self._since_keyframe + 1
            frame.pict_type = PictureType.I if is_keyframe else PictureType.NONE
            frame.pts, frame.time_base = self._frames, encoder.time_base
            self._frames += 1
            self._times.append(times)
            made += self._timed(encoder.encode(frame))
        return made

    def _encoder_of(self, frame: VideoFrame) -> VideoCodecContext:
        """Return the encoder of frames like this one: another one where the camera has changed its size."""
        encoder = self._encoder
        shape = (frame.width, frame.height, frame.format.name)
        if encoder is not None and shape == (encoder.width, encoder.height, encoder.pix_fmt):
            return encoder
        encoder = av.CodecContext.create(ENCODER, "w")
        encoder.width, encoder.height, encoder.pix_fmt = shape
        encoder.framerate, encoder.time_base = Fraction(_RATE), Fraction(1, _RATE)
        encoder.gop_size, encoder.max_b_frames = MOST_FRAMES, 0
        encoder.thread_count = 1
        encoder.color_range, encoder.colorspace = frame.color_range, frame.colorspace
        encoder.options = dict(OPTIONS)
        # What the former one still holds of another size is given up: with this tuning it holds nothing.
        self._times.clear()
        self._encoder, self._has_begun, self._frames = encoder, False, 0
        return encoder

    def _timed(self, packets: list[VideoPacket]) -> list[MaskedPacket]:
        made: list[MaskedPacket] = []
        for packet in packets:
            its = self._times.popleft()
            packet.pts = packet.dts = its.pts
            if its.base is not None:
                packet.time_base = its.base
            begins = None if self._has_begun else _template_of(packet, self._template)
            self._has_begun = True
            made.append(MaskedPacket(packet, its.at, its.at_ms, begins))
        return made


def _template_of(keyframe: MediaPacket, source: MediaTemplate) -> MediaTemplate:
    """Return the parameters of the stream that begins with a keyframe, which has them within; the sound's stay."""
    with av.open(io.BytesIO(bytes(keyframe)), format="h264") as stream:
        return MediaTemplate(stream.streams.video[0], source.audio)
