"""Which kind of stream a URL or an HTTP answer is. Pure."""

from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit


class SourceKind(StrEnum):
    """How a stream is opened and read."""

    RTSP = "rtsp"
    #: HTTP of a kind that only the answer tells.
    HTTP = "http"
    FILE = "file"
    #: Over HTTP: pictures in one endless multipart answer.
    MJPEG = "mjpeg"
    #: Over HTTP: a playlist of short files.
    HLS = "hls"
    #: Over HTTP: MPEG-TS, MP4, FLV or Matroska in one answer.
    CONTAINER = "container"
    #: Over HTTP: one JPEG per request.
    SNAPSHOT = "snapshot"


_PLAYLISTS: Final = frozenset(
    {
        "application/vnd.apple.mpegurl",
        "application/x-mpegurl",
        "application/mpegurl",
        "audio/mpegurl",
        "audio/x-mpegurl",
    }
)
_JPEG: Final = frozenset({"image/jpeg", "image/jpg", "image/pjpeg"})
_NO_VIDEO: Final = frozenset({"application/json", "application/xml", "application/xhtml+xml", "application/pdf"})


def kind_of_url(url: str) -> SourceKind | None:
    """Return the kind that the scheme tells; None where no capture can open it."""
    scheme = urlsplit(url).scheme.lower()
    if scheme in {"rtsp", "rtsps"}:
        return SourceKind.RTSP
    if scheme in {"http", "https"}:
        return SourceKind.HTTP
    return SourceKind.FILE if scheme == "file" else None


def kind_of_answer(content_type: str, url: str) -> SourceKind | None:
    """Return the kind of an HTTP answer; None where it is no video.

    Args:
        content_type: The header's value, parameters and all; may be empty.
        url: Where the answer came from after redirects.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in _JPEG:
        return SourceKind.SNAPSHOT
    if media_type.startswith("multipart/"):
        return SourceKind.MJPEG
    if media_type in _PLAYLISTS or urlsplit(url).path.lower().endswith((".m3u8", ".m3u")):
        return SourceKind.HLS
    if media_type.startswith(("text/", "font/", "image/")) or media_type in _NO_VIDEO:
        return None
    return SourceKind.CONTAINER
