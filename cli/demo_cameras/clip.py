"""A clip as the RTSP server plays it: its packets in memory, numbered on and on over the loops."""

import bisect
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av

from contract.errors import FarmError

#: What one RTP packet carries, and whether it is the last of its frame (RTP's marker bit).
RtpPayload = tuple[bytes, int]
Packetize = Callable[[bytes, bool], list[RtpPayload]]


class UnplayableClipError(FarmError, ValueError):
    """A file that cannot be served as a camera."""


@dataclass(frozen=True, slots=True)
class ClipPacket:
    """One encoded frame."""

    #: Seconds after the first packet when it is sent (decoding order) and shown.
    sent_at: float
    shown_at: float
    is_keyframe: bool
    payloads: tuple[RtpPayload, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """Packets of one file; packet number ``n`` of the endless loop is ``packets[n % len(packets)]``."""

    packets: tuple[ClipPacket, ...]
    #: Seconds from the first packet to the first packet of the next round.
    duration: float
    _keyframes: tuple[int, ...] = field(init=False, repr=False)
    _keyframe_times: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the keyframes.

        Raises:
            UnplayableClipError: It is empty, has no duration, or does not begin with a keyframe.
        """
        if not self.packets or not self.packets[0].is_keyframe or self.duration <= 0:
            raise UnplayableClipError("a clip needs packets, a duration and a keyframe at its beginning")
        keyframes = tuple(number for number, packet in enumerate(self.packets) if packet.is_keyframe)
        object.__setattr__(self, "_keyframes", keyframes)
        object.__setattr__(self, "_keyframe_times", tuple(self.packets[number].sent_at for number in keyframes))

    def packet(self, number: int) -> ClipPacket:
        """Return packet `number` of the endless loop."""
        return self.packets[number % len(self.packets)]

    def sent_at(self, number: int) -> float:
        """Seconds from the beginning of the loop until packet `number` is sent."""
        return number // len(self.packets) * self.duration + self.packet(number).sent_at

    def shown_at(self, number: int) -> float:
        """Seconds from the beginning of the loop until the frame of packet `number` is shown."""
        return number // len(self.packets) * self.duration + self.packet(number).shown_at

    def keyframe_at(self, elapsed: float) -> int:
        """Return the number of the newest keyframe that is sent at or before `elapsed` seconds."""
        rounds, position = divmod(max(0.0, elapsed), self.duration)
        newest = bisect.bisect_right(self._keyframe_times, position) - 1
        return int(rounds) * len(self.packets) + self._keyframes[max(0, newest)]


def load_clip(path: Path, packetize: Packetize) -> Clip:
    """Read the video packets of `path`.

    Args:
        path: A file with an H.264 or H.265 stream.
        packetize: Cuts one encoded frame, given with whether it is a keyframe, into RTP payloads.

    Raises:
        UnplayableClipError: The file has no video that can be read from its beginning.
    """
    packets: list[ClipPacket] = []
    try:
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            frame_seconds = float(1 / (video.average_rate or Fraction(25)))
            first: Fraction | None = None
            for packet in container.demux(video):
                if packet.pts is None or not packet.size or packet.time_base is None:
                    continue
                sent = (packet.pts if packet.dts is None else packet.dts) * packet.time_base
                first = sent if first is None else first
                packets.append(
                    ClipPacket(
                        sent_at=float(sent - first),
                        shown_at=float(packet.pts * packet.time_base - first),
                        is_keyframe=packet.is_keyframe,
                        payloads=tuple(packetize(bytes(packet), packet.is_keyframe)),
                    )
                )
    except (av.FFmpegError, IndexError) as error:
        raise UnplayableClipError(f"{path.name} has no video that can be read: {error}") from error
    if not packets:
        raise UnplayableClipError(f"{path.name} has no video that can be read")
    return Clip(tuple(packets), packets[-1].sent_at + frame_seconds)
