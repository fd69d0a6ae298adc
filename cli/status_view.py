"""What every camera and worker does now, as tables or JSON."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import redis
from rich.console import Console, RenderableType
from rich.live import Live
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.api.farm_view import farm_totals, worker_infos
from camera_ctrler.api.farm_watch import FarmLook, FarmWatch
from cli.connection import joined, open_redis, open_registry
from cli.screen import screen
from cli.status_tables import FarmTables
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader
from runtime.settings import DatabaseSettings

#: Seconds between two looks.
WATCH_SECONDS = 0.5


def show_status(*, as_json: bool, watch: bool) -> None:
    """Print the farm once, or keep showing it until Ctrl-C."""
    settings = joined(DatabaseSettings.load())
    with open_registry(settings) as registry, open_redis(settings, "camfarm-cli") as client:
        farm = FarmWatch(registry, FarmReader(client), SystemClock())
        if as_json:
            print(json.dumps(as_document(farm.look()), indent=2))
        elif watch:
            watch_farm(farm, threading.Event())
        else:
            screen().print(FarmTables(farm.look()))


class Tables(Protocol):
    """Makes tables of a look at the farm."""

    def __call__(self, look: FarmLook, /, *, lines: int | None = None, trouble: str = "") -> RenderableType:
        """Return them, in at most so many lines, with why the look is not a new one."""
        ...


def watch_farm(farm: FarmWatch, stop: threading.Event, tables: Tables = FarmTables) -> None:
    """Keep showing the farm until `stop`; what was known stays while Redis or the database is away.

    Raises:
        RedisError, SQLAlchemyError: The first look fails.
    """
    with _showing(screen(), tables) as show:
        look, trouble = farm.look(), ""
        while True:
            show(look, trouble)
            if stop.wait(WATCH_SECONDS):
                return
            try:
                look, trouble = farm.look(), ""
            except redis.RedisError as error:
                trouble = f"Redis does not answer ({error}); this is what was known before"
            except SQLAlchemyError as error:
                reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
                trouble = f"the database does not answer ({reason}); this is what was known before"


@contextmanager
def _showing(console: Console, tables: Tables) -> Iterator[Callable[[FarmLook, str], None]]:
    """Give a way to show looks: each in the place of the last on a terminal, else one below the other."""
    if not console.is_terminal:
        yield lambda look, trouble: console.print(tables(look, trouble=trouble), "")
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        yield lambda look, trouble: live.update(tables(look, lines=console.height, trouble=trouble), refresh=True)


def as_document(look: FarmLook) -> dict[str, Any]:
    """Return the farm as JSON has it; times are Unix milliseconds UTC."""
    return {
        "at_ms": look.now_ms,
        "farm": farm_totals(look).model_dump(mode="json"),
        "cameras": [view.model_dump(mode="json") for view in look.statuses.values()],
        "workers": worker_documents(look),
    }


def worker_documents(look: FarmLook) -> list[dict[str, Any]]:
    """Return the workers as JSON has them: what they say of themselves, and what others know of them."""
    documents = []
    for info in worker_infos(look.workers, look.cameras, look.plan):
        said = info.status.model_dump(mode="json") if info.status is not None else {}
        documents.append(said | info.model_dump(mode="json", exclude={"status"}))
    return documents
