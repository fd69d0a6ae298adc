"""An RTSP server whose files behave like cameras: each plays on and on, and every client sees the same moment.

The toolkit's own file streaming was measured first. It keeps one thread of a pool of six (on two cores) per client, so
that the seventh client got no frame for as long as the first six files lasted, and it begins the file anew for each
client. Here the packets lie in memory and every client is one task that sends them by the clock; the protocol itself
is the toolkit's.
"""

import asyncio
import logging
import re
import struct
import time
from functools import partial
from pathlib import Path
from typing import Final, cast

import aio_sockets
from aio_rtsp_toolkit.server import RtspServer
from aio_rtsp_toolkit.server_media import MediaSource, MediaTrackInfo, split_length_prefixed_nalus
from aio_rtsp_toolkit.server_rtp import RtspRtpMixin
from aio_rtsp_toolkit.server_session import RtspServerSession
from aio_rtsp_toolkit.server_session_types import StreamTrackState

from cli.demo_cameras.clip import Clip, RtpPayload, UnplayableClipError, load_clip

#: Tried in this order behind a name that has no ending.
CLIP_ENDINGS: Final = (".mp4", ".mkv", ".ts")
#: Seconds a client may be behind before it is sent on to the newest keyframe, as a camera's own buffer would do.
MAX_LAG_SECONDS: Final = 2.0
#: Seconds without a sign of life after which a client is dropped.
SESSION_TIMEOUT_SECONDS: Final = 60

#: The toolkit's RTP packetizer, which needs nothing of the session it is mixed into.
_PACKETIZER: Final = RtspRtpMixin()

#: The toolkit announces 0, but FFmpeg takes a first timestamp of 0 for "none yet" and counts from the second frame.
_FIRST_RTP_TIMESTAMP: Final = 1
#: Seconds a client may take to read what is still on its way when the server ends.
CLOSE_TIMEOUT_SECONDS: Final = 1.0
_PARAMETER_SETS: Final = ("vps", "sps", "pps")
_START_CODE: Final = re.compile(rb"\x00{2,3}\x01")

logger = logging.getLogger("camfarm.demo_cameras")


class LiveServer(RtspServer):
    """Serves the clips of one folder as ``rtsp://host:port/<name>``; ``?play_count=N`` plays N times and ends."""

    def __init__(self, media_dir: Path, host: str, port: int) -> None:
        super().__init__(str(media_dir), host, port, session_name="CamFarm", session_timeout=SESSION_TIMEOUT_SECONDS)
        self.logger = cast("aio_sockets.LoggerLike", logger)  # its keyword arguments are never used
        #: Monotonic seconds when the endless loop of every clip began.
        self.began = time.monotonic()
        #: Packets that clients which were too slow did not get.
        self.packets_skipped = 0
        self._clips: dict[Path, tuple[tuple[int, int], Clip]] = {}
        self._sessions: dict[RtspServerSession, asyncio.Task[None]] = {}

    def make_session(self, sock: aio_sockets.TCPSocket) -> RtspServerSession:
        """Return the session of a client that has just connected."""
        return LiveSession(self, sock)

    async def _handle_client(self, sock: aio_sockets.TCPSocket) -> None:
        session = self.make_session(sock)
        self._sessions[session] = asyncio.ensure_future(session.run())
        try:
            await self._sessions[session]
        except OSError as error:  # the connection broke; there is nobody left to tell
            logger.debug("client gone: %s", error)
        finally:
            del self._sessions[session]

    async def stop(self) -> None:
        """Refuse new clients and close every stream; one whose client does not read is cut after a second."""
        if self._server is not None:
            self._server.close()
        sessions = dict(self._sessions)
        closing = [asyncio.ensure_future(session.close()) for session in sessions]
        if closing:
            await asyncio.wait(closing, timeout=CLOSE_TIMEOUT_SECONDS)
        for session in self._sessions:
            session.sock.writer.transport.abort()
        if sessions:
            await asyncio.wait(sessions.values(), timeout=CLOSE_TIMEOUT_SECONDS)

    def resolve_request_path(self, uri: str) -> Path:
        """Return the file behind `uri`, where the name's ending may be left out.

        Raises:
            FileNotFoundError: There is none below the served folder.
        """
        relative, _options = self._split_media_request_path(uri)
        named = (self.root_dir / relative).resolve()
        if self.root_dir in named.parents:
            for path in (named, *(named.with_name(named.name + ending) for ending in CLIP_ENDINGS)):
                if path.is_file():
                    return path
        raise FileNotFoundError(relative)

    def parse_play_count(self, uri: str) -> int:
        """Return how often the clip is played; 0, which is also the default, is for ever."""
        return super().parse_play_count(uri) if "play_count" in uri else 0

    def clip(self, source: MediaSource, track: MediaTrackInfo) -> Clip:
        """Return the packets of `source`, read anew only when the file has changed.

        Raises:
            UnplayableClipError: It has no video.
        """
        stat = source.file_path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._clips.get(source.file_path)
        if known is None or known[0] != stamp:
            cut = partial(rtp_payloads, track, has_start_codes=source.file_path.suffix == ".ts")
            self._clips[source.file_path] = (stamp, load_clip(source.file_path, cut))
        return self._clips[source.file_path][1]


