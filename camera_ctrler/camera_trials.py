"""Lets a worker try a camera, and waits for what it says: only workers reach cameras, and they alone know how."""

from collections.abc import Iterable
from secrets import token_hex
from threading import BoundedSemaphore
from typing import Final

import redis

from contract.assignments import Assignment
from contract.camera_trials import WAIT_SECONDS, CameraTrialReply, CameraTrialRequest, TrialStream
from contract.cameras import PlacementSettings
from contract.errors import FarmError, StatusReason
from runtime.farm_reader import FarmReader, WorkerView
from runtime.gallery_link import Asked
from runtime.trial_link import TrialLink

#: Trials that one process waits for at a time: each holds a thread.
AT_ONCE: Final = 4


class TrialsBusyError(FarmError):
    """Too many trials run already."""

    def __init__(self) -> None:
        super().__init__("too many cameras are being tried; try again in some seconds")


class CameraTrials:
    """Trials of cameras. Safe to use from several threads. Raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis, reader: FarmReader) -> None:
        self._link = TrialLink(client)
        self._reader = reader
        self._slots = BoundedSemaphore(AT_ONCE)

    def run(self, camera: Assignment, placement: PlacementSettings, stream: TrialStream) -> CameraTrialReply:
        """Let a worker that may have the camera try it.

        Args:
            camera: As it would be assigned.
            placement: Which workers may have it.
            stream: Which of its streams.

        Raises:
            TrialsBusyError: Too many run already.
        """
        if not self._slots.acquire(blocking=False):
            raise TrialsBusyError
        try:
            return self._run(camera, placement, stream)
        finally:
            self._slots.release()

    def _run(self, camera: Assignment, placement: PlacementSettings, stream: TrialStream) -> CameraTrialReply:
        request = CameraTrialRequest(
            request_id=token_hex(8),
            until_ms=self._link.now_ms() + round(WAIT_SECONDS * 1000),
            camera=camera,
            stream=stream,
        )
        running = [worker for worker in self._reader.workers() if worker.alive and worker.status is not None]
        fit = suitable(running, placement, camera.camera_id)
        if not fit:
            return _nobody(request, StatusReason.NO_LABELS if running else StatusReason.NO_WORKER)
        answers = []
        for worker in fit:
            answers.append(self._link.ask(worker.worker_id, request))
            if answers[-1] is Asked.ASKED:
                reply = self._link.wait_for_reply(request)
                detail = f"worker {worker.worker_id} did not answer within {WAIT_SECONDS:.0f} s"
                return reply or _nobody(request, StatusReason.WORKER_SILENT, detail)
        if Asked.TOO_MANY in answers:
            raise TrialsBusyError
        return _nobody(request, StatusReason.WORKER_SILENT, "no worker that may have it tries cameras now")


def suitable(workers: Iterable[WorkerView], placement: PlacementSettings, camera_id: str) -> list[WorkerView]:
    """Return the workers that may have a camera, best first: who has it, who has labels it prefers, who has least."""

    def worth(worker: WorkerView) -> tuple[int, int, int, str]:
        status = worker.status
        assert status is not None
        preferred = len(set(placement.prefer_labels) & set(status.labels))
        return int(camera_id not in status.holdings), -preferred, len(status.holdings), worker.worker_id

    required = set(placement.require_labels)
    fit = [
        worker
        for worker in workers
        if worker.status is not None and not worker.status.draining and required <= set(worker.status.labels)
    ]
    return sorted(fit, key=worth)


def _nobody(request: CameraTrialRequest, reason: StatusReason, detail: str = "") -> CameraTrialReply:
    return CameraTrialReply(request_id=request.request_id, reason=reason, detail=detail)
