"""Makes the first user, without whom nobody could make another one."""

import secrets
from dataclasses import dataclass
from typing import Final

import structlog

from camera_ctrler.accounts.errors import PasswordRefusedError, UserExistsError
from camera_ctrler.accounts.users import Users
from contract.accounts import Role
from contract.errors import FarmError

NAME: Final = "admin"
#: 5 bits a letter; without those that look like others (i, l, o, 0, 1).
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 4, 5

log = structlog.get_logger(__name__)


class NoAdminError(FarmError):
    """The user ``admin`` is there and is none, and nobody else is one."""

    def __init__(self) -> None:
        super().__init__(
            f"no admin can log in, and {NAME!r} exists without being one; make one: ./farm users add NAME --role admin"
        )


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """What was made just now."""

    name: str
    #: Made up, to be shown once; None: it is the one that FARM_ADMIN_PASSWORD gives.
    password: str | None


def new_password() -> str:
    """Return a password that a person can copy from a screen: 20 letters in groups, some 99 bits."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def make_first_admin(users: Users, password: str) -> FirstAdmin | None:
    """Make the user ``admin`` where no admin can log in; None: there was one, or another process made it.

    Args:
        users: The table of users.
        password: What FARM_ADMIN_PASSWORD says; empty: one is made up.

    Raises:
        PasswordRefusedError: FARM_ADMIN_PASSWORD cannot be used.
        NoAdminError: The name is taken by somebody who is no admin.
    """
    if users.there_is_an_admin():
        return None
    chosen = password or new_password()
    try:
        users.add(NAME, chosen, Role.ADMIN, given=not password)
    except UserExistsError:
        if users.there_is_an_admin():  # several controllers start at once: one made it
            return None
        raise NoAdminError from None
    except PasswordRefusedError as error:
        raise PasswordRefusedError(str(error).removeprefix("the password "), what="FARM_ADMIN_PASSWORD") from None
    return FirstAdmin(NAME, None if password else chosen)


def log_first_admin(made: FirstAdmin | None) -> None:
    """Say in the log what was made; the only place, and the only time, where the password stands."""
    if made is not None and made.password is not None:
        log.critical(  # shown whatever FARM_LOG_LEVEL says: nobody could log in without it
            "first_admin_made",
            user=made.name,
            password=made.password,
            remedy="log in and choose a password of your own; this one is not shown again",
        )
    elif made is not None:
        log.info("first_admin_made", user=made.name, password="FARM_ADMIN_PASSWORD")  # noqa: S106 - the setting's name
