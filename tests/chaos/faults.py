"""Does the faults to a running farm: draws one, begins it, and heals it when its time is over."""

import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from tests.chaos.cameras import RATES, ChaosCameras
from tests.chaos.event_log import EventLog
from tests.chaos.fault_kinds import KINDS, FaultKind
from tests.chaos.processes import Member, Members
from tests.chaos.watch import Watch
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer

#: Faults that may last at the same time.
OPEN_FAULTS: Final = 2
#: Workers, beyond those the run began with, that may be added; and as many fewer may be left.
WORKERS_BEYOND: Final = 1
#: Cameras, beyond those the run began with, that may be added; and as many fewer may be left.
CAMERAS_BEYOND: Final = 3


@dataclass(frozen=True)
class Target:
    """All parts of the farm that can be broken."""

    members: Members
    cameras: ChaosCameras
    valkey: ValkeyServer
    hosts: dict[str, RtspServer]
    watch: Watch


@dataclass
class _Open:
    """A fault that lasts."""

    number: int
    kind: FaultKind
    target: str
    heal_at: float
    heal: Callable[[], object]


#: What a fault does: whom it hits, and how it is healed; None: there is nobody to do it to.
Begun = tuple[str, Callable[[], object]] | None


def _nothing() -> None:
    """Heal what needs no healing."""


