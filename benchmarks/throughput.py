"""Does the pipeline run at the limit of its decoder and detector? Frames/s beside a hand-written floor and peers.

Run: python -m benchmarks.throughput [--cameras 8] [--seconds 30] [--rounds 3] [--peers] [--inference-python PYTHON]
     [--model NAME] [--set FARM_NAME=VALUE] [--out FILE.json]

Live RTSP cameras of 640x360 in which people or cars move all the time, asked for more frames than can be analysed, so
that everybody is always busy. The floor decodes the same streams and calls the same detector at the same size,
nothing else; the worker also tracks, scores motion, publishes, and whatever else it does by default (not recorded,
no frames saved). Rounds alternate, medians are shown; the server's CPU is nobody's.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.load.camera_farm import CameraFarm
from benchmarks.load.camera_server import CameraServer
from benchmarks.load.footage_loops import FPS, LoopKind, loops
from benchmarks.load.machine import described, use_cores
from benchmarks.load.options import add_farm_options, model_of, settings_of
from benchmarks.peers.scripts import ContestantError, first_generation, run_contestant
from tests.support.weights import yolo11n

SETTLE_SECONDS: Final = 10.0
KIND: Final = LoopKind(moving=1.0, count=8, seconds=40)


@dataclass(frozen=True)
class Round:
    """One run of one contestant."""

    frames_per_second: float
    cpu_ms_per_frame: float
    cores: float
    age_p95_ms: float


def worker(server: CameraServer, options: argparse.Namespace) -> Round:
    """Run a whole farm of one worker (or as many as asked for)."""
    camera = {"analyse_fps": float(FPS), "save_frames": "none", "record": "off"}
    with CameraFarm(server, workers=options.workers, settings=all_settings(options), camera=camera) as farm:
        farm.add(options.cameras)
        time.sleep(SETTLE_SECONDS)
        measured = farm.measure(options.seconds)
    rate, cores = measured.analysed.frames_per_second, measured.cores["workers"]
    return Round(rate, 1000 * cores / rate, cores, measured.analysed.age_p95_ms)


def contestant(name: str, server: CameraServer, options: argparse.Namespace) -> Round:
    """Run a floor or a peer."""
    urls = [server.url(number) for number in range(options.cameras)]
    if name == "first generation":
        outcome = first_generation(urls, seconds=options.seconds, settle=SETTLE_SECONDS)
    else:
        module, arguments = {
            "floor": ("benchmarks.floors.latest_frame", ("--fps", str(FPS))),
            "Ultralytics": ("benchmarks.peers.ultralytics_streams", ()),
            "Roboflow": ("benchmarks.peers.roboflow_inference", ()),
        }[name]
        outcome = run_contestant(
            module,
            urls,
            seconds=options.seconds,
            settle=SETTLE_SECONDS,
            python=options.inference_python if name == "Roboflow" else sys.executable,
            model=model_of(options).path if name == "floor" else yolo11n().path,
            arguments=arguments,
            settings=all_settings(options) if name == "floor" else None,
        )
    its = outcome.analysed
    return Round(its.frames_per_second, outcome.cpu_ms_per_frame, outcome.cores, its.age_p95_ms)


def all_settings(options: argparse.Namespace) -> dict[str, str]:
    """Return the settings that worker and floor have."""
    return {"FARM_DETECT_SIZE": str(options.detect_size), **settings_of(options)}


def run(options: argparse.Namespace, console: Console) -> dict[str, list[Round]]:
    """Run everybody in turn, `options.rounds` times."""
    ways: dict[str, Callable[[CameraServer], Round]] = {"worker": lambda server: worker(server, options)}
    names = ["floor", *(("first generation", "Ultralytics") if options.peers else ())]
    if options.inference_python:
        names.append("Roboflow")
    elif options.peers:
        console.print("Roboflow's inference is not compared: name an environment's Python with --inference-python")
    for name in names:
        ways[name] = lambda server, name=name: contestant(name, server, options)  # type: ignore[misc]
    found: dict[str, list[Round]] = {name: [] for name in ways}
    with CameraServer(loops(KIND)) as server:
        for number in range(options.rounds):
            # To and fro, so that a machine that slows down meanwhile favours nobody.
            for name, way in reversed(ways.items()) if number % 2 else ways.items():
                try:
                    found[name].append(way(server))
                except ContestantError as error:
                    console.print(f"{name}: {error}")
                    continue
                console.print(f"round {number + 1}, {name}: {found[name][-1].frames_per_second:.2f} frames/s")
    return {name: rounds for name, rounds in found.items() if rounds}


def medians(rounds: dict[str, list[Round]]) -> dict[str, Round]:
    """Return the median of each figure."""
    return {
        name: Round(**{field: median(getattr(one, field) for one in its) for field in asdict(its[0])})
        for name, its in rounds.items()
    }


def show(middle: dict[str, Round], console: Console) -> None:
    """Print the medians and what they are of the floor's."""
    table = Table("", "frames/s", "÷ floor", "CPU ms a frame", "floor ÷ it", "cores", "age p95 ms")
    floor = middle["floor"]
    for name, one in middle.items():
        table.add_row(
            name,
            f"{one.frames_per_second:.2f}",
            f"{one.frames_per_second / floor.frames_per_second:.3f}",
            f"{one.cpu_ms_per_frame:.1f}",
            f"{floor.cpu_ms_per_frame / one.cpu_ms_per_frame:.3f}",
            f"{one.cores:.2f}",
            f"{one.age_p95_ms:.0f}",
        )
    console.print(table)


def main() -> int:
    """Run the benchmark; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--detect-size", type=int, default=640)
    parser.add_argument("--peers", action="store_true", help="the first-generation script and Ultralytics besides")
    parser.add_argument("--inference-python", default="", help="of an environment with Roboflow's inference")
    add_farm_options(parser)
    options = parser.parse_args()
    use_cores(options.cores)
    console, machine = Console(width=160), described()
    rounds = run(options, console)
    middle = medians(rounds)
    show(middle, console)
    if options.out:
        all_rounds = {name: [asdict(one) for one in its] for name, its in rounds.items()}
        medians_told = {name: asdict(one) for name, one in middle.items()}
        options.out.write_text(
            json.dumps({"machine": machine, "medians": medians_told, "rounds": all_rounds}, indent=1)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
