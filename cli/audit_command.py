"""`./farm audit`: who did what."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.options import JsonOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(show_audit)


def show_audit(
    actor: Annotated[str | None, typer.Option(help="Only what this one did, by exact name.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this, as update_camera or log_in_failed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Entries at most; the newest ones.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show who did what: changes, exports, logins; the newest first."""
    from rich.table import Table
    from rich.text import Text

    from camera_ctrler.audit.log import AuditLog
    from cli.connection import open_registry
    from cli.screen import screen
    from runtime.clock import SystemClock
    from runtime.settings import DatabaseSettings

    with open_registry(DatabaseSettings.load()) as registry:
        found = AuditLog(registry.engine, SystemClock()).page(limit=limit, actor=actor, action=action)
    if as_json:
        print(json.dumps([asdict(each) for each in found], indent=2))
        return
    table = Table("when (UTC)", "who", "what was done", "to", "from", "detail", box=None)
    for each in found:
        when = datetime.fromtimestamp(each.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        detail = json.dumps(each.detail, ensure_ascii=False) if each.detail else ""
        # What people wrote is not markup.
        table.add_row(*map(Text, (when, each.actor, each.action, each.what, each.address or "here", detail)))
    screen().print(table if found else "nothing is noted yet")
