"""What limits a worker, in words, with the settings that would move it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from camera_ctrler.planning.remedies import Limit, Remedy, WatchedCamera, named, remedies_against
from contract.workers import Stage, StageFigures, WorkerStatus

#: Share of a worker's cores in use from which on there is no room: what is measured swings by some per cent.
FULL: Final = 0.9
#: Share of the time from which on a stage with a thread of its own is at its limit.
BUSY: Final = 0.9
#: Share of the rate a camera asks for below which it gets too little.
SHORT: Final = 0.9
#: Frames a second from which on a loss is one: one frame in twenty seconds may be a hiccup.
LOSS_PER_SECOND: Final = 0.05
#: Milliseconds of waiting before a stage from which on it is behind.
BEHIND_MS: Final = 1_000.0
#: Share of a host's cores in use from which on it is full, and share of them that others use to be called busy.
HOST_FULL: Final = 0.95
OTHERS: Final = 0.2
#: Seconds in a stage ÷ CPU-seconds there, from which on threads wait for something, where the stage needs a core only.
STALLED: Final = 2.0
#: CPU-seconds a second below which a stage says nothing of that.
STALLED_CORES: Final = 0.1

#: Drops that are the fault of a queue that is full -> the stage behind that queue.
_QUEUE_OF: Final = {
    "decode_backlog": Stage.DECODE,
    "overload": Stage.DETECT,
    "saving_backlog": Stage.SAVE,
    "publish_backlog": Stage.PUBLISH,
}
#: Stages that wait for nothing but a core, and for the interpreter.
_PURE: Final = (Stage.DECODE, Stage.GATE, Stage.TRACK)


#: How people call it.
_NAMES: Final = {Limit.DETECT: "detector-bound", Limit.HOST: "starved of CPU", Limit.OTHER_WORK: "CPU-bound"}


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What limits a worker now, or would next."""

    limit: Limit
    #: Whether frames are lost, late or too few for it now.
    is_felt: bool
    #: One sentence for people.
    text: str
    #: What would move it, best first.
    remedies: tuple[Remedy, ...] = ()
    #: Cameras like those it has that it could take besides; None: not known.
    room_cameras: int | None = None


def find_bottleneck(status: WorkerStatus, capacity_cores: float, cameras: Sequence[WatchedCamera]) -> Bottleneck:
    """Return what limits a worker.

    Args:
        status: What it says of itself.
        capacity_cores: CPU-seconds a second that its cameras may cost: its share of its host's cores.
        cameras: Those that it watches.
    """
    if status.stages is None or status.cpu_cores is None:
        return _unknown(status)
    seen = _Seen(status, status.stages, status.cpu_cores, capacity_cores, cameras)
    symptoms = seen.symptoms()
    limit, why = seen.limit()
    if limit is Limit.NONE:
        if symptoms:
            return Bottleneck(Limit.UNCLEAR, is_felt=True, text=f"unclear: {symptoms}, though nothing is full; {_LOOK}")
        return Bottleneck(Limit.NONE, is_felt=False, text=seen.room_text(), room_cameras=seen.room_cameras())
    name = _NAMES.get(limit, f"{limit.value}-bound")
    felt = symptoms or "nothing is lost by it yet"
    remedies = remedies_against(limit, status, cameras)
    return Bottleneck(limit, bool(symptoms), f"{name}: {why}; {felt}", remedies, room_cameras=0)


_LOOK: Final = "see the cameras' own reasons with ./farm status"


def _unknown(status: WorkerStatus) -> Bottleneck:
    lived_ms = status.updated_at_ms - status.started_at_ms
    why = (
        "it has just begun, look again in ten seconds"
        if lived_ms < 15_000
        else f"version {status.version} does not say what its stages do; bring it to the version of this command"
    )
    return Bottleneck(Limit.UNKNOWN, is_felt=False, text=f"not known: {why}")


