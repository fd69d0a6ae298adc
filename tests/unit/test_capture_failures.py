"""What libav and the operating system raise, and what people are told."""

import errno

import pytest
from av import error as av_error

from contract.errors import REMEDIES, StatusReason
from workers.capture.failures import SENTENCES, CaptureError, Stage, classify, failed

URL = "rtsp://admin:s3cret@192.0.2.1/live?token=t0ken"
OPENING, READING = Stage.OPENING, Stage.READING


@pytest.mark.parametrize(
    ("error", "stage", "reason"),
    [
        (av_error.HTTPUnauthorizedError(1, "x", URL), OPENING, StatusReason.AUTH_FAILED),
        (av_error.HTTPForbiddenError(1, "x", URL), OPENING, StatusReason.AUTH_FAILED),
        (av_error.HTTPNotFoundError(1, "x", URL), OPENING, StatusReason.NOT_FOUND),
        (av_error.HTTPBadRequestError(1, "x", URL), OPENING, StatusReason.SERVER_ERROR),
        (av_error.HTTPOtherClientError(1, "x", URL), OPENING, StatusReason.SERVER_ERROR),
        (av_error.HTTPServerError(1, "x", URL), OPENING, StatusReason.SERVER_ERROR),
        (av_error.ConnectionRefusedError(errno.ECONNREFUSED, "x", URL), OPENING, StatusReason.REFUSED),
        (OSError(errno.EHOSTUNREACH, "x"), OPENING, StatusReason.UNREACHABLE),
        (OSError(errno.ENETUNREACH, "x"), OPENING, StatusReason.UNREACHABLE),
        (av_error.ExitError(1, "x", URL), OPENING, StatusReason.TIMEOUT),
        (av_error.ExitError(1, "x", URL), READING, StatusReason.STREAM_STALLED),
        (TimeoutError(), OPENING, StatusReason.TIMEOUT),
        (av_error.TimeoutError(errno.ETIMEDOUT, "x", URL), READING, StatusReason.STREAM_STALLED),
        (av_error.InvalidDataError(1, "x", URL), OPENING, StatusReason.NOT_VIDEO),
        (av_error.InvalidDataError(1, "x", URL), READING, StatusReason.DECODE_FAILED),
        (av_error.ArgumentError(errno.EINVAL, "x", URL), OPENING, StatusReason.NOT_VIDEO),
        (av_error.EOFError(1, "x", URL), OPENING, StatusReason.NOT_VIDEO),
        (av_error.EOFError(1, "x", URL), READING, StatusReason.STREAM_ENDED),
        (ConnectionResetError(errno.ECONNRESET, "x"), OPENING, StatusReason.SERVER_ERROR),
        (ConnectionResetError(errno.ECONNRESET, "x"), READING, StatusReason.STREAM_ENDED),
        (av_error.OSError(errno.EIO, "x", URL), READING, StatusReason.STREAM_ENDED),
        (av_error.OSError(errno.EIO, "x", URL), OPENING, StatusReason.SERVER_ERROR),
        (av_error.DecoderNotFoundError(1, "x", URL), OPENING, StatusReason.CODEC_UNSUPPORTED),
        (av_error.ProtocolNotFoundError(1, "x", URL), OPENING, StatusReason.URL_INVALID),
        (av_error.UnknownError(1, "x", URL), OPENING, StatusReason.UNKNOWN),
        (ValueError("x"), READING, StatusReason.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_error_has_a_reason(error: Exception, stage: Stage, reason: StatusReason) -> None:
    """Given an error, When it is classified, Then it has a named reason and a text without secrets."""
    failure = classify(error, stage, URL)
    assert failure.reason is reason
    assert "s3cret" not in failure.detail
    assert "t0ken" not in failure.detail
    assert "192.0.2.1" in failure.detail


@pytest.mark.parametrize("error", [av_error.InvalidDataError(1, "x"), av_error.OSError(errno.EIO, "x")])
def test_an_answer_that_never_came_is_told_by_the_time_it_took(error: Exception) -> None:
    """Given libav's invalid data after a silent server, When the limit had run out, Then it was a time-out."""
    late = {"waited_seconds": 4.0, "limit_seconds": 4.0}
    assert classify(error, OPENING, URL, **late).reason is StatusReason.TIMEOUT
    assert classify(error, READING, URL, **late).reason is StatusReason.STREAM_STALLED


def test_an_answer_that_came_late_is_still_an_answer() -> None:
    """Given a refusal that took as long as the limit, When it is classified, Then it is a refusal."""
    failure = classify(av_error.HTTPUnauthorizedError(1, "x"), OPENING, URL, waited_seconds=9, limit_seconds=4)
    assert failure.reason is StatusReason.AUTH_FAILED


def test_a_failed_handshake_is_told_apart_by_the_scheme() -> None:
    """Given a host that was reached, When opening rtsps:// ends in an I/O error, Then TLS has failed."""
    error = av_error.OSError(errno.EIO, "x")
    assert classify(error, OPENING, "rtsps://192.0.2.1/x").reason is StatusReason.TLS_FAILED


def test_a_classified_error_stays_as_it_is() -> None:
    """Given an error that has its reason, When it is classified again, Then nothing changes."""
    error = failed(StatusReason.NOT_FOUND, URL)
    assert classify(error, READING, URL) is error


@pytest.mark.parametrize("reason", list(SENTENCES))
def test_every_reason_a_capture_gives_has_a_remedy(reason: StatusReason) -> None:
    """Given a reason, When it is shown, Then there is a remedy to show with it."""
    assert REMEDIES[reason]
    assert isinstance(failed(reason, URL), CaptureError)
