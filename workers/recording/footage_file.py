"""One file of a camera's footage: begun with a packet, named after its time, described when it is finished."""

import errno
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
        try:
            if first.is_keyframe and self.session.changes_at(first.packet):
                self.session.learn(first.packet)
            self.width, self.height = self.session.size
            self._sound = self.session.sound if settings.record_audio else None
            self._sound_shift = self.session.sound_shift() - self._starts_at
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

    def finish(self, following: Held | None) -> None:
        """Write what waits and close it.

        Args:
            following: The packet that comes next; None: none does.

        Raises:
            NotRecordedError: The disk did not take the last fragment.
        """
        end = self._last + self._interval
        if following is not None and following.session is self.session and following.is_video:
            gap = following.seconds - self._last
            # Where packets are missing the file ends with what is there.
            end = following.seconds if gap <= 2 * self._interval + 0.5 else end
        try:
            self._writer.finish(end - self._starts_at)
        except OSError as error:
            raise _disk_failure(error) from error

    # --- its contents --------------------------------------------------------------------------------------------

    def add(self, held: Held) -> bool:
        """Add a packet; False: it is damaged and was left out.

        Raises:
            NotRecordedError: The disk does not take it; the file is closed after its last whole fragment.
        """
        self.to_at = max(self.to_at, held.at)
        try:
            if held.is_video:
                self._add_video(held)
            elif self._sound is not None:
                for packet, seconds in self._sound.take(held.packet, held.seconds):
                    self._writer.write_sound(packet, seconds + self._sound_shift)
        except av.FFmpegError:
            return False
        except OSError as error:
            raise _disk_failure(error) from error
        return True

    def _add_video(self, held: Held) -> None:
        if held.seconds > self._last:
            self._interval = min(LONGEST_INTERVAL, held.seconds - self._last)
        self._last = held.seconds
        packet = self.session.as_written(held.packet)
        self._writer.write_video(packet, held.seconds - self._starts_at, held.shown_after)

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
