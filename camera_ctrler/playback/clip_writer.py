"""Writes pieces of recorded footage into one MP4: packets as they are, or pictures encoded anew."""

import io
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from camera_ctrler.playback.export_plan import Piece, Plan
from camera_ctrler.playback.parameter_sets import AvcConfig, with_lengths
from camera_ctrler.playback.picture_encoder import BgrImage, fit
from camera_ctrler.playback.recorded_files import OpenedFile, RecordedFiles
from camera_ctrler.playback.track_runs import DamagedFootageError

#: Ticks a second of every time in a clip.
TICKS: Final = 90_000
_TIME_BASE: Final = Fraction(1, TICKS)
#: Close to what cameras send, at a size like theirs.
_ENCODER: Final = {"preset": "veryfast", "crf": "20", "bf": "0", "g": "250"}
_PIXELS: Final = frozenset({"yuv420p", "yuvj420p"})


@dataclass(slots=True)
class _Target:
    """A stream of the clip, and what was written to it last."""

    stream: Stream
    last_dts: int = -(10**15)
    end: int = 0

    def put(self, container: OutputContainer, packet: Any, pts: int, dts: int, duration: int) -> None:
        """Write a packet; times in `TICKS`. Decode times rise, whatever the footage says."""
        packet.dts = self.last_dts = max(dts, self.last_dts + 1)
        packet.pts = max(pts, packet.dts)
        packet.duration = duration
        packet.time_base = _TIME_BASE
        packet.stream = self.stream
        self.end = max(self.end, packet.pts + duration)
        container.mux_one(packet)


class ClipWriter:
    """Writes the pieces of one plan, in order, into one container."""

    def __init__(self, container: OutputContainer, files: RecordedFiles, planned: Plan, base: Piece) -> None:
        """Make the streams of the clip.

        Args:
            container: Empty.
            files: Where the footage is.
            planned: What goes into the clip.
            base: The piece whose streams the clip's are like.

        Raises:
            FootageGoneError, DamagedFootageError, ArchiveAwayError: `base` cannot be read.
        """
        self._container = container
        self._files = files
        self._plan = planned
        self._base_sound = b""
        self._sound: _Target | None = None
        #: What the clip's own parameter sets are numbered with, and bytes of the length before each NAL unit.
        self._set_id, self._length_size = 0, 4
        with _opened(files, base) as source:
            video = source.streams.video[0]
            self._size = video.codec_context.width, video.codec_context.height
            self._pixels = video.codec_context.pix_fmt if video.codec_context.pix_fmt in _PIXELS else "yuv420p"
            self._rate = video.average_rate or Fraction(25)
            self._video = _Target(self._like(video))
            if source.streams.audio:
                sound = source.streams.audio[0]
                self._base_sound = sound.codec_context.extradata or b""
                self._sound = _Target(container.add_stream_from_template(sound))
        #: Ticks by which the first picture is later than the plan says.
        self._late = 0
        #: When the first picture was taken, and when the last one ends, Unix ms UTC; known once pieces were written.
        self.begin_ms: Fraction | None = None
        self.end_ms = Fraction(0)
        self.left_out_sound = False

    def _like(self, video: VideoStream) -> Stream:
        """Add the clip's stream of pictures."""
        if self._plan.encode_all:
            # Its parameter sets are taken from the encoder's first packet.
            return self._container.add_mux_stream(
                "h264", width=self._size[0], height=self._size[1], time_base=_TIME_BASE
            )
        stream = self._container.add_stream_from_template(video)
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        if any(piece.encode for piece in self._plan.pieces):
            config = AvcConfig.parse(video.codec_context.extradata or b"")
            free = config.free_id()
            if free is None:
                raise DamagedFootageError("its stream uses every id of parameter sets there is; ask without exact")
            self._set_id, self._length_size = free, config.length_size
            encoder = self._encoder()
            encoder.open()
            stream.codec_context.extradata = config.with_sets(encoder.extradata or b"").pack()
        return stream

    def write(self, piece: Piece, begin: Fraction) -> None:
        """Write one piece.

        Args:
            piece: Of the plan.
            begin: Its time in the clip, seconds.

        Raises:
            FootageGoneError, DamagedFootageError, ArchiveAwayError: It cannot be read.
            av.FFmpegError: Its packets cannot be used.
        """
        with _opened(self._files, piece) as source:
            video = source.streams.video[0]
            clock = _Clock(piece, begin, cast("Fraction", video.time_base))
            sound = self._sound_of(source)
            sound_clock = None if sound is None else _Clock(piece, begin, cast("Fraction", sound.time_base))
            streams: list[Stream] = [video] if sound is None else [video, sound]
            packets = [packet for packet in source.demux(*streams) if packet.dts is not None]
            if piece.encode:
                # Pictures first: only they say when the clip begins. The container puts all in order.
                seen = (packet for packet in packets if packet.stream is video)
                _Encoding(self, clock, self._encoder()).run(seen, video)
                packets = [packet for packet in packets if packet.stream is not video]
            for packet in packets:
                if packet.stream is video:
                    self._copy_picture(packet, clock)
                elif sound_clock is not None:
                    self._copy_sound(packet, sound_clock)
        if self.begin_ms is not None:
            self.end_ms = piece.from_ms + (Fraction(self._video.end + self._late, TICKS) - begin) * 1000

    def _sound_of(self, source: InputContainer) -> AudioStream | None:
        """Return the sound of a file where it can stand in the clip."""
        if self._sound is None or not source.streams.audio:
            return None
        sound = source.streams.audio[0]
        if (sound.codec_context.extradata or b"") == self._base_sound:
            return sound
        self.left_out_sound = True
        return None

    def _copy_picture(self, packet: Any, clock: "_Clock") -> None:
        shown, decoded = packet.pts, packet.dts
        if (decoded + clock.reorder if clock.reorder else shown) >= clock.high:
            return
        self._video.put(
            self._container,
            packet,
            self.ticks(clock, shown),
            clock.ticks(decoded) - self._late,
            clock.length(packet.duration),
        )

    def _copy_sound(self, packet: Any, clock: "_Clock") -> None:
        at = clock.ticks(packet.pts) - self._late
        if clock.low <= packet.pts < clock.high and self._sound is not None and at > max(self._sound.last_dts, -1):
            self._sound.put(self._container, packet, at, at, clock.length(packet.duration))

    def ticks(self, clock: "_Clock", time: int) -> int:
        """Return the time in the clip of a picture; the first one is shown at 0."""
        if self.begin_ms is None:
            self.begin_ms = clock.wall_ms(time)
            self._late = clock.ticks(time)
        return clock.ticks(time) - self._late

    def put_encoded(self, packet: Any, duration: int) -> None:
        """Write what the encoder made; its times are the clip's, in `TICKS`."""
        if not self._plan.encode_all:
            data = av.Packet(with_lengths(bytes(packet), self._length_size))
            data.is_keyframe = packet.is_keyframe
            data.pts, data.dts = packet.pts, packet.dts
            packet = data
        self._video.put(self._container, packet, packet.pts, packet.dts, duration)

    def _encoder(self) -> VideoCodecContext:
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height = self._size
        encoder.pix_fmt = self._pixels
        encoder.time_base, encoder.framerate = _TIME_BASE, self._rate
        encoder.thread_count = 1  # the same bytes every time, and the API's other answers want a core too
        encoder.options = {**_ENCODER, "x264-params": f"sps-id={self._set_id}"}
        if not self._plan.encode_all:
            encoder.flags |= av.codec.context.Flags.global_header
        return encoder

    def fitted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a picture in the clip's size and format, with black bars where it has another shape."""
        if (frame.width, frame.height) == self._size:
            return frame if frame.format.name == self._pixels else frame.reformat(format=self._pixels)
        image = cast("BgrImage", frame.to_ndarray(format="bgr24"))
        return av.VideoFrame.from_ndarray(fit(image, *self._size), format="bgr24").reformat(format=self._pixels)


