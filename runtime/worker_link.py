"""A worker's side of Redis: reads its assignments, publishes what it sees; every write is fenced by epoch."""

from enum import IntEnum
from typing import Final, cast

import redis
from pydantic import ValidationError

from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraStatus
from contract.detections import AnalysisResult
from contract.workers import WorkerStatus
from runtime.scripts import Script

STATUS_LIFETIME_SECONDS: Final = 60
RESULT_LIFETIME_SECONDS: Final = 86_400
PREVIEW_LIFETIME_SECONDS: Final = 15


class Written(IntEnum):
    """What became of a fenced write."""

    REFUSED = 0
    ACCEPTED = 1
    #: The camera is being handed over and the former worker's status stands.
    EARLY = 2


class WorkerLink:
    """Typed access to the keys a worker uses. Every method raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis, worker_id: str, *, frame_index_size: int) -> None:
        self._client = client
        self._worker_id = worker_id
        self._frame_index_size = frame_index_size
        self._publish_result = Script(client, "publish_result")
        self._publish_status = Script(client, "publish_status")
        self._last_wakeup = "$"

    def announce(self) -> None:
        """Add this worker to those that the manager looks at."""
        self._client.sadd(keys.workers(), self._worker_id)

    def publish_worker(self, status: WorkerStatus) -> None:
        """Say how this worker does."""
        self._client.set(keys.worker_status(self._worker_id), status.model_dump_json(), ex=STATUS_LIFETIME_SECONDS)

    def withdraw_worker(self) -> None:
        """Take this worker's status back; done when it leaves in order."""
        self._client.delete(keys.worker_status(self._worker_id))

    def assignments(self) -> dict[str, Assignment]:
        """Return the cameras this worker shall watch, by id; one that cannot be read is left out."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(keys.assignments(self._worker_id)))
        readable = {}
        for camera_id, text in found.items():
            try:
                readable[camera_id.decode()] = Assignment.model_validate_json(text)
            except ValidationError:
                # Written by a newer controller: the cameras that can be understood must not suffer for it.
                continue
        return readable

    def is_known(self) -> bool:
        """Tell whether Redis holds this worker's lease; without it, Redis may have lost its assignments too."""
        return bool(self._client.exists(keys.worker_lease(self._worker_id)))

    def manager_leads(self) -> bool:
        """Tell whether there is a manager that could give this worker's cameras to others."""
        return bool(self._client.exists(keys.controller_lease()))

    def wait_for_change(self, seconds: float) -> bool:
        """Sleep until the manager says that assignments changed, at most `seconds`; True if it said so."""
        stream = keys.wakeups(self._worker_id)
        if self._last_wakeup == "$":
            newest = cast("list[tuple[bytes, object]]", self._client.xrevrange(stream, count=1))
            self._last_wakeup = newest[0][0].decode() if newest else "0-0"
            return True  # what came before this first look is not known
        answer = self._client.xread({stream: self._last_wakeup}, count=16, block=max(1, round(seconds * 1000)))
        entries = _entries(answer)
        if not entries:
            return False
        self._last_wakeup = entries[-1]
        return True

    def publish_result(self, result: AnalysisResult, preview_jpeg: bytes | None) -> Written:
        """Publish one analysed frame."""
        camera_id = result.camera_id
        return Written(
            self._publish_result(
                [
                    keys.camera_epoch(camera_id),
                    keys.camera_result(camera_id),
                    keys.camera_preview(camera_id),
                    keys.camera_frames(camera_id),
                ],
                [
                    result.epoch,
                    result.model_dump_json(),
                    RESULT_LIFETIME_SECONDS,
                    preview_jpeg or b"",
                    PREVIEW_LIFETIME_SECONDS,
                    result.frame_path or "",
                    result.captured_at_ms,
                    self._frame_index_size,
                    keys.camera_channel(camera_id),
                    result.seq,
                ],
            )
        )

    def publish_status(self, status: CameraStatus) -> Written:
        """Say how one camera does."""
        return Written(
            self._publish_status(
                [keys.camera_epoch(status.camera_id), keys.camera_status(status.camera_id)],
                [status.epoch, status.model_dump_json(), STATUS_LIFETIME_SECONDS],
            )
        )


def _entries(answer: object) -> list[str]:
    """Return the entry ids of an XREAD of one stream; RESP3 answers with a mapping, RESP2 with a list."""
    if not answer:
        return []
    if isinstance(answer, dict):
        batches = next(iter(answer.values()))
        items = batches[0] if batches and isinstance(batches[0], list) else batches
    else:
        items = cast("list[tuple[bytes, list[tuple[bytes, object]]]]", answer)[0][1]
    return [item[0].decode() for item in items]
