"""What Redis and the database hold when the calm is over, as lines of the log."""

from pathlib import Path
from typing import Any, cast

import redis
from sqlalchemy import select

from camera_ctrler.event_store.tables import events
from contract import keys
from database.engine import open_engine
from runtime.farm_reader import FarmReader


def take_inventory(client: redis.Redis, camera_ids: list[str], registered: list[str]) -> dict[str, Any]:
    """Return what is there.

    Args:
        client: Of the server.
        camera_ids: Every camera that there ever was.
        registered: Those that there are now.

    Returns:
        ``workers`` (ids listed), ``alive`` (of these, with a lease), ``assignments`` (worker id -> camera ids, also of
        workers that are not listed any more), ``states`` (camera id -> state and reason), ``handing_over``,
        ``unplaced``, ``load`` (worker id -> share of its cores, as the manager reckons), ``leader``, and
        ``left_of_removed`` (removed camera id -> its keys other than the fence).
    """
    reader = FarmReader(client)
    views = reader.workers()
    heard = reader.heard_plan()
    report = heard.message if heard is not None else None
    statuses = {name: said.message for name, said in reader.heard_statuses(registered).items()}
    removed = sorted(set(camera_ids) - set(registered))
    return {
        "workers": [view.worker_id for view in views],
        "alive": [view.worker_id for view in views if view.alive],
        "assignments": _assignments(client),
        "states": {name: [status.state, status.reason] for name, status in statuses.items()},
        "handing_over": report.handing_over if report else [],
        "unplaced": dict(report.unplaced) if report else {},
        "load": report.load if report else {},
        "leader": report.controller_id if report else "",
        "left_of_removed": {
            name: left
            for name in removed
            if (
                left := sorted(
                    _keys_like(client, keys.camera_epoch(name).removesuffix("epoch") + "*") - {keys.camera_epoch(name)}
                )
            )
        },
    }


def stored_events(data_dir: Path) -> list[str]:
    """Return the ids of the events in the farm's database."""
    engine = open_engine(f"sqlite:///{data_dir / 'camfarm.sqlite3'}", read_only=True)
    try:
        with engine.connect() as connection:
            return sorted(connection.scalars(select(events.c.event_id)))
    finally:
        engine.dispose()


def left_over(client: redis.Redis) -> list[str]:
    """Return keys that should be gone when every process has left in order: of workers, and of who led."""
    patterns = (
        keys.workers(),
        keys.worker_lease("*"),
        keys.assignments("*"),
        keys.wakeups("*"),
        keys.worker_status("*"),
    )
    return sorted(name for pattern in (*patterns, keys.controller_lease()) for name in _keys_like(client, pattern))


def _assignments(client: redis.Redis) -> dict[str, list[str]]:
    prefix, suffix = keys.assignments("*").split("*")
    return {
        name.removeprefix(prefix).removesuffix(suffix): sorted(
            camera_id.decode() for camera_id in cast("list[bytes]", client.hkeys(name))
        )
        for name in sorted(_keys_like(client, keys.assignments("*")))
    }


def _keys_like(client: redis.Redis, pattern: str) -> set[str]:
    return {name.decode() for name in client.scan_iter(pattern, count=1_000)}
