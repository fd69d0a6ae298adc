"""Packets that wait to be written, in memory: between the capture's thread and the recorder's, and as pre-roll."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from contract.errors import StatusReason
from workers.media import MediaPacket, MediaTemplate

#: Bytes that a packet takes in memory besides its data, about.
OVERHEAD_BYTES: Final = 600

Session = TypeVar("Session")


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream was opened; what follows is of it."""

    template: MediaTemplate


@dataclass(frozen=True, slots=True)
class Ended:
    """The stream that was opened last has ended."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The stream cannot be opened, or has ended, for a reason."""

    reason: StatusReason
    detail: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Packets of the video that were to be recorded and never come here, with the reason."""

    reason: str
    packets: int


# Not frozen, as what is made for every packet: that would take three times as long.
@dataclass(slots=True)
class Arrived:
    """One packet as the capture hands it over."""

    packet: MediaPacket
    is_video: bool
    is_keyframe: bool
    #: Monotonic seconds.
    at: float
    #: Unix ms UTC.
    at_ms: int
    size: int
    #: Whether packets before it were dropped, for nobody took them in time.
    follows_hole: bool = False


Told = Opened | Ended | Failed | Lost | Arrived


class Inbox:
    """What a capture has told and nobody has read yet; bounded in bytes. Safe to use from several threads."""

    def __init__(self, limit_bytes: int) -> None:
        """Begin empty.

        Args:
            limit_bytes: Of packets; when there are more, the oldest go, up to the next keyframe.
        """
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._told: deque[Told] = deque()
        self._bytes = 0
        self._dropped = 0
        #: Whether what comes is of no use until the next keyframe, for what it needs was dropped.
        self._needs_keyframe = False

    def put(self, told: Told) -> None:
        """Leave something; never blocks for long."""
        with self._lock:
            if isinstance(told, Arrived):
                self._put_packet(told)
            else:
                self._needs_keyframe &= not isinstance(told, Opened)
                self._told.append(told)

    def take(self) -> tuple[list[Told], int]:
        """Return all of it, oldest first, and how many packets of the video were dropped since the last time."""
        with self._lock:
            told, self._told = list(self._told), deque()
            dropped, self._dropped, self._bytes = self._dropped, 0, 0
            return told, dropped

    def _put_packet(self, arrived: Arrived) -> None:
        if self._needs_keyframe and not arrived.is_keyframe:
            self._dropped += arrived.is_video
            return
        if self._needs_keyframe:
            arrived = replace(arrived, follows_hole=True)
            self._needs_keyframe = False
        self._told.append(arrived)
        self._bytes += arrived.size
        if self._bytes > self._limit:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Drop packets up to the second keyframe; without one, all. What is no packet stays."""
        self._needs_keyframe = True
        kept: list[Told] = []
        keyframes = 0
        while self._told:
            told = self._told.popleft()
            if not isinstance(told, Arrived):
                kept.append(told)
                continue
            # The newest keyframe of what waits may be the only one: then it goes too, with all that needs it.
            keyframes += told.is_keyframe
            if told.is_keyframe and keyframes > 1:
                self._told.appendleft(replace(told, follows_hole=True))
                self._needs_keyframe = False
                break
            self._bytes -= told.size
            self._dropped += told.is_video
        self._told.extendleft(reversed(kept))


@dataclass(slots=True)
class HeldPacket(Generic[Session]):
    """One packet with its place on its stream's line of time."""

    session: Session
    packet: MediaPacket
    is_video: bool
    is_keyframe: bool
    #: Seconds on the line of the video (or of the sound) of its session.
    seconds: float
    shown_after: float
    #: Monotonic seconds when it arrived.
    at: float
    size: int
    #: Whether a new file had better begin at the next keyframe.
    cuts: bool


class HeldPackets(Generic[Session]):
    """Packets in order, with the keyframes among them. Not thread-safe."""

    def __init__(self) -> None:
        self._packets: deque[HeldPacket[Session]] = deque()
        self._keyframes: deque[HeldPacket[Session]] = deque()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._packets)

    def __iter__(self) -> Iterator[HeldPacket[Session]]:
        return iter(self._packets)

    def append(self, packet: HeldPacket[Session]) -> None:
        """Add the newest."""
        self._packets.append(packet)
        if packet.is_keyframe:
            self._keyframes.append(packet)
        self.bytes += packet.size

    @property
    def oldest(self) -> HeldPacket[Session] | None:
        """The oldest; None: there is none."""
        return self._packets[0] if self._packets else None

    def pop(self) -> HeldPacket[Session]:
        """Take the oldest out."""
        packet = self._packets.popleft()
        self.bytes -= packet.size
        if packet.is_keyframe:
            self._keyframes.popleft()
        return packet

    def gop_end(self) -> float | None:
        """Return when the keyframe after the oldest packet arrived; None: the oldest GOP may still grow."""
        own = int(bool(self._packets) and self._packets[0].is_keyframe)
        return self._keyframes[own].at if len(self._keyframes) > own else None

    def drop_gop(self) -> int:
        """Drop the oldest packet and all up to the next keyframe; return how many were of the video."""
        dropped = 0
        while self._packets:
            dropped += self.pop().is_video
            if self._packets and self._packets[0].is_keyframe:
                break
        return dropped
