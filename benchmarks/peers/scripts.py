"""Starts a contestant (a peer or a floor) as a process of its own, waits, and reads what it wrote down."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.load.analysed import Analysed, analysed
from benchmarks.load.camera_server import CameraServer
from benchmarks.load.footage_loops import FPS, LoopKind, loops
from benchmarks.load.machine import usage_of
from tests.support.valkey_server import ValkeyServer
from tests.support.weights import yolo11n

REPOSITORY: Final = Path(__file__).resolve().parents[2]
#: Seconds beyond its own that a contestant may take to start.
PATIENCE_SECONDS: Final = 180.0
_DIE_WITH_PARENT: Final = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


class ContestantError(RuntimeError):
    """It ended by itself, or never wrote anything; says what it printed last."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one contestant did."""

    analysed: Analysed
    cores: float
    memory_bytes: int
    #: What else it told.
    more: dict[str, float]

    @property
    def cpu_ms_per_frame(self) -> float:
        """CPU-milliseconds for each analysed frame; infinite where there is none."""
        rate = self.analysed.frames_per_second
        return 1000 * self.cores / rate if rate else float("inf")


def run_contestant(
    module: str,
    urls: Sequence[str],
    *,
    seconds: float,
    settle: float = 10.0,
    python: str = sys.executable,
    model: Path | None = None,
    arguments: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
) -> Outcome:
    """Run ``python -m module`` on these cameras; `settings` are ``FARM_*`` of its environment.

    Raises:
        ContestantError: It did not do what it should.
    """
    with tempfile.TemporaryDirectory() as name:
        out, log = Path(name) / "out.json", Path(name) / "log"
        command = [*_DIE_WITH_PARENT, python, "-m", module, "--model", str(model or yolo11n().path), "--out", str(out)]
        command += ["--seconds", str(seconds), "--settle", str(settle), *arguments]
        for url in urls:
            command += ["--url", url]
        with log.open("wb") as writing:
            process = subprocess.Popen(
                command, cwd=REPOSITORY, env=_environment(settings or {}), stdout=writing, stderr=writing
            )
        try:
            _wait(process, module, out, log, seconds + settle + PATIENCE_SECONDS)
            memory = usage_of([process.pid]).memory_bytes
        finally:
            process.kill()
            process.wait()
        told: dict[str, Any] = json.loads(out.read_text())
    frames = {camera: [(seen, done) for seen, done in its] for camera, its in told["frames"].items()}
    found = analysed(frames, [str(number) for number in range(len(urls))], told["since"], told["until"])
    return Outcome(found, told["cpu_seconds"] / found.seconds, memory, told["more"])


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    # One thread that spins while it waits costs its neighbour; the farm's own workers have no OpenMP.
    return dict(os.environ) | {"PYTHONPATH": str(REPOSITORY), "OMP_WAIT_POLICY": "PASSIVE", **settings}


def _wait(process: subprocess.Popen[bytes], module: str, out: Path, log: Path, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not out.exists():
        if process.poll() is not None or time.monotonic() > until:
            told = log.read_text(errors="replace").strip()[-800:]
            raise ContestantError(f"{module} wrote nothing; it printed: {told}")
        time.sleep(0.1)


@contextmanager
def own_valkey() -> Iterator[ValkeyServer]:
    """A server for scripts that write to one."""
    server = ValkeyServer("--appendonly", "no")
    try:
        yield server.start()
    finally:
        server.close()


def first_generation(urls: Sequence[str], *, seconds: float, settle: float = 10.0) -> Outcome:
    """Run the first-generation script."""
    with own_valkey() as valkey:
        return run_contestant(
            "benchmarks.peers.first_generation",
            urls,
            seconds=seconds,
            settle=settle,
            arguments=("--redis", valkey.url),
        )


def held_by_first_generation(kind: LoopKind, seconds: float) -> dict[str, float]:
    """Return how many cameras the first-generation script holds, by the rule of `cameras_held`.

    It looks at every frame and leaves none out, so its results stay young only while it looks at as many frames a
    second as come. Where it does not manage one camera, what it holds is that share of one: frames a second ÷ 25.
    """
    with CameraServer(loops(kind)[:1]) as server:
        count, held = 1, 0
        while True:
            outcome = first_generation([server.url(number) for number in range(count)], seconds=seconds)
            its = outcome.analysed
            if its.slowest_fps < 0.95 * FPS or its.age_p95_ms >= 1000:
                break
            held, count = count, count + 1
    return {
        "cameras": float(held) or its.frames_per_second / FPS,
        "tried": count,
        "frames_per_second": its.frames_per_second,
        "age_p95_ms": its.age_p95_ms,
        "cpu_ms_per_frame": outcome.cpu_ms_per_frame,
    }
