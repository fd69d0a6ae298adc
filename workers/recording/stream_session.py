"""One stream from its opening to its end, as a recording sees it: its parameters, its times, its sound."""

import io
from typing import Final, cast

import av
from av.video.stream import VideoStream

from contract.errors import FarmError, StatusReason
from workers.media import MediaPacket, MediaTemplate
from workers.recording.first_stamps import Stamp, completed
from workers.recording.held_packets import Arrived, HeldPacket
from workers.recording.media_clock import MediaClock
from workers.recording.parameter_sets import (
    CODECS,
    ParameterSets,
    declared_sets,
    have_changed,
    length_size,
    parameter_sets,
    to_annex_b,
)
from workers.recording.sound import Sound, sound_of

#: Seconds by which two ways to bring sound and picture together may differ, before the stream's own times are not
#: believed to have the same zero.
SYNC_SECONDS: Final = 0.5


#: Bytes at the beginning of a keyframe in which its parameter sets are, before its slices.
_HEAD_BYTES: Final = 65_536


class NotRecordedError(FarmError):
    """Packets cannot be recorded now; `reason` says why."""

    def __init__(self, reason: StatusReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Final = reason


class StreamSession:
    """One open stream. Not thread-safe."""

    def __init__(self, template: MediaTemplate) -> None:
        self.codec: Final = template.video_codec
        self.clock: Final = MediaClock()
        self._sound_clock = MediaClock()
        self.sound: Sound | None
        self.sound, self.sound_note = sound_of(template)
        #: Whether no more packets come of it.
        self.ended = False
        self._template = template
        extradata = template.video.codec_context.extradata or b""
        self._length_size = length_size(extradata, self.codec)
        self._sets: ParameterSets = declared_sets(extradata, self.codec) if self.is_recordable else frozenset()
        #: Seconds of a tick of the video and of the sound, as their first packets say: asking each one costs more than
        #: all else that is done with it.
        self._ticks: dict[bool, float | None] = {}
        #: The first packets of the video, until their times are known; None: they are.
        self._first: list[tuple[Arrived, Stamp]] | None = []
        #: Whether packets are given start codes, for the parameters came out of the stream itself.
        self._rewrites = False

    @property
    def is_recordable(self) -> bool:
        """Whether the codec is one that is recorded."""
        return self.codec in CODECS

    @property
    def video(self) -> VideoStream:
        """Template of the video, as its parameters are now."""
        return self._template.video

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._template.width, self._template.height

    def place(self, arrived: Arrived) -> list[HeldPacket["StreamSession"]]:
        """Put a packet on its line of time; the first ones are returned together, as soon as their times are known."""
        packet = arrived.packet
        if arrived.is_video not in self._ticks:
            self._ticks[arrived.is_video] = _tick(packet)
        tick = self._ticks[arrived.is_video]
        stamp = Stamp(_seconds(packet.dts, tick), _seconds(packet.pts, tick))
        if not arrived.is_video or self._first is None:
            return [self._placed(arrived, stamp)]
        self._first.append((arrived, stamp))
        stamps = completed([known for _, known in self._first])
        return [] if stamps is None else self._begin(stamps)

    def end(self) -> list[HeldPacket["StreamSession"]]:
        """Take note that no more packets come; return those whose times were still waited for."""
        self.ended = True
        return self._begin([known for _, known in self._first or []])

    def _begin(self, stamps: list[Stamp]) -> list[HeldPacket["StreamSession"]]:
        first, self._first = self._first or [], None
        return [self._placed(held, known) for (held, _), known in zip(first, stamps, strict=True)]

    def _placed(self, arrived: Arrived, stamp: Stamp) -> HeldPacket["StreamSession"]:
        clock = self.clock if arrived.is_video else self._sound_clock
        placed = clock.place(stamp.decode, stamp.present, arrived.at, arrived.at_ms)
        return HeldPacket(
            session=self,
            packet=arrived.packet,
            is_video=arrived.is_video,
            is_keyframe=arrived.is_keyframe,
            seconds=placed.seconds,
            shown_after=placed.shown_after,
            at=arrived.at,
            size=arrived.size,
            cuts=placed.jumped or arrived.follows_hole,
        )

    def sound_shift(self) -> float:
        """Return what is added to a place on the sound's line to have that on the picture's."""
        by_arrival = self._sound_clock.offset - self.clock.offset
        by_stamps = self.clock.shift - self._sound_clock.shift
        trusted = self.clock.trusts_stamps and self._sound_clock.trusts_stamps
        return by_stamps if trusted and abs(by_stamps - by_arrival) < SYNC_SECONDS else by_arrival

    def changes_at(self, keyframe: MediaPacket) -> bool:
        """Tell whether a keyframe brings other parameters than those known, or none are known yet."""
        if not (self._template.width and self._sets):
            return True
        head = bytes(memoryview(keyframe)[:_HEAD_BYTES])
        return have_changed(self._sets, parameter_sets(head, self.codec, self._length_size), self.codec)

    def learn(self, keyframe: MediaPacket) -> None:
        """Take the parameters of the video from a keyframe.

        Raises:
            NotRecordedError: It brings none that can be used.
        """
        data = to_annex_b(bytes(keyframe), self._length_size)
        try:
            with av.open(io.BytesIO(data), format=self.codec) as source:
                template = MediaTemplate(source.streams.video[0])
        except (av.FFmpegError, ValueError, IndexError) as error:
            raise NotRecordedError(StatusReason.DECODE_FAILED, f"its keyframes cannot be read ({error})") from error
        if not template.width:
            raise NotRecordedError(StatusReason.DECODE_FAILED, "its keyframes do not say how large the picture is")
        self._template = template
        self._sets = parameter_sets(data, self.codec, None)
        self._rewrites = self._length_size is not None

    def as_written(self, packet: MediaPacket) -> MediaPacket:
        """Return a packet of the video as the template's parameters describe it."""
        if not self._rewrites:
            return packet
        made = av.Packet(to_annex_b(bytes(packet), self._length_size))
        made.is_keyframe = packet.is_keyframe
        return cast("MediaPacket", made)


def _tick(packet: MediaPacket) -> float | None:
    # PyAV's types do not say it, but a packet may have no time base.
    return float(packet.time_base) if packet.time_base else None


def _seconds(ticks: int | None, tick: float | None) -> float | None:
    return None if ticks is None or tick is None else ticks * tick