class Faults:
    """All kinds of faults on one farm. One thread calls it."""

    def __init__(
        self, target: Target, log: EventLog, rng: random.Random, *, workers: int, cameras: int, only: Collection[str]
    ) -> None:
        """Prepare.

        Args:
            target: What is to be broken.
            log: Where that is written.
            rng: Draws everything.
            workers: How many the run began with; some more or fewer may come of it.
            cameras: The same of cameras.
            only: Kinds that are drawn; empty: all.
        """
        self._members, self._cameras = target.members, target.cameras
        self._valkey, self._hosts, self._watch = target.valkey, target.hosts, target.watch
        self._log, self._rng = log, rng
        self._workers, self._camera_count = workers, cameras
        self._kinds = [kind for kind in KINDS.values() if not only or kind.name in only]
        self._open: list[_Open] = []
        self._number = 0
        self._do: dict[str, Callable[[], Begun]] = {
            "worker_killed": self._kill_worker,
            "worker_frozen": self._freeze_worker,
            "worker_drained": self._drain_worker,
            "worker_added": self._add_worker,
            "worker_link_silent": self._silence_link,
            "worker_link_cut": self._cut_link,
            "controller_killed": self._kill_controller,
            "controller_frozen": self._freeze_controller,
            "redis_frozen": self._freeze_redis,
            "redis_killed": lambda: self._kill_redis(keep_data=True),
            "redis_emptied": lambda: self._kill_redis(keep_data=False),
            "host_killed": self._kill_host,
            "host_frozen": self._freeze_host,
            "camera_added": self._add_camera,
            "camera_removed": self._remove_camera,
            "camera_disabled": self._disable_camera,
            "camera_changed": self._change_camera,
        }

    @property
    def count(self) -> int:
        """Faults that were drawn."""
        return self._number

    # --- drawing and healing -------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Begin one fault, if fewer than `OPEN_FAULTS` last."""
        if len(self._open) >= OPEN_FAULTS:
            return
        kind = self._rng.choices(self._kinds, [kind.weight for kind in self._kinds])[0]
        self.begin(kind)

    def begin(self, kind: FaultKind) -> bool:
        """Begin a fault of this kind; False: there is nobody to do it to now."""
        if self._redis_is_hit and kind.name.startswith(("redis", "camera")):
            return False  # one fault of the server at a time, and the API needs it
        seconds = self._rng.uniform(*kind.seconds)
        # Its number and target are drawn, and logged, before it is done: its first effects must not come before it.
        self._number += 1
        self._seconds, self._kind = seconds, kind
        begun = self._do[kind.name]()
        if begun is None:
            return False
        target, heal = begun
        self._open.append(_Open(self._number, kind, target, time.monotonic() + seconds, heal))
        return True

    def _say(self, target: str) -> None:
        self._log.write(
            "fault", fault=self._number, kind=self._kind.name, target=target, seconds=round(self._seconds, 2)
        )

    @property
    def _redis_is_hit(self) -> bool:
        return any(fault.kind.name.startswith("redis") for fault in self._open)

    def heal(self, *, at_once: bool = False) -> None:
        """Heal the faults whose time is over, or all of them."""
        for fault in list(self._open):
            if at_once or time.monotonic() >= fault.heal_at:
                fault.heal()
                self._open.remove(fault)
                self._log.write("healed", fault=fault.number)

    def _hit(self, names: list[str]) -> list[str]:
        """Return those of the names that no fault that lasts has hit."""
        taken = {fault.target for fault in self._open}
        return [name for name in names if name not in taken]

    def _one_of(self, role: str, *, at_least: int) -> Member | None:
        """Draw one of the running members of a role, if at least so many run; what happens is logged."""
        running = {member.name: member for member in self._members.running(role)}
        free = self._hit(sorted(running))
        if len(running) < at_least or not free:
            return None
        member = running[self._rng.choice(free)]
        self._say(member.name)
        return member

    # --- workers -------------------------------------------------------------------------------------------------

    def _kill_worker(self) -> Begun:
        another_id, after = self._rng.random() < 0.5, self._rng.uniform(0.2, 3.0)
        if (worker := self._one_of("worker", at_least=2)) is None:
            return None
        self._members.kill(worker, start_after_seconds=after, another_id=another_id)
        return worker.name, _nothing

    def _freeze_worker(self) -> Begun:
        if (worker := self._one_of("worker", at_least=2)) is None:
            return None
        self._members.freeze(worker)
        return worker.name, lambda: self._members.thaw(worker)

    def _drain_worker(self) -> Begun:
        # Whoever drains a worker sees to it that another one is there; some that run are still starting.
        if len(self._watch.able & {member.name for member in self._members.running("worker")}) < 2:
            return None
        if (worker := self._one_of("worker", at_least=2)) is None:
            return None
        self._members.drain(worker)
        if len(self._members.of_role("worker")) < self._workers - WORKERS_BEYOND:
            self._members.add("worker")
        return worker.name, _nothing

    def _add_worker(self) -> Begun:
        if len(self._members.of_role("worker")) >= self._workers + WORKERS_BEYOND:
            return None
        name = self._members.add("worker").name
        self._say(name)
        return name, _nothing

    def _silence_link(self) -> Begun:
        if (worker := self._one_of("worker", at_least=2)) is None or worker.link is None:
            return None
        worker.link.black_hole()
        return worker.name, worker.link.pass_on

    def _cut_link(self) -> Begun:
        if (worker := self._one_of("worker", at_least=1)) is None or worker.link is None:
            return None
        worker.link.cut()
        return worker.name, _nothing

    # --- controllers ---------------------------------------------------------------------------------------------

    def _kill_controller(self) -> Begun:
        if (manager := self._one_of("manager", at_least=2)) is None:
            return None
        self._members.kill(manager, start_after_seconds=self._seconds)
        return manager.name, _nothing

    def _freeze_controller(self) -> Begun:
        if (manager := self._one_of("manager", at_least=2)) is None:
            return None
        self._members.freeze(manager)
        return manager.name, lambda: self._members.thaw(manager)

    # --- Redis ---------------------------------------------------------------------------------------------------

    def _freeze_redis(self) -> Begun:
        self._say("redis")
        self._valkey.freeze()
        return "redis", self._valkey.thaw

    def _kill_redis(self, *, keep_data: bool) -> Begun:
        self._say("redis")
        self._valkey.kill()

        def start() -> None:
            if not keep_data:
                self._watch.forget_positions()
            self._valkey.restart(keep_data=keep_data)

        return "redis", start

    # --- camera hosts --------------------------------------------------------------------------------------------

    def _host(self) -> str | None:
        free = self._hit(sorted(self._hosts))
        if not free:
            return None
        name = self._rng.choice(free)
        self._say(name)
        return name

    def _kill_host(self) -> Begun:
        if (name := self._host()) is None:
            return None
        self._hosts[name].stop()
        return name, self._hosts[name].start

    def _freeze_host(self) -> Begun:
        if (name := self._host()) is None:
            return None
        self._hosts[name].freeze()
        return name, self._hosts[name].thaw

    # --- cameras -------------------------------------------------------------------------------------------------

    def _camera(self) -> str | None:
        free = self._hit(sorted(name for name, camera in self._cameras.registered.items() if camera.enabled))
        if not free:
            return None
        name = self._rng.choice(free)
        self._say(name)
        return name

    def _add_camera(self) -> Begun:
        if len(self._cameras.registered) >= self._camera_count + CAMERAS_BEYOND:
            return None
        self._say("")
        self._cameras.add()
        return "", _nothing

    def _remove_camera(self) -> Begun:
        if len(self._cameras.registered) <= max(1, self._camera_count - CAMERAS_BEYOND):
            return None
        if (name := self._camera()) is None:
            return None
        self._cameras.remove(name)
        return name, _nothing

    def _disable_camera(self) -> Begun:
        if (name := self._camera()) is None:
            return None
        self._cameras.switch(name, on=False)
        return name, lambda: self._cameras.switch(name, on=True)

    def _change_camera(self) -> Begun:
        if (name := self._camera()) is None:
            return None
        self._cameras.change_rate(name, self._rng.choice(RATES))
        return name, _nothing
