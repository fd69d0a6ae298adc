"""Log in and out, stay logged in, see who one is and where one is logged in."""

from contextlib import suppress

from flask import Response, request

from camera_ctrler.accounts.errors import (
    LoginFailedError,
    SessionNotFoundError,
    SessionOverError,
    UserNotFoundError,
)
from camera_ctrler.accounts.principal import EVERYBODY
from camera_ctrler.accounts.user import User
from camera_ctrler.api.access import principal, set_principal
from camera_ctrler.api.account_schemas import Login, Me, PasswordChange, SessionInfo, SessionList, SessionQuery
from camera_ctrler.api.authentication import ACCESS_SECONDS, NUMBER, cookie_claims, refuse_csrf
from camera_ctrler.api.authorisation import authorise
from camera_ctrler.api.cookies import ACCESS_COOKIE, CSRF_HEADER, give_cookies, take_cookies
from camera_ctrler.api.documented import JSON_TYPE, Resource
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.services import services
from camera_ctrler.audit.entry import AuditEntry
from contract.accounts import Role

resource = Resource("auth", "accounts")


@resource.documented(
    "POST",
    "/auth/login",
    role=None,
    summary="Log in",
    description="Gives the cookies `farm_access` and `farm_refresh`, which no script can read, and `farm_csrf`, whose "
    f"value requests that change something send back in the header `{CSRF_HEADER}`. Programs use a token instead.",
    body=Login,
    answers={200: Me},
    errors=(401, 429),
    examples={"The first user": {"user": "admin", "password": "the-one-that-was-printed"}},
)
def log_in(body: Login) -> Response:
    """Begin a session."""
    if not services().settings.auth:
        return _me(Me.of(EVERYBODY, password_given=False))
    address = request.remote_addr or ""
    agent = request.headers.get("User-Agent", "")
    try:
        with services().throttle.attempt(body.user, address):
            user, session = services().accounts.log_in(
                body.user, body.password.get_secret_value(), address=address, user_agent=agent
            )
    except LoginFailedError:
        _note_failure(body.user)
        services().make_first_admin()  # when this process started, the database may have been away
        raise
    return _welcome(user, session, 1)


@resource.documented(
    "POST",
    "/auth/refresh",
    role=None,
    audited=False,
    summary="Stay logged in",
    description="Uses the refresh token in its cookie, which is good once, and gives new cookies. One that is used a "
    "second time ends the session: somebody has a copy.",
    answers={200: Me},
    errors=(401, 403),
)
def refresh_session() -> Response:
    """Go on with a session."""
    if not services().settings.auth:
        return _me(Me.of(EVERYBODY, password_given=False))
    claims = cookie_claims(refresh=True)
    user, number = services().accounts.refresh(claims["sub"], claims[NUMBER])
    return _welcome(user, claims["sub"], number)


@resource.documented("POST", "/auth/logout", role=None, summary="Log out", answers={204: None}, errors=(403,))
def log_out() -> Response:
    """End the session, and let the browser forget it."""
    if services().settings.auth:
        if not request.headers.get(CSRF_HEADER):
            refuse_csrf()
        _end_session()
    response = Response(status=204)
    take_cookies(response)
    return response


def _note_failure(name: str) -> None:
    """Note in the audit that somebody failed to log in; a name that nobody has may be a password in the wrong field."""
    try:
        known = services().accounts.users.get(name).name
    except UserNotFoundError:
        known = "(unknown)"
    services().audit.append(AuditEntry(known, "log_in_failed", known, address=request.remote_addr or ""))


def _end_session() -> None:
    """End the session of either cookie: the access token may have run out."""
    for refresh in (ACCESS_COOKIE not in request.cookies, True):
        try:
            session = cookie_claims(refresh=refresh)["sub"]
            with suppress(SessionOverError, SessionNotFoundError):  # it was ended elsewhere: he is out already
                set_principal(services().accounts.of_session(session))  # for the audit
                services().accounts.log_out(session)
        except ProblemError as error:
            if error.status == 403:
                raise
        else:
            return


@resource.documented(
    "GET", "/auth/me", role=Role.VIEWER, summary="See who you are, and what you may", answers={200: Me}
)
def get_me() -> Me:
    """Say who sends the request."""
    who = principal()
    given = who.session is not None and services().accounts.users.get(who.name).password_given
    return Me.of(who, password_given=given)


@resource.documented(
    "POST",
    "/auth/password",
    role=Role.VIEWER,
    summary="Change your password",
    description="Your other sessions end.",
    body=PasswordChange,
    answers={204: None},
    errors=(429,),
)
def change_password(body: PasswordChange) -> None:
    """Change the password of who sends the request."""
    who = principal()
    if who.session is None:
        raise ProblemError(
            403, "no-password", "There is no password", f"{who.name} is no user; only users who log in have a password"
        )
    with services().throttle.attempt(who.name, request.remote_addr or ""):
        services().accounts.change_own_password(who, body.current.get_secret_value(), body.new.get_secret_value())


@resource.documented(
    "GET",
    "/auth/sessions",
    role=Role.VIEWER,
    summary="List sessions",
    description="Where you are logged in; an admin sees those of others.",
    query=SessionQuery,
    answers={200: SessionList},
    errors=(404,),
)
def list_sessions(query: SessionQuery) -> SessionList:
    """Answer with the sessions of one user."""
    who = principal()
    name = query.user or who.name
    if name != who.name:
        authorise(who, Role.ADMIN, whole_farm=True, camera_id=None)  # as for all that is told of others
    if query.user is None and who.session is None:  # a token, or nobody need log in
        return SessionList(items=[])
    accounts = services().accounts
    found = accounts.sessions.all(accounts.users.get(name))
    return SessionList(items=[SessionInfo.of(each, current=each.id == who.session) for each in found])


@resource.documented(
    "DELETE",
    "/auth/sessions/<session>",
    role=Role.VIEWER,
    summary="End a session",
    description="One of your own; an admin ends those of others, too. It takes effect at once.",
    answers={204: None},
    errors=(404,),
)
def end_session(session: str) -> None:
    """End one session."""
    who, accounts = principal(), services().accounts
    of = None if who.may(Role.ADMIN) and who.sees_all else accounts.users.get(who.name).id
    accounts.revoke_session(session, of=of)


def _welcome(user: User, session: str, number: int) -> Response:
    response = _me(Me.of(user.principal(session), password_given=user.password_given))
    give_cookies(response, session, number, access_seconds=ACCESS_SECONDS)
    return response


def _me(me: Me) -> Response:
    response = Response(me.model_dump_json(), mimetype=JSON_TYPE)
    response.cache_control.no_store = True
    return response
