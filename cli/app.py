"""The command line: puts the groups of commands together and turns errors into one line and an exit code."""

import os
import sys
from typing import Annotated

import typer

from cli import audit_command, chaos_command, developer_commands, profile_command, stack_commands
from cli.camera_commands import cameras
from cli.identity_commands import identities
from cli.model_commands import models
from cli.options import DeviceOption, use_device
from cli.recognition_commands import recognitions
from cli.recording_commands import recordings
from cli.token_commands import tokens
from cli.user_commands import users
from cli.web_command import web
from cli.worker_commands import workers
from contract.errors import FarmError
from runtime import exit_codes
from runtime.version import VERSION

app = typer.Typer(
    name="farm",
    help="CamFarm: a farm of video workers coordinated by Redis.",
    epilog="./farm setup [--dev] [--torch] [--quantise] only installs; every other command does that by itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
stack_commands.register(app)
app.add_typer(cameras, name="cameras")
app.add_typer(workers, name="workers")
app.add_typer(recordings, name="recordings")
app.add_typer(recognitions, name="recognitions")
app.add_typer(identities, name="identities")
app.add_typer(users, name="users")
app.add_typer(tokens, name="tokens")
app.add_typer(models, name="models")
audit_command.register(app)
app.add_typer(web, name="web")
profile_command.register(app)
developer_commands.register(app)
chaos_command.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"CamFarm {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    device: DeviceOption = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    use_device(device)


def main() -> int:
    """Run the command in `sys.argv`; return its exit code."""
    # Ultralytics would run pip and ask its vendor's servers; every process started from here inherits this.
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    try:
        app(prog_name="./farm")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except FarmError as error:
        print(f"farm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("farm: stopped", file=sys.stderr)
        return exit_codes.FORCED
    return exit_codes.DONE
