"""How should the CPU run the detector? Inputs of several sizes, frames alone or in batches, regions packed or not.

Run: python -m benchmarks.detection_speed [--int8 MODEL] [--inputs-only]
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime as ort
import openvino as ov

import model_store
from benchmarks.detection_accuracy import MODELS_DIR, default_model
from model_store import ModelFile
from runtime.cpus import usable_cpus
from workers.detection.detector import Detector
from workers.detection.onnxruntime_detector import OnnxRuntimeDetector
from workers.detection.openvino_detector import OpenVinoDetector, Precision
from workers.detection.parts import Part, PartsDetector
from workers.frames import Region, Wanted
from workers.pictures import BgrImage, BgrPicture

SIDE: Final = 640
ROUNDS: Final = 5
#: Frames that each of two processes runs to see whether they are in each other's way.
SHARED_FRAMES: Final = 40


def scene(height: int = 432, width: int = 768) -> BgrImage:
    """Return a picture of coloured shapes; the time of a detector hardly depends on what it sees."""
    image = np.full((height, width, 3), (200, 180, 40), np.uint8)
    cv2.rectangle(image, (80, 60), (220, 340), (20, 30, 220), -1)
    return image


def best_ms(run: Callable[[], object], frames: int) -> tuple[float, float]:
    """Return wall and CPU milliseconds per frame of the best of some rounds: other load only ever adds."""
    run()
    walls, cpus = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append((time.perf_counter() - wall) * 1000 / frames)
        cpus.append((time.process_time() - cpu) * 1000 / frames)
    return min(walls), min(cpus)


def row(name: str, run: Callable[[], object], frames: int) -> None:
    """Print one line of the table."""
    wall, cpu = best_ms(run, frames)
    print(f"| {name} | {wall:.1f} | {cpu:.1f} |", flush=True)


def openvino_batches(path: Path) -> None:
    """Time batches of a model with a dynamic batch, and of one compiled for each batch."""
    core = ov.Core()
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}
    for dynamic in (True, False):
        for batch in (1, 4, 8):
            graph = core.read_model(path)
            graph.reshape([-1 if dynamic else batch, 3, SIDE, SIDE])
            request = core.compile_model(graph, "CPU", options).create_infer_request()
            planes = np.zeros((batch, 3, SIDE, SIDE), np.float32)
            kind = "dynamic batch" if dynamic else "compiled for the batch"
            row(f"OpenVINO alone, {kind}, {batch}", partial(request.infer, [planes], share_inputs=True), batch)


def onnxruntime_batches(path: Path) -> None:
    """Time batches of ONNX Runtime."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = usable_cpus()
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for batch in (1, 4, 8):
        planes = {"images": np.zeros((batch, 3, SIDE, SIDE), np.float32)}
        row(f"ONNX Runtime alone, batch {batch}", partial(session.run, None, planes), batch)


