"""Writes one file of footage: a fragmented MP4 that can be played up to its last whole fragment at any moment.

libav makes the bytes in memory and this module puts them on the disk, fragment by fragment, so that a failing disk is
told of with its real reason and never leaves half a fragment behind. A file has its name from its first whole fragment
on, where the volume can do that: a worker that is killed before leaves nothing that plays nothing.
"""

import errno
import os
from collections import deque
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final, cast

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from contract.recordings import FRAGMENT_SECONDS
from workers.media import MediaPacket
from workers.recording.sound import AAC_SAMPLES

#: Ticks of a second in the video's track.
VIDEO_RATE: Final = 90_000
#: Fragments begin at keyframes and after `FRAGMENT_SECONDS`. Nothing is written at the end that a killed worker would
#: not have written, and nothing waits for sound that is late: players find it in the same fragment or the next.
_OPTIONS: Final = {
    "movflags": "empty_moov+default_base_moof+frag_keyframe+skip_trailer",
    "frag_duration": str(round(FRAGMENT_SECONDS * 1_000_000)),
    "use_editlist": "0",
    "video_track_timescale": str(VIDEO_RATE),
    "flush_packets": "1",
    "max_interleave_delta": "1",
}
#: Bytes that libav hands over at a time.
_BUFFER_BYTES: Final = 65_536
#: Such pieces that are given to the kernel at a time; it takes 1,024.
_AT_ONCE: Final = 512
#: Makes a file without a name in a folder; 0: this system cannot. And where such a file can be named by its descriptor.
_NAMELESS: Final = getattr(os, "O_TMPFILE", 0)
_DESCRIPTORS: Final = Path("/proc/self/fd")
#: What file systems answer that have no files without names.
_CANNOT: Final = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})


class FileRemovedError(OSError):
    """The file was deleted while it was being written; what is written now, nobody finds."""


