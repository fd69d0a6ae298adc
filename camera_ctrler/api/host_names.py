"""Refuses requests that came under a name that is not the farm's: what a page does that rebinds its name in DNS."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from flask import request

from camera_ctrler.api.problems import ProblemError
from runtime.settings import ControllerSettings

LOCALHOST: Final = "localhost"


def own_names(settings: ControllerSettings) -> frozenset[str]:
    """Return the names under which the API is reached, in lower case."""
    given = {settings.api_host, *settings.api_host_names.split(",")}
    return frozenset({LOCALHOST} | {name.strip().rstrip(".").lower() for name in given} - {""})


def is_own(host: str, names: frozenset[str]) -> bool:
    """Tell whether a `Host` header names this farm.

    Args:
        host: As it was sent, with or without a port.
        names: What `own_names` returns.
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:  # brackets around no IPv6 address
        return False
    return name in names or _is_address(name)


def host_check(settings: ControllerSettings) -> Callable[[], None]:
    """Return a check of the request at hand, which raises `ProblemError` (400)."""
    names = own_names(settings)

    def check() -> None:
        # Without the header it is no browser: they always send it.
        host = request.environ.get("HTTP_HOST")
        if host is not None and not is_own(host, names):
            raise ProblemError(
                400,
                "unknown-host",
                "The API is not known under this name",
                f"The request came for host {host!r}; use an IP address, or list the name in FARM_API_HOST_NAMES",
            )

    return check


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
