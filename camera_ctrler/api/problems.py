"""Errors as people see them: one shape everywhere, RFC 9457 `application/problem+json`."""

from collections.abc import Mapping
from http import HTTPStatus
from secrets import token_hex
from typing import Any, Final

import redis
import structlog
from flask import Flask, Response, request
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from camera_ctrler.accounts.errors import (
    LastAdminError,
    LoginBusyError,
    LoginFailedError,
    NameRefusedError,
    PasswordRefusedError,
    SessionNotFoundError,
    SessionOverError,
    TokenExistsError,
    TokenNotFoundError,
    UserExistsError,
    UserNotFoundError,
    WrongPasswordError,
)
from camera_ctrler.camera_trials import TrialsBusyError
from camera_ctrler.identities.asking import NothingToSearchWithError, SearchAwayError, UnusablePictureError
from camera_ctrler.identities.errors import (
    ChangeConflictError,
    ChangeNotFoundError,
    IdentityNotFoundError,
    SightingNotFoundError,
    WatchNotFoundError,
)
from camera_ctrler.playback.clip_store import TooManyClipsError
from camera_ctrler.playback.errors import ClipInterruptedError, NothingToPlayError
from camera_ctrler.playback.links import LinkError, LinkExpiredError
from camera_ctrler.playback.recorded_files import FootageGoneError
from camera_ctrler.playback.track_runs import DamagedFootageError
from camera_ctrler.recordings.archive import ArchiveError
from camera_ctrler.registry import (
    CameraExistsError,
    CameraNotFoundError,
    CameraOwnedElsewhereError,
    CameraUnreadableError,
)
from contract.errors import ContractError, FarmError, InvalidUrlError
from runtime.drain import WorkerNotFoundError
from runtime.secret_box import SecretKeyError

PROBLEM_TYPE: Final = "application/problem+json"
#: Long enough for what a person can read, short enough that a 1 MB body is not sent back.
MAX_DETAIL: Final = 500

log = structlog.get_logger(__name__)


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Name of the field, with dots between levels", examples=["url"])
    message: str


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str = Field(description="Stable name of this kind of problem", examples=["urn:camfarm:problem:not-found"])
    title: str = Field(description="The same words for every problem of this kind", examples=["Camera not found"])
    status: int = Field(description="HTTP status", examples=[404])
    detail: str = Field(description="What happened this time, and the remedy")
    instance: str = Field(description="Path of the request", examples=["/api/v1/cameras/lobby"])
    errors: list[FieldError] = Field([], description="What is wrong, field by field")


class ProblemError(FarmError):
    """Raised by a handler to answer with a problem."""

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        errors: list[FieldError] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.title, self.detail = status, kind, title, detail
        self.errors = errors or []
        self.headers = headers or {}


def invalid_request(errors: list[FieldError]) -> ProblemError:
    """Return the problem of a request whose fields cannot be used."""
    detail = "; ".join(f"{error.field}: {error.message}" for error in errors)
    return ProblemError(400, "invalid-request", "The request cannot be used", detail, errors)


def field_errors(error: ValidationError, *, prefix: str = "", whole: bool = False) -> list[FieldError]:
    """Return pydantic's findings; what was sent is not repeated, for it may be a password.

    Args:
        error: What pydantic says.
        prefix: Comes before the name of each field.
        whole: Name fields alone, and not which of their values it is: a parameter that may be given several times.
    """
    found = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join([*([prefix] if prefix else []), *(str(part) for part in item["loc"][: 1 if whole else None])])
        found.append(
            FieldError(field=_short(field, 100) or "body", message=_short(item["msg"].removeprefix("Value error, ")))
        )
    return found[:20]


def problem_response(
    status: int, kind: str, title: str, detail: str, errors: list[FieldError] | None = None
) -> Response:
    """Return a problem as a response."""
    body = Problem(
        type=f"urn:camfarm:problem:{kind}",
        title=title,
        status=status,
        detail=_short(detail),
        instance=_short(request.path),
        errors=errors or [],
    )
    return Response(body.model_dump_json(), status, mimetype=PROBLEM_TYPE)


