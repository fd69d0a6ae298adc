"""Opens a camera's stream, one function per kind."""

import os
import stat
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from contract.errors import StatusReason
from workers.capture.addresses import pinned, refused
from workers.capture.byte_source import Body, ByteSource, nothing
from workers.capture.failures import CaptureError, CaptureStoppedError, Stage, classify, failed
from workers.capture.hardware import accelerator
from workers.capture.http_client import HttpBody, HttpClient, trusted_certificates
from workers.capture.pacing import LIVE_SPEED, Pacer
from workers.capture.packet_stream import PacketStream
from workers.capture.reach import reach
from workers.capture.snapshot_stream import SnapshotStream
from workers.capture.socket_guard import GuardedConnection, opening, opening_without_turn, peers, sockets
from workers.capture.source_kinds import SourceKind, kind_of_answer, kind_of_url
from workers.capture.state import CaptureSettings
from workers.capture.streams import CameraStream, StreamContext

# PyAV's default, made sure of: libav's messages would be handed to Python's logging under the GIL by every thread of
# every camera, they show URLs with passwords, and what they say is in the errors anyway.
av.logging.set_level(None)

#: What libav may open by itself: only RTSP does. Everything else is read through `HttpClient` or one open file.
_RTSP_PROTOCOLS: Final = "rtsp,rtsps,rtp,srtp,udp,tcp,tls,crypto"
#: Containers, without the formats that are lists of other files (hls, dash, concat, image2, sdp).
_CONTAINERS: Final = "mov,mp4,matroska,webm,mpegts,mpeg,flv,avi,asf,ogg,ivf,h264,hevc,av1,obu,mjpeg,m4v,mpegvideo,nut"
#: Formats of the parts of an HLS playlist; packed audio is recognised only to be thrown away.
_HLS_PARTS: Final = "hls,mpegts,mov,mp4,aac,mp3,ac3,eac3,webvtt"
#: Frames that libav may read ahead only to guess the rate: none. They cost up to 1 s and the rate is measured anyway.
_NO_RATE_PROBE: Final = {"fpsprobesize": "0"}
#: Bytes and microseconds of media that may go by until the streams in a container are known.
_PROBE: Final = {**_NO_RATE_PROBE, "probesize": "2000000", "analyzeduration": "500000"}


def open_stream(context: StreamContext) -> CameraStream:
    """Open the stream of `context.url`.

    Raises:
        CaptureError: It cannot be opened; says why.
        CaptureStoppedError: Asked to stop meanwhile.
    """
    context.watch.expect(context.settings.connect_timeout_seconds, StatusReason.TIMEOUT)
    kind = kind_of_url(context.url)
    if kind is SourceKind.RTSP:
        return _open_rtsp(context)
    if kind is SourceKind.FILE:
        return _open_file(context)
    if kind is SourceKind.HTTP:
        return _open_http(context)
    raise failed(StatusReason.URL_INVALID, context.url)


def plays_on_at_its_end(url: str) -> bool:
    """Tell whether the end of the stream is no failure: a file is played again, for a camera has no end."""
    return kind_of_url(url) is SourceKind.FILE


# --- RTSP ------------------------------------------------------------------------------------------------------------


def rtsp_options(settings: CaptureSettings, *, wants_audio: bool = False) -> dict[str, str]:
    """Return libav's options for RTSP."""
    return {
        **_NO_RATE_PROBE,
        # UDP is tried first and TCP where the camera or a firewall does not let it through.
        "rtsp_transport": "udp+tcp" if settings.rtsp_transport == "udp" else "tcp",
        # What nobody records would only cost bandwidth.
        "allowed_media_types": "video+audio" if wants_audio else "video",
        "protocol_whitelist": _RTSP_PROTOCOLS,
        "tls_verify": "1" if settings.camera_tls_verify else "0",
        "ca_file": trusted_certificates(),
    }


def _open_rtsp(context: StreamContext) -> PacketStream:
    settings = context.settings
    address = reach(context.url, settings.connect_timeout_seconds, context.watch, context.clock, settings.addresses)
    url = pinned(context.url, address)
    options = rtsp_options(settings, wants_audio=context.wants_audio)
    try:
        return _open_guarded(context, url, options)
    except av.error.HTTPClientError as error:
        if type(error) is not av.error.HTTPOtherClientError:
            raise classify(error, Stage.OPENING, context.url) from None
    # So do servers answer that have no video and are asked for nothing else; asked for all, they show it.
    try:
        return _open_guarded(context, url, {**options, "allowed_media_types": "video+audio+data"})
    except av.error.HTTPClientError as error:
        raise classify(error, Stage.OPENING, context.url) from None


