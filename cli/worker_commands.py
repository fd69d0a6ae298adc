"""`./farm workers ...`: who works for the farm, and asking one to leave."""

import json
import threading
import time
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption
from contract.errors import FarmError

if TYPE_CHECKING:
    from runtime.farm_reader import FarmReader

#: Seconds between two looks while a worker hands over.
_LOOK_SECONDS = 0.3

workers = typer.Typer(help="List workers, and ask them to hand over and leave.", no_args_is_help=True)


class StillThereError(FarmError):
    """A worker that was asked to leave has not left."""


@workers.command("list")
def list_workers(as_json: JsonOption = False) -> None:
    """Show every worker: load, cameras, lease, spool, labels."""
    from camera_ctrler.api.farm_view import worker_infos
    from camera_ctrler.api.farm_watch import FarmWatch
    from cli.connection import joined, open_redis, open_registry
    from cli.screen import screen
    from cli.status_tables import WIDE, worker_table
    from cli.status_view import worker_documents
    from runtime.clock import SystemClock
    from runtime.farm_reader import FarmReader
    from runtime.settings import DatabaseSettings

    settings = joined(DatabaseSettings.load())
    with open_registry(settings) as registry, open_redis(settings, "camfarm-cli") as client:
        look = FarmWatch(registry, FarmReader(client), SystemClock()).look()
    if as_json:
        print(json.dumps(worker_documents(look), indent=2))
        return
    console = screen()
    infos = worker_infos(look.workers, look.cameras, look.plan)
    console.print(
        worker_table(infos, wide=console.width >= WIDE, ascii_only=console.options.ascii_only)
        if infos
        else "no worker runs; start one with: ./farm worker"
    )


@workers.command()
def drain(
    worker_id: Annotated[str, typer.Argument(metavar="ID", help="As ./farm workers list shows it.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has left.")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, max=86_400, help="Longest wait, in seconds.")] = 120.0,
) -> None:
    """Ask a worker to hand its cameras over, one by one, and to leave.

    What started it may start another in its place, as ./farm up and Docker Compose do: so a farm is restarted worker
    by worker.
    """
    from cli.audited import audited
    from cli.connection import joined, open_redis, open_registry
    from runtime.drain import ask_to_drain
    from runtime.farm_reader import FarmReader
    from runtime.settings import DatabaseSettings

    settings = joined(DatabaseSettings.load())
    with open_redis(settings, "camfarm-cli") as client:
        with open_registry(settings) as registry, audited(registry.engine, "drain_worker", worker_id):
            anew = ask_to_drain(client, worker_id, who="command line")
        print(f"{worker_id} was asked to leave" if anew else f"{worker_id} was asked to leave before")
        if wait:
            began = time.monotonic()
            _wait_until_gone(FarmReader(client), worker_id, began + timeout)
            print(f"{worker_id} has left after {time.monotonic() - began:.1f} s")


def _wait_until_gone(reader: "FarmReader", worker_id: str, deadline: float) -> None:
    """Wait until a worker has given its lease back; says how many cameras it still has whenever that changes."""
    pause = threading.Event()
    told = -1
    while True:
        found = next((one for one in reader.workers(with_ages=False) if one.worker_id == worker_id), None)
        if found is None or not found.alive:
            return
        left = len(found.status.holdings) if found.status is not None else 0
        if left != told:
            told = left
            print(f"{worker_id} has {left} camera{'' if left == 1 else 's'} left")
        if time.monotonic() >= deadline:
            raise StillThereError(
                f"{worker_id} has not left and has {left} cameras; wait longer with --timeout, see why others do not "
                "take them over with ./farm status, or stop its process"
            )
        pause.wait(_LOOK_SECONDS)