class _Bytes:
    """The file object that libav writes to."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self.waiting.append(data)
        return len(data)


class _Track:
    """One stream of the file, whose decode times rise strictly."""

    def __init__(self, stream: VideoStream | AudioStream, rate: int, usual_ticks: int) -> None:
        self._stream = stream
        self._rate = rate
        self._base = Fraction(1, rate)
        self._last = -1
        #: From one packet to the next; how long the last one of the file lasts.
        self._interval = usual_ticks

    def timed(self, packet: MediaPacket, seconds: float, shown_after: float) -> MediaPacket:
        """Return a packet of the same bytes with its times in this file."""
        ticks = max(round(seconds * self._rate), self._last + 1)
        if self._last >= 0:
            self._interval = ticks - self._last
        self._last = ticks
        # Shares the bytes. The one that came is left as it is: it may have to be written again, into another file.
        made = cast("MediaPacket", Packet(cast("bytes", packet)))  # it takes any buffer, whatever its types say
        made.stream = self._stream
        made.time_base = self._base
        made.dts, made.pts = ticks, ticks + round(shown_after * self._rate)
        made.is_keyframe = packet.is_keyframe
        made.duration = self._interval
        return made


class SegmentWriter:
    """One file, from its first packet to its end. Not thread-safe."""

    def __init__(self, path: Path, video: VideoStream, sound: AudioStream | None = None) -> None:
        """Make the file, which must not exist, and write its header.

        Args:
            path: Folders that are missing are made.
            video: Template of the video: H.264 or H.265.
            sound: Template of the sound: AAC.

        Raises:
            FileExistsError: There is such a file.
            OSError: The disk is full, read-only, gone.
            av.FFmpegError, ValueError: The parameters make no file.
        """
        self.path: Final = path
        #: Bytes on the disk: the header and whole fragments.
        self.size_bytes = 0
        #: Seconds from the beginning of the file to the end of its last whole fragment.
        self.whole_seconds = 0.0
        #: Packets of the video that are not on the disk yet.
        self.packets_waiting = 0
        self._last_seconds = 0.0
        self._bytes = _Bytes()
        self._container: OutputContainer = av.open(
            self._bytes, "w", format="mp4", options=dict(_OPTIONS), buffer_size=_BUFFER_BYTES
        )
        of_video = self._container.add_stream_from_template(video)
        of_video.time_base = Fraction(1, VIDEO_RATE)
        if of_video.codec_context.name in {"hevc", "libx265"}:
            of_video.codec_context.codec_tag = "hvc1"  # the other tag, hev1, is not played by every browser
        self._video = _Track(of_video, VIDEO_RATE, VIDEO_RATE // 25)
        self._sound: _Track | None = None
        if sound is not None:
            of_sound = self._container.add_stream_from_template(sound)
            of_sound.time_base = Fraction(1, sound.codec_context.sample_rate)
            self._sound = _Track(of_sound, sound.codec_context.sample_rate, AAC_SAMPLES)
        self._container.start_encoding()
        self._file, self._is_named = _created(path)
        self._flush()

    @property
    def has_sound(self) -> bool:
        """Whether the file has a track for sound."""
        return self._sound is not None

    def write_video(self, packet: MediaPacket, seconds: float, shown_after: float = 0.0) -> None:
        """Add a packet of the video.

        Args:
            packet: As the camera sent it.
            seconds: From the beginning of the file to its decode time.
            shown_after: Seconds from there to its presentation.

        Raises:
            OSError: The disk does not take it; the file is closed, and ends with the last whole fragment.
            av.FFmpegError: It is damaged and was left out.
        """
        self._container.mux_one(self._video.timed(packet, seconds, shown_after))
        before, self._last_seconds = self._last_seconds, seconds
        # A fragment is written when the first packet of the next one comes.
        if self._flush():
            self.whole_seconds, self.packets_waiting = before if self.has_sound else seconds, 0
        self.packets_waiting += 1

    def write_sound(self, packet: MediaPacket, seconds: float) -> None:
        """Add a packet of the sound; the same as for `write_video`."""
        if self._sound is None or seconds < 0:
            return
        self._container.mux_one(self._sound.timed(packet, seconds, 0.0))
        if self._flush():
            self.whole_seconds, self.packets_waiting = self._last_seconds, 1

    def finish(self, seconds: float) -> None:
        """Write what waits and close the file.

        Args:
            seconds: From the beginning of the file to the end of its last picture.

        Raises:
            OSError: The disk does not take the last fragment; the file ends with the one before it.
        """
        if self._file < 0:
            return
        self._container.close()
        self._flush()
        self.whole_seconds, self.packets_waiting = max(seconds, self._last_seconds), 0
        self._close()

    def _flush(self) -> bool:
        """Put on the disk what libav has made; return whether there was anything."""
        waiting, self._bytes.waiting = self._bytes.waiting, []
        if not waiting or self._file < 0:
            return False
        try:
            _write_all(self._file, waiting)
            if not self._is_named and self.size_bytes:  # there is more than the header now
                _name(self._file, self.path)
                self._is_named = True
            if self._is_named and os.fstat(self._file).st_nlink == 0:
                raise FileRemovedError(f"{self.path.name} was removed while it was being written")
        except OSError:
            self._abandon()
            raise
        self.size_bytes += sum(map(len, waiting))
        return True

    def _abandon(self) -> None:
        """Close a file that cannot be written any more, after its last whole fragment; without one it is deleted."""
        with suppress(OSError):  # where even that fails, part of a fragment stays behind; players stop before it
            os.ftruncate(self._file, self.size_bytes)
        self._close()
        if self._is_named and not self.whole_seconds:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def _created(path: Path) -> tuple[int, bool]:
    """Return the descriptor of a new file, and whether it has its name already."""
    if path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    if _NAMELESS and _DESCRIPTORS.is_dir():
        try:
            return os.open(path.parent, os.O_WRONLY | _NAMELESS | os.O_CLOEXEC, 0o644), False
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644), True


def _name(file: int, path: Path) -> None:
    """Give a file without a name the one it is to have.

    Raises:
        FileExistsError: Another one has it by now.
        OSError: The disk is full, gone.
    """
    while True:
        try:
            # A folder's descriptor besides, though it is not looked at: without one links to links are made here.
            os.link(_DESCRIPTORS / str(file), path, src_dir_fd=file, follow_symlinks=True)
            return
        except FileNotFoundError:  # retention has taken its folder, which seemed empty
            if path.parent.is_dir():
                raise
            path.parent.mkdir(parents=True, exist_ok=True)


def _write_all(file: int, parts: list[bytes]) -> None:
    left = deque(memoryview(part) for part in parts)
    while left:
        done = os.writev(file, list(islice(left, _AT_ONCE)))
        while left and done >= len(left[0]):
            done -= len(left.popleft())
        if done:
            left[0] = left[0][done:]
