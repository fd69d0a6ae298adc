"""Is anything accepted that a worker writes late? Frozen past its lease and thawed, with writes on their way meanwhile.

Run: python -m benchmarks.frozen_worker [--rounds 10] [--out FILE.json]
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.table import Table

from contract import keys
from runtime import exit_codes
from tests.support.fault_farm import FaultFarm, fault_farm


@dataclass
class Round:
    """What one freeze showed."""

    #: Writes of results that were on the wire while another worker took the camera, and reached Redis afterwards.
    late_writes_delivered: int
    #: Of these, how many are in a camera's stream of results.
    late_writes_accepted: int
    #: Results in any camera's stream that are of an older epoch than the one before them.
    older_after_newer: int
    exit_code: int


def stream_ids(farm: FaultFarm, camera: str) -> list[tuple[int, int]]:
    """Return (epoch, seq) of a camera's accepted results, in the order in which they were accepted."""
    entries = cast("list[tuple[bytes, object]]", farm.client.xrange(keys.camera_results(camera)))
    parts = (entry.decode().split("-") for entry, _ in entries)
    return [(int(epoch), int(seq)) for epoch, seq in parts]


def freeze_once(folder: Path) -> Round:
    """Freeze a worker whose next write is held on the wire; deliver it when others have its cameras; thaw."""
    with fault_farm(folder, proxied=("two",), FARM_LEASE_SECONDS="3") as farm:
        orphans = farm.held_by("two")
        former = farm.epochs()
        watched = min(orphans)
        wire = farm.proxies["two"]
        wire.hold_at(keys.camera_result(watched).encode())
        assert wire.held.wait(10), "no write came that could be held"
        farm.freeze("two")
        farm.wait_analysed_by("one", *orphans)
        known = {name: [entry for entry in stream_ids(farm, name) if entry[0] == former[name]] for name in orphans}
        wire.pass_on()
        delivered = wire.delivered.wait(10)
        code = farm.thaw_until_end("two")
        farm.wait_analysed()
        late = sum(
            len([entry for entry in stream_ids(farm, name) if entry[0] == former[name]]) - len(known[name])
            for name in orphans
        )
        older = sum(after < before for name in farm.cameras for before, after in pairwise(stream_ids(farm, name)))
        return Round(int(delivered), late, older, code)


def main() -> int:
    """Print the table and write the figures as JSON; returns 1 where something was accepted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rounds = []
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(freeze_once(Path(folder)))
        print(f"round {number + 1} of {options.rounds}: {rounds[-1]}", flush=True)
    figures = {
        "rounds": len(rounds),
        "late writes that reached Redis": sum(each.late_writes_delivered for each in rounds),
        "accepted": sum(each.late_writes_accepted for each in rounds),
        "refused": sum(each.late_writes_delivered - each.late_writes_accepted for each in rounds),
        "results of an older epoch after a newer one": sum(each.older_after_newer for each in rounds),
        "left with the exit code of a lost lease": sum(each.exit_code == exit_codes.LEASE_LOST for each in rounds),
    }
    table = Table("frozen past its lease and thawed", "")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console().print(table)
    if options.out:
        options.out.write_text(json.dumps({**figures, "each": [asdict(each) for each in rounds]}, indent=1))
    return int(bool(figures["accepted"]))


if __name__ == "__main__":
    sys.exit(main())
