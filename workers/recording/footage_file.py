"""One file of a camera's footage: begun with a packet, named after its time, described when it is finished."""

import errno
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import av
from av.audio.stream import AudioStream

from contract.errors import StatusReason
from contract.recording_paths import segment_path
from contract.recordings import (
    MAX_SEGMENT_MS,
    SEGMENT_SECONDS,
    OpenSegment,
    RecordingSettings,
    Segment,
)
from workers.media import MediaPacket
from workers.recording.held_packets import HeldPacket
from workers.recording.segment_writer import SegmentWriter
from workers.recording.stream_session import NotRecordedError, StreamSession

#: A keyframe this much before `SEGMENT_SECONDS` ends a file too: keyframes every 2 s come after 9.98 s.
EARLY_SECONDS: Final = 0.2
#: Seconds from one packet of the video to the next before two are there, and the most that are believed.
USUAL_INTERVAL: Final = 0.04
LONGEST_INTERVAL: Final = 5.0
#: Names with the same start and epoch that are tried: the clock was set back to the very millisecond.
_NAMES: Final = 100
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_READ_ONLY: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})

Held = HeldPacket[StreamSession]


class FootageFile:
    """The file that is being written. Not thread-safe."""

    def __init__(self, root: Path, camera_id: str, first: Held, *, epoch: int, settings: RecordingSettings) -> None:
        """Make the file that begins with the packet `first` of the video, which is still to be added.

        Raises:
            NotRecordedError: The disk does not take it, or the stream makes no file.
        """
        self.session: Final = first.session
        self.camera_id: Final = camera_id
        self.epoch: Final = epoch
        self.settings: Final = settings
        #: Monotonic seconds when its first and its last packet arrived.
        self.from_at, self.to_at = first.at, first.at
        #: Whether it ends at the next keyframe, whatever its length.
        self.cuts = False
        self._starts_at = self._last = first.seconds
        self._interval = USUAL_INTERVAL
        #: Place of its end on the line of the session's video; none while it may grow.
        self._ends_at = float("inf")
        try:
            if first.is_keyframe and self.session.changes_at(first.packet):
                self.session.learn(first.packet)
            self.width, self.height = self.session.size
            self._sound = self.session.sound if settings.record_audio else None
            self._sound_shift = self.session.sound_shift()
            template = None if self._sound is None else self._sound.template
            self.start_ms, self._writer = self._made(root, self.session.clock.wall_ms(first.seconds), template)
        except OSError as error:
            raise _disk_failure(error) from error
        except (av.FFmpegError, ValueError) as error:
            detail = f"no file can be made of the stream ({error})"
            raise NotRecordedError(StatusReason.NOT_RECORDABLE, detail) from error

    def _made(self, root: Path, start_ms: int, sound: AudioStream | None) -> tuple[int, SegmentWriter]:
        for name_ms in range(start_ms, start_ms + _NAMES):
            with suppress(FileExistsError):
                path = root / segment_path(self.camera_id, name_ms, self.epoch)
                return name_ms, SegmentWriter(path, self.session.video, sound)
        raise FileExistsError(errno.EEXIST, f"there are {_NAMES} files of that time already")

    # --- its end -------------------------------------------------------------------------------------------------

    def is_long_enough(self, held: Held) -> bool:
        """Tell whether it ends before this keyframe because of its length."""
        return held.seconds - self._starts_at >= SEGMENT_SECONDS - EARLY_SECONDS

    def is_too_long(self, held: Held) -> bool:
        """Tell whether it ends before this packet of the video although that is no keyframe."""
        return held.seconds - self._starts_at >= MAX_SEGMENT_MS / 1000 - 1

    def end_before(self, following: Held | None) -> None:
        """Take no more pictures; sound that belongs to those it has may still come.

        Args:
            following: The packet that comes next; None: none does.
        """
        self._ends_at = self._last + self._interval
        if following is not None and following.session is self.session and following.is_video:
            gap = following.seconds - self._last
            # Where packets are missing the file ends with what is there.
            self._ends_at = following.seconds if gap <= 2 * self._interval + 0.5 else self._ends_at

    def finish(self) -> None:
        """Write what waits and close it; after `end_before`.

        Raises:
            NotRecordedError: The disk did not take the last fragment.
        """
        try:
            self._writer.finish(self._ends_at - self._starts_at)
        except OSError as error:
            raise _disk_failure(error) from error

    # --- its contents --------------------------------------------------------------------------------------------

    @property
    def has_sound(self) -> bool:
        """Whether it takes sound."""
        return self._sound is not None

    def takes_sound_of(self, seconds: float) -> bool:
        """Tell whether sound of this place on the line of the session's sound is heard before this file's end."""
        return seconds + self._sound_shift < self._ends_at

    def add_video(self, held: Held) -> bool:
        """Add a packet of the video; False: it is damaged and was left out.

        Raises:
            NotRecordedError: The disk does not take it; the file is closed after its last whole fragment.
        """
        self.to_at = max(self.to_at, held.at)
        if held.seconds > self._last:
            self._interval = min(LONGEST_INTERVAL, held.seconds - self._last)
        self._last = held.seconds
        packet = self.session.as_written(held.packet)
        return self._written(lambda: self._writer.write_video(packet, held.seconds - self._starts_at, held.shown_after))

    def add_sound(self, packet: MediaPacket, seconds: float) -> bool:
        """Add a packet of what `StreamSession.sound` makes, with its place on the line of the session's sound.

        What was to be heard before the file begins is left out; the rest as for `add_video`.
        """
        if self._sound is None:
            return True
        return self._written(lambda: self._writer.write_sound(packet, seconds + self._sound_shift - self._starts_at))

    @staticmethod
    def _written(write: Callable[[], None]) -> bool:
        try:
            write()
        except av.FFmpegError:
            return False
        except OSError as error:
            raise _disk_failure(error) from error
        return True

    # --- what is said of it --------------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """Seconds of it that are on the disk."""
        return self._writer.whole_seconds

    @property
    def size_bytes(self) -> int:
        """Bytes of it that are on the disk."""
        return self._writer.size_bytes

    @property
    def packets_waiting(self) -> int:
        """Packets of the video that are not on the disk."""
        return self._writer.packets_waiting

    def segment(self) -> Segment:
        """Return what is known of it, when it is finished."""
        return Segment(
            camera_id=self.camera_id,
            start_ms=self.start_ms,
            end_ms=self.start_ms + round(self.seconds * 1000),
            epoch=self.epoch,
            size_bytes=self.size_bytes,
            codec=self.session.codec,
            audio=self._audio,
            width=self.width,
            height=self.height,
        )

    def open_segment(self, worker_id: str) -> OpenSegment | None:
        """Return how far it is; None while nothing of it can be played."""
        if not self.seconds:
            return None
        return OpenSegment(
            camera_id=self.camera_id,
            worker_id=worker_id,
            start_ms=self.start_ms,
            end_ms=self.start_ms + round(self.seconds * 1000),
            epoch=self.epoch,
            size_bytes=self.size_bytes,
            codec=self.session.codec,
            audio=self._audio,
            width=self.width,
            height=self.height,
        )

    @property
    def _audio(self) -> str:
        return "aac" if self._writer.has_sound else ""


def _disk_failure(error: OSError) -> NotRecordedError:
    text = error.strerror or str(error)
    if error.errno in _FULL:
        return NotRecordedError(StatusReason.DISK_FULL, text)
    read_only = error.errno in _READ_ONLY
    return NotRecordedError(StatusReason.DISK_READ_ONLY if read_only else StatusReason.DISK_FAILED, text)
