"""How old are results, and is overload shared fairly? p95 age beside a hand-written latest-frame floor.

Run: python -m benchmarks.freshness [--cameras 8] [--seconds 30] [--rounds 3] [--peers] [--inference-python PYTHON]
     [--only half under twice four weighted declared] [--set FARM_NAME=VALUE] [--out FILE.json]

Live RTSP cameras of 640x360 in which something moves all the time. What the machine can do is measured first: the
floor's frames a second when it is asked for all of them. Then everybody is asked for half of that, for 0.8 times, for
twice and for four times as much, in turn. Age is from the arrival of a frame's packet to its result. Fairness is the
least rate of a camera ÷ the greatest, each as a share of what its camera asked for.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.load.analysed import Analysed
from benchmarks.load.camera_farm import CameraFarm
from benchmarks.load.camera_server import CameraServer
from benchmarks.load.footage_loops import FPS, LoopKind, first_frames, loops
from benchmarks.load.machine import described, use_cores
from benchmarks.load.options import add_farm_options, model_of, settings_of, worker_settings
from benchmarks.peers.scripts import ContestantError, run_contestant
from workers.detection.opening import open_detector

SETTLE_SECONDS: Final = 10.0
KIND: Final = LoopKind(moving=1.0, count=8, seconds=40)
#: Says 25 frames a second in its header and sends 10.
DECLARED: Final = LoopKind(moving=1.0, count=1, seconds=40, sent_fps=10)
#: Name -> frames asked for, as a multiple of what the floor can do.
LOADS: Final = {"half": 0.5, "under": 0.8, "twice": 2.0, "four": 4.0}
#: Frames by which the latency of the model alone is known.
LATENCY_FRAMES: Final = 60
FLOOR: Final = "benchmarks.floors.latest_frame"
PEERS: Final = {
    "Ultralytics": "benchmarks.peers.ultralytics_streams",
    "Roboflow": "benchmarks.peers.roboflow_inference",
}


@dataclass(frozen=True)
class Case:
    """One run."""

    who: str
    load: str
    asked_fps: float
    frames_per_second: float
    age_p50_ms: float
    age_p95_ms: float
    fairness: float


def model_latency_ms(options: argparse.Namespace) -> float:
    """Return the median of the model's time for one frame, alone on the cores."""
    detector = open_detector(model_of(options), worker_settings(options))
    frames, took = first_frames(loops(KIND)[0], LATENCY_FRAMES), []
    for frame in frames:
        began = time.perf_counter()
        detector.detect([frame], confidence=0.2)
        took.append(1000 * (time.perf_counter() - began))
    detector.close()
    return float(np.median(took[10:]))


class Bench:
    """Runs floor, worker and peers on the same cameras."""

    def __init__(self, server: CameraServer, options: argparse.Namespace) -> None:
        self._server = server
        self._options = options
        self._count: int = options.cameras

    def contestant(self, module: str, *arguments: str, python: str = sys.executable) -> Analysed:
        """Run a floor or a peer."""
        urls = [self._server.url(number) for number in range(self._count)]
        seconds = self._options.seconds
        is_floor = module == FLOOR
        outcome = run_contestant(
            module,
            urls,
            seconds=seconds,
            settle=SETTLE_SECONDS,
            python=python,
            model=model_of(self._options).path if is_floor else None,
            arguments=arguments,
            settings=settings_of(self._options) if is_floor else None,
        )
        return outcome.analysed

    def floor(self, rates: Sequence[float]) -> Analysed:
        """Run the floor, which is asked for these frames a second of each camera."""
        return self.contestant(FLOOR, "--fps", *map(str, rates))

    def worker(self, rates: Sequence[float]) -> Analysed:
        """Run a farm, which is asked for these frames a second of each camera."""
        camera = {"save_frames": "none", "record": "off"}
        with CameraFarm(
            self._server, workers=self._options.workers, settings=settings_of(self._options), camera=camera
        ) as farm:
            for number, rate in enumerate(rates):
                farm.add(number + 1, fields={"analyse_fps": rate})
            time.sleep(SETTLE_SECONDS)
            return farm.measure(self._options.seconds).analysed


def case(who: str, load: str, rates: Sequence[float], its: Analysed) -> Case:
    """Sum a run up."""
    asked = dict(zip(its.rates, rates, strict=True))
    return Case(who, load, sum(rates), its.frames_per_second, its.age_p50_ms, its.age_p95_ms, its.fairness(asked))


