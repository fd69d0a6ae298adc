"""`./farm profile`: where the time of workers goes, what limits them, and which setting would move that."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import JsonOption


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(profile)


def profile(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing it, twice a second.")] = False,
    worker: Annotated[str | None, typer.Option("--worker", metavar="ID", help="Only this worker.")] = None,
    as_json: JsonOption = False,
    trace: Annotated[
        int | None,
        typer.Option(
            min=1, max=600, metavar="SECONDS", help="Record a worker of this host with py-spy for so long, twice."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Of the trace: .json for speedscope.app, .svg for a flame graph.")
    ] = None,
) -> None:
    """Show for each worker what its stages cost, what waits, what is lost, and what limits it.

    With --trace: which functions one worker runs, and who holds Python's lock.
    """
    if trace is None and out is not None:
        raise typer.BadParameter("--out says where --trace writes; give --trace, too")
    if trace is not None and (watch or as_json):
        raise typer.BadParameter("--trace writes a file; leave --watch and --json out")
    if trace is not None:
        from cli.profile_trace import trace_worker

        trace_worker(worker, trace, out)
        return
    from cli.profile_view import show_profile

    show_profile(worker, as_json=as_json, watch=watch)
