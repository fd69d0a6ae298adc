"""What captures hand to recorders: packets as they arrive, and a copy of the stream's parameters."""

import io
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import av
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.stream import VideoStream

from contract.errors import StatusReason

if TYPE_CHECKING:
    VideoPacket: TypeAlias = Packet[VideoStream]
    MediaPacket: TypeAlias = Packet[VideoStream] | Packet[AudioStream]
else:
    # PyAV's packet takes a parameter only in its type stubs.
    VideoPacket = MediaPacket = Packet


class MediaTemplate:
    """The parameters of a stream's video and sound, which outlive the connection.

    Its streams serve as templates for those of output containers, from any thread; a stream of the input would be
    freed under them when the input is closed.
    """

    def __init__(self, video: VideoStream, audio: AudioStream | None = None) -> None:
        """Copy the parameters."""
        # Never written to: it only owns the copies. NUT takes every codec.
        self._holder: Final = av.open(io.BytesIO(), "w", format="nut")
        self.video: Final[VideoStream] = self._holder.add_stream_from_template(video)
        self.audio: Final[AudioStream | None] = None if audio is None else self._holder.add_stream_from_template(audio)
        #: libav's names, for example ``h264`` and ``pcm_mulaw``; empty: there is no sound.
        self.video_codec: Final[str] = video.codec_context.codec.canonical_name
        self.audio_codec: Final[str] = "" if audio is None else audio.codec_context.codec.canonical_name
        #: Size in pixels as the stream's description states it; 0: it does not.
        self.width: Final[int] = video.codec_context.width
        self.height: Final[int] = video.codec_context.height


class MediaTap(Protocol):
    """Takes the packets of one camera for its recording.

    Called on the capture's thread, in order; nothing of it may block or raise.
    """

    @property
    def wants_audio(self) -> bool:
        """Whether sound is to be received too; asked when a stream is opened."""
        ...

    def opened(self, template: MediaTemplate) -> None:
        """Take note that a stream is open; its packets follow."""

    def packet(self, packet: MediaPacket, *, is_video: bool, at: float, at_ms: int) -> None:
        """Take a packet, which nobody else uses any more.

        Args:
            packet: As the camera sent it; its times are the camera's.
            is_video: Whether it is one of `MediaTemplate.video`; else of `MediaTemplate.audio`.
            at: Monotonic seconds when it arrived.
            at_ms: Unix time in milliseconds UTC when it arrived, by the worker's clock.
        """

    def ended(self) -> None:
        """Take note that no more packets come of the stream that was opened last."""

    def failed(self, reason: StatusReason, detail: str) -> None:
        """Take note of why the stream cannot be opened or has ended; it is tried again."""
