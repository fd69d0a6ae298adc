"""How long is a camera unseen when its worker is killed? SIGKILL again and again, default settings, real streams.

Run: python -m benchmarks.takeover [--cameras 12] [--kills 30] [--quick] [--out FILE.json]
"""

import argparse
import json
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from contract.moves import MoveReason
from runtime.farm_reader import FarmReader
from runtime.stream_reader import StreamReader
from tests.support.fault_farm import PRODUCT_TIMES, FaultFarm, fault_farm, now_ms

#: Analysed frames per second of every camera.
ANALYSE_FPS: Final = 2.0
#: How long nothing is done, to know what an undisturbed camera looks like on this machine.
CALM_SECONDS: Final = 20.0
#: What the product does by default; the tests' farm has shorter limits. The picture is smaller than by default (640)
#: so that three workers have room on two cores.
SETTINGS: Final = {
    "FARM_DETECT_SIZE": "320",
    "FARM_DETECT_THREADS": "1",
    **PRODUCT_TIMES,
}


@dataclass(frozen=True)
class Round:
    """One kill, and the worker that was started for the dead one."""

    #: Camera id -> ms from the dead worker's last accepted result to the first accepted one of another worker.
    takeover_ms: dict[str, float]
    #: Due frames that cameras of the other workers missed from the kill until they were all analysed again.
    lost_by_others: int
    #: Longest distance of two frames of those cameras, ms.
    longest_gap_of_others_ms: int
    #: Assignments that the kill changed, and the fewest possible: its orphans.
    moves: int
    orphans: int
    #: Most cameras of one worker ÷ mean, and the same of the load as the manager reckons it, of the workers left.
    imbalance: float
    imbalance_of_load: float
    #: Moves that the new worker brought, and the fewest that even out the numbers of cameras.
    join_moves: int
    join_minimum: int
    #: The same two measures after it has joined.
    join_imbalance: float
    join_imbalance_of_load: float


class Bench:
    """Kills the workers of one farm in turn."""

    def __init__(self, farm: FaultFarm, workers: tuple[str, ...]) -> None:
        self._farm = farm
        self._workers = list(workers)
        self._started = len(workers)
        self._moves = StreamReader(farm.client)
        self.rounds: list[Round] = []

    def calm(self, seconds: float) -> dict[str, float]:
        """Do nothing for a while; return due frames that were missed meanwhile, and the longest distance of two."""
        since_ms = now_ms()
        threading.Event().wait(seconds)
        lost, gap_ms = self._missed(self._farm.cameras, since_ms)
        return {"seconds": seconds, "lost": lost, "longest_gap_ms": gap_ms}

    def kill_one(self) -> None:
        """Kill the oldest worker, wait until the others have its cameras, start another one."""
        farm, victim = self._farm, self._workers.pop(0)
        orphans = farm.held_by(victim)
        others = [name for name in farm.cameras if name not in orphans]
        began_ms = self._redis_ms()
        farm.farm.stop(victim, signal.SIGKILL)
        farm.wait_spread(*self._workers)
        farm.wait_analysed()
        lost, gap_ms = self._missed(others, began_ms)
        moves = self._moved(began_ms)
        loads = Counter({name: len(farm.held_by(name)) for name in self._workers})
        load = self._loads_as_reckoned()
        takeover = {name: self._takeover_ms(name, victim) for name in sorted(orphans)}

        self._started += 1
        newcomer = f"w{self._started}"
        joined_ms = self._redis_ms()
        farm.farm.start_worker(newcomer)
        self._workers.append(newcomer)
        farm.wait_spread(*self._workers)
        # The first distance of two frames of a stream that was just opened is its own (up to 0.8 s): no part of a kill.
        farm.wait_analysed()
        self.rounds.append(
            Round(
                takeover_ms=takeover,
                lost_by_others=lost,
                longest_gap_of_others_ms=gap_ms,
                moves=moves,
                orphans=len(orphans),
                imbalance=_imbalance(loads.values()),
                imbalance_of_load=_imbalance(load),
                join_moves=self._moved(joined_ms),
                join_minimum=len(farm.cameras) // len(self._workers),
                join_imbalance=_imbalance(len(farm.held_by(name)) for name in self._workers),
                join_imbalance_of_load=_imbalance(self._loads_as_reckoned()),
            )
        )

    def _takeover_ms(self, camera_id: str, victim: str) -> float:
        seen = self._farm.watcher.acceptances(camera_id)
        last = max(index for index, acceptance in enumerate(seen) if acceptance.result.worker_id == victim)
        return (seen[last + 1].seen_at - seen[last].seen_at) * 1_000

    def _missed(self, cameras: Iterable[str], since_ms: int) -> tuple[int, int]:
        """Return due frames missed since then, and the longest distance of two frames, by capture time."""
        gaps = []
        for name in cameras:
            times = [result.captured_at_ms for result in self._farm.watcher.results(name)]
            gaps += [later - first for first, later in pairwise(times) if later >= since_ms]
        return sum(max(0, round(gap / 1_000 * ANALYSE_FPS) - 1) for gap in gaps), max(gaps, default=0)

    def _moved(self, since_ms: int) -> int:
        """Return how many cameras were given to a worker since then, by the manager's own record."""
        found = self._moves.moves(lambda move: move.reason is not MoveReason.CHANGED, limit=1_000, since_ms=since_ms)
        return len(found.entries)

    def _redis_ms(self) -> int:
        seconds, microseconds = self._farm.client.time()
        return int(seconds) * 1_000 + int(microseconds) // 1_000

    def _loads_as_reckoned(self) -> list[float]:
        """Return the loads in the manager's report of the workers that run."""
        heard = FarmReader(self._farm.client).heard_plan()
        return [load for name, load in heard.message.load.items() if name in self._workers] if heard else []


