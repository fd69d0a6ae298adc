"""Cameras whose assignments Redis has lost: given back to the workers that still watch them, under the same epoch.

A Redis that comes back empty knows no assignment and no fence. SQL knows the newest epoch of every camera, and each
worker says under which epoch it watches what. Where the two agree, that worker is the rightful one: it goes on without
a new epoch, so that what it kept while Redis was away is accepted, and nothing moves.

A camera that was being handed over has two workers. The new one is the rightful one where it lives; where it does not
come back soon, the former one goes on under the epoch it has, as it would have done had Redis kept its data.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from camera_ctrler.planning.plan_state import Handover
from runtime.clock import Clock
from runtime.farm_reader import WorkerView

#: Seconds that the new worker of a handover is waited for; one that lives takes its lease again within a second.
SOON_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Lost:
    """A camera whose worker has not been heard of."""

    #: Newest epoch given out.
    epoch: int
    #: Monotonic seconds since when.
    since: float
    #: How it was being handed over to the holder of `epoch`, as far as this manager knows.
    handover: Handover | None


class LostCameras:
    """Cameras that wait for their worker to be heard of."""

    def __init__(self, clock: Clock, patience_seconds: float) -> None:
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._waiting: dict[str, _Lost] = {}

    def __contains__(self, camera_id: object) -> bool:
        return camera_id in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, epochs: Mapping[str, int], handovers: Mapping[str, Handover] | None = None) -> None:
        """Wait for the workers of cameras that are not assigned.

        Args:
            epochs: Camera id -> newest epoch given out; at least 1.
            handovers: Camera id -> what this manager knows of a handover to the holder of that epoch.
        """
        now, known = self._clock.monotonic(), handovers or {}
        self._waiting = {
            camera_id: self._waiting.get(camera_id, _Lost(epoch, now, known.get(camera_id)))
            for camera_id, epoch in epochs.items()
        }

    def given_up(self) -> dict[str, int]:
        """Stop waiting for workers that were not heard of in time; return those cameras with their newest epoch."""
        since = self._clock.monotonic() - self._patience_seconds
        gone = {camera_id: lost.epoch for camera_id, lost in self._waiting.items() if lost.since <= since}
        self._waiting = {camera_id: lost for camera_id, lost in self._waiting.items() if camera_id not in gone}
        return gone

    def found(self, workers: Iterable[WorkerView]) -> Iterator[tuple[str, str, int]]:
        """Yield (camera id, worker id, epoch) of cameras whose rightful worker is there; they wait no longer."""
        if not self._waiting:
            return
        held = {
            (camera_id, worker.worker_id, holding.epoch)
            for worker in workers
            if worker.alive and worker.status is not None
            for camera_id, holding in worker.status.holdings.items()
        }
        soon = self._clock.monotonic() - SOON_SECONDS
        for camera_id, worker_id, epoch in sorted(held):
            lost = self._waiting.get(camera_id)
            if lost is not None and epoch == lost.epoch:
                del self._waiting[camera_id]
                yield camera_id, worker_id, epoch
        for camera_id, lost in list(self._waiting.items()):
            former = lost.handover
            if former and lost.since <= soon and (camera_id, former.from_worker, former.from_epoch) in held:
                del self._waiting[camera_id]
                yield camera_id, former.from_worker, former.from_epoch
