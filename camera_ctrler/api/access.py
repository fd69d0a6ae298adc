"""Who sends the request at hand."""

from typing import cast

from flask import g

from camera_ctrler.accounts.principal import Principal


def set_principal(principal: Principal) -> None:
    """Say who sends the request at hand; what authenticates calls it before any handler."""
    g.principal = principal


def known_principal() -> Principal | None:
    """Return who sends the request at hand; None: nobody has said who he is."""
    return cast("Principal | None", g.get("principal"))


def principal() -> Principal:
    """Return who sends the request at hand.

    Raises:
        LookupError: Nobody was asked who he is: the request is for something public, which must not need it.
    """
    found = known_principal()
    if found is None:
        raise LookupError("nobody knows who sends this request")
    return found