def install(app: Flask) -> None:
    """Make every error of `app` a problem."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(FarmError, _farm_error)
    app.register_error_handler(redis.RedisError, _redis_away)
    app.register_error_handler(SQLAlchemyError, _database_away)
    app.register_error_handler(OSError, _volume_away)
    app.register_error_handler(Exception, _unexpected)


def _http_error(error: HTTPException) -> Response:
    if isinstance(error.response, Response):  # made already where it was raised
        return error.response
    status = error.code or 500
    phrase = HTTPStatus(status).phrase
    details: dict[int, str] = {
        404: f"There is nothing at {request.path}; /apidocs/ lists what there is",
        405: f"{request.method} is not possible here; the Allow header says what is",
        413: "The request body is too large; FARM_API_MAX_BODY_BYTES sets the limit",
    }
    detail = details.get(status, error.description or phrase)
    response = problem_response(status, phrase.lower().replace(" ", "-"), phrase, detail)
    for name, value in error.get_headers(request.environ):
        if name in {"Allow", "Retry-After", "Content-Range"}:
            response.headers[name] = value
    return response


#: Our own errors that a request can cause: status, kind, title, and the field at fault where it is always the same.
_KNOWN: Final[tuple[tuple[type[FarmError], int, str, str, str], ...]] = (
    (CameraNotFoundError, 404, "camera-not-found", "Camera not found", ""),
    (IdentityNotFoundError, 404, "identity-not-found", "Identity not found", ""),
    (SightingNotFoundError, 404, "sighting-not-found", "Sighting not found", ""),
    (ChangeNotFoundError, 404, "change-not-found", "Change not found", ""),
    (WatchNotFoundError, 404, "watch-not-found", "Entry of the watch list not found", ""),
    (NothingToSearchWithError, 404, "nothing-to-search-with", "Nothing to search with", ""),
    (ChangeConflictError, 409, "change-conflict", "This does not go together with how things are", ""),
    (UnusablePictureError, 422, "picture-unusable", "The picture cannot be searched with", ""),
    (SearchAwayError, 503, "search-away", "Nobody searches", ""),
    (LoginFailedError, 401, "login-failed", "Login failed", ""),
    (SessionOverError, 401, "login-needed", "Login needed", ""),
    (LoginBusyError, 503, "login-busy", "Too many log in at once", ""),
    (UserNotFoundError, 404, "user-not-found", "User not found", ""),
    (SessionNotFoundError, 404, "session-not-found", "Session not found", ""),
    (TokenNotFoundError, 404, "token-not-found", "Token not found", ""),
    (UserExistsError, 409, "user-exists", "User exists already", "name"),
    (TokenExistsError, 409, "token-exists", "Token exists already", "name"),
    (LastAdminError, 409, "last-admin", "This is the last admin", ""),
    (NameRefusedError, 400, "invalid-request", "The request cannot be used", "name"),
    (WrongPasswordError, 400, "invalid-request", "The request cannot be used", "current"),
    (PasswordRefusedError, 400, "invalid-request", "The request cannot be used", "password"),
    (WorkerNotFoundError, 404, "worker-not-found", "Worker not found", ""),
    (CameraExistsError, 409, "camera-exists", "Camera exists already", "id"),
    (CameraOwnedElsewhereError, 409, "camera-owned-elsewhere", "Camera follows the external table", ""),
    (InvalidUrlError, 400, "invalid-request", "The request cannot be used", "url"),
    (TrialsBusyError, 503, "too-many-trials", "Too many cameras are being tried", ""),
    (ContractError, 400, "invalid-request", "The request cannot be used", ""),
    (NothingToPlayError, 404, "nothing-to-play", "Nothing to play", ""),
    (FootageGoneError, 404, "footage-gone", "Footage is gone", ""),
    (DamagedFootageError, 404, "footage-damaged", "Footage is damaged", ""),
    (LinkExpiredError, 403, "link-expired", "The link has expired", ""),
    (LinkError, 403, "link-invalid", "The link cannot be used", ""),
    (ArchiveError, 503, "archive-away", "The archive of footage cannot be used", ""),
    (TooManyClipsError, 503, "too-many-clips", "Too many clips at once", ""),
    (ClipInterruptedError, 503, "stopping", "The server stops", ""),
    (CameraUnreadableError, 503, "camera-unreadable", "The camera's row in the database cannot be read", ""),
    (SecretKeyError, 503, "secret-key", "Stored passwords cannot be read", ""),
)


def _farm_error(error: FarmError) -> Response:
    if isinstance(error, ProblemError):
        response = problem_response(error.status, error.kind, error.title, error.detail, error.errors)
        response.headers.update(error.headers)
        return response
    for kind, status, name, title, field in _KNOWN:
        if isinstance(error, kind):
            errors = [FieldError(field=field, message=_short(str(error)))] if field else []
            return problem_response(status, name, title, str(error), errors)
    return _unexpected(error)


def _redis_away(error: redis.RedisError) -> Response:
    log.warning("redis_away", path=request.path, error=str(error))
    return problem_response(
        503,
        "redis-away",
        "Redis cannot be reached",
        "The API cannot reach Redis, so states and results are not known now; check that it runs and FARM_REDIS_URL. "
        "Cameras go on being analysed and saved, and the camera registry and saved frames can be used.",
    )


def _database_away(error: SQLAlchemyError) -> Response:
    log.warning("database_away", path=request.path, error=_first_line(error))
    return problem_response(
        503,
        "database-away",
        "The database cannot be used",
        "The API cannot use the camera registry's database; check that it runs and FARM_DATABASE_URL. "
        "Cameras go on being analysed and saved.",
    )


def _volume_away(error: OSError) -> Response:
    log.error("volume_away", path=request.path, error=str(error))
    return problem_response(
        503,
        "volume-away",
        "The frames volume cannot be used",
        f"The API cannot use the frames volume ({error.strerror or type(error).__name__}); check that it is mounted, "
        "readable, and FARM_FRAMES_DIR. Live views go on.",
    )


def _unexpected(error: Exception) -> Response:
    reference = token_hex(4)
    log.error("request_failed", reference=reference, method=request.method, path=request.path, exc_info=error)
    return problem_response(
        500,
        "internal-error",
        "Internal error",
        f"Something went wrong in CamFarm; the controller's log has the details under reference {reference}.",
    )


def _first_line(error: Any) -> str:
    return (str(error).splitlines() or [""])[0]


def _short(text: str, limit: int = MAX_DETAIL) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
