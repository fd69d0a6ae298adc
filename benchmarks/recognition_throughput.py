"""What does the queue cost a recogniser, and how long after a track's end is its result there?

In rounds: the recogniser alone, in as many processes at once as there are ReID workers, one thread each (a core does
less while its neighbour is busy): batches of requests whose crops are in memory, and what reading them takes. Then the
same requests as events through everything: Redis, event writer, SQL, RQ, two ReID workers, of which the first leads (it
fills the queues, and with `reid` decides who is who) and the second, which begins when all are queued, does nothing but
its share. At the end events at
half of that rate, and the time from each track's end to its result.

Run: python -m benchmarks.recognition_throughput [--recogniser reid] [--rounds 3] [--requests 1500] [--seconds 60]
     [--out FILE.json]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.load.machine import described
from contract.events import Event
from contract.recognition import RecognitionRequest, RecognitionState
from reid.crop_files import CropFiles
from reid.recognisers.opening import open_recognisers
from reid.recognisers.recogniser import LoadedRequest
from reid.service import STATUS_SECONDS
from runtime.reid_reader import ReidReader
from runtime.settings import PROJECT_DIR, ReidSettings
from tests.support.needs import SHARED_DATA
from tests.support.processes import wait_until
from tests.support.reid_farm import Part, ReidFarm

#: Requests in one batch, with the queue and without.
BATCH = 32
#: Width and height of a crop, about as workers save them.
CROP_SIZE = (128, 256)
#: What is promised, against the model alone.
WANTED_RATIO = 0.85
#: ReID workers, and processes in which the model is run alone.
WORKERS = 2
WANTED_P95_SECONDS = 2.0


@dataclass(frozen=True)
class Alone:
    """The recogniser without a queue."""

    requests: int
    crops: int
    seconds: float
    cpu_seconds: float
    #: For reading and decoding the crops, which is not counted above.
    reading_cpu_seconds: float

    @property
    def model(self) -> float:
        """CPU-seconds of a request in memory."""
        return self.cpu_seconds / self.requests

    @property
    def with_reading(self) -> float:
        """The same, and for reading its crops."""
        return self.model + self.reading_cpu_seconds / self.requests


@dataclass(frozen=True)
class Queued:
    """The same through the queue."""

    #: From the start of the second worker to the last result.
    seconds: float
    #: Of the ReID worker that leads, and how many of the requests it did.
    leader_cpu_seconds: float
    leader_requests: int
    #: Of the other one.
    cpu_seconds: float
    other_requests: int
    #: In how many batches it did them.
    other_batches: int

    @property
    def per_second(self) -> float:
        """Requests that both did."""
        return (self.leader_requests + self.other_requests) / self.seconds

    @property
    def worker(self) -> float:
        """CPU-seconds of a request in the worker that does not lead."""
        return self.cpu_seconds / self.other_requests

    @property
    def leader(self) -> float:
        """The same in the one that leads."""
        return self.leader_cpu_seconds / self.leader_requests


@dataclass(frozen=True)
class Round:
    """The one, then the other."""

    alone: Alone
    queued: Queued


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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1_500, help="of each round")
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
        with ReidFarm(Path(folder), reid=WORKERS, settings=settings, recognisers=(options.recogniser,)) as farm:
            farm.jpegs = pictures()
            rounds = []
            for number in range(options.rounds):
                alone = run_alone(farm, options)
                if not number:
                    start(farm)
                rounds.append(Round(alone, run_queued(farm, options)))
            latency = run_half(farm, options, statistics.median(each.queued.per_second for each in rounds))
    return tell(options, rounds, latency)


def pictures() -> list[bytes]:
    """Return crops as workers save them: persons, where the test data is there, else noise that is as large."""
    random = np.random.default_rng(7)
    files = sorted((SHARED_DATA / "reid").rglob("*.png"))[::20][:40]
    images = [image for file in files if (image := cv2.imread(str(file))) is not None]
    images = images or [random.integers(0, 255, (32, 16, 3), dtype=np.uint8) for _ in range(16)]
    quality = [cv2.IMWRITE_JPEG_QUALITY, 90]
    return [bytes(cv2.imencode(".jpg", cv2.resize(image, CROP_SIZE), quality)[1]) for image in images]


def run_alone(farm: ReidFarm, options: argparse.Namespace) -> Alone:
    """Let the recogniser look at requests in as many processes as will share the cores later; return the mean."""
    asked = [_request(farm.event(options.crops), options.recogniser) for _ in range(BATCH)]
    batches = max(4, options.requests // BATCH // 4)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        running = [
            pool.submit(_look_alone, options.recogniser, options.models, farm.frames, asked, batches)
            for _ in range(WORKERS)
        ]
        found = [each.result() for each in running]
    return Alone(
        requests=batches * BATCH,
        crops=batches * BATCH * options.crops,
        seconds=statistics.mean(each.seconds for each in found),
        cpu_seconds=statistics.mean(each.cpu_seconds for each in found),
        reading_cpu_seconds=statistics.mean(each.reading_cpu_seconds for each in found),
    )


def _look_alone(name: str, models: Path, frames: Path, asked: list[RecognitionRequest], batches: int) -> Alone:
    """Measure one process."""
    cv2.setNumThreads(1)
    recogniser = open_recognisers(ReidSettings(recognisers=name, models_dir=models, reid_threads=1))[name]
    files = CropFiles(frames)
    began = 0.0
    read_rounds = 10
    for number in range(read_rounds + 1):
        if number == 1:  # the first one finds nothing in the caches
            began = time.process_time()
        batch = [LoadedRequest(each, [files.load(each.event_id, crop) for crop in each.crops]) for each in asked]
    reading = (time.process_time() - began) / read_rounds
    recogniser.recognise(batch)  # the first call makes what the next ones use
    began_wall, began = time.monotonic(), time.process_time()
    for _ in range(batches):
        recogniser.recognise(batch)
    requests = batches * len(asked)
    return Alone(
        requests=requests,
        crops=sum(len(each.crops) for each in asked) * batches,
        seconds=time.monotonic() - began_wall,
        cpu_seconds=time.process_time() - began,
        reading_cpu_seconds=reading * batches,
    )


def start(farm: ReidFarm) -> None:
    """Start the event writer and the ReID worker that leads."""
    farm.reid[0].start()
    wait_until(lambda: "dispatcher_leads" in farm.reid[0].log(), "the first worker to lead", 60)
    farm.writer.start()


def run_queued(farm: ReidFarm, options: argparse.Namespace) -> Queued:
    """Let as many requests go through the queue.

    The second worker begins when all are on it: to make events and crops is this benchmark's own work.
    """
    _, other = farm.reid
    farm.publish(farm.event(options.crops) for _ in range(options.requests))
    wait_until(lambda: _all_placed(farm), "all to be queued", 600)
    starts = _starts(other)
    other.start()
    wait_until(lambda: _starts(other) > starts, "the second worker", 60)
    processes = [psutil.Process(part.pid) for part in farm.reid]
    done_before, before, began = _done(farm), [_cpu_seconds(each) for each in processes], time.monotonic()
    wait_until(farm.all_done, "all to be done", 600)
    seconds = time.monotonic() - began
    spent = [_cpu_seconds(each) - start for each, start in zip(processes, before, strict=True)]
    time.sleep(2 * STATUS_SECONDS)
    leads, its = ([a - b for a, b in zip(*pair, strict=True)] for pair in zip(_done(farm), done_before, strict=True))
    other.stop()
    return Queued(seconds, spent[0], leads[0], spent[1], its[0], its[1])


def _starts(part: Part) -> int:
    """Return how often a ReID worker has said that it works."""
    with suppress(FileNotFoundError):
        return part.log().count("reid_worker_started")
    return 0


def _all_placed(farm: ReidFarm) -> bool:
    """Tell whether all that was published is on a queue, or done."""
    states = farm.states()
    placed = states[RecognitionState.QUEUED] + states[RecognitionState.DONE]
    return placed == len(farm.published) and not states["noted"]


def _done(farm: ReidFarm) -> list[tuple[int, int]]:
    """Return how many requests, in how many batches, each ReID worker that runs says that it has done."""
    with farm.server.client() as client:
        views = {view.status.pid: view.status for view in ReidReader(client).workers() if view.status}
    said = [views.get(part.pid) for part in farm.reid]
    return [(0, 0) if status is None else (sum(status.done.values()), status.batches) for status in said]


def run_half(farm: ReidFarm, options: argparse.Namespace, per_second: float) -> Latency:
    """Let events come at half of the rate that both workers can carry."""
    rate = per_second / 2
    farm.reid[1].start()
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


def tell(options: argparse.Namespace, rounds: Sequence[Round], latency: Latency) -> int:
    """Show the medians; return an exit code."""
    ratios = {
        "model": [each.alone.model / each.queued.worker for each in rounds],
        "reading_and_model": [each.alone.with_reading / each.queued.worker for each in rounds],
        "model_over_leader": [each.alone.model / each.queued.leader for each in rounds],
    }
    medians = {name: statistics.median(found) for name, found in ratios.items()}
    table = Table("", "CPU ms a request", "crops a CPU-second", "model alone ÷ it")
    for label, costs, ratio in (
        ("the model alone", [each.alone.model for each in rounds], 1.0),
        ("reading the crops and the model", [each.alone.with_reading for each in rounds],
         statistics.median(each.alone.model / each.alone.with_reading for each in rounds)),
        ("a ReID worker", [each.queued.worker for each in rounds], medians["model"]),
        ("the ReID worker that leads", [each.queued.leader for each in rounds], medians["model_over_leader"]),
    ):  # fmt: skip
        cost = statistics.median(costs)
        table.add_row(label, f"{1000 * cost:.1f}", f"{options.crops / cost:.0f}", f"{ratio:.2f}")
    console = Console()
    console.print(
        f"{options.recogniser}, {options.crops} crops of {CROP_SIZE[0]}x{CROP_SIZE[1]} a request, batch {BATCH}, "
        f"medians of {len(rounds)} rounds"
    )
    console.print(table)
    console.print(f"model alone ÷ worker, by round: {', '.join(f'{each:.2f}' for each in ratios['model'])}")
    console.print(f"reading and model ÷ worker: {medians['reading_and_model']:.2f}")
    sizes = ", ".join(f"{each.queued.other_requests / each.queued.other_batches:.0f}" for each in rounds)
    console.print(f"requests in a batch, by round: {sizes}")
    console.print(f"both together: {2 * latency.events_per_second:.1f} requests a second")
    console.print(
        f"at {latency.events_per_second:.1f} events a second (half load), track end to result: median "
        f"{latency.median:.2f} s, p95 {latency.p95:.2f} s, longest {latency.longest:.2f} s of {latency.requests}"
    )
    problems = []
    if medians["model"] < WANTED_RATIO:
        problems.append(f"{medians['model']:.2f} of what the model alone does, {WANTED_RATIO} wanted")
    if latency.p95 >= WANTED_P95_SECONDS:
        problems.append(f"p95 {latency.p95:.2f} s")
    for problem in problems:
        console.print(f"NOT AS PROMISED: {problem}")
    if options.out:
        figures = {
            "machine": described(),
            "options": {name: str(value) for name, value in vars(options).items() if name not in {"out", "models"}},
            "over_worker": {name: round(each, 3) for name, each in medians.items()},
            "rounds": [asdict(each) for each in rounds],
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
