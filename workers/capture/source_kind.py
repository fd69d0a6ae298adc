"""Which way a URL is opened. Pure."""

from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from contract.errors import StatusReason
from workers.capture.failures import CaptureError

_PICTURES: Final = frozenset({"image/jpeg", "image/jpg", "image/pjpeg", "image/png"})
_NO_VIDEO: Final = ("text/", "application/json", "application/xml", "application/xhtml", "application/pdf", "audio/")
_PLAYLISTS: Final = frozenset({"audio/mpegurl", "audio/x-mpegurl", "text/vnd.apple.mpegurl"})


class SourceKind(StrEnum):
    """How frames are got."""

    RTSP = "rtsp"
    #: Anything libav reads over HTTP: MJPEG, HLS, MPEG-TS, MP4, FLV.
    HTTP_STREAM = "http_stream"
    #: One JPEG per request.
    SNAPSHOT = "snapshot"
    FILE = "file"


def kind_of_content(content_type: str, path: str) -> SourceKind:
    """Tell a picture from a stream by what the server says it sends.

    Args:
        content_type: The header's value; may be empty.
        path: Of the URL.

    Raises:
        CaptureError: `not_video`: the server sends a page, text or sound.
    """
    mime = content_type.split(";", maxsplit=1)[0].strip().lower()
    if mime in _PICTURES:
        return SourceKind.SNAPSHOT
    if mime in _PLAYLISTS or path.lower().endswith((".m3u8", ".m3u")):
        return SourceKind.HTTP_STREAM
    if mime.startswith(_NO_VIDEO):
        raise CaptureError(StatusReason.NOT_VIDEO, f"the server sends {mime}")
    return SourceKind.HTTP_STREAM


def local_file(url: str, allowed: Path | None) -> Path:
    """Return the file that a ``file:///`` URL names.

    Args:
        url: The URL.
        allowed: The only folder whose files may be watched; None: none may.

    Raises:
        CaptureError: `path_forbidden`: it lies elsewhere, also by way of links. `not_found`: there is no such file.
    """
    path = Path(unquote(urlsplit(url).path))
    if allowed is None:
        raise CaptureError(StatusReason.PATH_FORBIDDEN, "FARM_LOCAL_VIDEO_DIR is not set on this worker")
    real = path.resolve()
    if not real.is_relative_to(allowed.resolve()):
        raise CaptureError(StatusReason.PATH_FORBIDDEN, f"{path} is not below FARM_LOCAL_VIDEO_DIR")
    if not real.is_file():
        raise CaptureError(StatusReason.NOT_FOUND, f"{path} is not a file")
    return real
