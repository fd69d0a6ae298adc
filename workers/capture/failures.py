"""Turns what goes wrong with a stream into a named reason. Pure but for the exception's class."""

import re
import socket
import ssl
from enum import StrEnum
from typing import Final

import av
import requests

from contract.camera_urls import mask_url
from contract.errors import REMEDIES, StatusReason

#: A failure after this share of the time limit was the time limit: libav names it in different ways.
_NEARLY: Final = 0.9
_URL: Final = re.compile(r"\b[a-z]{3,5}s?://\S+", re.IGNORECASE)


class Stage(StrEnum):
    """What was being done."""

    OPEN = "open"
    READ = "read"


class CaptureError(Exception):
    """A camera that cannot be watched just now."""

    def __init__(self, reason: StatusReason, cause: str = "") -> None:
        self.reason: Final = reason
        #: One or two sentences for people: the remedy, and what was seen.
        self.detail: Final = f"{REMEDIES[reason]} ({cause})" if cause else REMEDIES[reason]
        super().__init__(self.detail)


def failure_of(error: Exception, *, stage: Stage, seconds: float, limit: float) -> CaptureError:
    """Name what went wrong.

    Args:
        error: What the standard library, requests or PyAV raised.
        stage: What was being done.
        seconds: How long it had been tried.
        limit: How long it was allowed to take.
    """
    if isinstance(error, CaptureError):
        return error
    reason = _network_reason(error) or _http_reason(error) or _stream_reason(error, stage, seconds >= limit * _NEARLY)
    return CaptureError(reason, masked(str(error)))


def masked(text: str) -> str:
    """Return `text` on one line, short, with secrets of every URL in it masked."""
    one_line = " ".join(text.split())[:300]
    return _URL.sub(lambda match: mask_url(match.group().rstrip("'\",)")), one_line)


def _network_reason(error: Exception) -> StatusReason | None:
    """Name failures of the network itself, which the standard library tells apart."""
    kinds: list[tuple[type[Exception], StatusReason]] = [
        (socket.gaierror, StatusReason.NAME_NOT_FOUND),
        (UnicodeError, StatusReason.NAME_NOT_FOUND),
        (ssl.SSLError, StatusReason.TLS_FAILED),
        (requests.exceptions.SSLError, StatusReason.TLS_FAILED),
        (ConnectionRefusedError, StatusReason.REFUSED),
        (TimeoutError, StatusReason.TIMEOUT),
        (requests.exceptions.Timeout, StatusReason.TIMEOUT),
        (ConnectionResetError, StatusReason.STREAM_ENDED),
        (BrokenPipeError, StatusReason.STREAM_ENDED),
        (requests.exceptions.InvalidURL, StatusReason.URL_INVALID),
        (requests.exceptions.TooManyRedirects, StatusReason.NOT_VIDEO),
        (requests.exceptions.ConnectionError, StatusReason.STREAM_ENDED),
    ]
    for kind, reason in kinds:
        if isinstance(error, kind):
            return reason
    unreachable = {101, 112, 113}  # ENETUNREACH, EHOSTDOWN, EHOSTUNREACH
    if isinstance(error, OSError) and not isinstance(error, av.error.FFmpegError) and error.errno in unreachable:
        return StatusReason.UNREACHABLE
    return None


def _http_reason(error: Exception) -> StatusReason | None:
    """Name what a server answered; RTSP has the same numbers as HTTP."""
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return StatusReason.AUTH_FAILED
    if isinstance(error, av.error.HTTPClientError):
        # 454 "session not found", 461 "unsupported transport", 404: there is no such stream.
        return StatusReason.NOT_FOUND
    if isinstance(error, av.error.HTTPServerError):
        return StatusReason.SERVER_ERROR
    return None


def status_reason(status: int) -> StatusReason | None:
    """Name an HTTP status that is not success."""
    if status < 400:
        return None
    if status in {401, 403, 407}:
        return StatusReason.AUTH_FAILED
    return StatusReason.SERVER_ERROR if status >= 500 else StatusReason.NOT_FOUND


def _stream_reason(error: Exception, stage: Stage, timed_out: bool) -> StatusReason:
    """Name what libav says of the data."""
    if isinstance(error, av.error.ExitError) or timed_out:
        return StatusReason.TIMEOUT if stage is Stage.OPEN else StatusReason.STREAM_STALLED
    kinds = _READING if stage is Stage.READ else _OPENING
    return next((reason for kind, reason in kinds if isinstance(error, kind)), StatusReason.UNKNOWN)


#: libav's errors while a stream is opened, the particular ones first.
_OPENING: Final[list[tuple[type[Exception], StatusReason]]] = [
    (av.error.DecoderNotFoundError, StatusReason.CODEC_UNSUPPORTED),
    (av.error.PatchWelcomeError, StatusReason.CODEC_UNSUPPORTED),
    (av.error.DemuxerNotFoundError, StatusReason.NOT_VIDEO),
    (av.error.ProtocolNotFoundError, StatusReason.NOT_VIDEO),
    (av.error.InvalidDataError, StatusReason.NOT_VIDEO),
    (EOFError, StatusReason.NOT_VIDEO),
    (FileNotFoundError, StatusReason.NOT_FOUND),
    # The port answered just before; what is left of input/output errors is the TLS handshake.
    (av.error.OSError, StatusReason.TLS_FAILED),
]
#: libav's errors while a stream is read.
_READING: Final[list[tuple[type[Exception], StatusReason]]] = [
    (av.error.DecoderNotFoundError, StatusReason.CODEC_UNSUPPORTED),
    (av.error.PatchWelcomeError, StatusReason.CODEC_UNSUPPORTED),
    (av.error.InvalidDataError, StatusReason.DECODE_FAILED),
    (EOFError, StatusReason.STREAM_ENDED),
    (OSError, StatusReason.STREAM_ENDED),
]
