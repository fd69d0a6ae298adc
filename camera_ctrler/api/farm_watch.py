"""The farm at one moment, read once for all who look at about the same time."""

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.api.outages import Outage
from camera_ctrler.api.schemas import CameraStatusView
from camera_ctrler.api.status_view import Surroundings, status_view
from camera_ctrler.event_store.recognitions import Recognitions
from camera_ctrler.event_store.store import EventStore, Totals
from camera_ctrler.registry import Registry
from contract.camera_specs import Camera
from contract.cameras import CameraState
from contract.footage_report import FootageReport
from contract.moves import MoveReason
from contract.plan import PlanReport
from contract.recognition import RecognitionState
from contract.zones import mark_of_masks
from runtime.clock import Clock
from runtime.event_feed import Backlog
from runtime.farm_reader import FarmReader, WorkerView
from runtime.reid_reader import ReidWorkerView

#: Seconds for which one look serves everybody: a wall that asks once a second misses nothing.
LOOK_SECONDS: Final = 0.5
#: A look also serves this many times as long as it took, so that looking at ten thousand cameras, which takes
#: seconds, never takes more than a fifth of a core.
REST_FACTOR: Final = 4.0
#: Seconds after which a mask that was drawn counts for pictures that are shown.
MASKS_SECONDS: Final = 1.0
#: Seconds after which the registry is read again even if its revision says that nothing changed.
FULL_READ_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class FarmLook:
    """All that registry and Redis say, at one moment."""

    now_ms: int
    cameras: dict[str, Camera]
    #: By camera id, in the order of ids.
    statuses: dict[str, CameraStatusView]
    workers: list[WorkerView]
    #: None while no manager leads.
    plan: PlanReport | None
    #: Reason -> count of moves within the last hour.
    moves_last_hour: dict[MoveReason, int]
    #: How the volumes of footage are; None while nobody says so.
    footage: FootageReport | None = None
    #: What was stored of events, and what waits; None where nobody asked.
    events: tuple[Totals, Backlog] | None = None
    #: How many recognitions are not done, by state, and the ReID workers; None where nobody asked.
    recognitions: tuple[dict[RecognitionState, int], list[ReidWorkerView]] | None = None

    @property
    def workers_alive(self) -> int:
        """Workers whose lease is held."""
        return sum(worker.alive for worker in self.workers)

    @property
    def objects_in_view(self) -> int:
        """Objects in the newest frames of cameras that are online."""
        return sum(sum(status.objects.values()) for status in self.statuses.values())

    @property
    def online(self) -> int:
        """Cameras that are online."""
        return sum(status.state is CameraState.ONLINE for status in self.statuses.values())


class FarmWatch:
    """Looks at the farm. Safe to use from several threads: who asks during a look waits for that one.

    A look that failed is also everybody's: an outage costs all who wait one time-out, not one after the other.
    """

    def __init__(self, registry: Registry, reader: FarmReader, clock: Clock) -> None:
        self._registry = registry
        self._reader = reader
        self._clock = clock
        self._lock = threading.Lock()
        #: Apart from `_lock`, which is held for seconds where there are ten thousand cameras.
        self._registry_lock = threading.Lock()
        self._outage = Outage(clock)
        self._changed = threading.Event()
        self._look: FarmLook | None = None
        self._good_until = 0.0
        self._cameras: dict[str, Camera] = {}
        self._revision = -1
        self._read_at = 0.0
        self._masks_until = 0.0

    def look(self) -> FarmLook:
        """Return the farm as it was a moment ago. Raises what registry and Redis raise when they are away."""
        with self._lock:
            began = self._clock.monotonic()
            if self._look is None or began >= self._good_until or self._changed.is_set():
                self._changed.clear()  # first: what is changed during a look is seen by the next one
                self._look = None
                with self._outage.remembered():
                    self._look = self._look_anew()
                ended = self._clock.monotonic()
                self._good_until = ended + max(LOOK_SECONDS, REST_FACTOR * (ended - began))
            return self._look

    def workers(self) -> tuple[list[WorkerView], dict[str, Camera], PlanReport | None]:
        """Return workers, registered cameras and the leader's report as they are now: without all that takes long.

        Raises what registry and Redis raise when they are away.
        """
        with self._outage.remembered():
            workers = self._reader.workers()
            return workers, self._registered(), Surroundings(self._reader.heard_plan(), len(workers)).plan

    def masks_of(self, camera_id: str) -> str:
        """Return `mark_of_masks` of a camera as it was a second ago at most; while the database is away, as last known.

        It costs next to nothing: ask for every picture.
        """
        now = self._clock.monotonic()
        if now >= self._masks_until:
            self._masks_until = now + MASKS_SECONDS
            with suppress(SQLAlchemyError):
                self._registered()
        camera = self._cameras.get(camera_id)
        return "" if camera is None else mark_of_masks(camera.zones)

    def one(self, camera: Camera) -> CameraStatusView:
        """Return how one camera does at this moment. Raises what Redis raises when it is away."""
        with self._outage.remembered():
            return self._one(camera)

    def _one(self, camera: Camera) -> CameraStatusView:
        workers = sum(worker.alive for worker in self._reader.workers(with_ages=False))
        around = Surroundings(self._reader.heard_plan(), workers)
        status = self._reader.heard_statuses([camera.id]).get(camera.id)
        result = self._reader.results([camera.id]).get(camera.id)
        return status_view(camera, status, result, around)

    def forget(self) -> None:
        """Look anew next time, for something was changed here. Never waits for a look."""
        self._changed.set()
        self._masks_until = 0.0

    def _look_anew(self) -> FarmLook:
        cameras = self._registered()
        ids = sorted(cameras)
        workers = self._reader.workers()
        statuses = self._reader.heard_statuses(ids)
        results = self._reader.results(ids)
        around = Surroundings(self._reader.heard_plan(), sum(worker.alive for worker in workers))
        views = {name: status_view(cameras[name], statuses.get(name), results.get(name), around) for name in ids}
        moves = self._reader.recent_moves.by_reason()
        footage = self._reader.footage_report()
        events = EventStore(self._registry.engine).totals(), self._reader.events.backlog()
        recognitions = Recognitions(self._registry.engine).counts(), self._reader.reid.workers()
        return FarmLook(
            self._clock.now_ms(), cameras, views, workers, around.plan, moves, footage, events, recognitions
        )

    def _registered(self) -> dict[str, Camera]:
        """Return the registered cameras, by id; nobody changes what was returned."""
        with self._registry_lock:
            revision = self._registry.revision()
            now = self._clock.monotonic()
            if revision != self._revision or now - self._read_at >= FULL_READ_SECONDS:
                self._cameras = {camera.id: camera.view() for camera in self._registry.all()}
                self._revision, self._read_at = revision, now
            return self._cameras
