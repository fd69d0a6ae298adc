"""How many recorded live cameras do two cores hold? Real RTSP, real farm; steps upward until the rule is broken.

Run: python -m benchmarks.cameras_held [--cameras 50 100 150 200] [--workers 1 2 4] [--gop 25 50 100]
     [--size 640x360 1920x1080] [--seconds 60] [--settle 30] [--peers] [--plot FILE.png] [--out FILE.json]

The rule: p95 of the age of results (published - captured) below 1 s, no camera analysed less than 0.95 times a
second, at least 99.9 % of the time recorded and no hole longer than a GOP. Every camera is recorded all the time and
analysed once a second; 20 % of the cameras show movement at any time. Server, publishers and Redis run on the same
cores, and their CPU is told apart. ``--peers`` puts the first-generation script beside it, by the same rule.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.load.camera_farm import CameraFarm, Measured
from benchmarks.load.camera_server import CameraServer
from benchmarks.load.footage_gaps import Footage, read_footage
from benchmarks.load.footage_loops import FPS, LoopKind, loops
from benchmarks.load.machine import described, use_cores
from benchmarks.load.options import add_farm_options, parse_size, settings_of
from benchmarks.peers.scripts import held_by_first_generation

ANALYSE_FPS: Final = 1.0
MAX_AGE_MS: Final = 1_000.0
LEAST_FPS: Final = 0.95
LEAST_RECORDED: Final = 0.999
#: Streams that the cameras share. A publisher costs 0.007 core, so they are few; keyframes of 15 of 150 cameras then
#: come at one moment, which is harder on a worker than cameras that are each on their own.
SOURCES: Final = 10
#: Seconds a recorder may take until what it has is on the disk.
FLUSH_SECONDS: Final = 4.0


@dataclass(frozen=True)
class Step:
    """One number of cameras."""

    size: str
    gop: int
    workers: int
    cameras: int
    held: bool
    #: Which parts of the rule are broken, for people.
    broken: str
    slowest_fps: float
    cameras_too_slow: int
    age_p50_ms: float
    age_p95_ms: float
    worst_camera_p95_ms: float
    least_recorded: float
    longest_hole_seconds: float
    cores: dict[str, float]
    #: Stage of the workers -> CPU-milliseconds a second and camera.
    stage_ms: dict[str, float]
    memory_per_camera_bytes: float
    memory_grown_per_camera_bytes: float
    unread_p95_seconds: float
    unread_max_seconds: float
    drops: dict[str, int]
    load_average: float


def judged(farm: CameraFarm, measured: Measured, kind: LoopKind, workers: int) -> Step:
    """Read the footage of the span and apply the rule."""
    stages = farm.stages()
    time.sleep(FLUSH_SECONDS)
    footage = [
        read_footage(farm.files(name), measured.since, measured.until, fps=kind.sent_fps) for name in farm.cameras
    ]
    its, count = measured.analysed, len(farm.cameras)
    broken = _broken(measured, footage, kind.gop / FPS)
    return Step(
        size=f"{kind.width}x{kind.height}",
        gop=kind.gop,
        workers=workers,
        cameras=count,
        held=not broken,
        broken=", ".join(broken),
        slowest_fps=its.slowest_fps,
        cameras_too_slow=sum(rate < LEAST_FPS for rate in its.rates.values()),
        age_p50_ms=its.age_p50_ms,
        age_p95_ms=its.age_p95_ms,
        worst_camera_p95_ms=its.worst_camera_p95_ms,
        least_recorded=min(one.share for one in footage),
        longest_hole_seconds=max(one.longest_hole_seconds for one in footage),
        cores=measured.cores,
        stage_ms={name: round(1000 * cores / count, 2) for name, cores in stages.items()},
        memory_per_camera_bytes=measured.worker_memory_bytes / count,
        memory_grown_per_camera_bytes=(measured.worker_memory_bytes - farm.empty_memory_bytes) / count,
        unread_p95_seconds=measured.unread_p95_seconds,
        unread_max_seconds=measured.unread_max_seconds,
        drops=farm.drops(),
        load_average=described()["load_average"][0],
    )


def _broken(measured: Measured, footage: list[Footage], gop_seconds: float) -> list[str]:
    found = []
    if not 0 < measured.analysed.age_p95_ms < MAX_AGE_MS:
        found.append("age")
    if measured.analysed.slowest_fps < LEAST_FPS * ANALYSE_FPS:
        found.append("rate")
    if any(one.share < LEAST_RECORDED or one.longest_hole_seconds > gop_seconds for one in footage):
        found.append("recording")
    return found


def climb(kind: LoopKind, workers: int, options: argparse.Namespace, console: Console) -> list[Step]:
    """Raise the number of cameras until the rule is broken."""
    steps: list[Step] = []
    camera = {"record": "continuous", "analyse_fps": ANALYSE_FPS, "save_frames": options.save_frames}
    with (
        CameraServer(loops(kind), sources=options.sources) as server,
        CameraFarm(server, workers=workers, settings=settings_of(options), camera=camera) as farm,
    ):
        for count in options.cameras:
            try:
                farm.add(count)
                time.sleep(options.settle)
                steps.append(judged(farm, farm.measure(options.seconds), kind, workers))
            except AssertionError as error:  # a process has ended, or a camera has no result; the other steps stand
                console.print(f"{count} cameras: {str(error).splitlines()[0]}")
                break
            console.print(f"{count} cameras: {'held' if steps[-1].held else 'not held: ' + steps[-1].broken}")
            if not steps[-1].held and not options.go_on:
                break
    return steps


def show(steps: list[Step], console: Console) -> None:
    """Print steps as a table."""
    table = Table(
        *("cameras", "size, GOP", "workers", "held", "slowest fps", "age p50 / p95 ms", "recorded, hole s"),
        *("cores: workers / controller / valkey / cameras", "MB a camera", "unread p95 / max s", "load"),
    )
    for one in steps:
        table.add_row(
            str(one.cameras),
            f"{one.size}, {one.gop}",
            str(one.workers),
            "yes" if one.held else f"no: {one.broken}",
            f"{one.slowest_fps:.2f}",
            f"{one.age_p50_ms:.0f} / {one.age_p95_ms:.0f}",
            f"{one.least_recorded:.4f}, {one.longest_hole_seconds:.2f}",
            " / ".join(f"{one.cores[name]:.2f}" for name in ("workers", "controller", "valkey", "cameras")),
            f"{one.memory_per_camera_bytes / 1e6:.1f}",
            f"{one.unread_p95_seconds:.2f} / {one.unread_max_seconds:.2f}",
            f"{one.load_average:.1f}",
        )
    console.print(table)
    for one in steps:
        stages = ", ".join(f"{name} {ms:.1f}" for name, ms in one.stage_ms.items())
        console.print(f"{one.cameras} cameras, {one.size}, GOP {one.gop}: CPU-ms a second and camera: {stages}")


def most_held(steps: list[Step]) -> dict[str, int]:
    """Return, for each kind of camera and number of workers, the most cameras that were held."""
    most: dict[str, int] = {}
    for one in steps:
        name = f"{one.size}, GOP {one.gop}, {one.workers} workers"
        most[name] = max(most.get(name, 0), one.cameras if one.held else 0)
    return most


def write(figures: dict[str, Any], path: Path | None) -> None:
    """Write what there is: a run takes an hour, and what it has found shall outlive it."""
    if path:
        path.write_text(json.dumps(figures, indent=1))


def plot(steps: list[Step], path: Path) -> None:
    """Draw p95 age against cameras, a line for each kind and number of workers; needs matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5))
    axes = figure.subplots()
    for name in dict.fromkeys((one.size, one.gop, one.workers) for one in steps):
        line = [one for one in steps if (one.size, one.gop, one.workers) == name]
        label = f"{name[0]}, GOP {name[1]}, {name[2]} workers"
        axes.plot([one.cameras for one in line], [one.age_p95_ms for one in line], marker="o", label=label)
    axes.axhline(MAX_AGE_MS, color="grey", linestyle="--")
    axes.set(xlabel="cameras, recorded and analysed once a second", ylabel="p95 age of results, ms", yscale="log")
    axes.legend()
    figure.savefig(path, dpi=150, bbox_inches="tight")


