"""`./farm web`: build the web UI, check it, or work on it."""

import sys
from typing import Annotated

import typer

from cli import web_ui
from cli.node import NoNodeError
from cli.steps import Steps
from cli.web_ui import WebBuildError

web = typer.Typer(help="Build the web UI, check it, or work on it.", no_args_is_help=True)

_DEV_SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True}


@web.command()
def build(
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="Only when it is missing or changed; a farm without it is no failure.")
    ] = False,
) -> None:
    """Build the web UI, so that the controller serves it. A controller that runs need not be started anew."""
    steps = Steps()
    if if_needed:
        make_present(steps)
        return
    with steps.step("web UI") as step:
        step.text = f"web UI built with {web_ui.build()}"


@web.command()
def check() -> None:
    """Check types, lint and unit tests of the web UI."""
    web_ui.check()


@web.command(context_settings=_DEV_SETTINGS)
def dev(context: typer.Context) -> None:
    """Serve the web UI with changes shown at once, and the data of the farm at VITE_FARM_URL."""
    sys.stdout.flush()
    raise typer.Exit(web_ui.dev(context.args))


def make_present(steps: Steps) -> None:
    """Build the web UI where it is missing or its sources have changed; where that fails say so and go on."""
    if web_ui.is_current():
        return
    try:
        with steps.step("web UI: building it, a minute the first time") as step:
            step.text = f"web UI built with {web_ui.build()}"
    except (NoNodeError, WebBuildError) as error:
        steps.warn(f"the web UI could not be built, and the farm goes on without it: {error}")