def _share(path: Path, pinned: bool, barrier: Barrier, rates: "multiprocessing.Queue[float]") -> None:
    options: dict[str, Any] = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": "1", "ENABLE_CPU_PINNING": pinned}
    core = ov.Core()
    graph = core.read_model(path)
    graph.reshape([1, 3, SIDE, SIDE])
    request = core.compile_model(graph, "CPU", {**options, "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    planes = np.zeros((1, 3, SIDE, SIDE), np.float32)
    request.infer([planes])
    barrier.wait(timeout=60)
    started = time.perf_counter()
    for _ in range(SHARED_FRAMES):
        request.infer([planes], share_inputs=True)
    rates.put(SHARED_FRAMES / (time.perf_counter() - started))


def two_processes(path: Path) -> None:
    """Print the frames per second of two processes with a thread each, pinned to cores and not."""
    context = multiprocessing.get_context("spawn")
    for pinned in (True, False):
        barrier, rates = context.Barrier(2), context.Queue()
        processes = [context.Process(target=_share, args=(path, pinned, barrier, rates)) for _ in range(2)]
        for process in processes:
            process.start()
        total = sum(rates.get(timeout=120) for _ in processes)
        for process in processes:
            process.join(timeout=10)
        print(f"Two processes, one thread each, {'pinned' if pinned else 'not pinned'}: {total:.1f} frames/s together")


def opening_times() -> None:
    """Print how long the default detector takes to open with an empty and a full cache."""
    with tempfile.TemporaryDirectory() as folder:
        for state in ("empty", "full"):
            started = time.perf_counter()
            OpenVinoDetector(default_model(), precision="f32", cache_dir=Path(folder)).close()
            print(f"Open with {state} cache of compiled models: {time.perf_counter() - started:.2f} s")


def input_sizes(models: Sequence[tuple[ModelFile, Precision]]) -> None:
    """Print what one input of every size costs, what opening costs, and the memory of a process that has them open."""
    print("| one thread | input | wall ms | CPU ms | CPU ms a megapixel |\n|---|---|---|---|---|")
    for model, precision in models:
        before, started = rss_mb(), time.perf_counter()
        detector = OpenVinoDetector(model, precision=precision, threads=1)
        opened, seconds = rss_mb() - before, time.perf_counter() - started
        for height, width in detector.input_sizes:
            image = scene(height, width)
            wall, cpu = best_ms(partial(detector.detect_inputs, [image], confidence=0.25), 1)
            name, per_megapixel = f"{precision}: {detector.runtime}", cpu * 1e6 / (height * width)
            print(f"| {name} | {height}x{width} | {wall:.1f} | {cpu:.1f} | {per_megapixel:.0f} |", flush=True)
        held = rss_mb() - before
        print(f"| {precision}: opened in {seconds:.2f} s, {opened:.0f} MB; after runs {held:.0f} MB | | | | |")
        detector.close()


def regions_packed(model: ModelFile) -> None:
    """Print what regions of several frames cost packed together, one by one, and as whole frames."""
    detector = PartsDetector(OpenVinoDetector(model, precision="f32", threads=1))
    pictures = [BgrPicture(scene(360, 640)) for _ in range(6)]
    regions = tuple(Region(left, top, left + 90, top + 120) for left, top in ((40, 60), (300, 200)))
    kinds = {
        "2 regions of 90x120, each frame alone": [[Part(picture, Wanted(regions=regions))] for picture in pictures],
        "2 regions of 90x120, 6 frames together": [[Part(picture, Wanted(regions=regions)) for picture in pictures]],
        "whole frames of 640x360": [[Part(picture, Wanted(is_whole=True))] for picture in pictures],
        "whole frames of 640x360 at 320 px": [[Part(picture, Wanted(is_whole=True, side=320))] for picture in pictures],
    }
    print("\n| one thread | CPU ms a frame |\n|---|---|")
    for name, rounds in kinds.items():
        _, cpu = best_ms(partial(look_at_all, detector, rounds), 6)
        print(f"| {name} | {cpu:.1f} |", flush=True)


def look_at_all(detector: PartsDetector, rounds: Sequence[Sequence[Part]]) -> None:
    """Run a detector for every round."""
    for parts in rounds:
        detector.detect(parts, confidence=0.25)


def rss_mb() -> float:
    """Return the memory that this process holds, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--int8", help="a model made by `./farm models quantise`, compared too")
    parser.add_argument("--inputs-only", action="store_true", help="only sizes of input and packing")
    arguments = parser.parse_args()
    model = default_model()
    models: list[tuple[ModelFile, Precision]] = [(model, "f32"), (model, "bf16")]
    if arguments.int8:
        models.append((model_store.resolve(arguments.int8, MODELS_DIR), "f32"))
    input_sizes(models)
    regions_packed(model)
    if arguments.inputs_only:
        return
    frame = scene()
    print(f"{usable_cpus()} CPUs\n\n| {model.name}, {SIDE} px | wall ms a frame | CPU ms a frame |\n|---|---|---|")
    openvino_batches(model.path)
    onnxruntime_batches(model.path)
    detectors: dict[str, Detector] = {
        "OpenVINO f32": OpenVinoDetector(model, precision="f32"),
        "OpenVINO bf16": OpenVinoDetector(model, precision="bf16"),
        "ONNX Runtime": OnnxRuntimeDetector(model),
    }
    for name, detector in detectors.items():
        for batch in (1, 8):
            row(
                f"workers/detection, {name}, {batch} frames of 768x432",
                partial(detector.detect, [frame] * batch, confidence=0.25),
                batch,
            )
    print()
    two_processes(model.path)
    opening_times()


if __name__ == "__main__":
    main()
