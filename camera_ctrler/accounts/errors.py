"""What can be wrong with accounts."""

from contract.errors import FarmError


class LoginFailedError(FarmError):
    """User and password do not go together; which of the two is wrong, nobody is told."""

    def __init__(self) -> None:
        super().__init__("user name or password is wrong; an admin can set a new one: ./farm users password NAME")


class WrongPasswordError(FarmError, ValueError):
    """Somebody who changes his password did not give the one that he has."""

    def __init__(self) -> None:
        super().__init__("this is not your password")


class LoginBusyError(FarmError):
    """More people log in at this moment than are let in at a time."""

    def __init__(self) -> None:
        super().__init__("too many people log in at this moment; try again in a second")


class SessionOverError(FarmError):
    """The session was logged out, revoked, or is too old."""

    def __init__(self) -> None:
        super().__init__("the session is over; log in again")


class UserNotFoundError(FarmError, LookupError):
    """No user has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"user {name!r} does not exist; `./farm users list` shows those that do")


class UserExistsError(FarmError):
    """A user with that name is there already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"user {name!r} exists already, perhaps in another spelling; choose another name")


class LastAdminError(FarmError):
    """Nobody would be left who may change users."""

    def __init__(self, name: str) -> None:
        super().__init__(f"user {name!r} is the last admin who can log in; make another one first")


class SessionNotFoundError(FarmError, LookupError):
    """There is no such session."""

    def __init__(self, session: str) -> None:
        super().__init__(f"session {session!r} does not exist, or is over already")


class TokenNotFoundError(FarmError, LookupError):
    """There is no such token."""

    def __init__(self, token: str) -> None:
        super().__init__(f"token {token!r} does not exist; `./farm tokens list` shows those that do")


class TokenExistsError(FarmError):
    """A token with that name is there already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a token named {name!r} exists already; revoke that one, or choose another name")


class PasswordRefusedError(FarmError, ValueError):
    """A new password cannot be used; the text says why."""

    def __init__(self, why: str, *, what: str = "the password") -> None:
        super().__init__(f"{what} {why}")


class NameRefusedError(FarmError, ValueError):
    """A name cannot be used; the text says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the name {why}")
