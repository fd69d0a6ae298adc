"""Recognisers stopped for an hour's worth of events, then started: does every event have its result, and when?

The events of an hour are published as quickly as Redis takes them, with the times at which they would have happened,
while no ReID worker runs. Then two are started, with the recogniser of clothes' colours and one that counts what is
kept. All the time it is looked how many recognitions are on the queues.

Run: python -m benchmarks.recognition_backlog [--events 3600] [--bound 200] [--crops 4] [--out FILE.json]
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from benchmarks.load.machine import described
from camera_ctrler.event_store.tables import events
from contract.recognition import RecognitionQueue, RecognitionState
from database.recognitions import recognitions
from tests.support.processes import wait_until
from tests.support.reid_farm import Audit, ReidFarm
from tests.support.reid_process import NAME

#: Seconds that the events are spread over.
HOUR_SECONDS = 3_600
RECOGNISERS = (NAME, "colours")


@dataclass
class Watched:
    """The most that was seen of each queue, in the database and in Redis."""

    rows: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)

    def look(self, farm: ReidFarm) -> None:
        """Look once."""
        c = recognitions.c
        query = select(c.queue, func.count()).where(c.state == RecognitionState.QUEUED).group_by(c.queue)
        with farm.engine.connect() as connection:
            for name, count in connection.execute(query):
                self.rows[name] = max(self.rows[name], count)
        with farm.server.client() as client:
            for name in RecognitionQueue:
                count = int(client.llen(f"rq:queue:{name}")) + int(client.zcard(f"rq:wip:{name}"))
                self.jobs[name.value] = max(self.jobs[name.value], count)


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    events: int
    audit: Audit
    bound: int
    most_queued: dict[str, int]
    most_jobs: dict[str, int]
    stored_seconds: float
    catch_up_seconds: float
    recognitions_per_second: float
    crops: int
    crops_left_out: int

    @property
    def problems(self) -> list[str]:
        """What is not as promised."""
        problems = [f"{name}: {count}" for name, count in self.audit.faults.items()]
        for what, most in (("rows", self.most_queued), ("jobs", self.most_jobs)):
            problems += [f"{count} {what} on {name}" for name, count in most.items() if count > self.bound]
        return problems


def main() -> int:
    """Run it; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=HOUR_SECONDS)
    parser.add_argument("--crops", type=int, default=4, help="of each event")
    parser.add_argument("--bound", type=int, default=200, help="FARM_REID_QUEUE_BOUND")
    parser.add_argument("--seconds", type=float, default=0.002, help="that one recognition takes beside the colours")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="backlog") as folder:
        found = run(Path(folder), options)
    table = Table("", "")
    for label, value in {
        "events of an hour, in SQL": f"{found.events:,}, {found.events - found.audit.missing_events:,}",
        "recognitions not done, done twice": f"{found.audit.not_done}, {found.audit.kept_twice}",
        "most on one queue, bound": f"{max(found.most_jobs.values()):,}, {found.bound:,}",
        "seconds to store the events": f"{found.stored_seconds:.1f}",
        "seconds to catch up": f"{found.catch_up_seconds:.1f}",
        "recognitions a second": f"{found.recognitions_per_second:.0f}",
        "crops, not looked at": f"{found.crops:,}, {found.crops_left_out:,}",
    }.items():
        table.add_row(label, value)
    console = Console()
    console.print(table)
    for problem in found.problems:
        console.print(f"NOT AS PROMISED: {problem}")
    if options.out:
        figures = {"machine": described(), "options": {**vars(options), "out": None}, "found": asdict(found)}
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if found.problems else 0


def run(folder: Path, options: argparse.Namespace) -> Outcome:
    """Stop recognisers for an hour's worth of events, then start them."""
    settings = {"FARM_REID_QUEUE_BOUND": str(options.bound)}
    with ReidFarm(folder, reid=2, settings=settings, recognisers=RECOGNISERS) as farm:
        farm.tell(seconds=options.seconds)
        farm.writer.start()
        began, now_ms = time.monotonic(), time.time_ns() // 1_000_000
        step_ms = HOUR_SECONDS * 1000 / options.events
        farm.publish(
            farm.event(options.crops, now_ms - round((options.events - n) * step_ms)) for n in range(options.events)
        )
        wait_until(lambda: _stored(farm) == options.events, "all events to be stored", 120)
        stored = time.monotonic()
        watched, stop = Watched(), threading.Event()
        thread = threading.Thread(target=lambda: _watch(farm, watched, stop), daemon=True)
        thread.start()
        for part in farm.reid:
            part.start()
        started = time.monotonic()
        wait_until(farm.all_done, "all to be done", 600)
        caught_up = time.monotonic() - started
        stop.set()
        thread.join()
        with farm.engine.connect() as connection:
            left_out = connection.scalar(select(func.sum(recognitions.c.left_out))) or 0
            total = connection.scalar(select(func.count()).select_from(recognitions)) or 0
        return Outcome(
            events=options.events,
            audit=farm.audit(),
            bound=options.bound,
            most_queued=dict(watched.rows),
            most_jobs=dict(watched.jobs),
            stored_seconds=round(stored - began, 1),
            catch_up_seconds=round(caught_up, 1),
            recognitions_per_second=round(total / caught_up, 1),
            crops=total * options.crops,
            crops_left_out=int(left_out),
        )


def _stored(farm: ReidFarm) -> int:
    with farm.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(events)) or 0


def _watch(farm: ReidFarm, watched: Watched, stop: threading.Event) -> None:
    while not stop.wait(0.1):
        watched.look(farm)


if __name__ == "__main__":
    sys.exit(main())
