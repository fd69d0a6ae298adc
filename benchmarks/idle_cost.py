"""What does a recorded camera cost in which nothing moves, and does memory stay flat?

Run: python -m benchmarks.idle_cost [--cameras 20] [--seconds 60] [--rounds 3] [--settle 330] [--set FARM_NAME=VALUE]
                                      [--out FILE.json]
     python -m benchmarks.idle_cost --minutes 60 [--cameras 50]

Live RTSP cameras of 640x360 at 25 fps with noise and no movement, recorded all the time and analysed once a second, in
one worker; beside it the hand-written floor (`benchmarks.floors.idle_camera`), the same cameras in one process. With
``--minutes`` a farm whose cameras move 20 % of the time runs for so long, and its memory is noted every minute.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.load.camera_farm import CameraFarm
from benchmarks.load.camera_server import CameraServer
from benchmarks.load.footage_loops import LoopKind, loops
from benchmarks.load.machine import described, use_cores
from benchmarks.load.options import add_farm_options, settings_of
from benchmarks.peers.scripts import run_contestant

KIND: Final = LoopKind(moving=0.0, count=5, seconds=20)
CAMERA: Final = {"record": "continuous", "analyse_fps": 1.0, "save_frames": "none"}
#: Until a worker knows its cameras: the streams' keyframes, what stands still, and that nothing moves, so that whole
#: frames are looked at every four minutes. From 75 s on it is once a minute.
SETTLE_SECONDS: Final = 330.0
#: The floor learns nothing that would make it cheaper.
FLOOR_SETTLE_SECONDS: Final = 20.0
#: What DESIGN reckons a motion test at, CPU-ms a frame.
GATE_MS: Final = 0.45


@dataclass(frozen=True)
class Round:
    """One run of the worker and of the floor."""

    worker_cpu_ms: float
    floor_cpu_ms: float
    #: Of the floor's own motion test, a frame.
    floor_gate_ms: float
    worker_memory_bytes: float
    #: Without what the worker had before it had a camera.
    worker_grown_bytes: float
    floor_memory_bytes: float
    worker_fps: float

    @property
    def reckoned_floor_cpu_ms(self) -> float:
        """The floor's cost with a motion test of `GATE_MS` in place of its own; one frame a second."""
        return self.floor_cpu_ms - self.floor_gate_ms + GATE_MS


def run_round(server: CameraServer, options: argparse.Namespace) -> Round:
    """Run the worker, then the floor."""
    count = options.cameras
    with CameraFarm(server, settings=settings_of(options), camera=CAMERA) as farm:
        farm.add(count)
        time.sleep(options.settle)
        measured = farm.measure(options.seconds)
        grown = measured.worker_memory_bytes - farm.empty_memory_bytes
    with tempfile.TemporaryDirectory() as folder:
        floor = run_contestant(
            "benchmarks.floors.idle_camera",
            [server.url(number) for number in range(count)],
            seconds=options.seconds,
            settle=FLOOR_SETTLE_SECONDS,
            arguments=("--folder", folder),
        )
    return Round(
        worker_cpu_ms=1000 * measured.cores["workers"] / count,
        floor_cpu_ms=1000 * floor.cores / count,
        floor_gate_ms=floor.more["gate_ms"],
        worker_memory_bytes=measured.worker_memory_bytes / count,
        worker_grown_bytes=grown / count,
        floor_memory_bytes=floor.memory_bytes / count,
        worker_fps=measured.analysed.frames_per_second / count,
    )


def show(rounds: list[Round], console: Console) -> dict[str, float]:
    """Print the medians; return them."""
    figures = {name: median(getattr(one, name) for one in rounds) for name in asdict(rounds[0])}
    figures["reckoned_floor_cpu_ms"] = median(one.reckoned_floor_cpu_ms for one in rounds)
    figures["ratio"] = median(one.worker_cpu_ms / one.reckoned_floor_cpu_ms for one in rounds)
    figures["ratio_to_measured_floor"] = median(one.worker_cpu_ms / one.floor_cpu_ms for one in rounds)
    table = Table("of one idle recorded camera", "worker", "floor", f"floor with a gate of {GATE_MS} ms", "ratio")
    table.add_row(
        "CPU ms a second",
        f"{figures['worker_cpu_ms']:.2f}",
        f"{figures['floor_cpu_ms']:.2f} (gate {figures['floor_gate_ms']:.2f})",
        f"{figures['reckoned_floor_cpu_ms']:.2f}",
        f"{figures['ratio']:.2f}",
    )
    table.add_row(
        "MB, its share of all; what it adds",
        f"{figures['worker_memory_bytes'] / 1e6:.1f}; {figures['worker_grown_bytes'] / 1e6:.1f}",
        f"{figures['floor_memory_bytes'] / 1e6:.1f}",
    )
    table.add_row("analysed a second", f"{figures['worker_fps']:.2f}")
    console.print(table)
    return figures


def watch_memory(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Let a farm run for so many minutes; return its workers' memory after each of them."""
    sizes: list[int] = []
    with (
        CameraServer(loops(LoopKind())) as server,
        CameraFarm(server, workers=options.workers, settings=settings_of(options), camera=CAMERA) as farm,
    ):
        farm.add(options.cameras)
        for minute in range(1, int(options.minutes) + 1):
            time.sleep(60)
            sizes.append(farm.worker_usage().memory_bytes)
            if minute % 5 == 0:
                console.print(f"after {minute} minutes: {sizes[-1] / 1e6:.1f} MB")
            _forget_footage(farm, minute)
        lost = farm.drops()
    told: dict[str, Any] = {"cameras": options.cameras, "memory_bytes_by_minute": sizes, "drops": lost}
    if len(sizes) > 5:
        told["last_over_five_minutes"] = sizes[-1] / sizes[4]
        console.print(f"after {len(sizes)} minutes / after five: {told['last_over_five_minutes']:.3f}")
    return told


def _forget_footage(farm: CameraFarm, minute: int) -> None:
    """Keep the disk from filling: nobody looks at this footage."""
    if minute % 5 == 0 and shutil.disk_usage(farm.farm.frames_dir).free < 20_000_000_000:
        for name in farm.cameras:
            for path in farm.files(name)[:-3]:
                path.unlink()


def main() -> int:
    """Run the benchmark; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1, help="with --minutes")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--settle", type=float, default=SETTLE_SECONDS, help="seconds before the worker is measured")
    parser.add_argument("--minutes", type=float, default=0.0, help="watch memory for so long instead")
    add_farm_options(parser)
    options = parser.parse_args()
    use_cores(options.cores)
    console = Console(width=140)
    told: dict[str, Any] = {"machine": described()}
    if options.minutes:
        told["memory"] = watch_memory(options, console)
    else:
        rounds = []
        with CameraServer(loops(KIND)) as server:
            for number in range(options.rounds):
                rounds.append(run_round(server, options))
                console.print(f"round {number + 1}: {rounds[-1]}")
        told |= {"medians": show(rounds, console), "rounds": [asdict(one) for one in rounds]}
    if options.out:
        Path(options.out).write_text(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
