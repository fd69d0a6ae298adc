"""One chaos run: starts a farm of its own, breaks it at random, lets it calm down, ends it, and logs everything."""

import random
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import redis

from contract import keys
from contract.errors import FarmError
from tests.chaos.cameras import ChaosCameras
from tests.chaos.event_log import EventLog
from tests.chaos.faults import Faults, Target
from tests.chaos.inventory import left_over, stored_events, take_inventory
from tests.chaos.processes import Members
from tests.chaos.watch import Watch
from tests.support.clips import Clips
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port

#: Seconds between two looks at processes and faults.
TICK_SECONDS: Final = 0.05
#: Shortest and longest time between the beginnings of two faults.
PAUSE_SECONDS: Final = (0.5, 8.0)
#: Seconds for the farm to come up.
START_SECONDS: Final = 90.0
#: Seconds of calm at the end: for sure, and at most until every camera is online.
CALM_SECONDS: Final = (15.0, 60.0)
#: Seconds that the manager gets to take the last workers off its list.
DISMISS_SECONDS: Final = 10.0
CONTROLLERS: Final = 2
HOSTS: Final = ("host-a", "host-b")


class ChaosCannotStartError(FarmError):
    """The farm did not come up; nothing was broken yet."""


@dataclass(frozen=True)
class Plan:
    """What was asked for."""

    seconds: float
    seed: int
    cameras: int
    workers: int
    #: Faults that are drawn, by kind; none: all.
    only: tuple[str, ...] = ()


