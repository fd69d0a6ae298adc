"""A camera's recording that a test feeds with really encoded packets, at times that the test sets."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.stream import VideoStream

from contract.recordings import RecordingSettings, RecordingStatus, RecordMode, Segment
from tests.support.clips import picture
from tests.support.live_recording import FileContents, contents_of
from workers.media import MediaPacket, MediaTemplate
from workers.recording.camera_recorder import CameraRecorder
from workers.recording.wishes import Look

FPS: Final = 10
#: Unix ms of the monotonic 0: in the first minutes of an hour.
ZERO_MS: Final = 1_800_000_000_000 - 1_800_000_000_000 % 3_600_000 + 60_000
CONTINUOUS: Final = RecordingSettings(record=RecordMode.CONTINUOUS)
_ENCODERS: Final = {"h264": "libx264", "hevc": "libx265", "mjpeg": "mjpeg"}
_TICKS: Final = 90_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One packet as it is sent, without times."""

    data: bytes
    is_keyframe: bool


class Encoded:
    """A few seconds of a stream, encoded once, to be sent over and over."""

    def __init__(
        self,
        *,
        codec: str = "h264",
        size: tuple[int, int] = (160, 120),
        gop: int = 10,
        sound: str = "",
        container: str = "nut",
    ) -> None:
        """Encode two GOPs.

        Args:
            codec: ``h264``, ``hevc`` or ``mjpeg``.
            size: Width and height in pixels.
            gop: Frames from keyframe to keyframe.
            sound: ``aac`` or ``pcm_mulaw``; empty: none.
            container: What it is read from: ``nut`` and ``mpegts`` have start codes, ``mp4`` has lengths.
        """
        self.gop = gop
        file = io.BytesIO()
        with av.open(file, "w", format=container) as output:
            stream = self._add_video(output, codec, size, gop)
            audio = self._add_audio(output, sound) if sound else None
            for number in range(2 * gop):
                frame = av.VideoFrame.from_ndarray(picture(number, size), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
            if audio is not None:
                self._encode_tone(output, audio, 2 * gop / FPS)
        file.seek(0)
        with av.open(file, "r") as source:
            sounds = source.streams.audio
            self.template = MediaTemplate(source.streams.video[0], sounds[0] if sounds else None)
            packets = [packet for packet in source.demux() if packet.size]
            self.video = [Sent(bytes(one), one.is_keyframe) for one in packets if one.stream.type == "video"]
            self.sound = [Sent(bytes(one), True) for one in packets if one.stream.type == "audio"]
            self.sound_seconds = 2 * gop / FPS / len(self.sound) if self.sound else 0.0

    @staticmethod
    def _add_video(output: Any, codec: str, size: tuple[int, int], gop: int) -> VideoStream:
        options = {
            "h264": {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"},
            "hevc": {"preset": "ultrafast", "x265-params": f"log-level=error:bframes=0:keyint={gop}:min-keyint={gop}"},
        }.get(codec, {})
        stream = output.add_stream(_ENCODERS[codec], rate=FPS, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = gop
        return stream

    @staticmethod
    def _add_audio(output: Any, sound: str) -> AudioStream:
        stream = output.add_stream(sound, rate=8_000)
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout = "mono"
        return stream

    @staticmethod
    def _encode_tone(output: Any, stream: AudioStream, seconds: float) -> None:
        tone = (np.sin(np.arange(round(8_000 * seconds)) * (440 * 2 * np.pi / 8_000)) * 8_000).astype(np.int16)
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=8_000)
        for start in range(0, len(tone), 1_000):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1_000], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 8_000, start, Fraction(1, 8_000)
            for converted in resampler.resample(frame):
                output.mux(stream.encode(converted))
        output.mux(stream.encode(None))


class FedRecording:
    """A recording and the camera behind it; every second of `play` is a second of both clocks."""

    def __init__(self, root: Path, *, settings: RecordingSettings = CONTINUOUS, buffer_bytes: int = 16_000_000) -> None:
        self.root = root
        self.settings = settings
        self.epoch = 1
        self.recorder = CameraRecorder("cam", "w", root, epoch=1, settings=settings, buffer_bytes=buffer_bytes)
        #: Monotonic seconds.
        self.now = 0.0
        #: What is added to the camera's clock.
        self.stamp_shift = 0.0
        #: Whether the sound has stopped, while the pictures go on.
        self.is_mute = False
        #: Whether packets have times of their own.
        self.is_stamped = True
        self.segments: list[Segment] = []
        self._videos: Iterator[Sent] = iter(())
        self._sounds: Iterator[Sent] = iter(())
        self._stream: Encoded | None = None
        self._sound_at = 0.0

    def open(self, stream: Encoded, *, skip: int = 0) -> None:
        """Let the camera's stream be opened, `skip` packets after a keyframe."""
        self._stream = stream
        self._videos = islice(_endless(stream.video), skip, None)
        self._sounds = _endless(stream.sound)
        self._sound_at = self.now
        self.recorder.opened(stream.template)

    def end(self) -> None:
        """Let the stream end, and the recorder take note."""
        self.recorder.ended()
        self.step()

    def play(self, seconds: float, *, step_every: float = 0.3) -> None:
        """Let packets arrive for a while, the recorder looking after them every so often."""
        stepped = self.now
        for _ in range(round(seconds * FPS)):
            self.now = round(self.now + 1 / FPS, 6)
            self._send(next(self._videos), self.now, is_video=True)
            stream = self._stream
            while stream is not None and stream.sound and self._sound_at < self.now:
                if not self.is_mute:
                    self._send(next(self._sounds), self._sound_at, is_video=False)
                self._sound_at += stream.sound_seconds
            if self.now - stepped >= step_every:
                stepped = self.now
                self.step()

    def _send(self, sent: Sent, stamp: float, *, is_video: bool) -> None:
        packet = Packet(sent.data)
        packet.time_base = Fraction(1, _TICKS)
        if self.is_stamped:
            packet.pts = packet.dts = round((stamp + self.stamp_shift) * _TICKS)
        packet.is_keyframe = sent.is_keyframe
        at_ms = ZERO_MS + round(self.now * 1000)
        self.recorder.packet(cast("MediaPacket", packet), is_video=is_video, at=self.now, at_ms=at_ms)

    def silence(self, seconds: float) -> None:
        """Let time go by in which nothing arrives."""
        self.now += seconds
        self.step()

    def step(self) -> None:
        """Let the recorder do a round, and keep what it tells: of a file that is told of again, the last word."""
        self.recorder.step(self.now)
        self._keep()

    def finish(self) -> None:
        """Let the recorder finish."""
        self.step()
        self.recorder.finish()
        self._keep()

    def _keep(self) -> None:
        known = {(segment.start_ms, segment.epoch): segment for segment in self.segments}
        known |= {(segment.start_ms, segment.epoch): segment for segment in self.recorder.news().finished}
        self.segments = [known[key] for key in sorted(known)]

    def look(self, *, at: float | None = None, **found: Any) -> None:
        """Let analysis find something in the frame of now, or of another time."""
        self.recorder.looked(replace(Look(self.now if at is None else at), **found))

    def change(self, **settings: Any) -> None:
        """Let the manager change the recording's settings, and the epoch where it is given."""
        self.epoch = settings.pop("epoch", self.epoch)
        self.settings = self.settings.model_copy(update=settings)
        self.recorder.update(epoch=self.epoch, settings=self.settings)

    @property
    def status(self) -> RecordingStatus:
        """What the recording says."""
        return self.recorder.status(self.now)

    @property
    def lengths(self) -> list[float]:
        """Seconds of every finished file."""
        return [(segment.end_ms - segment.start_ms) / 1000 for segment in self.segments]


def _endless(sent: list[Sent]) -> Iterator[Sent]:
    while sent:
        yield from sent


#: One keyframe a second.
PLAIN: Final = Encoded()


def files(recording: FedRecording) -> list[FileContents]:
    """Return what lies on the disk."""
    return contents_of(recording.root, "cam")


def recorded(root: Path, mode: RecordMode, *, pre: float = 3.0, post: float = 4.0) -> FedRecording:
    """Return an open recording of a mode."""
    asked = RecordingSettings(record=mode, pre_roll_seconds=pre, post_roll_seconds=post)
    recording = FedRecording(root, settings=asked)
    recording.open(PLAIN)
    return recording


def files_on(root: Path) -> int:
    """Return how many files lie there."""
    return len(list(root.rglob("*.mp4")))
