"""Who sends the request at hand."""

from typing import cast

from flask import g

from camera_ctrler.accounts.principal import EVERYBODY, Principal


def set_principal(principal: Principal) -> None:
    """Say who sends the request at hand; what authenticates calls it before any handler."""
    g.principal = principal


def known_principal() -> Principal | None:
    """Return who sends the request at hand; None: nobody has said who he is."""
    return cast("Principal | None", g.get("principal"))


def principal() -> Principal:
    """Return who sends the request at hand."""
    return cast("Principal", g.get("principal", EVERYBODY))