def _imbalance(loads: Iterable[float]) -> float:
    """Return the greatest load ÷ the mean; 1 for none."""
    listed = list(loads)
    mean = sum(listed) / len(listed) if listed else 0.0
    return max(listed) / mean if mean else 1.0


def run(cameras: int, kills: int, console: Console) -> dict[str, Any]:
    """Kill workers; return the figures."""
    workers = ("w1", "w2", "w3")
    names = tuple(f"cam{number:02}" for number in range(cameras))
    with (
        tempfile.TemporaryDirectory() as folder,
        fault_farm(Path(folder), workers=workers, cameras=names, analyse_fps=ANALYSE_FPS, defaults=SETTINGS) as farm,
    ):
        bench = Bench(farm, workers)
        for _ in range(2):  # what the start itself cost is no part of an undisturbed interval
            farm.wait_analysed()
        calm = bench.calm(CALM_SECONDS if kills > 5 else CALM_SECONDS / 4)
        for number in range(kills):
            bench.kill_one()
            took = bench.rounds[-1].takeover_ms.values()
            console.print(f"kill {number + 1} of {kills}: {', '.join(f'{each:,.0f}' for each in took)} ms")
        went_back = sum(farm.watcher.went_back(name) for name in names)
        two_writers = sum(farm.watcher.seconds_of_two_writers(name) for name in names)
    return _figures(bench.rounds, calm, two_writers, went_back)


def _figures(rounds: list[Round], calm: dict[str, float], two_writers: float, went_back: int) -> dict[str, Any]:
    took = [each for one in rounds for each in one.takeover_ms.values()]
    return {
        "kills": len(rounds),
        "takeovers": len(took),
        "takeover_ms": {
            "p50": float(np.percentile(took, 50)),
            "p95": float(np.percentile(took, 95)),
            "max": max(took),
        },
        "others": {
            "frames_lost": sum(one.lost_by_others for one in rounds),
            "longest_gap_ms": max(one.longest_gap_of_others_ms for one in rounds),
        },
        "undisturbed": calm,
        "camera_seconds_of_two_writers": two_writers,
        "cameras_with_an_older_epoch_after_a_newer": went_back,
        "after_a_kill": {
            "moves_over_minimum": sum(one.moves for one in rounds) / sum(one.orphans for one in rounds),
            "worst_imbalance_of_cameras": max(one.imbalance for one in rounds),
            "worst_imbalance_of_load": max(one.imbalance_of_load for one in rounds),
        },
        "after_a_join": {
            "moves_over_minimum": sum(one.join_moves for one in rounds) / sum(one.join_minimum for one in rounds),
            "worst_imbalance_of_cameras": max(one.join_imbalance for one in rounds),
            "worst_imbalance_of_load": max(one.join_imbalance_of_load for one in rounds),
        },
        "rounds": [asdict(one) for one in rounds],
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table."""
    table = Table("figure", "value", title="takeover after SIGKILL")
    for name, value in figures.items():
        if isinstance(value, dict):
            for part, figure in value.items():
                table.add_row(f"{name} / {part}", f"{figure:,.2f}".rstrip("0").rstrip("."))
        elif not isinstance(value, list):
            table.add_row(name, f"{value:,.2f}".rstrip("0").rstrip("."))
    console.print(table)


def main() -> int:
    """Run the benchmark; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=12, help="a multiple of 6 can be shared evenly by 2 and 3")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="3 kills, for development")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    console = Console()
    figures = run(options.cameras, 3 if options.quick else options.kills, console)
    show(figures, console)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