def main() -> int:
    """Run the benchmark; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, nargs="+", default=[50, 100, 150, 200])
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--gop", type=int, nargs="+", default=[25])
    parser.add_argument("--size", type=parse_size, nargs="+", default=[(640, 360)])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--settle", type=float, default=30.0, help="seconds after the last camera's first result")
    parser.add_argument("--sources", type=int, default=SOURCES, help="streams that the cameras share")
    parser.add_argument("--save-frames", default="none", choices=("none", "detections", "all"))
    parser.add_argument("--go-on", action="store_true", help="also above the first number that is not held")
    parser.add_argument("--peers", action="store_true", help="the first-generation script besides")
    parser.add_argument("--plot", type=Path, help="draw the curve, where matplotlib is installed")
    add_farm_options(parser)
    options = parser.parse_args()
    use_cores(options.cores)
    console, steps = Console(width=200), list[Step]()
    figures: dict[str, Any] = {"machine": described()}
    for width, height in options.size:
        for gop in options.gop:
            count = 10 if height < 720 else 5
            for workers in options.workers:
                steps += climb(LoopKind(width, height, gop, count=count), workers, options, console)
                figures |= {"held": most_held(steps), "steps": [asdict(one) for one in steps]}
                write(figures, options.out)
    show(steps, console)
    for name, most in figures["held"].items():
        console.print(f"held: {most} cameras ({name})")
    if options.peers:
        peer = held_by_first_generation(LoopKind(), options.seconds)
        best = max(figures["held"].values(), default=0)
        figures["first_generation"] = peer
        console.print(
            f"first-generation script: {peer['cameras']:.2f} cameras ({peer['frames_per_second']:.1f} of the 25 frames "
            f"a second of one camera, p95 age {peer['age_p95_ms'] / 1000:.1f} s); ratio {best / peer['cameras']:.0f}"
        )
    if options.plot:
        plot(steps, options.plot)
    write(figures, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
