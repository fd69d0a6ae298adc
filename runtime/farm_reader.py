"""Reads the farm's state from Redis for the API, the manager and the command line. Changes nothing."""

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

import redis
from pydantic import BaseModel, ValidationError

from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraStatus
from contract.detections import AnalysisResult
from contract.plan import PlanReport
from contract.workers import WorkerStatus
from runtime.worker_link import STATUS_LIFETIME_SECONDS

#: Seconds that a manager's report is kept; it is renewed with every step.
REPORT_LIFETIME_SECONDS: Final = 60

Message = TypeVar("Message", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker as Redis shows it."""

    worker_id: str
    #: Whether its lease is held.
    alive: bool
    #: Milliseconds until its lease runs out unless it is renewed; 0 when it has.
    lease_ms: int
    status: WorkerStatus | None


@dataclass(frozen=True, slots=True)
class Heard(Generic[Message]):
    """A message with its age."""

    message: Message
    #: Milliseconds since it was written, by the clock of Redis alone: from the time its key has left to live. The
    #: writer's clock may be wrong by more than what makes a message too old to be believed.
    age_ms: int


@dataclass(frozen=True, slots=True)
class Preview:
    """One small picture with the result that belongs to it."""

    jpeg: bytes
    result: AnalysisResult


class FarmReader:
    """Typed reads. Every method raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def workers(self) -> list[WorkerView]:
        """Return every worker that has announced itself and was not yet dismissed, by id."""
        names = sorted(name.decode() for name in cast("set[bytes]", self._client.smembers(keys.workers())))
        pipe = self._client.pipeline(transaction=False)
        for name in names:
            pipe.pttl(keys.worker_lease(name))
            pipe.get(keys.worker_status(name))
        answers = pipe.execute()
        return [
            WorkerView(name, alive=ttl > 0, lease_ms=max(ttl, 0), status=_read(WorkerStatus, text))
            for name, ttl, text in zip(names, answers[::2], answers[1::2], strict=True)
        ]

    def assignments(self, worker_ids: list[str]) -> dict[str, dict[str, Assignment]]:
        """Return worker id -> camera id -> assignment."""
        pipe = self._client.pipeline(transaction=False)
        for worker_id in worker_ids:
            pipe.hgetall(keys.assignments(worker_id))
        answers = cast("list[dict[bytes, bytes]]", pipe.execute())
        found: dict[str, dict[str, Assignment]] = {}
        for worker_id, answer in zip(worker_ids, answers, strict=True):
            read = {name.decode(): _read(Assignment, text) for name, text in answer.items()}
            found[worker_id] = {name: assignment for name, assignment in read.items() if assignment is not None}
        return found

    def camera_epochs(self, camera_ids: list[str]) -> dict[str, int]:
        """Return the fence of each camera; 0 where there is none."""
        if not camera_ids:
            return {}
        values = cast("list[bytes | None]", self._client.mget([keys.camera_epoch(name) for name in camera_ids]))
        return {name: int(value or 0) for name, value in zip(camera_ids, values, strict=True)}

    def camera_statuses(self, camera_ids: list[str]) -> dict[str, CameraStatus]:
        """Return what workers say of the cameras; one that nobody says anything of is left out."""
        return self._many(CameraStatus, camera_ids, keys.camera_status)

    def heard_statuses(self, camera_ids: list[str]) -> dict[str, Heard[CameraStatus]]:
        """Return what workers say of the cameras, and how long ago; as `camera_statuses` otherwise."""
        found = self._heard(CameraStatus, [keys.camera_status(name) for name in camera_ids], STATUS_LIFETIME_SECONDS)
        return {name: heard for name, heard in zip(camera_ids, found, strict=True) if heard is not None}

    def results(self, camera_ids: list[str]) -> dict[str, AnalysisResult]:
        """Return the newest result of each camera that has one."""
        return self._many(AnalysisResult, camera_ids, keys.camera_result)

    def preview(self, camera_id: str) -> Preview | None:
        """Return the newest preview, or None when there is none or it is too old."""
        jpeg, text = cast("list[bytes | None]", self._client.hmget(keys.camera_preview(camera_id), ["jpeg", "result"]))
        result = _read(AnalysisResult, text)
        return Preview(jpeg, result) if jpeg and result else None

    def indexed_frames(self, camera_id: str, from_ms: int, to_ms: int) -> list[str]:
        """Return paths of the newest saved frames with ``from_ms <= captured_at_ms < to_ms``, in time order."""
        found = self._client.zrangebyscore(keys.camera_frames(camera_id), from_ms, f"({to_ms}")
        return [path.decode() for path in cast("list[bytes]", found)]

    def plan_report(self) -> PlanReport | None:
        """Return what the leading manager did last, or None when none leads."""
        return _read(PlanReport, cast("bytes | None", self._client.get(keys.plan_report())))

    def heard_plan(self) -> Heard[PlanReport] | None:
        """Return what a manager said last, and how long ago."""
        return self._heard(PlanReport, [keys.plan_report()], REPORT_LIFETIME_SECONDS)[0]

    def _heard(self, kind: type[Message], names: list[str], lifetime_seconds: int) -> list[Heard[Message] | None]:
        """Return the messages in the order of `names`, keys that live for `lifetime_seconds` from being written."""
        if not names:
            return []
        pipe = self._client.pipeline(transaction=False)
        pipe.mget(names)
        for name in names:
            pipe.pttl(name)
        texts, *lives = pipe.execute()
        messages = (_read(kind, text) for text in texts)
        return [
            # A key that never ends, or ended between the two reads, is as old as can be: nobody renews it.
            None if message is None else Heard(message, max(0, lifetime_seconds * 1000 - max(0, life_ms)))
            for message, life_ms in zip(messages, lives, strict=True)
        ]

    def _many(self, kind: type[Message], camera_ids: list[str], key: Any) -> dict[str, Message]:
        if not camera_ids:
            return {}
        texts = cast("list[bytes | None]", self._client.mget([key(name) for name in camera_ids]))
        read = ((name, _read(kind, text)) for name, text in zip(camera_ids, texts, strict=True))
        return {name: message for name, message in read if message is not None}


def _read(kind: type[Message], text: bytes | None) -> Message | None:
    if text is None:
        return None
    try:
        return kind.model_validate_json(text)
    except ValidationError:  # written by another version: as good as not written
        return None