class Stop:
    """Whether Ctrl-C was pressed: once, to end in order; twice, to leave the calm out."""

    def __init__(self) -> None:
        self._once = threading.Event()
        self._twice = threading.Event()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear SIGINT and SIGTERM meanwhile."""
        former = {number: signal.signal(number, self._hear) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        (self._twice if self._once.is_set() else self._once).set()

    @property
    def asked(self) -> bool:
        """Whether the run shall end."""
        return self._once.is_set()

    @property
    def hurried(self) -> bool:
        """Whether the calm shall end, too."""
        return self._twice.is_set()


class ChaosRun:
    """A farm and what is done to it."""

    def __init__(self, plan: Plan, folder: Path, log: EventLog, stop: Stop, tell: Callable[[str], None]) -> None:
        self._plan, self._folder, self._log, self._stop, self._tell = plan, folder, log, stop, tell
        self._stack = ExitStack()

    def run(self) -> None:
        """Start, break, calm, end.

        Raises:
            ChaosCannotStartError: The farm did not come up.
        """
        with self._stack:
            self._start()
            self._break_things()
            self._calm()
            self._end()

    def _start(self) -> None:
        media = self._folder / "media"
        media.mkdir()
        Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
        self._valkey = ValkeyServer(tcp=True)
        self._stack.callback(self._valkey.close)
        self._valkey.start()
        self._hosts = {name: self._stack.enter_context(RtspServer(media)) for name in HOSTS}
        self._members = Members(self._folder, self._valkey.url, self._valkey.port, free_port(), self._log)
        self._stack.callback(self._members.stop_all)
        self._cameras = ChaosCameras(self._members.farm, self._hosts, self._log)
        self._client = self._stack.enter_context(self._valkey.client())
        self._watch = self._stack.enter_context(Watch(self._valkey.client(), self._log, self._cameras.ids))
        self._members.add("api")
        self._tend_until(self._members.farm.is_ready, START_SECONDS)
        for _ in range(CONTROLLERS):
            self._members.add("manager")
        for _ in range(self._plan.workers):
            self._members.add("worker")
        for _ in range(self._plan.cameras):
            if not self._cameras.add():
                raise ChaosCannotStartError(f"the API does not take cameras; see {self._log.path}")
        self._tend_until(self._is_online, START_SECONDS)
        if not self._stop.asked and not self._is_online():
            raise ChaosCannotStartError(
                f"not every camera was online within {START_SECONDS:.0f} s; see the logs in {self._folder}"
            )

    def _tend_until(self, fact: Callable[[], bool], seconds: float) -> bool:
        """Keep the processes running until `fact` holds; False if it does not in time, or the run shall end."""
        deadline = time.monotonic() + seconds
        while not self._stop.asked and time.monotonic() < deadline:
            self._members.tend()
            if fact():
                return True
            time.sleep(TICK_SECONDS)
        return False

    def _is_online(self) -> bool:
        """Tell whether every enabled camera is online."""
        wanted = [name for name, camera in self._cameras.registered.items() if camera.enabled]
        try:
            found = take_inventory(self._client, wanted, wanted)
        except redis.RedisError:
            return False
        return all(found["states"].get(name, [""])[0] == "online" for name in wanted) and not found["handing_over"]

    def _break_things(self) -> None:
        rng = random.Random(self._plan.seed)  # noqa: S311 - to be repeated, not to be guessed
        faults = Faults(
            Target(self._members, self._cameras, self._valkey, self._hosts, self._watch),
            self._log,
            rng,
            workers=self._plan.workers,
            cameras=self._plan.cameras,
            only=self._plan.only,
        )
        self._log.write("breaking")
        began = time.monotonic()
        ends_at = began + self._plan.seconds
        next_at = began + rng.uniform(*PAUSE_SECONDS)
        told_at = began
        while (now := time.monotonic()) < ends_at and not self._stop.asked:
            self._members.tend()
            faults.heal()
            if now >= next_at:
                faults.draw()
                next_at = now + rng.uniform(*PAUSE_SECONDS)
            if now - told_at >= 30:
                told_at = now
                self._tell(f"{now - began:.0f} of {self._plan.seconds:.0f} s, {faults.count} faults so far")
            time.sleep(TICK_SECONDS)
        faults.heal(at_once=True)

    def _calm(self) -> None:
        self._log.write("calm")
        self._tell("nothing is broken any more; waiting until the farm is calm")
        began = time.monotonic()
        shortest, longest = CALM_SECONDS
        while (seconds := time.monotonic() - began) < longest and not self._stop.hurried:
            self._members.tend()
            if seconds >= shortest and self._is_online():
                break
            time.sleep(TICK_SECONDS)
        self._log.write("inventory", **take_inventory(self._client, self._cameras.ids, list(self._cameras.registered)))
        self._log.write("stored", events=stored_events(self._folder / "data"))

    def _end(self) -> None:
        self._log.write("stopping")
        self._members.stop_workers()
        deadline = time.monotonic() + DISMISS_SECONDS
        while self._client.exists(keys.workers()) and time.monotonic() < deadline:
            time.sleep(TICK_SECONDS)
        self._members.stop_all()
        spool = self._folder / "data" / "spool"
        self._log.write(
            "leftovers",
            processes=self._members.left_behind(),
            files=sorted(path.name for path in spool.glob("*")) if spool.is_dir() else [],
            keys=left_over(self._client),
        )
        self._log.write("end", interrupted=self._stop.asked)


def run_chaos(plan: Plan, out: Path, tell: Callable[[str], None], *, keep: Path | None = None) -> None:
    """Run a farm through chaos and leave the log at `out`.

    Args:
        plan: What was asked for.
        out: The log.
        tell: Is told how far it is.
        keep: Folder that gets the logs of the farm's processes; None: they are deleted.

    Raises:
        ChaosCannotStartError: The farm did not come up.
    """
    stop = Stop()
    with tempfile.TemporaryDirectory(prefix="chaos") as name, EventLog(out) as log, stop.listening():
        folder = Path(name)
        log.write(
            "start",
            seed=plan.seed,
            minutes=plan.seconds / 60,
            cameras=plan.cameras,
            workers=plan.workers,
            managers=CONTROLLERS,
        )
        try:
            ChaosRun(plan, folder, log, stop, tell).run()
        finally:
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                for path in folder.glob("*.log"):
                    shutil.copy(path, keep)
