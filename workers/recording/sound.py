"""The sound of a recording: AAC as the camera sends it, G.711 as AAC, nothing else."""

import io
from fractions import Fraction
from typing import Final, Protocol, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray

from workers.media import MediaPacket, MediaTemplate

#: Samples of one AAC frame.
AAC_SAMPLES: Final = 1024
#: Bits a second per channel of converted sound: what AAC allows at 8 kHz, and more than G.711 holds.
BIT_RATE: Final = 24_000
#: Seconds that a packet may be away from where the ones before it end; beyond that samples are missing.
HOLE_SECONDS: Final = 0.25
_CONVERTED: Final = {"pcm_mulaw": "G.711", "pcm_alaw": "G.711", "aac": "AAC"}


class Sound(Protocol):
    """What becomes of a camera's sound."""

    #: For the sound of an output container.
    template: AudioStream

    def take(self, packet: MediaPacket, seconds: float) -> list[tuple[MediaPacket, float]]:
        """Return what is to be written, each with its place on the line.

        Args:
            packet: As the camera sent it.
            seconds: Its place on the line of the sound.

        Raises:
            av.FFmpegError: It is damaged.
        """
        ...


class CopiedSound:
    """AAC as it comes."""

    def __init__(self, template: AudioStream) -> None:
        self.template = template

    def take(self, packet: MediaPacket, seconds: float) -> list[tuple[MediaPacket, float]]:
        """Return the packet."""
        return [(packet, seconds)]


class ConvertedSound:
    """Anything that libav decodes, as AAC."""

    def __init__(self, template: AudioStream) -> None:
        """Prepare decoder and encoder.

        Raises:
            av.FFmpegError, ValueError: libav cannot convert it.
        """
        source = template.codec_context
        decoder = av.CodecContext.create(source.codec.name, "r")
        assert isinstance(decoder, av.AudioCodecContext)
        decoder.extradata = source.extradata
        self._decoder: Final = decoder
        self._rate: Final = source.sample_rate
        # Some containers say how many channels there are, but not which.
        self._layout: Final = {1: "mono", 2: "stereo"}.get(source.layout.nb_channels, source.layout.name)
        self._decoder.sample_rate, self._decoder.layout = self._rate, self._layout
        # Owns the encoder; its header, which nobody reads, completes the parameters that templates are copied from.
        self._holder = av.open(io.BytesIO(), "w", format="mp4")
        self.template = self._holder.add_stream("aac", rate=self._rate)
        self.template.codec_context.layout = self._layout
        self.template.codec_context.bit_rate = BIT_RATE * source.layout.nb_channels
        self._holder.start_encoding()
        self._resampler = av.AudioResampler(format="fltp", layout=self._layout, rate=self._rate)
        self._waiting = np.empty((source.layout.nb_channels, 0), np.float32)
        #: Number, counted from the beginning of the line, of the first sample that waits.
        self._first = 0

    def take(self, packet: MediaPacket, seconds: float) -> list[tuple[MediaPacket, float]]:
        """Return the AAC frames that have become whole."""
        expected = self._first + self._waiting.shape[1]
        number = round(seconds * self._rate)
        if abs(number - expected) > HOLE_SECONDS * self._rate:
            self._waiting = self._waiting[:, :0]
            self._first = number
        decoded = [again for frame in self._decode(packet) for again in self._resampler.resample(frame)]
        self._waiting = np.concatenate([self._waiting, *(frame.to_ndarray() for frame in decoded)], axis=1)
        made: list[tuple[MediaPacket, float]] = []
        while self._waiting.shape[1] >= AAC_SAMPLES:
            made += self._encode(self._waiting[:, :AAC_SAMPLES])
            self._waiting = self._waiting[:, AAC_SAMPLES:]
            self._first += AAC_SAMPLES
        return made

    def _decode(self, packet: MediaPacket) -> list[av.AudioFrame]:
        # Of its own: a decoder takes times from the packet that are of no use here.
        return self._decoder.decode(Packet(bytes(packet)))

    def _encode(self, samples: NDArray[np.float32]) -> list[tuple[MediaPacket, float]]:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._first, Fraction(1, self._rate)
        return [
            (cast("MediaPacket", packet), float(packet.pts * packet.time_base))
            for packet in self.template.codec_context.encode(frame)
            if packet.pts is not None
        ]


def sound_of(template: MediaTemplate) -> tuple[Sound | None, str]:
    """Return what becomes of a stream's sound, and a note for people where it is changed or left out."""
    audio, codec = template.audio, template.audio_codec
    if audio is None:
        return None, ""
    if codec == "aac" and audio.codec_context.extradata:
        return CopiedSound(audio), ""
    if codec not in _CONVERTED:
        return None, f"its sound ({codec}) is left out: only AAC and G.711 are recorded"
    try:
        return ConvertedSound(audio), f"its sound ({_CONVERTED[codec]}) is recorded as AAC"
    except (av.FFmpegError, ValueError) as error:
        return None, f"its sound ({codec}) is left out: libav cannot convert it ({error})"
