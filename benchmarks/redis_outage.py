"""What is lost while Redis is away? Results and events that workers made during an outage, and what arrived of them.

Four cameras on two workers; two of the cameras go offline and come back all the time, so that there are events. One run
with room for everything on disk, one with room for almost nothing.

Run: python -m benchmarks.redis_outage [--seconds 60] [--outage frozen|killed] [--clip FILE.mp4] [--out FILE.json]
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import redis
from rich.console import Console
from rich.table import Table

from contract.detections import AnalysisResult
from contract.workers import WorkerStatus
from runtime.settings import WorkerSettings
from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.outage_audit import Audit, audit, results_of, worker_status
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port

Outage = Literal["frozen", "killed"]

WORKERS: Final = ("one", "two")
#: Watched all the time, and on a host that is restarted all the time.
STEADY: Final = ("steady-1", "steady-2")
RESTLESS: Final = ("restless-1", "restless-2")
ANALYSE_FPS: Final = 5.0
#: Seconds from one restart of the restless cameras' host to the next.
RESTLESS_SECONDS: Final = 4.0
#: Seconds before the outage in which the cameras are looked at as they are without one.
BEFORE_SECONDS: Final = 10.0
#: Seconds in which these cameras surely make more than `SMALL_ROOM`.
FILLS_SECONDS: Final = 50.0
DEFAULT_ROOM: Final = int(WorkerSettings.model_fields["spool_max_bytes"].default)
#: The least that the setting allows.
SMALL_ROOM: Final = 65_536
#: Records that may have been under way to a server that was frozen at that moment, and counted as lost although it
#: took them later: one of each worker.
IN_DOUBT: Final = len(WORKERS)


@dataclass(frozen=True)
class Outcome:
    """What one run has shown."""

    outage: Outage
    seconds: float
    room_bytes: int
    found: Audit
    #: Of them: captured while Redis was away.
    results_of_the_outage: int
    #: As the workers say, after the outage.
    said_lost: int
    #: Of the outage and what came of it: written too late, for the camera had been given to another worker.
    said_refused: int
    #: Cameras that changed their worker or epoch between the beginning of the outage and the end.
    moved: int
    #: Largest of one worker, by its own metrics, while Redis was away.
    peak_records: int
    peak_bytes: int
    #: Of one worker's files.
    peak_file_bytes: int
    #: From Redis' return until nothing waited on any disk.
    catch_up_seconds: float
    #: Longest time between two analysed frames of the steady cameras, in and around the outage, and before it.
    longest_gap_ms: int
    longest_gap_before_ms: int

    @property
    def missing(self) -> int:
        """Results and events that were made and are not there; what was refused may be the end of an epoch."""
        return self.found.results_missing + self.found.events_missing

    @property
    def was_short(self) -> bool:
        """Whether the outage was too short to fill a small spool."""
        return self.seconds < FILLS_SECONDS

    @property
    def problems(self) -> list[str]:
        """What is not as promised."""
        problems = [f"{name}: {count}" for name, count in self.found.faults.items() if not name.endswith("_missing")]
        if self.peak_bytes > self.room_bytes:
            problems.append(f"a worker kept {self.peak_bytes} bytes and was allowed {self.room_bytes}")
        if not self.missing <= self.said_lost <= self.missing + IN_DOUBT:
            problems.append(f"{self.missing} are missing and {self.said_lost} are said to be lost")
        if self.room_bytes == DEFAULT_ROOM and self.missing:
            problems.append(f"{self.missing} were lost although there was room")
        if self.room_bytes == SMALL_ROOM and not self.missing and not self.was_short:
            problems.append("nothing was lost although there was no room")
        if self.said_refused:
            problems.append(f"{self.said_refused} were refused")
        return problems


class Bench:
    """One farm whose Redis goes away."""

    def __init__(self, stack: ExitStack, folder: Path, clip: Path | None, room_bytes: int) -> None:
        media = folder / "media"
        media.mkdir()
        if clip is None:
            Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
        else:
            shutil.copy(clip, media / "squares.mp4")
        self._valkey = ValkeyServer()
        stack.callback(self._valkey.close)
        self._valkey.start()
        self.client = stack.enter_context(self._valkey.client())
        self._hosts = [stack.enter_context(RtspServer(media)) for _ in range(2)]
        self._ports = {name: free_port() for name in WORKERS}
        settings = {
            "FARM_DETECT_SIZE": "160",
            "FARM_DETECT_THREADS": "1",
            "FARM_RECONNECT_MAX_SECONDS": "1",
            "FARM_SPOOL_MAX_BYTES": str(room_bytes),
            "FARM_RESULT_STREAM_SIZE": "1000000",
        }
        self._farm = stack.enter_context(Farm(folder, self._valkey.url, api_port=free_port(), **settings))
        self._spool = folder / "data" / "spool"
        self._peaks = [0, 0, 0]

    def start(self) -> None:
        """Start the farm and wait until every camera is analysed."""
        self._farm.start_controller()
        for name, port in self._ports.items():
            self._farm.start_worker(name, FARM_METRICS_HOST="127.0.0.1", FARM_METRICS_PORT=str(port))
        for names, host in zip((STEADY, RESTLESS), self._hosts, strict=True):
            for name in names:
                self._farm.add_camera(name, host.url("squares.mp4"), analyse_fps=ANALYSE_FPS)
        self._farm.wait_online(*STEADY, *RESTLESS)
        time.sleep(BEFORE_SECONDS)

    def run(self, outage: Outage, seconds: float, room_bytes: int) -> Outcome:
        """Take Redis away for so many seconds and see what arrives."""
        names = (*STEADY, *RESTLESS)
        began_ms = time.time_ns() // 1_000_000
        refused_before = sum(status.refused_writes for status in self._statuses())
        epochs_before = {name: results_of(self.client, name)[-1].epoch for name in names}
        (self._valkey.freeze if outage == "frozen" else self._valkey.kill)()
        self._wait_without_redis(seconds)
        ended_ms = time.time_ns() // 1_000_000
        if outage == "frozen":
            self._valkey.thaw()
        else:
            self._valkey.start()
        catch_up_seconds = self._farm.wait_for(lambda: self._is_delivered(ended_ms), "everything has arrived", 120)
        time.sleep(2)  # the workers say once a second what they have lost
        statuses = self._statuses()
        found = audit(self.client, names)
        streams = {name: results_of(self.client, name) for name in names}
        steady = [streams[name] for name in STEADY]
        of_outage = [each for its in streams.values() for each in its if began_ms < each.captured_at_ms < ended_ms]
        return Outcome(
            outage=outage,
            seconds=seconds,
            room_bytes=room_bytes,
            found=found,
            results_of_the_outage=len(of_outage),
            said_lost=sum(status.spool_lost for status in statuses),
            said_refused=sum(status.refused_writes for status in statuses) - refused_before,
            moved=sum(streams[name][-1].epoch != epochs_before[name] for name in names),
            peak_records=self._peaks[0],
            peak_bytes=self._peaks[1],
            peak_file_bytes=self._peaks[2],
            catch_up_seconds=round(catch_up_seconds, 2),
            longest_gap_ms=longest_gap_ms(steady, began_ms, ended_ms + 5000),
            longest_gap_before_ms=longest_gap_ms(steady, began_ms - round(BEFORE_SECONDS * 1000), began_ms),
        )

    def _statuses(self) -> list[WorkerStatus]:
        return [status for name in WORKERS if (status := worker_status(self.client, name)) is not None]

    def _wait_without_redis(self, seconds: float) -> None:
        """Let time pass; restart the restless cameras' host, and ask the workers how much they keep."""
        began = time.monotonic()
        restart_at = began + RESTLESS_SECONDS
        while time.monotonic() < began + seconds:
            for name, port in self._ports.items():
                figures = scrape(port)
                file_bytes = sum(path.stat().st_size for path in self._spool.glob(f"{name}.sqlite3*"))
                seen = (
                    int(figures.get("farm_worker_spool_records", 0)),
                    int(figures.get("farm_worker_spool_bytes", 0)),
                    file_bytes,
                )
                self._peaks = [max(pair) for pair in zip(self._peaks, seen, strict=True)]
            if time.monotonic() >= restart_at:
                self._hosts[1].restart()
                restart_at += RESTLESS_SECONDS
            time.sleep(0.25)

    def _is_delivered(self, ended_ms: int) -> bool:
        try:
            statuses = [worker_status(self.client, name) for name in WORKERS]
        except redis.RedisError:
            return False
        return all(
            status is not None and status.updated_at_ms > ended_ms and status.spool_records == 0 for status in statuses
        )


