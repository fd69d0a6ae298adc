"""Notes in the audit what is done through the API: every change, every export, as its operation declares."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from flask import Response, g, request
from pydantic import BaseModel

from camera_ctrler.api.access import known_principal
from camera_ctrler.api.services import services
from camera_ctrler.audit.entry import SECRET_FIELDS, AuditEntry, masked

#: Fields of a body that say what it is about, the first that there is.
_NAMES: Final = ("id", "camera_id", "name", "user", "identity", "path", "url")


def address() -> str:
    """Return whence the request at hand came."""
    return request.remote_addr or ""


def note_what(text: str) -> None:
    """Say what the request at hand is about, where neither its path nor its body says so; before it is committed."""
    g.audit_what = text


def entry_of(action: str, parts: Mapping[str, str], values: Mapping[str, Any]) -> AuditEntry:
    """Return what is noted of the request at hand.

    Args:
        action: Name of its operation.
        parts: Variable parts of its path, by name.
        values: What its handler gets.
    """
    query, body = _plain(values.get("query")), _plain(values.get("body"))
    who = known_principal()
    # Nobody knows yet who it is: he logs in.
    name = str(body.get("user", "")) if who is None else who.name
    named = [text for name, text in parts.items() if name not in SECRET_FIELDS]
    what = " ".join(named) or next((str(masked(body[name])) for name in _NAMES if body.get(name)), "")
    what = str(g.get("audit_what", what))
    return AuditEntry(name, action, what, {**query, **body}, address())


def _plain(message: BaseModel | None) -> dict[str, Any]:
    return {} if message is None else message.model_dump(mode="json", exclude_unset=True)


@contextmanager
def change_noted(entry: Callable[[], AuditEntry], *, is_open: bool) -> Iterator[None]:
    """Note a change, with what the block commits, or after it.

    Args:
        entry: What is noted, made when it is.
        is_open: Nobody need log in for it: who has done nothing with it is not noted, or anybody could fill the disk.
    """
    with services().audit.noting(entry) as pending:
        yield
        if is_open and known_principal() is None:
            pending.written = True


def file_noted(response: Response, entry: Callable[[], AuditEntry]) -> None:
    """Note that somebody is sent a file, before it is sent; where that cannot be done, it is not sent either."""
    if response.status_code not in (200, 206):
        return
    try:
        services().audit.append_once(entry())
    except BaseException:
        response.close()
        raise
