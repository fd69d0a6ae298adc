"""What does the queue cost a recogniser, and how long after a track's end is its result there?

First the recogniser alone, in this process, one thread: batches of requests whose crops are in memory, and what reading
them takes. Then the same requests as events through everything: Redis, event writer, SQL, RQ, two ReID workers, of
which the first leads (it fills the queues, and with `reid` decides who is who) and the second does nothing but its
share. Then events at half of that rate, and the time from each track's end to its result.

Run: python -m benchmarks.recognition_throughput [--recogniser reid] [--requests 1500] [--seconds 60] [--out FILE.json]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.load.machine import described
from contract.events import Event
from contract.recognition import RecognitionRequest
from reid.crop_files import CropFiles
from reid.recognisers.opening import open_recognisers
from reid.recognisers.recogniser import LoadedRequest
from reid.service import STATUS_SECONDS
from runtime.reid_reader import ReidReader
from runtime.settings import PROJECT_DIR, ReidSettings
from tests.support.needs import SHARED_DATA
from tests.support.processes import wait_until
from tests.support.reid_farm import ReidFarm

#: Requests in one batch, with the queue and without.
BATCH = 32
#: Width and height of a crop, about as workers save them.
CROP_SIZE = (128, 256)
#: What is promised, against reading the crops and running the model.
WANTED_RATIO = 0.85
WANTED_P95_SECONDS = 2.0


@dataclass(frozen=True)
class Alone:
    """The recogniser without a queue."""

    requests: int
    crops: int
    seconds: float
    cpu_seconds: float
    #: Of that for reading and decoding the crops, which is not counted above.
    reading_cpu_seconds: float


@dataclass(frozen=True)
class Queued:
    """The same through the queue."""

    requests: int
    #: From the start of the second worker to the last result.
    seconds: float
    #: Of the ReID worker that leads, and how many of the requests it did.
    leader_cpu_seconds: float
    leader_requests: int
    #: Of the other one.
    cpu_seconds: float
    other_requests: int


@dataclass(frozen=True)
class Latency:
    """From a track's end to its result, seconds."""

    events_per_second: float
    requests: int
    median: float
    p95: float
    longest: float


