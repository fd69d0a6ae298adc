"""Identifiers, validated in one place because they become file names, Redis keys and URL paths."""

import re
import secrets
from typing import Annotated, Final

from pydantic import StringConstraints

#: Letters, digits, dot, dash and underscore; starts with a letter or a digit, so that `..`, `-x` and hidden
#: files cannot be formed; 64 characters keep paths and keys short.
ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

CameraId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
WorkerId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]

_ID = re.compile(ID_PATTERN, re.ASCII)


def is_valid_id(value: str) -> bool:
    """Tell whether `value` may name a camera or a worker."""
    return _ID.fullmatch(value) is not None


def new_camera_id() -> str:
    """Make an id for a camera that was registered without one.

    64 random bits: of 10,000 cameras two meet with a chance of 3e-12; with 32 bits it would be 1 %.
    """
    return f"cam-{secrets.token_hex(8)}"


def new_worker_id(host: str) -> str:
    """Make an id for a worker process on `host`; a process that starts again is another worker."""
    safe_host = re.sub(r"[^A-Za-z0-9-]+", "-", host).strip("-")[:32] or "host"
    return f"{safe_host}-{secrets.token_hex(3)}"


def new_identity_id() -> str:
    """Make an id for somebody who was not known: 64 random bits, as of cameras."""
    return f"id-{secrets.token_hex(8)}"


def new_watch_id() -> str:
    """Make an id for an entry of the watch list."""
    return f"watch-{secrets.token_hex(6)}"
