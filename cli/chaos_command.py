"""`./farm chaos`: breaks a farm of its own at random and checks that it kept its promises."""

import sys

import typer

from cli.developer_commands import PASS_THROUGH, PROJECT_DIR, become
from contract.errors import FarmError


class ChaosNotHereError(FarmError):
    """The tests are not installed."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(context_settings=PASS_THROUGH)(chaos)


def chaos(context: typer.Context) -> None:
    """Break a farm of its own at random and check what its log shows; --help tells the options."""
    if not (PROJECT_DIR / "tests" / "chaos").is_dir():
        raise ChaosNotHereError(f"{PROJECT_DIR} has no tests; ./farm chaos needs a checkout of the project")
    become([sys.executable, "-m", "tests.chaos", *context.args])