class LiveSession(RtspServerSession):
    """One client."""

    server: LiveServer

    async def _stream_media(self) -> None:
        """Send the clip until the client leaves; the toolkit runs this as a task when it has answered PLAY."""
        source = self.media_source
        if source is None:
            return
        if any(track.media_type != "video" for track in source.tracks):
            await super()._stream_media()  # sound is left to the toolkit
            return
        try:
            clip = await asyncio.to_thread(self.server.clip, source, source.tracks[0])
            await self._send_clip(clip, self.track_states[source.tracks[0].control])
        except ConnectionError:
            return  # the reading half of the session sees it too, and closes
        except (OSError, UnplayableClipError) as error:
            logger.warning("%s: %s", source.file_path.name, error)
        task, self.stream_task = self.stream_task, None  # close() would wait for this very task
        await self.close()
        del task

    async def _send_clip(self, clip: Clip, state: StreamTrackState) -> None:
        endless = self.play_count == 0
        began = self.server.began if endless else time.monotonic()
        number = first = clip.keyframe_at(time.monotonic() - began)
        end = None if endless else self.play_count * len(clip.packets)
        while number != end:
            lag = time.monotonic() - began - clip.sent_at(number)
            if lag < 0:
                await asyncio.sleep(-lag)
            elif endless and lag > MAX_LAG_SECONDS:
                newest = max(number, clip.keyframe_at(time.monotonic() - began))
                self.server.packets_skipped += newest - number
                number = newest
            ticks = round((clip.shown_at(number) - clip.sent_at(first)) * state.info.clock_rate)
            timestamp = _FIRST_RTP_TIMESTAMP + ticks
            await self._send_payloads(state, clip.packet(number).payloads, timestamp & 0xFFFFFFFF)
            number += 1

    async def _send_payloads(
        self, state: StreamTrackState, payloads: tuple[RtpPayload, ...], rtp_timestamp: int
    ) -> None:
        """Send one frame in one write: a write for each of its RTP packets cost three times the CPU."""
        channel = state.rtp_channel
        if channel is None:
            return
        buffer = bytearray()
        for payload, marker in payloads:
            buffer += struct.pack("!BBH", 0x24, channel, 12 + len(payload))
            kind = (marker << 7) | state.info.payload_type
            buffer += struct.pack("!BBHII", 0x80, kind, state.sequence_number, rtp_timestamp, state.ssrc)
            buffer += payload
            state.sequence_number = (state.sequence_number + 1) & 0xFFFF
            state.packet_count += 1
            state.octet_count += len(payload)
        state.last_rtp_timestamp = rtp_timestamp
        state.last_rtp_send_time = time.time()
        async with self.write_lock:
            await self.sock.send(bytes(buffer))
        await self._maybe_send_rtcp_sr(state)


def rtp_payloads(
    track: MediaTrackInfo, frame: bytes, is_keyframe: bool, *, has_start_codes: bool = False
) -> list[RtpPayload]:
    """Cut one encoded frame into RTP payloads.

    Args:
        track: Where it comes from.
        frame: Its NAL units.
        is_keyframe: The parameter sets are sent along with it.
        has_start_codes: The NAL units are divided by start codes (ISO/IEC 14496-10, annex B) as in MPEG-TS, not by
            their lengths as in MP4. The two cannot be told apart by looking.
    """
    nalus = [track.parameter_sets[name] for name in _PARAMETER_SETS if is_keyframe and name in track.parameter_sets]
    if has_start_codes:
        nalus += [nalu for nalu in _START_CODE.split(frame) if nalu]
    else:
        nalus += split_length_prefixed_nalus(frame, track.nal_length_size)
    return [
        payload
        for position, nalu in enumerate(nalus, 1)
        for payload in _PACKETIZER._packetize_video_nalu(nalu, int(position == len(nalus)), track.codec_name)
    ]