@dataclass(frozen=True, slots=True)
class _Seen:
    """One worker at one moment."""

    status: WorkerStatus
    stages: dict[Stage, StageFigures]
    used: float
    capacity: float
    cameras: Sequence[WatchedCamera]

    def of(self, stage: Stage) -> StageFigures:
        return self.stages.get(stage, StageFigures())

    # --- what is felt --------------------------------------------------------------------------------------------

    def symptoms(self) -> str:
        """Return what is lost or late, in words; empty: nothing is."""
        told = []
        lost = sum(self.status.drops_per_second.get(reason, 0.0) for reason in _QUEUE_OF)
        if lost >= LOSS_PER_SECOND:
            told.append(f"{lost:.1f} frames a second are lost")
        short = [camera for camera in self.cameras if camera.is_short(SHORT)]
        if short:
            told.append(f"{named(short)} {'gets' if len(short) == 1 else 'get'} fewer frames looked at than asked for")
        late = {stage.value: figures for stage, figures in self.stages.items() if figures.wait_p95_ms >= BEHIND_MS}
        told += [f"frames wait {figures.wait_p95_ms / 1000:.1f} s to {name}" for name, figures in late.items()]
        if self.status.spool_records:
            told.append(f"{self.status.spool_records} records wait on disk")
        return ", ".join(told)

    # --- what is full --------------------------------------------------------------------------------------------

    def limit(self) -> tuple[Limit, str]:
        """Return what is full, with the figures that say so. The first that holds is the one to be moved."""
        checks: tuple[Callable[[], tuple[Limit, str] | None], ...] = (
            self._publishing,
            self._cores,
            self._host,
            self._interpreter,
            self._queues,
        )
        return next((found for check in checks if (found := check()) is not None), (Limit.NONE, ""))

    def _publishing(self) -> tuple[Limit, str] | None:
        """Before all else: where Redis is slow the publisher's thread waits, and uses no core for it."""
        figures = self.of(Stage.PUBLISH)
        waits_ms = figures.wall_ms * (1 - min(1.0, figures.cpu_cores / figures.busy)) if figures.busy else 0.0
        is_full = figures.busy >= BUSY and figures.cpu_cores < figures.busy / 2
        if not is_full and not self.status.spool_records:
            return None
        return Limit.PUBLISH, f"a record takes {figures.wall_ms:.1f} ms, {waits_ms:.1f} of them waiting for Redis"

    def _cores(self) -> tuple[Limit, str] | None:
        if self.used < FULL * self.capacity:
            return None
        in_use = f"{self.used:.2f} of {self.capacity:.2f} cores are in use"
        counted = sum(figures.cpu_cores for figures in self.stages.values())
        stage, cores = self._dearest()
        if stage is None or self.used - counted > cores:
            return Limit.OTHER_WORK, f"{in_use}, {max(0.0, self.used - counted):.2f} of them by what no stage counts"
        return Limit(stage.value), f"{in_use}, {cores:.2f} of them to {stage.value}"

    def _dearest(self) -> tuple[Stage | None, float]:
        if not self.stages:
            return None, 0.0
        stage = max(self.stages, key=lambda each: self.stages[each].cpu_cores)
        return stage, self.stages[stage].cpu_cores

    def _host(self) -> tuple[Limit, str] | None:
        others = self._others_fill_host()
        if not others or not self.symptoms():
            return None
        return Limit.HOST, f"{others}, and this worker has {self.used:.2f} of the {self.capacity:.2f} that it counts on"

    def _others_fill_host(self) -> str:
        """Return in words how much others use of a host that is full; empty: it is not, or not by others."""
        busy, cores = self.status.host_busy_cores, self.status.host_cores
        if busy is None or not cores:
            return ""
        others = busy - self.used
        if busy < HOST_FULL * cores or others < OTHERS * cores:
            return ""
        return f"others on {self.status.host} use {others:.1f} of its {cores} cores"

    def _interpreter(self) -> tuple[Limit, str] | None:
        cores, busy = (sum(getattr(self.of(stage), what) for stage in _PURE) for what in ("cpu_cores", "busy"))
        if cores < STALLED_CORES or busy < STALLED * cores or not self.symptoms():
            return None
        return Limit.INTERPRETER, (
            f"decoding, gate and tracking take {busy:.2f} s a second for {cores:.2f} CPU-seconds, and there are cores "
            "left: most likely threads wait for Python's lock"
        )

    def _queues(self) -> tuple[Limit, str] | None:
        detect = self.of(Stage.DETECT)
        if detect.busy >= BUSY:
            rate = f"{detect.items_per_second:.1f} frames a second at {detect.wall_ms:.1f} ms"
            return Limit.DETECT, f"its one thread is busy {min(1.0, detect.busy):.0%} of the time with {rate}"
        for reason, stage in _QUEUE_OF.items():
            lost = self.status.drops_per_second.get(reason, 0.0)
            if lost >= LOSS_PER_SECOND or self.of(stage).wait_p95_ms >= BEHIND_MS:
                waits = f"frames wait {self.of(stage).wait_p95_ms / 1000:.1f} s for it"
                if stage is Stage.DECODE:
                    waits = f"{lost:.1f} frames a second are left out, for reading is behind the cameras"
                return Limit(stage.value), f"{waits}, and one takes {self.of(stage).wall_ms:.1f} ms"
        return None

    # --- what is left --------------------------------------------------------------------------------------------

    def room_cameras(self) -> int | None:
        """Return how many more cameras like those it has would fit, by cores and by the detector's time."""
        if self._others_fill_host():
            return 0
        count = sum(camera.is_online for camera in self.cameras)
        if not count or self.used <= 0:
            return None
        rooms = [count * (FULL * self.capacity / self.used - 1)]
        busy = self.of(Stage.DETECT).busy
        if busy > 0:
            rooms.append(count * (BUSY / busy - 1))
        rooms.append(self.status.max_cameras - len(self.cameras))
        return max(0, int(min(rooms)))

    def room_text(self) -> str:
        """Return how much is in use, in words."""
        busy = self.of(Stage.DETECT).busy
        text = f"nothing limits it: {self.used:.2f} of {self.capacity:.2f} cores are in use"
        text += f" and its detector is busy {busy:.0%} of the time" if busy else ""
        stage, cores = self._dearest()
        text += f"; most goes to {stage.value} ({cores:.2f})" if stage is not None and cores > 0 else ""
        others = self._others_fill_host()
        if others:
            return f"{text}; {others}, so that there is no room"
        room = self.room_cameras()
        if room is None:
            return text
        return f"{text}; room for about {room} more camera{'' if room == 1 else 's'} like these"