class _Encoding:
    """One piece that is decoded and encoded anew."""

    def __init__(self, writer: ClipWriter, clock: "_Clock", encoder: VideoCodecContext) -> None:
        self._writer = writer
        self._clock = clock
        self._encoder = encoder
        self._durations: dict[int, int] = {}

    def run(self, packets: Iterable[Any], video: VideoStream) -> None:
        """Decode all packets of a stream, and encode the pictures that are wanted."""
        for packet in packets:
            for frame in packet.decode():
                self._encode(frame)
        for frame in video.codec_context.decode(None):
            self._encode(frame)
        if self._durations:
            self._put(None)

    def _encode(self, frame: av.VideoFrame) -> None:
        at, duration = frame.pts or 0, self._clock.length(frame.duration)
        if not self._clock.low <= at < self._clock.high:
            return
        frame = self._writer.fitted(frame)
        frame.pts, frame.time_base = self._writer.ticks(self._clock, at), _TIME_BASE
        frame.pict_type = av.video.frame.PictureType.NONE  # else the encoder makes a keyframe wherever there was one
        self._durations[frame.pts] = duration
        self._put(frame)

    def _put(self, frame: av.VideoFrame | None) -> None:
        for packet in self._encoder.encode(frame):
            self._writer.put_encoded(packet, self._durations.get(packet.pts or 0, 0))


class _Clock:
    """Turns the times of one stream of a file into times of the clip; in whole numbers, for every packet needs it."""

    def __init__(self, piece: Piece, begin: Fraction, time_base: Fraction) -> None:
        layout = piece.source.layout
        first = Fraction(layout.first_picture, layout.head.video.timescale)
        start_ms = piece.found.segment.start_ms
        self._piece = piece
        self._first = first
        self._time_base = time_base
        self._scale = time_base * TICKS
        self._numerator, self._denominator = self._scale.numerator, self._scale.denominator
        self._shift = round((begin - (piece.from_ms - start_ms) / 1000 - first) * TICKS)
        #: The piece is what is shown from `low` on and before `high`, in the file's own time.
        self.low = math.ceil(((piece.from_ms - start_ms) / 1000 + first) / time_base)
        self.high = math.ceil(((piece.to_ms - start_ms) / 1000 + first) / time_base)
        #: From decoding a picture to showing it, where the stream has B-frames.
        self.reorder = round(Fraction(layout.fragments[0].first_offset, layout.head.video.timescale) / time_base)

    def ticks(self, time: int) -> int:
        """Return a time of the clip, in `TICKS`."""
        return time * self._numerator // self._denominator + self._shift

    def length(self, duration: int | None) -> int:
        """Return a duration in `TICKS`."""
        return (duration or 0) * self._numerator // self._denominator

    def wall_ms(self, time: int) -> Fraction:
        """Return Unix ms."""
        return self._piece.source.wall_ms(time * self._time_base - self._first)


@contextmanager
def _opened(files: RecordedFiles, piece: Piece) -> Iterator[InputContainer]:
    with files.open(piece.found) as opened:
        data = _bytes_of(opened, piece)
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        yield container


def _bytes_of(opened: OpenedFile, piece: Piece) -> bytes:
    layout = piece.source.layout
    last = layout.last_needed(piece.last) if piece.encode else piece.last
    return opened.read(0, layout.head.size) + opened.read(*layout.bytes_of(piece.first, last))