def _open_guarded(context: StreamContext, url: str, options: dict[str, str]) -> PacketStream:
    """Open a stream that libav reads without a limit, where its connection can be cut; else with PyAV's limit."""
    before = sockets()
    if context.settings.rtsp_transport == "tcp":
        with opening(url, context.watch) as its:
            if its is None:
                return _open_limited(context, url, options, before)
            container = _opened(context, url, options, None)
            _refuse_peers(container, context, before)
            try:
                connections = its.made(context.watch)
            except OSError as error:  # no descriptor is left
                container.close()
                raise classify(error, Stage.OPENING, context.url) from None
            if connections:
                return _cuttable(container, context, connections[0])
            # It cannot be told from others, or has ended: that of a server that sends its readers elsewhere.
            container.close()
        with opening_without_turn(url):
            return _open_limited(context, url, options, before)
    return _open_limited(context, url, options, before)


def _open_limited(context: StreamContext, url: str, options: dict[str, str], before: Set[str]) -> PacketStream:
    container = _opened(context, url, options, context.settings.stall_timeout_seconds)
    _refuse_peers(container, context, before)
    return _stream_of(container, context, is_sent_as_made=True)


def _refuse_peers(container: InputContainer, context: StreamContext, before: Set[str]) -> None:
    """Hang up where libav has connected to an address that was not judged before: a server may send it elsewhere.

    Which of the process's new connections is this one's, nobody can tell. One of another camera that is refused at this
    moment costs this one a try.
    """
    for peer in peers(besides=before):
        if refusal := context.settings.addresses.refusal(peer):
            container.close()
            raise refused(context.url, refusal)


def _cuttable(container: InputContainer, context: StreamContext, connection: GuardedConnection) -> PacketStream:
    cutting = context.watch.cutting(connection.cut)

    def close() -> None:
        cutting.__exit__(None, None, None)
        connection.close()

    # To open it may have taken all the time there was, and it is open now.
    context.watch.expect(context.settings.stall_timeout_seconds, StatusReason.STREAM_STALLED)
    try:
        cutting.__enter__()
    except BaseException:
        connection.close()
        container.close()
        raise
    try:
        return _stream_of(
            container, context, is_sent_as_made=True, unread_bytes=lambda: connection.unread_bytes, close=close
        )
    except BaseException:
        close()
        raise


def _opened(context: StreamContext, url: str, options: dict[str, str], read_seconds: float | None) -> InputContainer:
    limit = context.settings.connect_timeout_seconds
    asked_at = context.clock.monotonic()
    try:
        return av.open(
            url,
            "r",
            options=options,
            timeout=(limit, read_seconds),
            metadata_errors="replace",
            hwaccel=_accelerator(context),
        )
    except av.error.HTTPClientError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        context.watch.check()
        waited = context.clock.monotonic() - asked_at
        raise classify(error, Stage.OPENING, context.url, waited_seconds=waited, limit_seconds=limit) from None


# --- HTTP ------------------------------------------------------------------------------------------------------------


def _open_http(context: StreamContext) -> CameraStream:
    client = HttpClient(context.url, context.settings, context.watch)
    try:
        body = client.get()
        kind = kind_of_answer(body.content_type, body.url)
        if kind is SourceKind.SNAPSHOT:
            return _open_snapshots(client, body, context)
        if kind is None:
            media_type = body.content_type.partition(";")[0].strip()[:60]
            body.close()
            raise failed(StatusReason.NOT_VIDEO, context.url, f"the answer is {media_type}, not video")
        if kind is SourceKind.HLS:
            return _open_hls(client, body, context)
        return _open_body(body, context, client, kind)
    except BaseException:
        client.close()
        raise


def _open_snapshots(client: HttpClient, body: HttpBody, context: StreamContext) -> SnapshotStream:
    if context.sampler is None:
        body.close()
        raise failed(StatusReason.NOT_VIDEO, context.url, "single pictures cannot be recorded as video")
    return SnapshotStream(client, body, context, context.sampler)


def _open_body(body: HttpBody, context: StreamContext, client: HttpClient, kind: SourceKind) -> PacketStream:
    cutting = context.watch.cutting(body.cut)
    cutting.__enter__()

    def close() -> None:
        cutting.__exit__(None, None, None)
        body.close()
        client.close()

    try:
        container = _open_bytes(body, context, "mpjpeg" if kind is SourceKind.MJPEG else None)
        return _stream_of(container, context, pacer=_pacer(container, body), close=close)
    except BaseException:
        close()
        raise


def _pacer(container: InputContainer, body: HttpBody) -> Pacer | None:
    if body.length is not None:
        # What has a length is no live stream: it comes as fast as the network is, and is played like a file.
        return Pacer()
    # A live MP4 comes in fragments of many frames.
    return Pacer(LIVE_SPEED) if "mp4" in container.format.name else None


