"""What does it cost to add and drain a worker? Frames lost at each move, on real streams. Kills: `takeover`.

Run: python -m benchmarks.rebalance [--cameras 8] [--out FILE.json]
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from contract.detections import AnalysisResult
from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.result_watcher import ResultWatcher
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port

#: Analysed frames per second of every camera; what was lost is counted in its intervals.
ANALYSE_FPS: Final = 2.0
SETTLE_SECONDS: Final = 4.0


@dataclass(frozen=True)
class Move:
    """One camera that changed its worker."""

    cause: str
    camera: str
    #: From the last frame of the former worker to the first of the new one, by capture time.
    gap_ms: int

    @property
    def frames_lost(self) -> int:
        """Due frames that nobody analysed."""
        return max(0, round(self.gap_ms / 1000 * ANALYSE_FPS) - 1)


def moves_of(cause: str, camera: str, results: list[AnalysisResult]) -> list[Move]:
    """Return the moves that a list of accepted results shows."""
    return [
        Move(cause, camera, after.captured_at_ms - before.captured_at_ms)
        for before, after in pairwise(results)
        if before.worker_id != after.worker_id
    ]


class Bench:
    """One farm with a number of cameras."""

    def __init__(self, farm: Farm, watcher: ResultWatcher, cameras: list[str]) -> None:
        self._farm = farm
        self._watcher = watcher
        self._cameras = cameras
        self.moves: list[Move] = []
        self.others_longest_gap_ms = 0
        self.twice = 0

    def loads(self) -> list[int]:
        """Return cameras per live worker."""
        statuses = [worker["status"] for worker in self._farm.live_workers().values()]
        return sorted(len(status["camera_ids"]) for status in statuses if status)

    def step(self, cause: str, act: Callable[[], object], workers: int) -> None:
        """Do something, wait until `workers` share the cameras evenly, and take note of the moves."""
        before = {camera: len(self._watcher.results(camera)) for camera in self._cameras}
        act()
        self._farm.wait_for(lambda: self._is_even(workers), f"{workers} workers share evenly", 60)
        time.sleep(SETTLE_SECONDS)
        for camera in self._cameras:
            results = self._watcher.results(camera)[max(0, before[camera] - 1) :]
            moves = moves_of(cause, camera, results)
            self.moves += moves
            if not moves:
                times = [result.captured_at_ms for result in results]
                gaps = [after - first for first, after in pairwise(times)]
                self.others_longest_gap_ms = max([self.others_longest_gap_ms, *gaps])
            self.twice += self._watcher.went_back(camera)

    def _is_even(self, workers: int) -> bool:
        loads = self.loads()
        return len(loads) == workers and sum(loads) == len(self._cameras) and loads[-1] - loads[0] <= 1


def run(cameras: int) -> Bench:
    """Add and drain workers; return what was seen."""
    with tempfile.TemporaryDirectory() as folder, closing(ValkeyServer().start()) as valkey:
        media = Path(folder) / "media"
        media.mkdir()
        Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
        settings = {"FARM_DETECT_SIZE": "320", "FARM_DETECT_THREADS": "1"}
        with (
            RtspServer(media) as server,
            Farm(Path(folder), valkey.url, api_port=free_port(), **settings) as farm,
            ResultWatcher(valkey.client()) as watcher,
        ):
            farm.start_controller()
            farm.start_worker("w1")
            names = [f"cam{number:02}" for number in range(cameras)]
            for name in names:
                farm.add_camera(name, server.url("squares.mp4"), analyse_fps=ANALYSE_FPS)
            farm.wait_online(*names)
            time.sleep(SETTLE_SECONDS)
            bench = Bench(farm, watcher, names)
            bench.step("worker joins", lambda: farm.start_worker("w2"), 2)
            bench.step("worker joins", lambda: farm.start_worker("w3"), 3)
            bench.step("worker is asked to leave", lambda: farm.stop("w3"), 2)
            return bench


def main() -> int:
    """Print the table and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    bench = run(options.cameras)
    table = Table("what happened", "moves", "gap p50 ms", "gap max ms", "frames lost, each", "in all")
    causes = list(dict.fromkeys(move.cause for move in bench.moves))
    rows = {}
    for cause in causes:
        moves = [move for move in bench.moves if move.cause == cause]
        gaps = [move.gap_ms for move in moves]
        lost = [move.frames_lost for move in moves]
        rows[cause] = {"moves": [asdict(move) for move in moves]}
        table.add_row(
            cause, str(len(moves)), f"{median(gaps):.0f}", str(max(gaps)), f"{median(lost):.0f}", str(sum(lost))
        )
    console = Console()
    console.print(table)
    console.print(f"longest gap of cameras that did not move: {bench.others_longest_gap_ms} ms")
    console.print(f"cameras with results of an older epoch after a newer one: {bench.twice}")
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
