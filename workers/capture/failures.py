"""Turns what goes wrong with a stream into a named reason and one sentence. Pure.

What libav raises was found by experiment against real sockets. Two things it does not say itself: an answer that never
came looks like invalid data or an I/O error, so the time that went by decides; and a host name that does not resolve
is an I/O error too, so the host is reached for before libav is asked (`reach`).
"""

import errno
from enum import StrEnum
from typing import Final

from av import error as av_error

from contract.camera_urls import mask_url
from contract.errors import FarmError, StatusReason


class Stage(StrEnum):
    """What was being done when it failed."""

    OPENING = "opening"
    READING = "reading"


class CaptureError(FarmError):
    """A stream cannot be opened or has come to an end; `reason` names why, the text is one sentence for people."""

    def __init__(self, reason: StatusReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Final = reason
        self.detail: Final = detail


class CaptureStoppedError(Exception):
    """The capture was asked to end while it waited for a camera. No failure."""


_UNREACHABLE: Final = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})

#: Error of libav or of the operating system -> reason, wherever it happens; the first that fits counts.
_ALWAYS: Final[tuple[tuple[type[BaseException], StatusReason], ...]] = (
    (av_error.HTTPUnauthorizedError, StatusReason.AUTH_FAILED),
    (av_error.HTTPForbiddenError, StatusReason.AUTH_FAILED),
    (av_error.HTTPNotFoundError, StatusReason.NOT_FOUND),
    (av_error.HTTPError, StatusReason.SERVER_ERROR),
    (av_error.HTTPClientError, StatusReason.SERVER_ERROR),
    (av_error.DecoderNotFoundError, StatusReason.CODEC_UNSUPPORTED),
    (av_error.PatchWelcomeError, StatusReason.CODEC_UNSUPPORTED),
    (av_error.DemuxerNotFoundError, StatusReason.NOT_VIDEO),
    (av_error.ProtocolNotFoundError, StatusReason.URL_INVALID),
    (ConnectionRefusedError, StatusReason.REFUSED),
    (FileNotFoundError, StatusReason.NOT_FOUND),
)
#: The same for errors that mean different things while a stream is opened and while it is read.
_BY_STAGE: Final[tuple[tuple[type[BaseException], StatusReason, StatusReason], ...]] = (
    (av_error.ExitError, StatusReason.TIMEOUT, StatusReason.STREAM_STALLED),
    (TimeoutError, StatusReason.TIMEOUT, StatusReason.STREAM_STALLED),
    (av_error.InvalidDataError, StatusReason.NOT_VIDEO, StatusReason.DECODE_FAILED),
    # libav's word for a format that is not among those allowed.
    (av_error.ArgumentError, StatusReason.NOT_VIDEO, StatusReason.DECODE_FAILED),
    (EOFError, StatusReason.NOT_VIDEO, StatusReason.STREAM_ENDED),
    (ConnectionError, StatusReason.SERVER_ERROR, StatusReason.STREAM_ENDED),
)

SENTENCES: Final[dict[StatusReason, str]] = {
    StatusReason.TIMEOUT: "the camera did not answer in time",
    StatusReason.UNREACHABLE: "there is no route to the camera",
    StatusReason.NAME_NOT_FOUND: "the host name does not resolve",
    StatusReason.REFUSED: "nothing listens on that port",
    StatusReason.AUTH_FAILED: "the camera refused the user name or password",
    StatusReason.NOT_FOUND: "there is no stream at that path",
    StatusReason.NOT_VIDEO: "the answer is not video",
    StatusReason.CODEC_UNSUPPORTED: "the codec cannot be decoded",
    StatusReason.STREAM_ENDED: "the camera ended the stream",
    StatusReason.STREAM_STALLED: "the camera sends no more frames",
    StatusReason.DECODE_FAILED: "the stream's data cannot be decoded",
    StatusReason.SERVER_ERROR: "the camera answered with an error of its own",
    StatusReason.TLS_FAILED: "the secure connection failed",
    StatusReason.PATH_FORBIDDEN: "the file is not below FARM_LOCAL_VIDEO_DIR",
    StatusReason.URL_INVALID: "the URL cannot be used",
    StatusReason.ADDRESS_REFUSED: "no camera may have that address",
}


def failed(reason: StatusReason, url: str, sentence: str = "") -> CaptureError:
    """Make the error for `reason`; `url` may have secrets, the error's text has not."""
    return CaptureError(reason, f"{mask_url(url)}: {sentence or SENTENCES.get(reason, 'unexpected failure')}")


def classify(
    error: BaseException, stage: Stage, url: str, *, waited_seconds: float = 0.0, limit_seconds: float = 0.0
) -> CaptureError:
    """Name the reason of an error that libav or the operating system raised.

    Args:
        error: What was raised.
        stage: What was being done.
        url: The stream's URL, secrets included.
        waited_seconds: How long the failed call took.
        limit_seconds: How long it was allowed to take; 0: no limit, or not known.
    """
    if isinstance(error, CaptureError):
        return error
    ran_out = limit_seconds > 0 and waited_seconds >= limit_seconds * 0.99
    if ran_out and not isinstance(error, av_error.HTTPError | av_error.HTTPClientError):
        return failed(StatusReason.TIMEOUT if stage is Stage.OPENING else StatusReason.STREAM_STALLED, url)
    reason = _reason(error, stage, encrypted=url.startswith(("rtsps:", "https:")))
    said = (getattr(error, "strerror", None) or type(error).__name__) if reason in _SAYS_MORE else ""
    return failed(reason, url, f"{SENTENCES.get(reason, 'unexpected failure')} ({said})" if said else "")


#: Reasons where libav's own words help; they are without the URL.
_SAYS_MORE: Final = frozenset({StatusReason.SERVER_ERROR, StatusReason.UNKNOWN, StatusReason.CODEC_UNSUPPORTED})


def _reason(error: BaseException, stage: Stage, *, encrypted: bool) -> StatusReason:
    for kind, reason in _ALWAYS:
        if isinstance(error, kind):
            return reason
    for kind, opening, reading in _BY_STAGE:
        if isinstance(error, kind):
            return opening if stage is Stage.OPENING else reading
    if not isinstance(error, OSError):
        return StatusReason.UNKNOWN
    if error.errno in _UNREACHABLE:
        return StatusReason.UNREACHABLE
    if stage is Stage.READING:
        return StatusReason.STREAM_ENDED
    # The host was reached before, so of a connection that is to be secure only the handshake is left to fail.
    return StatusReason.TLS_FAILED if encrypted else StatusReason.SERVER_ERROR
