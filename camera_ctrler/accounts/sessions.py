"""Sessions in SQL: one for each login, with refresh tokens each of which is good once."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

import structlog
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from camera_ctrler.accounts.errors import LoginFailedError, SessionNotFoundError, SessionOverError
from camera_ctrler.accounts.tables import SessionRow, UserRow
from camera_ctrler.accounts.user import User
from runtime.clock import Clock

#: A session that nobody uses for this long is over: the life of a refresh token.
IDLE_MS: Final = 14 * 24 * 3_600_000
#: And however much it is used, after this long somebody logs in again.
LONGEST_MS: Final = 90 * 24 * 3_600_000
#: Two windows of one browser may use the same refresh token at once; the later one gets what the first one got.
SAME_REFRESH_MS: Final = 10_000
#: Sessions of one user; the oldest makes room.
MOST_SESSIONS: Final = 50
#: What is over is kept for this long, for those who ask why.
KEPT_MS: Final = 30 * 24 * 3_600_000

log = structlog.get_logger(__name__)


class Revoked(StrEnum):
    """Why a session ended before its time."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    PASSWORD = "password"  # noqa: S105 - a reason, not a secret
    DISABLED = "disabled"
    #: A refresh token was used a second time: somebody has a copy.
    REUSED = "reused"
    #: The user has too many.
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that stands, as lists show it."""

    id: str
    user: str
    created_at_ms: int
    last_used_at_ms: int
    expires_at_ms: int
    address: str
    user_agent: str


class Sessions:
    """The table of sessions. Safe to use from several threads and processes."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._clock = clock

    def open(self, user: User, password_hash: str, *, address: str, user_agent: str) -> str:
        """Begin a session of somebody who has just shown his password; return its id.

        Args:
            user: Who he is.
            password_hash: Of the password that he has shown: it takes a while to check one.
            address: Where he is.
            user_agent: What his browser says that it is.

        Raises:
            LoginFailedError: He has another password by now, is disabled, or gone.
        """
        now_ms = self._clock.now_ms()
        row = SessionRow(
            id=f"session-{secrets.token_hex(8)}",
            user_id=user.id,
            created_at_ms=now_ms,
            last_used_at_ms=now_ms,
            expires_at_ms=now_ms + LONGEST_MS,
            address=address[:64],
            user_agent=user_agent[:256],
            refresh_number=1,
            refreshed_at_ms=now_ms,
        )
        with self._sessions() as session:
            is_he = [UserRow.id == user.id, UserRow.password_hash == password_hash, UserRow.disabled.is_(False)]
            known = session.execute(update(UserRow).where(*is_he).values(last_login_at_ms=now_ms))
            if not cast("Any", known).rowcount:
                raise LoginFailedError
            old = (SessionRow.expires_at_ms < now_ms - KEPT_MS) | (SessionRow.revoked_at_ms < now_ms - KEPT_MS)
            session.execute(delete(SessionRow).where(old))
            mine = [SessionRow.user_id == user.id, *_stands(now_ms)]
            newest = select(SessionRow.id).where(*mine).order_by(SessionRow.created_at_ms.desc())
            too_many = session.scalars(newest.offset(MOST_SESSIONS - 1)).all()
            _revoke(session, [SessionRow.id.in_(too_many)], Revoked.ROOM, now_ms)
            session.add(row)
            session.commit()
        return row.id

    def refresh(self, session_id: str, number: int) -> int:
        """Use a refresh token; return the number of the next one.

        Args:
            session_id: The session that the token names.
            number: The token's own number.

        Raises:
            SessionOverError: It is over, or is ended here and now: the token was used before.
        """
        now_ms = self._clock.now_ms()
        with self._sessions() as session:
            is_this = [SessionRow.id == session_id, *_stands(now_ms)]
            used = session.execute(
                update(SessionRow)
                .where(*is_this, SessionRow.refresh_number == number)
                .values(refresh_number=number + 1, refreshed_at_ms=now_ms, last_used_at_ms=now_ms)
            )
            if cast("Any", used).rowcount:
                session.commit()
                return number + 1
            row = session.scalar(select(SessionRow).where(*is_this))
            if row is None:
                raise SessionOverError
            if row.refresh_number == number + 1 and now_ms - row.refreshed_at_ms <= SAME_REFRESH_MS:
                return row.refresh_number
            log.warning("refresh_token_reused", session=session_id, address=row.address)
            _revoke(session, is_this, Revoked.REUSED, now_ms)
            session.commit()
        raise SessionOverError

    def who(self, session_id: str) -> User | None:
        """Return whose session this is, if it stands and he may log in."""
        stands = [SessionRow.id == session_id, *_stands(self._clock.now_ms()), UserRow.disabled.is_(False)]
        with self._sessions() as session:
            row = session.scalar(select(UserRow).join(SessionRow, SessionRow.user_id == UserRow.id).where(*stands))
            return User.of(row) if row is not None else None

    def all(self, user: User) -> list[OpenSession]:
        """Return the sessions of a user that stand, the newest first."""
        stands = [SessionRow.user_id == user.id, *_stands(self._clock.now_ms())]
        with self._sessions() as session:
            rows = session.scalars(select(SessionRow).where(*stands).order_by(SessionRow.created_at_ms.desc()))
            return [
                OpenSession(
                    id=row.id,
                    user=user.name,
                    created_at_ms=row.created_at_ms,
                    last_used_at_ms=row.last_used_at_ms,
                    expires_at_ms=min(row.expires_at_ms, row.refreshed_at_ms + IDLE_MS),
                    address=row.address,
                    user_agent=row.user_agent,
                )
                for row in rows
            ]

    def revoke(self, session_id: str, why: Revoked = Revoked.REVOKED, *, of: str | None = None) -> None:
        """End a session.

        Args:
            session_id: Which one.
            why: What is kept as the reason.
            of: The id of the user whose it must be; None: anybody's.

        Raises:
            SessionNotFoundError: There is none, it is over already, or it is another user's.
        """
        now_ms = self._clock.now_ms()
        is_this = [SessionRow.id == session_id, *_stands(now_ms)]
        if of is not None:
            is_this.append(SessionRow.user_id == of)
        with self._sessions() as session:
            ended = _revoke(session, is_this, why, now_ms)
            session.commit()
        if not ended:
            raise SessionNotFoundError(session_id)


def revoke_all(session: Session, user_id: str, why: Revoked, now_ms: int, *, keep: str | None = None) -> None:
    """End all sessions of a user, but one, in a transaction that others commit."""
    _revoke(session, [SessionRow.user_id == user_id, SessionRow.id != (keep or "")], why, now_ms)


def _stands(now_ms: int) -> list[Any]:
    not_idle = SessionRow.refreshed_at_ms > now_ms - IDLE_MS
    return [SessionRow.revoked_at_ms.is_(None), SessionRow.expires_at_ms > now_ms, not_idle]


def _revoke(session: Session, which: list[Any], why: Revoked, now_ms: int) -> int:
    ended = session.execute(
        update(SessionRow)
        .where(*which, SessionRow.revoked_at_ms.is_(None))
        .values(revoked_at_ms=now_ms, revoked_for=why.value)
    )
    return int(cast("Any", ended).rowcount)