def _open_hls(client: HttpClient, body: HttpBody, context: StreamContext) -> PacketStream:
    """Let libav read the playlist and ask us for every address in it."""
    parts = HlsParts(client, context)
    options = {
        **_PROBE,
        "format_whitelist": _HLS_PARTS,
        "protocol_whitelist": "http,https",
        # libav would re-use connections of its own, which there are none of.
        "http_persistent": "0",
        "http_multiple": "0",
        # Addresses are judged by `HlsParts`, not by how they end.
        "extension_picky": "0",
        "allowed_extensions": "ALL",
        "live_start_index": "-1",
    }
    try:
        container = _open_bytes(body, context, "hls", options, parts.open)
        return _stream_of(container, context, pacer=Pacer(LIVE_SPEED), close=client.close)
    finally:
        body.close()


class HlsParts:
    """Opens what an HLS playlist names: only over HTTP, never a file of this machine."""

    def __init__(self, client: HttpClient, context: StreamContext) -> None:
        self._client = client
        self._context = context
        self._failed = False

    def open(self, url: str, _flags: int, options: dict[str, str]) -> Any:
        """Return the file object of `url`; libav calls this."""
        if self._failed:
            return nothing()
        try:
            self._context.watch.check()
            if urlsplit(url).scheme not in {"http", "https"}:
                scheme = urlsplit(url).scheme[:20] or "no"
                raise failed(StatusReason.NOT_VIDEO, self._context.url, f"its playlist names a {scheme} address")
            end = int(options["end_offset"]) if "end_offset" in options else None
            body = self._client.get(url, first_byte=int(options.get("offset", 0)), end_byte=end)
        except (CaptureError, CaptureStoppedError):
            self._failed = True
            raise
        return ByteSource(body, self._context.watch, url)


# --- files -----------------------------------------------------------------------------------------------------------


def local_path(url: str, local_video_dir: Path | None) -> Path:
    """Return the file behind a ``file:///`` URL, symbolic links resolved.

    Raises:
        CaptureError: path_forbidden: it is not below `local_video_dir`, or no regular file; not_found.
    """
    if local_video_dir is None:
        raise failed(StatusReason.PATH_FORBIDDEN, url, "local files are not allowed, FARM_LOCAL_VIDEO_DIR is not set")
    try:
        folder = local_video_dir.resolve()
        path = Path(unquote(urlsplit(url).path)).resolve()
        # Judged before it is looked at, so that nobody learns which files exist elsewhere.
        if not path.is_relative_to(folder):
            raise failed(StatusReason.PATH_FORBIDDEN, url)
        if not stat.S_ISREG(path.stat().st_mode):
            raise failed(StatusReason.PATH_FORBIDDEN, url, "it is not a regular file")
    except FileNotFoundError:
        raise failed(StatusReason.NOT_FOUND, url, "there is no such file") from None
    except (OSError, ValueError, RuntimeError):
        raise failed(StatusReason.PATH_FORBIDDEN, url, "the file cannot be looked at") from None
    return path


def _open_file(context: StreamContext) -> PacketStream:
    path = local_path(context.url, context.settings.local_video_dir)
    try:
        # The path has no symbolic link any more; one that has come since is not followed.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise failed(StatusReason.PATH_FORBIDDEN, context.url, "the file cannot be read") from None
    file = os.fdopen(descriptor, "rb")
    try:
        return _stream_of(_open_bytes(file, context), context, pacer=Pacer(), close=file.close)
    except BaseException:
        file.close()
        raise


# --- shared ----------------------------------------------------------------------------------------------------------


def _open_bytes(
    body: Body,
    context: StreamContext,
    container_format: str | None = None,
    options: dict[str, str] | None = None,
    io_open: Callable[..., Any] | None = None,
) -> InputContainer:
    name = body.url if isinstance(body, HttpBody) else "file"
    formats = f"{container_format},{_CONTAINERS}" if container_format else _CONTAINERS
    # libav is given no protocol that it could open anything with.
    defaults = {**_PROBE, "format_whitelist": formats, "protocol_whitelist": "none"}
    try:
        return av.open(
            ByteSource(body, context.watch, name),
            "r",
            format=container_format,
            options=options or defaults,
            metadata_errors="replace",
            hwaccel=_accelerator(context),
            io_open=io_open,
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        context.watch.check()
        raise classify(error, Stage.OPENING, context.url) from None


def _accelerator(context: StreamContext) -> HWAccel | None:
    return None if context.sampler is None else accelerator(context.settings.decode_device)


def _stream_of(
    container: InputContainer,
    context: StreamContext,
    *,
    pacer: Pacer | None = None,
    is_sent_as_made: bool = False,
    unread_bytes: Callable[[], int] | None = None,
    close: Callable[[], None] = lambda: None,
) -> PacketStream:
    try:
        return PacketStream(
            container, context, pacer=pacer, is_sent_as_made=is_sent_as_made, unread_bytes=unread_bytes, close=close
        )
    except BaseException:
        container.close()
        raise
