"""The cookies of a login: two that no script can read, and the value against CSRF, which scripts send back."""

import hashlib
from typing import Any, Final

from flask import Response, current_app, request
from flask_jwt_extended import create_access_token, create_refresh_token

from camera_ctrler.accounts.sessions import IDLE_MS

ACCESS_COOKIE: Final = "farm_access"
REFRESH_COOKIE: Final = "farm_refresh"
CSRF_COOKIE: Final = "farm_csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
#: Only what lies below it gets the refresh token.
REFRESH_PATH: Final = "/api/v1/auth"
_IDLE_SECONDS: Final = IDLE_MS // 1000


def give_cookies(response: Response, session_id: str, number: int, *, access_seconds: int) -> None:
    """Give a browser what it needs for a session.

    Args:
        response: The answer that carries them.
        session_id: Which session.
        number: Of its refresh token.
        access_seconds: How long the access token lives.
    """
    csrf = _csrf_value(session_id)
    access = create_access_token(session_id, additional_claims={"csrf": csrf})
    refresh = create_refresh_token(session_id, additional_claims={"csrf": csrf, "number": number})
    _set(response, ACCESS_COOKIE, access, access_seconds, httponly=True)
    _set(response, REFRESH_COOKIE, refresh, _IDLE_SECONDS, httponly=True, path=REFRESH_PATH)
    _set(response, CSRF_COOKIE, csrf, _IDLE_SECONDS, httponly=False)


def take_cookies(response: Response) -> None:
    """Let a browser forget the session."""
    for name, path in ((ACCESS_COOKIE, "/"), (REFRESH_COOKIE, REFRESH_PATH), (CSRF_COOKIE, "/")):
        response.delete_cookie(
            name, path=path, secure=request.is_secure, httponly=name != CSRF_COOKIE, samesite="Strict"
        )


def _csrf_value(session_id: str) -> str:
    """Return the value of a session against CSRF: the same for its life, so that no two windows disagree about it."""
    key: bytes = current_app.config["JWT_SECRET_KEY"]
    return hashlib.blake2b(session_id.encode(), key=key, digest_size=24, person=b"csrf").hexdigest()


def _set(response: Response, name: str, value: str, seconds: int, **options: Any) -> None:
    response.set_cookie(name, value, max_age=seconds, secure=request.is_secure, samesite="Strict", **options)
