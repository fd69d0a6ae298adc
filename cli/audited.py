"""Notes in the audit what a command changes: whoever may run commands on the machine is named by its account."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def audited(engine: "Engine", action: str, what: str = "", **detail: Any) -> Iterator[None]:
    """Note what the block does, in the transaction in which it is done.

    Args:
        engine: The farm's database.
        action: As the API calls the same.
        what: What it is done to.
        detail: What was asked for; secrets are masked.
    """
    from camera_ctrler.audit.entry import AuditEntry
    from camera_ctrler.audit.log import AuditLog
    from runtime.clock import SystemClock

    entry = AuditEntry(f"cli:{_account()}", action, what, detail)
    with AuditLog(engine, SystemClock()).noting(lambda: entry):
        yield


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user that has no name
        return "?"