def longest_gap_ms(streams: list[list[AnalysisResult]], from_ms: int, to_ms: int) -> int:
    """Return the longest time between two frames in a row, of which the later one was captured in a span of time."""
    gaps = [
        later.captured_at_ms - first.captured_at_ms
        for stream in streams
        for first, later in pairwise(stream)
        if from_ms < later.captured_at_ms < to_ms
    ]
    return max(gaps, default=0)


def scrape(port: int) -> dict[str, float]:
    """Return the figures of a worker's own metrics; empty where it does not answer at this moment."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = [line for line in answer.read().decode().splitlines() if line and not line.startswith("#")]
    except (urllib.error.URLError, TimeoutError):
        return {}
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def measure(outage: Outage, seconds: float, clip: Path | None, room_bytes: int) -> Outcome:
    """Run one farm through one outage."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bench = Bench(stack, Path(folder), clip, room_bytes)
        bench.start()
        return bench.run(outage, seconds, room_bytes)


def main() -> int:
    """Print the table and write the figures as JSON; 1 where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="for how long Redis is away")
    parser.add_argument("--outage", choices=["frozen", "killed"], default="frozen")
    parser.add_argument("--clip", type=Path, help="H.264 file that the cameras show instead of moving squares")
    parser.add_argument("--room", type=int, nargs="+", default=[DEFAULT_ROOM, SMALL_ROOM], help="FARM_SPOOL_MAX_BYTES")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.clip is not None and not options.clip.is_file():
        parser.error(f"there is no file {options.clip}; name an H.264 file that the RTSP server can serve, or none")
    outcomes = [measure(options.outage, options.seconds, options.clip, room) for room in options.room]
    table = Table("", *(f"room for {each.room_bytes:,} bytes" for each in outcomes))
    for label, values in rows(outcomes).items():
        table.add_row(label, *values)
    console = Console()
    console.print(f"Redis {options.outage} for {options.seconds:g} s")
    console.print(table)
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    for problem in problems:
        console.print(f"NOT AS PROMISED: {problem}")
    if options.out:
        options.out.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    return 1 if problems else 0


def rows(outcomes: list[Outcome]) -> dict[str, list[str]]:
    """Return label -> one text for each outcome."""
    shown: dict[str, list[str]] = {}
    for each in outcomes:
        found = each.found
        for label, value in {
            "results made / arrived": f"{found.results + found.results_missing:,} / {found.results:,}",
            "of the outage, arrived": f"{each.results_of_the_outage:,}",
            "events made / arrived": f"{found.events + found.events_missing:,} / {found.events:,}",
            "lost, as counted from outside": f"{each.missing:,}",
            "lost, as the workers say": f"{each.said_lost:,}",
            "doubled": str(found.results_doubled + found.events_doubled),
            "out of order": str(found.results_out_of_order + found.events_out_of_order),
            "refused; cameras moved": f"{each.said_refused}; {each.moved}",
            "largest spool of a worker": f"{each.peak_records:,} records, {each.peak_bytes:,} bytes",
            "its files": f"{each.peak_file_bytes:,} bytes",
            "until all had arrived": f"{each.catch_up_seconds:.1f} s",
            "longest gap of a steady camera, before": f"{each.longest_gap_before_ms} ms",
            "the same, during and after": f"{each.longest_gap_ms} ms",
        }.items():
            shown.setdefault(label, []).append(value)
    return shown


if __name__ == "__main__":
    sys.exit(main())
