"""What is lost when ReID workers, event writers and Redis are killed under load?

Events with crops come all the time; each in turn gets SIGKILL and is started again half a second later, Redis with its
append-only file. At the end events in SQL, crops on the volume and recognitions are compared with what was published.

Run: python -m benchmarks.recognition_kills [--kills 20] [--every 4] [--rate 20] [--out FILE.json]
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.load.machine import described
from tests.support.reid_farm import ReidFarm
from tests.support.reid_kills import kill_in_turn


def main() -> int:
    """Run it; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two kills")
    parser.add_argument("--rate", type=float, default=20.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=0.07, help="that one recognition takes")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="kills") as folder,
        ReidFarm(Path(folder), reid=2, settings={"FARM_REID_BATCH": "8"}) as farm,
    ):
        farm.tell(seconds=options.seconds)
        farm.start()
        found = kill_in_turn(farm, options.kills, every_seconds=options.every, events_per_second=options.rate)
    faults = found.audit.faults | ({"dead_letters": found.dead_letters} if found.dead_letters else {})
    table = Table("", "")
    kills = ", ".join(f"{count} {name}" for name, count in found.kills.items())
    for label, value in {
        "kills": kills,
        "events published, not in SQL": f"{found.audit.published:,}, {found.audit.missing_events:,}",
        "crops gone": str(found.audit.missing_crops),
        "recognitions not done, done twice": f"{found.audit.not_done}, {found.audit.kept_twice}",
        "tried more than once": str(found.tried_again),
        "seconds from the last event until all was done": f"{found.catch_up_seconds:.1f}",
    }.items():
        table.add_row(label, value)
    console = Console()
    console.print(table)
    for name, count in faults.items():
        console.print(f"NOT AS PROMISED: {name}: {count}")
    if options.out:
        figures = {"machine": described(), "options": {**vars(options), "out": None}, "found": asdict(found)}
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
