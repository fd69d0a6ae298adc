"""What do reading, scaling and normalising crops cost beside the model that makes embeddings of them?

Run: python -m benchmarks.embedding_speed [--crops 256] [--rounds 5] [--json FILE]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from benchmarks.load.machine import described, use_cores
from benchmarks.recognition.people import DEFAULT_FILE, PEOPLE_DIR, embedder_model, read_pictures
from reid.embedding.embedder import Embedder
from reid.embedding.onnxruntime_embedder import OnnxRuntimeEmbedder
from reid.embedding.openvino_embedder import OpenVinoEmbedder
from reid.images import BgrImage

#: Height and width of crops as cameras make them: people some 5 to 30 m away in 1080p.
CROP_SIZES = ((380, 150), (256, 110), (200, 90), (120, 50), (70, 30))


@dataclass(frozen=True, slots=True)
class Speed:
    """How quick one way is, with one thread."""

    per_core_second: float
    wall_per_second: float


def jpegs(count: int) -> list[bytes]:
    """Return crops as JPEG, as workers store them, of the sizes that cameras make."""
    images, _, _ = read_pictures(PEOPLE_DIR)
    made = []
    for index in range(count):
        height, width = CROP_SIZES[index % len(CROP_SIZES)]
        scaled = cv2.resize(images[index % len(images)], (width, height), interpolation=cv2.INTER_CUBIC)
        encoded, jpeg = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, 90])
        assert encoded
        made.append(jpeg.tobytes())
    return made


def decoded(jpeg: bytes) -> BgrImage:
    """Return a crop in memory."""
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def decode_all(crops: Sequence[bytes]) -> None:
    """Read crops, and no more."""
    for jpeg in crops:
        decoded(jpeg)


def timed(work: Callable[[], Any], count: int) -> Speed:
    """Return how quick `work` is, which does `count` crops."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Speed(count / (time.process_time() - cpu), count / (time.perf_counter() - wall))


def embed_all(embedder: Embedder, crops: Sequence[bytes], batch: int) -> None:
    """Embed crops as a ReID worker does: so many at once, from JPEG."""
    for start in range(0, len(crops), batch):
        embedder.embed([decoded(jpeg) for jpeg in crops[start : start + batch]])


def bare_model(file: Path, batch: int) -> Callable[[int], None]:
    """Return what runs nothing but the model, compiled for `batch` pictures, on numbers that are there already."""
    graph = ov.Core().read_model(file)
    graph.reshape([batch, 3, 256, 128])
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
    request = ov.Core().compile_model(graph, "CPU", options).create_infer_request()
    numbers: NDArray[np.float32] = np.random.default_rng(0).standard_normal((batch, 3, 256, 128)).astype(np.float32)
    request.infer([numbers])

    def run(count: int) -> None:
        for _ in range(0, count, batch):
            request.infer([numbers])

    return run


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=DEFAULT_FILE)
    parser.add_argument("--crops", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    use_cores(1)
    model = embedder_model(arguments.file, arguments.file.stem)
    crops, count = jpegs(arguments.crops), arguments.crops
    openvino, onnxruntime = OpenVinoEmbedder(model, threads=1), OnnxRuntimeEmbedder(model, threads=1)
    ways: dict[str, Callable[[], Any]] = {
        "the decoder of JPEG alone": partial(decode_all, crops),
        **{
            f"the bare model, {batch} pictures at once": partial(bare_model(arguments.file, batch), count)
            for batch in (1, 4, 8, 16)
        },
        **{
            f"embedder, OpenVINO, batches of {batch}": partial(embed_all, openvino, crops, batch)
            for batch in (4, 16, 64)
        },
        "embedder, ONNX Runtime, batches of 16": partial(embed_all, onnxruntime, crops, 16),
    }
    speeds: dict[str, list[Speed]] = {what: [] for what in ways}
    for number in range(arguments.rounds + 1):
        for what, work in ways.items():
            speed = timed(work, count)
            if number:  # the first round warms up
                speeds[what].append(speed)
    report(speeds, arguments.json)


def report(speeds: dict[str, list[Speed]], file: Path | None) -> None:
    """Print the table, and write it where a file is given."""
    medians = {
        what: Speed(
            statistics.median(one.per_core_second for one in each),
            statistics.median(one.wall_per_second for one in each),
        )
        for what, each in speeds.items()
    }
    bare = max(speed.per_core_second for what, speed in medians.items() if what.startswith("the bare model"))
    print("| one thread | crops per CPU-second | ÷ the quickest bare model | crops per second |\n|---|---|---|---|")
    for what, speed in medians.items():
        ratio = speed.per_core_second / bare
        print(f"| {what} | {speed.per_core_second:.0f} | {ratio:.2f} | {speed.wall_per_second:.0f} |")
    if file:
        rows = {
            what: {
                "per CPU-second": round(speed.per_core_second, 1),
                "÷ bare model": round(speed.per_core_second / bare, 3),
            }
            for what, speed in medians.items()
        }
        file.write_text(json.dumps({"machine": described(), "medians": rows}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
