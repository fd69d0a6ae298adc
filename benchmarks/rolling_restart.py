"""What does it cost to replace every process of a running farm, one after the other? Missed analyses, double results.

Run: python -m benchmarks.rolling_restart [--cameras 48] [--workers 4] [--quick] [--out FILE.json]
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from contract.detections import AnalysisResult
from runtime import exit_codes
from tests.support.fault_farm import PRODUCT_TIMES, FaultFarm, fault_farm, now_ms

#: Analysed frames per second of every camera.
ANALYSE_FPS: Final = 1.0
CALM_SECONDS: Final = 20.0
#: Defaults of the product, where the tests' farm has others; small pictures, so that eight workers have room.
SETTINGS: Final = {
    "FARM_DETECT_SIZE": "160",
    "FARM_DETECT_THREADS": "1",
    **PRODUCT_TIMES,
}
#: A worker may drain for that long, and some seconds come for leaving.
STOP_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Interval:
    """What was seen of all cameras in one stretch of time."""

    seconds: float
    #: Analyses that were due and did not happen, over all cameras, beyond the one interval that a handover may cost.
    missed_beyond_one_interval: int
    #: The same without that one interval.
    missed: int
    #: Longest distance of two frames of one camera, ms.
    longest_gap_ms: int
    #: Pairs of results of one camera that show the same moment: closer than half an interval, by two workers.
    analysed_twice: int
    results: int


def look(farm: FaultFarm, since_ms: int, seconds: float) -> Interval:
    """Return what happened since then."""
    missed = beyond = twice = count = 0
    longest = 0
    for name in farm.cameras:
        results = sorted(farm.watcher.results(name), key=lambda result: result.captured_at_ms)
        pairs = [(first, later) for first, later in pairwise(results) if later.captured_at_ms >= since_ms]
        gaps = [_gap_ms(first, later) for first, later in pairs]
        lost = [max(0, round(gap / 1_000 * ANALYSE_FPS) - 1) for gap in gaps]
        missed += sum(lost)
        beyond += sum(max(0, each - 1) for each in lost)
        twice += sum(
            first.worker_id != later.worker_id and _gap_ms(first, later) < 500 / ANALYSE_FPS for first, later in pairs
        )
        longest = max([longest, *gaps])
        count += len(pairs)
    return Interval(seconds, beyond, missed, longest, twice, count)


def _gap_ms(first: AnalysisResult, later: AnalysisResult) -> int:
    return later.captured_at_ms - first.captured_at_ms


def published_twice(farm: FaultFarm) -> int:
    """Return how often one result, by camera, epoch and seq, stood in Redis as the newest more than once."""
    twice = 0
    for name in farm.cameras:
        times = Counter((seen.result.epoch, seen.result.seq) for seen in farm.watcher.acceptances(name))
        twice += sum(count - 1 for count in times.values())
    return twice


def restart_workers(farm: FaultFarm, workers: list[str], console: Console) -> list[float]:
    """Replace every worker: start a new one, then ask the old one to leave; return seconds for each."""
    took = []
    for number, old in enumerate(list(workers), start=1):
        began = time.monotonic()
        new = f"new{number}"
        farm.farm.start_worker(new)
        workers.append(new)
        farm.wait_spread(*workers, seconds=STOP_SECONDS)
        code = farm.farm.stop(old, seconds=STOP_SECONDS)
        if code != exit_codes.DONE:
            raise RuntimeError(f"{old} ended with {code}:\n{farm.log(old)[-2000:]}")
        workers.remove(old)
        farm.wait_spread(*workers, seconds=STOP_SECONDS)
        took.append(time.monotonic() - began)
        console.print(f"{old} -> {new}: {took[-1]:.1f} s")
    return took


def restart_managers(farm: FaultFarm, managers: tuple[str, ...], console: Console) -> list[float]:
    """Stop and start both managers, one after the other; return seconds until one led again."""
    took = []
    for name in managers:
        began = time.monotonic()
        farm.farm.stop(name)
        farm.farm.start_manager(name)
        farm.farm.wait_for(lambda: bool(farm.leader()), "a manager leads", 60)
        farm.wait_analysed(seconds=60)
        took.append(time.monotonic() - began)
        console.print(f"{name}: {took[-1]:.1f} s")
    return took


def run(cameras: int, workers: int, calm_seconds: float, console: Console) -> dict[str, Any]:
    """Restart a whole farm; return the figures."""
    names = tuple(f"cam{number:02}" for number in range(cameras))
    managers, running = ("manager1", "manager2"), [f"old{number}" for number in range(1, workers + 1)]
    with (
        tempfile.TemporaryDirectory() as folder,
        fault_farm(
            Path(folder),
            workers=tuple(running),
            cameras=names,
            managers=managers,
            analyse_fps=ANALYSE_FPS,
            defaults=SETTINGS,
        ) as farm,
    ):
        for _ in range(3):
            farm.wait_analysed(seconds=60)
        since_ms = now_ms()
        threading.Event().wait(calm_seconds)
        calm = look(farm, since_ms, calm_seconds)

        since_ms, began = now_ms(), time.monotonic()
        of_workers = restart_workers(farm, running, console)
        of_managers = restart_managers(farm, managers, console)
        farm.wait_analysed(seconds=60)
        restart = look(farm, since_ms, time.monotonic() - began)
        return {
            "cameras": cameras,
            "workers": workers,
            "undisturbed": asdict(calm),
            "rolling_restart": asdict(restart),
            "seconds_of_each_worker": of_workers,
            "seconds_of_each_manager": of_managers,
            "results_published_twice": published_twice(farm),
            "cameras_with_an_older_epoch_after_a_newer": sum(farm.watcher.went_back(name) for name in names),
            "camera_seconds_of_two_writers": sum(farm.watcher.seconds_of_two_writers(name) for name in names),
        }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures."""
    intervals = Table("figure", "undisturbed", "rolling restart")
    for name in figures["undisturbed"]:
        before, meanwhile = figures["undisturbed"][name], figures["rolling_restart"][name]
        intervals.add_row(name.replace("_", " "), f"{before:,.0f}", f"{meanwhile:,.0f}")
    console.print(intervals)
    for name, value in figures.items():
        if isinstance(value, int | float):
            console.print(f"{name.replace('_', ' ')}: {value:,.2f}".removesuffix(".00"))


def main() -> int:
    """Run the benchmark; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=48)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--quick", action="store_true", help="6 cameras on 2 workers, for development")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    console = Console()
    if options.quick:
        figures = run(6, 2, CALM_SECONDS / 4, console)
    else:
        figures = run(options.cameras, options.workers, CALM_SECONDS, console)
    show(figures, console)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
