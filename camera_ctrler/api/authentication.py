"""Finds out who sends a request, and closes everything to those who have not said who they are."""

from datetime import timedelta
from typing import Any, Final, NoReturn, cast

import structlog
from flask import Flask, g, request
from flask_jwt_extended import JWTManager, get_jwt, verify_jwt_in_request
from flask_jwt_extended.exceptions import CSRFError, JWTExtendedException
from jwt import PyJWTError

from camera_ctrler.accounts.errors import SessionOverError
from camera_ctrler.accounts.sessions import IDLE_MS
from camera_ctrler.api.access import known_principal, set_principal
from camera_ctrler.api.cookies import ACCESS_COOKIE, CSRF_HEADER, REFRESH_COOKIE
from camera_ctrler.api.documented import Operation
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.services import services
from runtime.secret_box import SecretBox

#: Life of an access token. What is revoked is refused at once nevertheless, see `Accounts.of_session`.
ACCESS_SECONDS: Final = 600
ALGORITHM: Final = "HS256"
ISSUER: Final = "camfarm"
#: Claim of a refresh token: its number in its session.
NUMBER: Final = "number"
#: What anybody may have, beside operations without a role: pages and files that hold nothing of the farm's.
PUBLIC_PAGES: Final = frozenset(
    {
        "static",
        "web_ui.page",
        "web_ui.file",
        "flasgger.static",
        "flasgger.apidocs",
        "flasgger.oauth_redirect",
        "flasgger.<lambda>",  # /apidocs/index.html, which leads to /apidocs/
    }
)

log = structlog.get_logger(__name__)


def install_tokens(app: Flask, box: SecretBox) -> None:
    """Let `app` make and read the tokens in cookies: signed with a key that only the farm's secret key gives."""
    app.config.update(
        JWT_SECRET_KEY=box.derived_key("login tokens"),
        JWT_ALGORITHM=ALGORITHM,
        JWT_DECODE_ALGORITHMS=[ALGORITHM],
        JWT_ENCODE_ISSUER=ISSUER,
        JWT_DECODE_ISSUER=ISSUER,
        JWT_TOKEN_LOCATION=["cookies"],
        JWT_ACCESS_COOKIE_NAME=ACCESS_COOKIE,
        JWT_REFRESH_COOKIE_NAME=REFRESH_COOKIE,
        JWT_ACCESS_CSRF_HEADER_NAME=CSRF_HEADER,
        JWT_REFRESH_CSRF_HEADER_NAME=CSRF_HEADER,
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=ACCESS_SECONDS),
        JWT_REFRESH_TOKEN_EXPIRES=timedelta(milliseconds=IDLE_MS),
    )
    JWTManager(app)


def public_endpoints(operations: list[Operation]) -> frozenset[str]:
    """Return what is answered without login: operations that say so, and pages."""
    return PUBLIC_PAGES | {operation.endpoint for operation in operations if operation.role is None}


class Door:
    """Lets in who has said who he is. Between its two steps requests are counted, also those that are then refused."""

    def __init__(self, public: frozenset[str]) -> None:
        """Prepare it.

        Args:
            public: Endpoints that are open to everybody.
        """
        self._public = public

    def identify(self) -> None:
        """Find out who sends the request at hand."""
        if self._is_closed():
            try:
                _authenticate()
            except ProblemError as error:
                g.refusal = error

    def refuse(self) -> None:
        """Refuse the request at hand where nobody knows who sends it."""
        if self._is_closed() and known_principal() is None:
            raise g.refusal

    def _is_closed(self) -> bool:
        # No endpoint: there is nothing at that path, whoever asks.
        return request.endpoint is not None and request.endpoint not in self._public


def _authenticate() -> None:
    if "Authorization" in request.headers:  # it alone counts, so that nobody is taken for another one than he says
        _authenticate_program()
        return
    claims = cookie_claims(refresh=False)
    try:
        set_principal(services().accounts.of_session(claims["sub"]))
    except SessionOverError:
        _refuse("The session is over; log in again")


def _authenticate_program() -> None:
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        _refuse("Send the header Authorization: Bearer, followed by a token; ./farm tokens add makes one")
    found = services().accounts.of_token(given.token)
    if found is None:
        _refuse("The token is not known, was revoked, or has run out; ./farm tokens list shows those that there are")
    set_principal(found)


def cookie_claims(*, refresh: bool) -> dict[str, Any]:
    """Return what the token in the request's cookie says, after its signature, age and CSRF value were checked.

    Args:
        refresh: The refresh token, else the access token.

    Raises:
        ProblemError: 401; 403 where the CSRF value is missing or wrong.
    """
    if not request.headers.get(CSRF_HEADER, "").isascii():
        refuse_csrf()
    try:
        found = verify_jwt_in_request(refresh=refresh)
    except CSRFError:
        refuse_csrf()
    except (JWTExtendedException, PyJWTError) as error:
        log.debug("token_refused", reason=str(error))
        _refuse("Log in first" if ACCESS_COOKIE not in request.cookies else "The login has run out or is not valid")
    if found is None:  # OPTIONS, which the library lets through
        _refuse("Log in first")
    return cast("dict[str, Any]", get_jwt())


def refuse_csrf() -> NoReturn:
    """Refuse a request that may come from another site's page."""
    raise ProblemError(
        403,
        "csrf",
        "The request may come from another site",
        f"Send the header {CSRF_HEADER} with the value of the cookie farm_csrf",
    )


def _refuse(detail: str) -> NoReturn:
    raise ProblemError(401, "login-needed", "Login needed", detail, headers={"WWW-Authenticate": "Bearer"})
