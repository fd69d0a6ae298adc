"""Accounts as the API uses them: log in, stay logged in, be known; users, sessions and tokens behind one door."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.accounts.errors import LoginFailedError, SessionOverError, UserNotFoundError, WrongPasswordError
from camera_ctrler.accounts.passwords import Passwords
from camera_ctrler.accounts.principal import EVERYBODY, Principal
from camera_ctrler.accounts.sessions import Revoked, Sessions
from camera_ctrler.accounts.standing import Standing
from camera_ctrler.accounts.tokens import PRINCIPAL_PREFIX, Token, Tokens, hash_of
from camera_ctrler.accounts.user import User
from camera_ctrler.accounts.users import Users
from camera_ctrler.accounts.uses import Uses
from runtime.clock import Clock


class Accounts:
    """Everything about who may use the farm. Safe to use from several threads and processes."""

    def __init__(
        self, engine: Engine, clock: Clock, stopping: threading.Event, passwords: Passwords | None = None
    ) -> None:
        """Prepare it; the database is not asked yet.

        Args:
            engine: The database.
            clock: Of this machine.
            stopping: Set when the process stops.
            passwords: How they are hashed; default: as they should be.
        """
        self._passwords = passwords or Passwords()
        self.users: Final = Users(engine, self._passwords, clock)
        self.sessions: Final = Sessions(engine, clock)
        self.tokens: Final = Tokens(engine, clock)
        self.uses: Final = Uses(engine, clock, stopping)
        self._of_sessions: Final = Standing(self._look_session, clock)
        self._of_tokens: Final = Standing(self._look_token, clock)
        self._of_token_names: Final = Standing(self._look_token_name, clock)
        self._of_names: Final = Standing(self._look_name, clock)

    # --- who is it -----------------------------------------------------------------------------------------------

    def of_session(self, session_id: str) -> Principal:
        """Return whose session that is.

        Raises:
            SessionOverError: It does not stand.
        """
        found = self._of_sessions.who(session_id)
        if found is None:
            raise SessionOverError
        return found

    def of_token(self, secret: str) -> Principal | None:
        """Return which program shows that secret; None: none of ours."""
        return self._of_tokens.who(hash_of(secret))

    def still_valid(self, principal: Principal) -> bool:
        """Tell whether somebody may still do and see what he might when he was let in. For long answers.

        Ask as often as you like: the database is asked once a second at most. False too when his role or his cameras
        changed: he connects again, and gets what he may see now.
        """
        if principal == EVERYBODY:
            return True
        try:
            if principal.session is not None:
                return self._of_sessions.who(principal.session) == principal
            return self._of_token_names.who(principal.name.removeprefix(PRINCIPAL_PREFIX)) == principal
        except SQLAlchemyError:  # while it is away nobody can take anything from him
            return True

    def since(self, name: str, at_ms: int) -> Principal | None:
        """Return who had a name at a time, as he is now; None: he is gone, or may not log in.

        Args:
            name: As principals have it.
            at_ms: Unix ms UTC: who got the name later is another one.
        """
        return self._of_names.who(f"{at_ms} {name}")

    def _look_session(self, session_id: str) -> Principal | None:
        user = self.sessions.who(session_id)
        if user is None:
            return None
        self.uses.note_session(session_id)
        return user.principal(session_id)

    def _look_token(self, secret_hash: str) -> Principal | None:
        token = self.tokens.who(secret_hash)
        if token is None:
            return None
        self.uses.note_token(token.id)
        return token.principal()

    def _look_token_name(self, name: str) -> Principal | None:
        token = self.tokens.named(name)
        return None if token is None else token.principal()

    def _look_name(self, key: str) -> Principal | None:
        at_ms, _, name = key.partition(" ")
        found: User | Token | None = None
        if name.startswith(PRINCIPAL_PREFIX):
            found = self.tokens.named(name.removeprefix(PRINCIPAL_PREFIX))
        else:
            with suppress(UserNotFoundError):
                found = self.users.get(name)
        if found is None or found.created_at_ms > int(at_ms):
            return None
        if isinstance(found, User):
            return None if found.disabled else found.principal(None)
        return found.principal()

    # --- coming and going ----------------------------------------------------------------------------------------

    def log_in(self, name: str, password: str, *, address: str, user_agent: str) -> tuple[User, str]:
        """Return who logs in, and the id of his new session.

        Raises:
            LoginFailedError: Name and password do not go together, or do no longer, or he is disabled.
            LoginBusyError: Too many log in at this moment.
        """
        checked = self.users.checked(name, password)
        if checked is None:
            raise LoginFailedError
        user, password_hash = checked
        return user, self.sessions.open(user, password_hash, address=address, user_agent=user_agent)

    def refresh(self, session_id: str, number: int) -> tuple[User, int]:
        """Return who goes on with a session, and the number of his next refresh token.

        Raises:
            SessionOverError: The session is over, or that token was used before, which ends it.
        """
        try:
            following = self.sessions.refresh(session_id, number)
        except SessionOverError:
            self.forget()
            raise
        user = self.sessions.who(session_id)
        if user is None:
            raise SessionOverError
        return user, following

    def log_out(self, session_id: str) -> None:
        """End a session."""
        self.sessions.revoke(session_id, Revoked.LOGOUT)
        self.forget()

    def change_own_password(self, principal: Principal, current: str, new: str) -> None:
        """Set somebody's own new password; his other sessions end.

        Raises:
            WrongPasswordError: `current` is not his password.
            PasswordRefusedError: The new one cannot be used.
        """
        if self.users.checked(principal.name, current) is None:
            raise WrongPasswordError
        self.users.change(principal.name, {"password": new}, given=False, keep=principal.session)
        self.forget()

    # --- changing others -----------------------------------------------------------------------------------------

    def change_user(self, name: str, changes: Mapping[str, Any]) -> User:
        """Change a user; it takes effect at once. See `Users.change`."""
        changed = self.users.change(name, changes)
        self.forget()
        return changed

    def remove_user(self, name: str) -> None:
        """Remove a user; he is out at once. See `Users.remove`."""
        self.users.remove(name)
        self.forget()

    def revoke_session(self, session_id: str, *, of: str | None) -> None:
        """End a session. See `Sessions.revoke`."""
        self.sessions.revoke(session_id, of=of)
        self.forget()

    def revoke_token(self, token: str) -> None:
        """Revoke a token. See `Tokens.remove`."""
        self.tokens.remove(token)
        self.forget()

    def forget(self) -> None:
        """Ask the database anew about everybody."""
        for standing in (self._of_sessions, self._of_tokens, self._of_token_names, self._of_names):
            standing.forget()

    def close(self) -> None:
        """Write what is not written; the event that the constructor was given is set by now."""
        self.uses.close()
