"""Users in SQL: add, change, remove, list. Whoever is changed or removed is logged out where that matters."""

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from camera_ctrler.accounts.errors import (
    LastAdminError,
    NameRefusedError,
    PasswordRefusedError,
    UserExistsError,
    UserNotFoundError,
)
from camera_ctrler.accounts.passwords import Passwords
from camera_ctrler.accounts.rules import checked_name, checked_password, name_key
from camera_ctrler.accounts.sessions import Revoked, revoke_all
from camera_ctrler.accounts.tables import SessionRow, UserRow
from camera_ctrler.accounts.user import User
from contract.accounts import Role
from runtime.clock import Clock


class Users:
    """The table of users. Safe to use from several threads and processes."""

    def __init__(self, engine: Engine, passwords: Passwords, clock: Clock) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._passwords = passwords
        self._clock = clock

    # --- reading -------------------------------------------------------------------------------------------------

    def all(self) -> list[User]:
        """Return every user, by name."""
        with self._sessions() as session:
            return [User.of(row) for row in session.scalars(select(UserRow).order_by(UserRow.name_key))]

    def get(self, name: str) -> User:
        """Return one user.

        Raises:
            UserNotFoundError: There is none of that name.
        """
        with self._sessions() as session:
            return User.of(_row(session, name))

    def there_is_an_admin(self) -> bool:
        """Tell whether somebody can log in who may change users."""
        with self._sessions() as session:
            return _admins(session) > 0

    def checked(self, name: str, password: str) -> tuple[User, str] | None:
        """Return the user whose name and password these are, and its hash, or None; takes as long either way.

        Raises:
            LoginBusyError: Too many passwords are being checked.
        """
        with self._sessions() as session:
            row = session.scalar(select(UserRow).where(UserRow.name_key == name_key(name)))
        right = self._passwords.is_right(row.password_hash if row is not None else None, password)
        if row is None or not right or row.disabled:
            return None
        if self._passwords.is_outdated(row.password_hash):
            return User.of(row), self._rehashed(row, password)
        return User.of(row), row.password_hash

    def _rehashed(self, row: UserRow, password: str) -> str:
        fresh = self._passwords.hash(password)
        with self._sessions() as session:
            still = UserRow.password_hash == row.password_hash  # else he changed it in between
            session.execute(update(UserRow).where(UserRow.id == row.id, still).values(password_hash=fresh))
            session.commit()
        return fresh

    # --- changing ------------------------------------------------------------------------------------------------

    def add(
        self, name: str, password: str, role: Role, cameras: frozenset[str] | None = None, *, given: bool = True
    ) -> User:
        """Add a user.

        Args:
            name: Unique in every spelling that people take for the same.
            password: In clear.
            role: What he may do.
            cameras: Which he may see; None: all.
            given: Somebody else made the password.

        Raises:
            UserExistsError: The name is taken.
            NameRefusedError, PasswordRefusedError: They cannot be used.
        """
        name = _usable_name(name)
        row = UserRow(
            id=f"user-{secrets.token_hex(8)}",
            name_key=name_key(name),
            name=name,
            password_hash=self._hash(password, name),
            role=role.value,
            cameras=_stored(cameras),
            disabled=False,
            password_given=given,
            created_at_ms=self._clock.now_ms(),
            last_login_at_ms=None,
        )
        with self._sessions() as session:
            session.add(row)
            try:
                session.commit()
            except IntegrityError as error:
                raise UserExistsError(name) from error
        return User.of(row)

    def change(self, name: str, changes: Mapping[str, Any], *, given: bool = True, keep: str | None = None) -> User:
        """Change a user.

        Args:
            name: Which one.
            changes: Any of ``role``, ``cameras``, ``disabled`` and ``password`` (in clear).
            given: Somebody else made the password, if that changes.
            keep: The one session of his that goes on with another password.

        Raises:
            UserNotFoundError: There is none of that name.
            LastAdminError: Nobody would be left who may change users.
            PasswordRefusedError: The password cannot be used.
        """
        columns = {column: changes[column] for column in ("role", "disabled") if column in changes}
        if "cameras" in changes:
            columns["cameras"] = _stored(changes["cameras"])
        if "password" in changes:  # hashed before the database is locked
            columns |= {"password_hash": self._hash(changes["password"], name), "password_given": given}
        with self._sessions() as session:
            _lock(session, name)
            row, admins = _row(session, name), _admins(session)
            for column, value in columns.items():
                setattr(row, column, value)
            session.flush()
            if admins and not _admins(session):
                raise LastAdminError(row.name)
            if "password_hash" in columns or row.disabled:
                revoke_all(
                    session,
                    row.id,
                    Revoked.DISABLED if row.disabled else Revoked.PASSWORD,
                    self._clock.now_ms(),
                    keep=keep,
                )
            session.commit()
            return User.of(row)

    def remove(self, name: str) -> None:
        """Remove a user and his sessions.

        Raises:
            UserNotFoundError: There is none of that name.
            LastAdminError: Nobody would be left who may change users.
        """
        with self._sessions() as session:
            _lock(session, name)
            row, admins = _row(session, name), _admins(session)
            session.execute(delete(SessionRow).where(SessionRow.user_id == row.id))
            session.delete(row)
            session.flush()
            if admins and not _admins(session):
                raise LastAdminError(row.name)
            session.commit()

    def _hash(self, password: str, name: str) -> str:
        try:
            return self._passwords.hash(checked_password(password, name=name))
        except ValueError as error:
            raise PasswordRefusedError(str(error)) from None


def _usable_name(name: str) -> str:
    try:
        return checked_name(name)
    except ValueError as error:
        raise NameRefusedError(str(error)) from None


def _stored(cameras: frozenset[str] | None) -> list[str] | None:
    return None if cameras is None else sorted(cameras)


def _row(session: Session, name: str) -> UserRow:
    row = session.scalar(select(UserRow).where(UserRow.name_key == name_key(name)))
    if row is None:
        raise UserNotFoundError(name)
    return row


def _lock(session: Session, name: str) -> None:
    """Let one at a time change users, until it commits: who is the last admin must stay true until then.

    Writes of all admins' rows conflict; on SQLite any write does, and a transaction that reads first would not wait.
    """
    changed = (UserRow.name_key == name_key(name)) | (UserRow.role == Role.ADMIN.value)
    session.execute(update(UserRow).where(changed).values(disabled=UserRow.disabled))


def _admins(session: Session) -> int:
    can = (UserRow.role == Role.ADMIN.value) & UserRow.disabled.is_(False)
    return session.scalar(select(func.count()).select_from(UserRow).where(can)) or 0
