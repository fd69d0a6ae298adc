"""Cameras whose assignments Redis has lost: given back to the workers that still watch them, under the same epoch.

A Redis that comes back empty knows no assignment and no fence. SQL knows the newest epoch of every camera, and each
worker says under which epoch it watches what. Where the two agree, that worker is the rightful one: it goes on without
a new epoch, so that what it kept while Redis was away is accepted, and nothing moves.
"""

from collections.abc import Iterable, Iterator, Mapping

from runtime.clock import Clock
from runtime.farm_reader import WorkerView


class LostCameras:
    """Cameras that wait for their worker to be heard of."""

    def __init__(self, clock: Clock, patience_seconds: float) -> None:
        self._clock = clock
        self._patience_seconds = patience_seconds
        #: Camera id -> (newest epoch given out, monotonic seconds until when its worker is waited for).
        self._waiting: dict[str, tuple[int, float]] = {}

    def __contains__(self, camera_id: object) -> bool:
        return camera_id in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, epochs: Mapping[str, int]) -> None:
        """Wait for the workers of cameras that are not assigned.

        Args:
            epochs: Camera id -> newest epoch given out; at least 1.
        """
        until = self._clock.monotonic() + self._patience_seconds
        self._waiting = {camera_id: self._waiting.get(camera_id, (epoch, until)) for camera_id, epoch in epochs.items()}

    def given_up(self) -> dict[str, int]:
        """Stop waiting for workers that were not heard of in time; return those cameras with their newest epoch."""
        now = self._clock.monotonic()
        gone = {camera_id: epoch for camera_id, (epoch, until) in self._waiting.items() if now >= until}
        self._waiting = {camera_id: entry for camera_id, entry in self._waiting.items() if camera_id not in gone}
        return gone

    def found(self, workers: Iterable[WorkerView]) -> Iterator[tuple[str, str, int]]:
        """Yield (camera id, worker id, epoch) of cameras whose rightful worker is there; they wait no longer."""
        if not self._waiting:
            return
        for worker in workers:
            if not worker.alive or worker.status is None:
                continue
            for camera_id, holding in worker.status.holdings.items():
                expected = self._waiting.get(camera_id)
                if expected is not None and holding.epoch == expected[0]:
                    del self._waiting[camera_id]
                    yield camera_id, worker.worker_id, holding.epoch
