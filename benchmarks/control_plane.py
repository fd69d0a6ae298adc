"""Does one manager carry 500 workers and 10,000 cameras? Real manager, real leases, real server; no video.

Run: python -m benchmarks.control_plane [--workers 500] [--cameras 10000] [--out FILE.json] [--profile FILE]
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from cryptography.fernet import Fernet
from rich.console import Console
from rich.table import Table

from benchmarks.simulated_farm.cameras import SimulatedCamera, draw_cameras, imbalance, loads_of, minimum_moves
from benchmarks.simulated_farm.plan_watch import PlanWatch, moved
from benchmarks.simulated_farm.server_load import load_between, take_snapshot
from camera_ctrler.registry import Registry
from contract import keys
from runtime.child_process import Child, ChildProcess
from runtime.secret_box import SecretBox
from runtime.settings import PROJECT_DIR
from tests.support.valkey_server import ValkeyServer

#: What is called even: the greatest load ÷ the mean load.
EVEN: Final = 1.1
#: Seconds without a change after which the plan counts as settled.
QUIET_SECONDS: Final = 5.0
#: Seconds that processes get to come up, and plans to become complete.
PATIENCE_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Options:
    """What is asked."""

    workers: int
    cameras: int
    kill: int
    join: int
    processes: int
    camera_seconds: float
    steady_seconds: float
    settle_seconds: float
    seed: int
    profile: Path | None


@dataclass
class Figures:
    """Everything measured, by phase; seconds, cores and bytes unless the name says otherwise."""

    options: dict[str, Any] = field(default_factory=dict)
    first_plan: dict[str, Any] = field(default_factory=dict)
    steady: dict[str, Any] = field(default_factory=dict)
    kill: dict[str, Any] = field(default_factory=dict)
    join: dict[str, Any] = field(default_factory=dict)


def names_of(numbers: range) -> list[str]:
    """Return the ids that `worker_process` gives to workers with these numbers."""
    return [f"sim-{number:04}" for number in numbers]


def whose(connection: str) -> str:
    """Tell whose connection it is from its name, as `CLIENT LIST` shows it."""
    if connection.startswith("camfarm-manager"):
        return "manager"
    if not connection.startswith(("camfarm-worker", "camfarm-lease")):
        return "benchmark"
    if connection.startswith("camfarm-lease"):
        return "manager, lease"
    return {"lease": "workers, leases", "data": "workers, statuses and results"}.get(
        connection.rsplit("-", 1)[-1], "workers, assignments"
    )


class SimulatedFarm:
    """The processes: manager, and workers in groups; all of them end with this one."""

    def __init__(self, folder: Path, redis_url: str, options: Options) -> None:
        self._folder = folder
        self._options = options
        self._environment = {
            "FARM_ENV_FILE": str(folder / "no.env"),
            "FARM_REDIS_URL": redis_url,
            "FARM_DATA_DIR": str(folder / "data"),
            "FARM_FRAMES_DIR": str(folder / "frames"),
            "FARM_SECRET_KEY": Fernet.generate_key().decode(),
            "FARM_LOG_FORMAT": "json",
        }
        (folder / "data").mkdir()
        (folder / "frames").mkdir()
        self._children: dict[str, ChildProcess] = {}

    def register(self, cameras: dict[str, SimulatedCamera]) -> None:
        """Write the cameras to the registry."""
        box = SecretBox(self._environment["FARM_SECRET_KEY"])
        registry = Registry(f"sqlite:///{self._folder / 'data' / 'camfarm.sqlite3'}", box)
        registry.migrate()
        registry.add_many([camera.spec() for camera in cameras.values()])
        registry.close()

    def start_workers(self, group: str, numbers: range) -> None:
        """Start the workers with these numbers in one process."""
        argv = [sys.executable, "-m", "benchmarks.simulated_farm.worker_process"]
        argv += ["--first", str(numbers.start), "--count", str(len(numbers)), "--seed", str(self._options.seed)]
        argv += ["--cameras", str(self._options.cameras), "--camera-seconds", str(self._options.camera_seconds)]
        self._start(group, argv)

    def start_manager(self) -> None:
        """Start the manager with default settings."""
        profiled = ["-m", "cProfile", "-o", str(self._options.profile)] if self._options.profile else []
        self._start("manager", [sys.executable, *profiled, "-m", "camera_ctrler", "--only", "manager"])

    def _start(self, name: str, argv: list[str]) -> None:
        child = Child(name, argv, env=self._environment, cwd=PROJECT_DIR, stop_grace_seconds=30)
        self._children[name] = ChildProcess(child, log_dir=self._folder / "logs", echo=None)

    def kill(self, name: str) -> None:
        """End a process and all workers in it without warning."""
        self._children.pop(name).kill_group()

    def manager_usage(self) -> psutil.Process:
        """Return the manager's process."""
        return psutil.Process(self._children["manager"].pid)

    def check(self) -> None:
        """Raise what a process that has ended wrote last."""
        for child in self._children.values():
            if child.exit_code() is not None:
                raise child.failure(f"ended with {child.exit_code()}")

    def close(self) -> None:
        """End all processes, the manager in order, for then a profile is written."""
        for child in self._children.values():
            child.ask_to_stop()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and any(child.exit_code() is None for child in self._children.values()):
            time.sleep(0.1)
        for child in self._children.values():
            child.kill_group()


