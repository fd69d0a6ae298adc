"""`./farm tokens ...`: tokens of programs, in the database itself."""

import json
import time
from typing import Annotated

import typer

from cli.options import JsonOption
from cli.user_commands import CameraOption, cameras_text, prepare, time_text
from contract.accounts import Role

_DAY_MS = 24 * 3_600_000

tokens = typer.Typer(help="Make, list and revoke tokens of programs.", no_args_is_help=True)
tokens.callback()(prepare)


@tokens.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for, for example prometheus.")],
    role: Annotated[Role, typer.Option(help="What the program may do.")] = Role.VIEWER,
    cameras: CameraOption = None,
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="It runs out after so many days.")] = None,
) -> None:
    """Make a token; its secret is printed, and is not shown again."""
    from cli.connection import change_accounts
    from runtime.settings import DatabaseSettings

    asked = {"role": role.value, "cameras": cameras, "days": days}
    with change_accounts(DatabaseSettings.load(), "create_token", name, **asked) as accounts:
        _, secret = accounts.tokens.add(
            name,
            role,
            frozenset(cameras) if cameras else None,
            created_by="./farm",
            expires_at_ms=None if days is None else time.time_ns() // 1_000_000 + days * _DAY_MS,
        )
    print(secret)


@tokens.command("list")
def list_tokens(as_json: JsonOption = False) -> None:
    """Show every token, without its secret."""
    from cli.connection import open_accounts
    from cli.screen import screen
    from cli.table_text import Column, table_of
    from runtime.settings import DatabaseSettings

    with open_accounts(DatabaseSettings.load()) as accounts:
        found = accounts.tokens.all()
    if as_json:
        rows = [
            {
                "id": token.id,
                "name": token.name,
                "role": token.role.value,
                "cameras": None if token.cameras is None else sorted(token.cameras),
                "created_at_ms": token.created_at_ms,
                "created_by": token.created_by,
                "expires_at_ms": token.expires_at_ms,
                "last_used_at_ms": token.last_used_at_ms,
            }
            for token in found
        ]
        print(json.dumps(rows, indent=2))
        return
    columns = [
        *(Column("name"), Column("role"), Column("cameras", shrinks=True)),
        *(Column("made by"), Column("runs out"), Column("last used")),
    ]
    cells = [
        (
            token.name,
            token.role.value,
            cameras_text(token.cameras),
            token.created_by,
            time_text(token.expires_at_ms),
            time_text(token.last_used_at_ms),
        )
        for token in found
    ]
    screen().print(table_of(columns, cells) if cells else "no tokens; make one with: ./farm tokens add NAME")


@tokens.command()
def revoke(names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names or ids.")]) -> None:
    """Revoke tokens; a running farm refuses them within a second."""
    from cli.connection import change_accounts
    from runtime.settings import DatabaseSettings

    for name in names:
        with change_accounts(DatabaseSettings.load(), "revoke_token", name) as accounts:
            accounts.revoke_token(name)
        print(f"revoked {name}")
