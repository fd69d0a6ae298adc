"""`./farm users ...`: works on the database itself, so it also works while no farm runs, and when nobody can log in."""

import json
import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from cli.options import JsonOption
from contract.accounts import Role

users = typer.Typer(help="Add, list, change and remove who may log in.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]
AskOption = Annotated[bool, typer.Option("--ask", help="Ask for the password instead of making one up.")]
CameraOption = Annotated[
    list[str] | None, typer.Option("--camera", metavar="ID", help="See only this camera; repeatable. Else all.")
]


@users.callback()
def prepare() -> None:
    """Let what is logged go to stderr: stdout is the command's answer."""
    from runtime.logs import configure_logs
    from runtime.settings import CommonSettings

    configure_logs(CommonSettings.load())


@users.command()
def add(
    name: NameArgument,
    role: Annotated[Role, typer.Option(help="What he may do.")] = Role.VIEWER,
    cameras: CameraOption = None,
    ask: AskOption = False,
) -> None:
    """Add a user; his password is made up and shown once."""
    from cli.connection import change_accounts
    from runtime.settings import DatabaseSettings

    password, show = _password(ask=ask)
    asked = {"role": role.value, "cameras": cameras}
    with change_accounts(DatabaseSettings.load(), "create_user", name, **asked) as accounts:
        user = accounts.users.add(name, password, role, frozenset(cameras) if cameras else None)
    print(f"added {user.name}{show}")


@users.command("list")
def list_users(as_json: JsonOption = False) -> None:
    """Show every user."""
    from cli.connection import open_accounts
    from cli.screen import screen
    from cli.table_text import Column, table_of
    from runtime.settings import DatabaseSettings

    with open_accounts(DatabaseSettings.load()) as accounts:
        found = accounts.users.all()
    if as_json:
        rows = [
            {
                "name": user.name,
                "role": user.role.value,
                "cameras": None if user.cameras is None else sorted(user.cameras),
                "disabled": user.disabled,
                "created_at_ms": user.created_at_ms,
                "last_login_at_ms": user.last_login_at_ms,
            }
            for user in found
        ]
        print(json.dumps(rows, indent=2))
        return
    columns = [Column("name"), Column("role"), Column("cameras", shrinks=True), Column("state"), Column("last login")]
    cells = [
        (
            user.name,
            user.role.value,
            cameras_text(user.cameras),
            "disabled" if user.disabled else "",
            time_text(user.last_login_at_ms),
        )
        for user in found
    ]
    screen().print(table_of(columns, cells) if cells else "no users; the first one is made when the farm starts")


@users.command()
def change(
    name: NameArgument,
    role: Annotated[Role | None, typer.Option(help="What he may do.")] = None,
    cameras: CameraOption = None,
    all_cameras: Annotated[bool, typer.Option("--all-cameras", help="See all cameras.")] = False,
) -> None:
    """Change what a user may do and see; a running farm follows within a second."""
    changes: dict[str, Any] = {}
    if role is not None:
        changes["role"] = role.value
    if cameras or all_cameras:
        changes["cameras"] = None if all_cameras else frozenset(cameras or ())
    if not changes or (cameras and all_cameras):
        raise typer.BadParameter("say --role, and --camera or --all-cameras")
    _change(name, changes)
    print(f"changed {name}")


@users.command()
def password(name: NameArgument, ask: AskOption = False) -> None:
    """Set another password, made up and shown once; the user is logged out everywhere."""
    fresh, show = _password(ask=ask)
    _change(name, {"password": fresh})
    print(f"changed {name}{show}")


@users.command()
def disable(names: Annotated[list[str], typer.Argument(metavar="NAME...")]) -> None:
    """Lock users out; they are logged out everywhere within a second."""
    for name in names:
        _change(name, {"disabled": True})
        print(f"disabled {name}")


@users.command()
def enable(names: Annotated[list[str], typer.Argument(metavar="NAME...")]) -> None:
    """Let users in again who were disabled."""
    for name in names:
        _change(name, {"disabled": False})
        print(f"enabled {name}")


@users.command()
def remove(names: Annotated[list[str], typer.Argument(metavar="NAME...")]) -> None:
    """Remove users; they are logged out everywhere within a second."""
    from cli.connection import change_accounts
    from runtime.settings import DatabaseSettings

    for name in names:
        with change_accounts(DatabaseSettings.load(), "delete_user", name) as accounts:
            accounts.remove_user(name)
        print(f"removed {name}")


def _change(name: str, changes: dict[str, Any]) -> None:
    from cli.connection import change_accounts
    from runtime.settings import DatabaseSettings

    with change_accounts(DatabaseSettings.load(), "update_user", name, **changes) as accounts:
        accounts.change_user(name, changes)


def _password(*, ask: bool) -> tuple[str, str]:
    """Return a password, and what is printed of it."""
    if ask:
        return str(typer.prompt("Password", hide_input=sys.stdin.isatty(), err=True)), ""
    from camera_ctrler.accounts.first_admin import new_password

    fresh = new_password()
    return fresh, f"; password: {fresh} (shown once; an own one is asked for at the first login)"


def cameras_text(cameras: Iterable[str] | None) -> str:
    """Return which cameras somebody sees."""
    return "all" if cameras is None else ", ".join(sorted(cameras)) or "none"


def time_text(at_ms: int | None) -> str:
    """Return a time of the wall clock in this machine's zone, or ``never``."""
    from datetime import UTC, datetime

    return "never" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone():%Y-%m-%d %H:%M}"