def main() -> int:
    """Run it; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recogniser", default="reid")
    parser.add_argument("--requests", type=int, default=1_500)
    parser.add_argument("--crops", type=int, default=4, help="of each request")
    parser.add_argument("--seconds", type=float, default=60.0, help="at half load")
    parser.add_argument("--models", type=Path, default=PROJECT_DIR / ".farm" / "models", help="FARM_MODELS_DIR")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="throughput") as folder:
        settings = {
            "FARM_REID_BATCH": str(BATCH),
            "FARM_REID_QUEUE_BOUND": "100000",
            "FARM_REID_THREADS": "1",
            "FARM_MODELS_DIR": str(options.models),
        }
        with ReidFarm(Path(folder), reid=2, settings=settings, recognisers=(options.recogniser,)) as farm:
            farm.jpegs = pictures()
            alone = run_alone(farm, options)
            queued = run_queued(farm, options)
            latency = run_half(farm, options, queued)
    return tell(options, alone, queued, latency)


def pictures() -> list[bytes]:
    """Return crops as workers save them: persons, where the test data is there, else noise that is as large."""
    random = np.random.default_rng(7)
    files = sorted((SHARED_DATA / "reid").rglob("*.png"))[::20][:40]
    images = [image for file in files if (image := cv2.imread(str(file))) is not None]
    images = images or [random.integers(0, 255, (32, 16, 3), dtype=np.uint8) for _ in range(16)]
    quality = [cv2.IMWRITE_JPEG_QUALITY, 90]
    return [bytes(cv2.imencode(".jpg", cv2.resize(image, CROP_SIZE), quality)[1]) for image in images]


def run_alone(farm: ReidFarm, options: argparse.Namespace) -> Alone:
    """Let the recogniser look at as many requests as fit into some seconds."""
    settings = ReidSettings(recognisers=options.recogniser, models_dir=options.models, reid_threads=1)
    recogniser = open_recognisers(settings)[options.recogniser]
    files = CropFiles(farm.frames)
    began = 0.0
    asked = [_request(farm.event(options.crops), options.recogniser) for _ in range(BATCH)]
    read_rounds = 10
    for number in range(read_rounds + 1):
        if number == 1:  # the first one finds nothing in the caches
            began = time.process_time()
        batch = [LoadedRequest(each, [files.load(each.event_id, crop) for crop in each.crops]) for each in asked]
    reading = (time.process_time() - began) / read_rounds
    recogniser.recognise(batch)  # the first call makes what the next ones use
    rounds = max(4, options.requests // BATCH // 4)
    began_wall, began = time.monotonic(), time.process_time()
    for _ in range(rounds):
        recogniser.recognise(batch)
    return Alone(
        requests=rounds * BATCH,
        crops=rounds * BATCH * options.crops,
        seconds=time.monotonic() - began_wall,
        cpu_seconds=time.process_time() - began,
        reading_cpu_seconds=reading * rounds,
    )


def run_queued(farm: ReidFarm, options: argparse.Namespace) -> Queued:
    """Let the same go through the queue."""
    leader, other = farm.reid
    leader.start()
    wait_until(lambda: "dispatcher_leads" in leader.log(), "the first worker to lead", 60)
    other.start()
    wait_until(lambda: "reid_worker_started" in other.log(), "the second worker", 60)
    farm.writer.start()
    processes = [psutil.Process(part.pid) for part in (leader, other)]
    before, began = [_cpu_seconds(each) for each in processes], time.monotonic()
    farm.published.clear()
    farm.publish(farm.event(options.crops) for _ in range(options.requests))
    wait_until(farm.all_done, "all to be done", 600)
    seconds = time.monotonic() - began
    spent = [_cpu_seconds(each) - start for each, start in zip(processes, before, strict=True)]
    time.sleep(2 * STATUS_SECONDS)
    with farm.server.client() as client:
        views = {view.status.pid: view.status for view in ReidReader(client).workers() if view.status}
    done = [sum(views[part.pid].done.values()) for part in (leader, other)]
    return Queued(options.requests, seconds, spent[0], done[0], spent[1], done[1])


def run_half(farm: ReidFarm, options: argparse.Namespace, queued: Queued) -> Latency:
    """Let events come at half of the rate that the queue can carry."""
    rate = queued.requests / queued.seconds / 2
    before = len(farm.published)

    def steady() -> Iterator[Event]:
        began = time.monotonic()
        for number in range(int(rate * options.seconds)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            yield farm.event(options.crops)

    farm.publish(steady())
    wait_until(farm.all_done, "all to be done", 120)
    fresh = list(farm.published)[before:]
    rows = farm.results()
    times = [(rows[name].done_at_ms - rows[name].at_ms) / 1000 for name in fresh]
    return Latency(rate, len(times), statistics.median(times), _percentile(times, 0.95), max(times))


def tell(options: argparse.Namespace, alone: Alone, queued: Queued, latency: Latency) -> int:
    """Show the figures; return an exit code."""
    model = alone.cpu_seconds / alone.requests
    reading = alone.reading_cpu_seconds / alone.requests
    worker = queued.cpu_seconds / queued.other_requests
    leader = queued.leader_cpu_seconds / queued.leader_requests
    ratio = (model + reading) / worker
    table = Table("", "CPU ms a request", "crops a CPU-second", "÷ alone")
    for label, each in (
        ("alone", model),
        ("alone, reading its crops", model + reading),
        ("a ReID worker", worker),
        ("the ReID worker that leads", leader),
    ):
        table.add_row(label, f"{1000 * each:.1f}", f"{options.crops / each:.0f}", f"{model / each:.2f}")
    console = Console()
    console.print(
        f"{options.recogniser}, {options.crops} crops of {CROP_SIZE[0]}x{CROP_SIZE[1]} a request, batch {BATCH}"
    )
    console.print(table)
    console.print(f"both together: {queued.requests / queued.seconds:.1f} requests a second")
    console.print(
        f"at {latency.events_per_second:.1f} events a second (half load), track end to result: median "
        f"{latency.median:.2f} s, p95 {latency.p95:.2f} s, longest {latency.longest:.2f} s of {latency.requests}"
    )
    problems = (
        [f"{ratio:.2f} of what reading and model alone do, {WANTED_RATIO} wanted"] if ratio < WANTED_RATIO else []
    )
    problems += [f"p95 {latency.p95:.2f} s"] if latency.p95 >= WANTED_P95_SECONDS else []
    for problem in problems:
        console.print(f"NOT AS PROMISED: {problem}")
    if options.out:
        figures = {
            "machine": described(),
            "options": {name: str(value) for name, value in vars(options).items() if name not in {"out", "models"}},
            "reading_and_model_over_worker": round(ratio, 3),
            "model_over_worker": round(model / worker, 3),
            "alone": asdict(alone),
            "queued": asdict(queued),
            "half_load": asdict(latency),
        }
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if problems else 0


def _request(event: Event, recogniser: str) -> RecognitionRequest:
    return RecognitionRequest(
        event_id=event.event_id,
        recogniser=recogniser,
        kind=event.kind,
        at_ms=event.at_ms,
        camera_id=event.camera_id,
        track=event.event_id,
        started_at_ms=event.at_ms,
        class_name="person",
        crops=event.crops,
    )


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
