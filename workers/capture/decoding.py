"""Decodes the packets that the sampler needs."""

import time
from typing import Final

import av
from av.codec.context import ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from workers.capture.sampling import LATE_SECONDS, DecodeMode, Sampler
from workers.media import VideoPacket

#: Packets in a row without a frame, and seconds since the first of them, after which a stream counts as damaged.
HOPELESS_PACKETS: Final = 3
HOPELESS_SECONDS: Final = 5.0
#: Seconds to wait for a keyframe before a stream is taken to have none (intra refresh).
KEYFRAME_WAIT_SECONDS: Final = 12.0
#: Keyframes in a row that give no picture by themselves, after which they are not relied upon any more. With intra
#: refresh a stream marks where a decoder may begin, but the picture is whole only many frames later.
FRUITLESS_KEYFRAMES: Final = 2


class FrameDecoder:
    """The decoder of one open stream. Not thread-safe."""

    def __init__(self, context: VideoCodecContext, sampler: Sampler) -> None:
        self._context = context
        # Many cameras share a process: threads of their own would cost more than they bring, and frame threads delay.
        context.thread_type = ThreadType.NONE
        context.thread_count = 1
        self._sampler = sampler
        self._mode = sampler.mode
        self._needs_keyframe = True
        self._waiting_since: float | None = None
        #: When the keyframe is due until which nothing is needed; None: all is.
        self._rests_until: float | None = None
        self._fruitless = 0
        self._fruitless_since = self._last_at = 0.0
        #: Packets that could not be decoded.
        self.errors = 0
        #: Frames that came out, and CPU-seconds of this thread that it took.
        self.frames = 0
        self.cpu_seconds = 0.0
        #: Frames that were due and of which nothing was decoded; see `leave_out`.
        self.left_out = 0

    @property
    def hopeless(self) -> bool:
        """Whether nothing has come out for so long that the stream had better be opened again."""
        return self._fruitless >= HOPELESS_PACKETS and self._last_at - self._fruitless_since >= HOPELESS_SECONDS

    def start_again(self) -> None:
        """Forget what was decoded, as if the stream had just been opened."""
        self._context.flush_buffers()
        self._needs_keyframe, self._waiting_since, self._fruitless = True, None, 0
        self._rests_until = None

    def leave_out(self, at: float) -> None:
        """Decode nothing of a packet that arrived at `at`, nor of those that build on it."""
        if self._sampler.is_due(at):
            self._sampler.slots.taken(at)
            self.left_out += 1
        if not self._needs_keyframe:
            self._context.flush_buffers()
        self._needs_keyframe, self._waiting_since, self._rests_until = True, at, None

    def decode(self, packet: VideoPacket, at: float) -> VideoFrame | None:
        """Return the frame to be analysed, if `packet`, which arrived at `at` (monotonic seconds), brings one."""
        self._last_at = at
        if self._sampler.mode is not self._mode:
            self._change_mode(at)
        if self._mode is DecodeMode.KEYFRAMES:
            if not packet.is_keyframe or not self._sampler.is_due(at):
                return None
            frames = self._decode_alone(packet, at)
        else:
            if self._must_wait(packet, at):
                return None
            frames = self._feed(packet, at)
        if not frames or not self._sampler.is_due(at, is_keyframe=frames[-1].key_frame):
            return None
        self._sampler.slots.taken(at)
        # Where frames come out in another order than they went in, rest would cost those that are still inside.
        if not self._context.has_b_frames:
            self._rest_if_possible(at)
        return frames[-1]

    def _rest_if_possible(self, at: float) -> None:
        self._rests_until = self._sampler.rests_until(at)
        if self._rests_until is not None:
            self._needs_keyframe, self._waiting_since = True, at

    def _change_mode(self, at: float) -> None:
        self._mode = self._sampler.mode
        self._context.flush_buffers()
        self._needs_keyframe, self._waiting_since, self._rests_until = True, at, None

    def _must_wait(self, packet: VideoPacket, at: float) -> bool:
        """Tell whether `packet` builds on frames that were never decoded."""
        if self._needs_keyframe:
            if self._rests_until is not None:
                return self._rests(packet, at, self._rests_until)
            self._waiting_since = at if self._waiting_since is None else self._waiting_since
            self._needs_keyframe = not packet.is_keyframe and at - self._waiting_since < KEYFRAME_WAIT_SECONDS
        return self._needs_keyframe

    def _rests(self, packet: VideoPacket, at: float, until: float) -> bool:
        """Tell whether to go on resting; ends with the keyframe that was awaited, or with giving it up."""
        if packet.is_keyframe:
            self._context.flush_buffers()
            self._needs_keyframe, self._rests_until = False, None
        elif at > until + LATE_SECONDS:
            self._sampler.keyframe_is_late()
            self._rests_until, self._waiting_since = None, at
        return self._needs_keyframe

    def _decode_alone(self, packet: VideoPacket, at: float) -> list[VideoFrame]:
        """Decode a keyframe whose successors will not be decoded."""
        frames = self._feed(packet, at, drain=True)
        self._context.flush_buffers()
        if not frames and self._fruitless >= FRUITLESS_KEYFRAMES:
            self._sampler.distrust_keyframes()
        return frames

    def _feed(self, packet: VideoPacket, at: float, *, drain: bool = False) -> list[VideoFrame]:
        self._context.skip_frame = "NONREF" if not drain and self._sampler.may_skip_unreferenced() else "DEFAULT"
        began = time.thread_time()
        try:
            frames = self._context.decode(packet)
            if drain and not frames:
                # A stream with B-frames gives a frame only when later ones are there, unless told that it was the last.
                frames = self._context.decode(None)
        except (av.FFmpegError, ValueError):
            self.errors += 1
            frames = []
        self.cpu_seconds += time.thread_time() - began
        self.frames += len(frames)
        clean = [frame for frame in frames if not frame.is_corrupt]
        self.errors += len(frames) - len(clean)
        self._judge(fruitful=bool(clean), at=at)
        return clean

    def _judge(self, *, fruitful: bool, at: float) -> None:
        if fruitful:
            self._fruitless = 0
            return
        if self._fruitless == 0:
            self._fruitless_since = at
        self._fruitless += 1
