"""How should the CPU run the detector? Frames alone or in batches, pinned or not, cold or from the cache.

Run: python -m benchmarks.detection_speed
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime as ort
import openvino as ov

from benchmarks.detection_accuracy import default_model
from workers.detection.cpus import usable_cpus
from workers.detection.detector import Detector
from workers.detection.onnxruntime_detector import OnnxRuntimeDetector
from workers.detection.openvino_detector import OpenVinoDetector
from workers.pictures import BgrImage

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


def main() -> None:
    """Print everything."""
    model = default_model()
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
