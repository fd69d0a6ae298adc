"""`./farm demo`, `up`, `down`, `status`, `worker`, `reid` and `controller`.

What they need is imported when they run, so that `./farm --help` is quick.
"""

import os
import signal
import threading
import time
from typing import Annotated

import typer

from cli.options import DeviceOption, JsonOption, VerboseOption, use_device
from contract.errors import FarmError

#: Longest time an orderly stop takes: workers drain, then controller and Valkey end.
_STOP_SECONDS = 75.0
#: Two signals at once would arrive as one.
_BETWEEN_SIGNALS_SECONDS = 0.3

WorkersOption = Annotated[int | None, typer.Option("--workers", min=0, max=256, help="Worker processes.")]
TcpOption = Annotated[bool, typer.Option("--tcp", help="Embedded Valkey on loopback TCP, not a unix socket.")]


class StopFailedError(FarmError):
    """The farm could not be stopped."""


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(demo)
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(worker)
    app.command()(reid)
    app.command()(controller)


def demo(
    workers: WorkersOption = None,
    device: DeviceOption = None,
    rtsp_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the demo cameras.")] = 8754,
    tcp: TcpOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Start a whole farm on this machine with demo cameras: real footage over real RTSP."""
    from cli.demo import run_demo
    from runtime.settings import StackSettings

    use_device(device)
    settings = StackSettings.load(**({} if workers is None else {"workers": workers}))
    raise typer.Exit(run_demo(settings, rtsp_port=rtsp_port, tcp=tcp, verbose=verbose))


def up(
    workers: WorkersOption = None,
    device: DeviceOption = None,
    tcp: TcpOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Start a farm on this machine: Valkey (unless FARM_REDIS_URL is set), controller, workers."""
    from cli.stack import run_up
    from runtime.settings import StackSettings

    use_device(device)
    settings = StackSettings.load(**({} if workers is None else {"workers": workers}))
    raise typer.Exit(run_up(settings, tcp=tcp, verbose=verbose))


def down(
    force: Annotated[bool, typer.Option("--force", help="Do not wait for work to be finished.")] = False,
) -> None:
    """Stop the farm that runs from this folder, or is starting."""
    from cli.stack_state import is_locked, supervisor_pid
    from runtime.settings import CommonSettings

    settings = CommonSettings.load()
    pid = supervisor_pid(settings.data_dir)
    if pid is None:
        print(f"no farm runs from {settings.data_dir}")
        return
    began = time.monotonic()
    _send(pid)
    pause = threading.Event()
    while is_locked(settings.data_dir):
        if force and time.monotonic() - began > _BETWEEN_SIGNALS_SECONDS:
            _send(pid)  # the second one makes the supervisor kill what is left
            force = False
        if time.monotonic() - began > _STOP_SECONDS:
            raise StopFailedError(f"process {pid} has not stopped in {_STOP_SECONDS:.0f} s; try --force")
        pause.wait(0.1)
    print(f"stopped in {time.monotonic() - began:.1f} s")


def status(
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing it, twice a second.")] = False,
) -> None:
    """Show cameras and workers of the farm that runs here, or of the one FARM_REDIS_URL names."""
    from cli.status_view import show_status

    show_status(as_json=as_json, watch=watch)


def worker(
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=256, help="How many processes.")] = 1,
    device: DeviceOption = None,
) -> None:
    """Start more workers for the farm that runs here, or for the one FARM_REDIS_URL names."""
    from cli.processes import run_workers

    use_device(device)
    raise typer.Exit(run_workers(count))


def reid(
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=256, help="How many processes.")] = 1,
) -> None:
    """Start more ReID workers for the farm that runs here, or for the one FARM_REDIS_URL names."""
    from cli.processes import run_reid_workers

    raise typer.Exit(run_reid_workers(count))


def controller() -> None:
    """Start the manager and the API alone."""
    from cli.processes import run_controller

    raise typer.Exit(run_controller())


def _send(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return  # it has just ended
    except PermissionError as error:
        raise StopFailedError(f"the farm belongs to another user (process {pid}); stop it as that user") from error