def run_loads(bench: Bench, capacity: float, options: argparse.Namespace, console: Console) -> list[Case]:
    """Run floor and worker at every load, in turn."""
    found: list[Case] = []
    for number in range(options.rounds):
        for load, times in LOADS.items():
            if load not in options.only:
                continue
            rates = [min(30.0, capacity * times / options.cameras)] * options.cameras
            for who, way in (("floor", bench.floor), ("worker", bench.worker)):
                found.append(case(who, load, rates, way(rates)))
                console.print(f"round {number + 1}, {load}, {who}: p95 {found[-1].age_p95_ms:.0f} ms")
    if capacity * max(LOADS.values()) / options.cameras > FPS:
        console.print("four times the load is more than these cameras send: name more with --cameras")
    return found


def run_weighted(bench: Bench, capacity: float, options: argparse.Namespace) -> list[Case]:
    """Ask half of the cameras for twice as much as the others, for twice of what can be done in all."""
    low = capacity * 2 / (options.cameras * 1.5)
    rates = [low * (2 if number % 2 else 1) for number in range(options.cameras)]
    return [case("worker", "weighted, twice", rates, bench.worker(rates)) for _ in range(options.rounds)]


def run_declared(options: argparse.Namespace) -> list[Case]:
    """Ask a camera that declares 25 frames a second and sends 10 for 5 and for 10."""
    with CameraServer(loops(DECLARED)) as server:
        one = argparse.Namespace(**{**vars(options), "cameras": 1})
        bench = Bench(server, one)
        return [
            case("worker", f"declares 25, sends 10, asked for {rate:.0f}", [rate], bench.worker([rate]))
            for rate in (5.0, 10.0)
        ]


def run_peers(bench: Bench, options: argparse.Namespace, console: Console) -> list[Case]:
    """Let the peers have all frames of all cameras, for they cannot be asked for fewer."""
    found = []
    for who, module in PEERS.items():
        python = options.inference_python if who == "Roboflow" else sys.executable
        if not python:
            console.print("Roboflow's inference is not compared: name an environment's Python with --inference-python")
            continue
        for _ in range(options.rounds):
            try:
                its = bench.contestant(module, python=python)
                found.append(case(who, "all frames", [float(FPS)] * options.cameras, its))
            except ContestantError as error:
                console.print(f"{who}: {error}")
    return found


def medians(cases: list[Case]) -> list[Case]:
    """Return the median of each figure for each contestant and load."""
    grouped: dict[tuple[str, str], list[Case]] = {}
    for one in cases:
        grouped.setdefault((one.load, one.who), []).append(one)
    figures = ("asked_fps", "frames_per_second", "age_p50_ms", "age_p95_ms", "fairness")
    return [
        Case(who, load, *(median(getattr(one, figure) for one in its) for figure in figures))
        for (load, who), its in grouped.items()
    ]


def show(middle: list[Case], capacity: float, latency_ms: float, console: Console) -> None:
    """Print the medians."""
    console.print(f"the floor's capacity: {capacity:.1f} frames/s; the model alone: {latency_ms:.1f} ms a frame")
    table = Table("load", "who", "asked fps", "got fps", "age p50 / p95 ms", "p95 ÷ floor", "p95 ÷ model", "fairness")
    floors = {one.load: one.age_p95_ms for one in middle if one.who == "floor"}
    for one in middle:
        table.add_row(
            one.load,
            one.who,
            f"{one.asked_fps:.1f}",
            f"{one.frames_per_second:.1f}",
            f"{one.age_p50_ms:.0f} / {one.age_p95_ms:.0f}",
            f"{one.age_p95_ms / floors[one.load]:.2f}" if one.load in floors else "",
            f"{one.age_p95_ms / latency_ms:.2f}",
            f"{one.fairness:.3f}",
        )
    console.print(table)


def main() -> int:
    """Run the benchmark; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[*LOADS, "weighted", "declared"])
    parser.add_argument("--peers", action="store_true", help="Ultralytics (and Roboflow) besides")
    parser.add_argument("--inference-python", default="", help="of an environment with Roboflow's inference")
    add_farm_options(parser)
    options = parser.parse_args()
    use_cores(options.cores)
    console, machine = Console(width=160), described()
    latency_ms = model_latency_ms(options)
    cases: list[Case] = []
    with CameraServer(loops(KIND)) as server:
        bench = Bench(server, options)
        capacity = bench.floor([float(FPS)]).frames_per_second
        cases += run_loads(bench, capacity, options, console)
        cases += run_weighted(bench, capacity, options) if "weighted" in options.only else []
        cases += run_peers(bench, options, console) if options.peers else []
    cases += run_declared(options) if "declared" in options.only else []
    middle = medians(cases)
    show(middle, capacity, latency_ms, console)
    if options.out:
        told: dict[str, Any] = {"machine": machine, "capacity_fps": capacity, "model_latency_ms": latency_ms}
        told |= {"medians": [asdict(one) for one in middle], "cases": [asdict(one) for one in cases]}
        Path(options.out).write_text(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
