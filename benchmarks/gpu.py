"""What does an NVIDIA GPU hold? Cameras at 1 fps and frames a second, beside what its decoder and the model can do.

Run: python -m benchmarks.gpu [--model yolov8n] [--cameras 200 400 800] [--cores 16] [--seconds 60] [--out FILE.json]

Refuses where there is no CUDA device that torch can use. Bounds are measured first, each alone: the model in batches
on the device; H.264 decoding on the device (NVDEC, through libav as workers do) and on the CPU. Then a real farm climbs
as in `cameras_held`, decoding on the CPU and on the device, and the frames a second of one worker are counted as in
`throughput`.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import av
from rich.console import Console
from rich.table import Table

import model_store
from benchmarks import cameras_held, throughput
from benchmarks.load.camera_server import CameraServer
from benchmarks.load.footage_loops import LoopKind, first_frames, loops
from benchmarks.load.machine import described, use_cores
from benchmarks.load.options import add_farm_options
from runtime.settings import WorkerSettings
from tests.support.weights import CACHE_DIR
from workers.capture.hardware import accelerator
from workers.detection.devices import look_for_cuda
from workers.detection.opening import open_detector

KIND: Final = LoopKind()
BATCHES: Final = (1, 8, 32)
#: Seconds that each bound is measured for.
BOUND_SECONDS: Final = 5.0


def why_not() -> str:
    """Return why this benchmark cannot run here; empty where it can."""
    view = look_for_cuda()
    if not view.driver_devices:
        return "no NVIDIA device is visible to this process"
    if not view.torch_installed:
        return "torch is not installed; install it with: pip install -r requirements-torch.txt"
    if not view.torch_devices:
        return "torch is installed without CUDA; on this machine install requirements-torch.txt from PyPI"
    return ""


def model_bound(model: str) -> dict[str, float]:
    """Return the frames a second of the model alone, by batch."""
    described_model = model_store.resolve(model, CACHE_DIR)
    found: dict[str, float] = {}
    for batch in BATCHES:
        detector = open_detector(described_model, WorkerSettings(device="cuda", max_batch=batch))
        frames = first_frames(loops(KIND)[0], batch)
        detector.detect(frames, confidence=0.2)
        began = time.perf_counter()
        done, took = 0, 0.0
        while took < BOUND_SECONDS:
            detector.detect(frames, confidence=0.2)
            done, took = done + batch, time.perf_counter() - began
        found[f"model, batch {batch}"] = done / took
        detector.close()
    return found


def decode_bounds(path: Path) -> dict[str, float]:
    """Return the frames a second of decoding one stream: all of it on the CPU, keyframes only, and on the device."""
    found: dict[str, float] = {}
    for only_keyframes in (False, True):
        with av.open(str(path)) as file:
            video = file.streams.video[0]
            video.thread_type = "NONE"
            video.codec_context.skip_frame = "NONKEY" if only_keyframes else "DEFAULT"
            sent = video.frames
            found[f"decoding, CPU, one thread{', keyframes only' if only_keyframes else ''}"] = _rate(
                iter(file.decode(video)), of=sent
            )
    with av.open(str(path), hwaccel=accelerator("cuda")) as file:
        on_device = file.streams.video[0].codec_context.is_hwaccel
        found[f"decoding, {'NVDEC' if on_device else 'no NVDEC: CPU'}, one stream"] = _rate(
            iter(file.decode(video=0)), of=0
        )
    return found


def _rate(frames: Iterator[object], *, of: int) -> float:
    """Return frames a second; `of` counts those of the stream where not all are decoded."""
    began = time.perf_counter()
    done = sum(1 for _ in frames)
    return (of or done) / (time.perf_counter() - began)


def main() -> int:
    """Run the benchmark; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, nargs="+", default=[100, 200, 400, 800])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--settle", type=float, default=30.0)
    add_farm_options(parser)
    parser.set_defaults(model="yolov8n", cores=256)
    options = parser.parse_args()
    console = Console(width=200)
    reason = why_not()
    if reason:
        console.print(f"not run: {reason}")
        return 2
    use_cores(options.cores)
    model_store.fetch(options.model, CACHE_DIR)
    told: dict[str, Any] = {"machine": described(), "bounds": model_bound(options.model)}
    told["bounds"] |= decode_bounds(loops(KIND)[0])
    bounds = Table("bound, alone", "frames/s")
    for name, rate in told["bounds"].items():
        bounds.add_row(name, f"{rate:,.0f}")
    console.print(bounds)
    options.set += ["FARM_DEVICE=cuda"]
    given = list(options.set)
    for decoder in ("cpu", "cuda"):
        options.set = [*given, f"FARM_DECODE_DEVICE={decoder}"]
        climbing = argparse.Namespace(**vars(options), save_frames="none", sources=cameras_held.SOURCES, go_on=False)
        steps = cameras_held.climb(KIND, options.workers, climbing, console)
        console.print(f"decoding on {decoder}:")
        cameras_held.show(steps, console)
        told[f"decoding on {decoder}"] = {
            "held": cameras_held.most_held(steps),
            "steps": [asdict(one) for one in steps],
        }
    busy = argparse.Namespace(**{**vars(options), "cameras": 64, "detect_size": 640})
    with CameraServer(loops(throughput.KIND)) as server:
        told["throughput"] = asdict(throughput.worker(server, busy))
    console.print(f"one worker, 64 cameras that always move: {told['throughput']['frames_per_second']:.0f} frames/s")
    if options.out:
        Path(options.out).write_text(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