class ControlPlane:
    """Runs the phases one after the other and fills in the figures."""

    def __init__(self, farm: SimulatedFarm, valkey: ValkeyServer, options: Options, console: Console) -> None:
        self._farm = farm
        self._client = valkey.client()
        self._options = options
        self._console = console
        self._cameras = draw_cameras(options.cameras, options.seed)
        self._watch = PlanWatch(self._client, self._cameras, farm.check)
        self._placement: dict[str, str] = {}
        self._moves_read = "0-0"
        self._survivors = names_of(range(options.kill, options.workers))
        self._victims = names_of(range(options.kill))
        self._joiners = names_of(range(options.workers, options.workers + options.join))
        self.figures = Figures(options=asdict(options) | {"profile": options.profile is not None})

    def run(self) -> None:
        """Run all phases."""
        self._first_plan()
        self._steady()
        self._kill()
        self._join()
        self.figures.steady["manager_rss_at_end"] = self._farm.manager_usage().memory_info().rss

    def _lost(self, workers: list[str]) -> int:
        """Return how many workers have lost their leases although nobody killed them: then the machine was too busy.

        Their cameras move as those of the dead do, so that figures of a run with any such worker say nothing.
        """
        return len(workers) - len(self._watch.live(workers))

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False)
        self._farm.check()

    def _start_workers(self) -> None:
        options = self._options
        self._farm.start_workers("victims", range(options.kill))
        each = -(-(options.workers - options.kill) // options.processes)
        for number, start in enumerate(range(options.kill, options.workers, each)):
            self._farm.start_workers(f"workers-{number}", range(start, min(start + each, options.workers)))
        self._wait_alive(self._victims + self._survivors)

    def _wait_alive(self, workers: list[str]) -> None:
        def are_there() -> bool:
            said = self._client.exists(*(keys.worker_status(name) for name in workers))
            return said == len(workers) and len(self._watch.live(workers)) == len(workers)

        self._watch.wait(are_there, f"{len(workers)} workers hold leases", PATIENCE_SECONDS, look_seconds=0.2)

    def _reasons(self) -> dict[str, int]:
        """Return the moves since the last call, by reason; the stream keeps some 10,000."""
        self._moves_read, reasons = self._watch.moves_since(self._moves_read)
        return reasons

    def _settle(self, workers: list[str], on_look: Callable[[dict[str, list[str]]], None] = lambda _: None) -> float:
        self._placement, seconds = self._watch.settle(
            workers, quiet_seconds=QUIET_SECONDS, seconds=self._options.settle_seconds, on_look=on_look
        )
        return seconds

    def _first_plan(self) -> None:
        self._say(f"registering {len(self._cameras)} cameras")
        began = time.monotonic()
        self._farm.register(self._cameras)
        registered = time.monotonic() - began
        self._say(f"registered in {registered:.1f} s; starting {self._options.workers} workers")
        self._start_workers()
        workers = self._victims + self._survivors
        self._say("workers hold their leases; starting the manager")
        started_ms = time.time() * 1000
        self._farm.start_manager()
        complete = self._watch.wait(
            lambda: self._watch.is_complete(workers), "every camera has a worker", PATIENCE_SECONDS
        )
        complete_ms = time.time() * 1000
        report = self._watch.wait(lambda: self._watch.report() is not None, "a report", PATIENCE_SECONDS)
        leading = self._watch.report()
        assert leading is not None
        first = self._watch.owners(workers)
        self._say(f"first complete plan after {complete:.1f} s; waiting until it has settled")
        settled = self._settle(workers)
        self.figures.first_plan = {
            "registering_seconds": registered,
            "from_process_start_seconds": complete,
            "from_taking_the_lead_seconds": (complete_ms - leading.leading_since_ms) / 1000,
            "lead_taken_after_seconds": (leading.leading_since_ms - started_ms) / 1000,
            "report_after_plan_seconds": report,
            "settled_after_seconds": settled,
            "moved_once_costs_were_known": len(moved(self._placement, first)),
            "imbalance": self._imbalance(workers),
            "imbalance_as_the_manager_reckons": self._imbalance_as_reckoned(),
            "moves_by_reason": self._reasons(),
        }

    def _imbalance_as_reckoned(self) -> float | None:
        """Return the imbalance of the loads that the manager reports, which has some cost for any camera in it."""
        report = self._watch.report()
        return imbalance(report.load.values()) if report and report.load else None

    def _imbalance(self, workers: list[str]) -> float:
        return imbalance(loads_of(self._placement, self._cameras, workers).values())

    def _steady(self) -> None:
        seconds = self._options.steady_seconds
        self._say(f"settled; measuring the steady state for {seconds:.0f} s")
        with self._managed() as manager:
            before = take_snapshot(self._client, whose)
            time.sleep(seconds)
            load = load_between(before, take_snapshot(self._client, whose))
        lost = self._lost(self._victims + self._survivors)
        self.figures.steady = {"others_that_lost_their_lease": lost, "manager": manager, "server": asdict(load)}
        self._farm.check()

    @contextmanager
    def _managed(self) -> Iterator[dict[str, float]]:
        """Fill in what the manager's process used while the block ran."""
        process = self._farm.manager_usage()
        used, began = process.cpu_times(), time.monotonic()
        figures: dict[str, float] = {}
        yield figures
        now = process.cpu_times()
        cpu = now.user + now.system - used.user - used.system
        seconds = time.monotonic() - began
        figures |= {"seconds": seconds, "cpu_seconds": cpu, "cores": cpu / seconds, "rss": process.memory_info().rss}

    def _kill(self) -> None:
        before, survivors = self._placement, self._survivors
        orphans = {camera for camera, worker in before.items() if worker in set(self._victims)}
        self._say(f"killing {len(self._victims)} workers with {len(orphans)} cameras")
        with self._managed() as manager:
            self._farm.kill("victims")
            complete = self._watch.wait(
                lambda: self._watch.is_complete(survivors), "every orphan has a live worker", PATIENCE_SECONDS
            )
            beyond = moved(before, self._watch.owners(survivors)) - orphans
        self._say(f"complete after {complete:.2f} s, {len(beyond)} moves beyond orphans; waiting until it has settled")
        settled = self._settle(survivors)
        later = {camera for camera in before.keys() - orphans if self._placement[camera] != before[camera]}
        self.figures.kill = {
            "workers": len(self._victims),
            "orphans": len(orphans),
            "complete_seconds": complete,
            "moves_beyond_orphans": len(beyond),
            "others_that_lost_their_lease": self._lost(survivors),
            "others_moved_until_settled": len(later),
            "settled_after_seconds": settled,
            "imbalance": self._imbalance(survivors),
            "imbalance_as_the_manager_reckons": self._imbalance_as_reckoned(),
            "moves_by_reason": self._reasons(),
            "manager": manager,
        }

    def _join(self) -> None:
        before, workers = self._placement, self._survivors + self._joiners
        self._say(f"starting {len(self._joiners)} more workers")
        options = self._options
        self._farm.start_workers("joiners", range(options.workers, options.workers + options.join))
        self._wait_alive(self._joiners)
        self._say("they hold their leases; waiting until the load is even")
        with self._managed() as manager:
            even = EvenSince(before, self._cameras, workers)
            settled = self._settle(workers, even.look)
        moves = {camera for camera, worker in self._placement.items() if before[camera] != worker}
        loads = loads_of(self._placement, self._cameras, workers)
        least = minimum_moves(before, self._cameras, max(loads.values()))
        share = round(len(self._cameras) * len(self._joiners) / len(workers))
        self.figures.join = {
            "workers": len(self._joiners),
            "others_that_lost_their_lease": self._lost(workers),
            "even_seconds": even.seconds,
            "settled_after_seconds": settled,
            "moves": len(moves),
            "between_former_workers": sum(self._placement[camera] not in set(self._joiners) for camera in moves),
            "least_moves_dearest_first": least,
            "moves_of_an_equal_share": share,
            "moves_over_equal_share": len(moves) / max(1, share),
            "imbalance": self._imbalance(workers),
            "imbalance_as_the_manager_reckons": self._imbalance_as_reckoned(),
            "moves_by_reason": self._reasons(),
            "manager": manager,
        }


class EvenSince:
    """Notes when the load was even first."""

    def __init__(self, before: dict[str, str], cameras: dict[str, SimulatedCamera], workers: list[str]) -> None:
        self._before, self._cameras, self._workers = before, cameras, workers
        self._began = time.monotonic()
        #: Seconds from the beginning; None: never yet.
        self.seconds: float | None = None

    def look(self, owners: dict[str, list[str]]) -> None:
        """Look at who has which camera; one that is being handed over counts where it goes."""
        going = {
            camera: next((worker for worker in its if worker != self._before.get(camera)), its[0])
            for camera, its in owners.items()
        }
        loads = loads_of(going, self._cameras, self._workers)
        if self.seconds is None and imbalance(loads.values()) <= EVEN:
            self.seconds = time.monotonic() - self._began


def show(figures: Figures, console: Console) -> None:
    """Print the figures as tables."""
    for title, rows in asdict(figures).items():
        if title == "options":
            continue
        table = Table("figure", "value", title=title.replace("_", " "))
        for name, value in _flat(rows):
            table.add_row(
                name, "never" if value is None else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
            )
        console.print(table)


def _flat(rows: dict[str, Any], above: str = "") -> Iterator[tuple[str, float | None]]:
    for name, value in rows.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name} / ")
        else:
            yield above + name, value


