"""Who sends the request at hand, and what he may see."""

from typing import cast

from flask import g

from camera_ctrler.accounts.principal import Principal
from camera_ctrler.registry import CameraNotFoundError


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


def visible_cameras() -> frozenset[str] | None:
    """Return the cameras that he may see; None: all, also those that are added later."""
    return principal().cameras


def see(*camera_ids: str) -> None:
    """Pass, if he may see all of these cameras: those that a body or a query names, or what was found is of.

    Raises:
        CameraNotFoundError: One of them he may not see; whether it is there he is not told.
    """
    for camera_id in camera_ids:
        if not principal().sees(camera_id):
            raise CameraNotFoundError(camera_id)