def _options() -> tuple[Options, Path | None]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=500)
    parser.add_argument("--cameras", type=int, default=10_000)
    parser.add_argument("--kill", type=int, help="workers killed at once; a tenth by default")
    parser.add_argument("--join", type=int, help="workers that join; a tenth by default")
    parser.add_argument("--processes", type=int, default=3, help="processes that the surviving workers share")
    parser.add_argument("--camera-seconds", type=float, default=10.0, help="seconds between two results of a camera")
    parser.add_argument("--steady-seconds", type=float, default=30.0)
    parser.add_argument("--settle-seconds", type=float, default=600.0, help="most seconds until a plan must settle")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", type=Path, help="run the manager under cProfile and write its profile there")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    given = parser.parse_args()
    tenth = max(1, given.workers // 10)
    options = Options(
        workers=given.workers,
        cameras=given.cameras,
        kill=given.kill or tenth,
        join=given.join or tenth,
        processes=given.processes,
        camera_seconds=given.camera_seconds,
        steady_seconds=given.steady_seconds,
        settle_seconds=given.settle_seconds,
        seed=given.seed,
        profile=given.profile.absolute() if given.profile else None,
    )
    if options.kill >= options.workers:
        parser.error("--kill must be less than --workers: somebody must be left to take over")
    return options, given.out


def main() -> int:
    """Run the benchmark; print tables, write JSON."""
    options, out = _options()
    console = Console()
    for name in [name for name in os.environ if name.startswith("FARM_")]:
        del os.environ[name]  # default settings are what is measured
    # As deploy/redis.conf has it: written once a second.
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(ValkeyServer("--appendfsync", "everysec").start()) as valkey,
        closing(SimulatedFarm(Path(folder), valkey.url, options)) as farm,
    ):
        bench = ControlPlane(farm, valkey, options, console)
        bench.run()
    show(bench.figures, console)
    if any(phase.get("others_that_lost_their_lease") for phase in asdict(bench.figures).values()):
        console.print("Workers lost their leases that nobody killed: the machine was too busy for these figures.")
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(asdict(bench.figures), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
