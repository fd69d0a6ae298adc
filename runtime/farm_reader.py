"""Reads the farm's state from Redis for the API, the manager and the command line; leaves nothing but a mark there."""

from dataclasses import dataclass
from typing import Any, Final, Generic, cast

import redis

from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraStatus
from contract.detections import AnalysisResult
from contract.footage_report import FootageReport
from contract.plan import PlanReport
from contract.workers import WorkerStatus
from runtime.event_feed import EventFeed
from runtime.footage_reports import read_report
from runtime.messages import Message, ParsedMessages, read_message
from runtime.reid_reader import ReidReader
from runtime.stream_reader import RecentMoves, StreamReader
from runtime.worker_link import STATUS_LIFETIME_SECONDS

#: Seconds that a manager's report is kept; it is renewed with every step.
REPORT_LIFETIME_SECONDS: Final = 60
#: Seconds for which a look at a preview keeps previews coming with every result.
WATCHED_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker as Redis shows it."""

    worker_id: str
    #: Whether its lease is held.
    alive: bool
    #: Milliseconds until its lease runs out unless it is renewed; 0 when it has, or when ages were not asked for.
    lease_ms: int
    status: WorkerStatus | None
    #: Milliseconds since it said how it does, by the clock of Redis; 0 when ages were not asked for.
    status_age_ms: int = 0
    #: Whether somebody asked it to hand its cameras over and leave; False when ages were not asked for.
    drain_asked: bool = False


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
        self.streams: Final = StreamReader(client)
        self.events: Final = EventFeed(client)
        self.reid: Final = ReidReader(client)
        self.recent_moves: Final = RecentMoves(client)
        self._worker_statuses = ParsedMessages(WorkerStatus)
        self._assignments = ParsedMessages(Assignment)

    def workers(self, *, with_ages: bool = True) -> list[WorkerView]:
        """Return every worker that has announced itself and was not yet dismissed, by id.

        Args:
            with_ages: Ask also what is left of leases and statuses, and who was asked to leave: two commands more for
                each worker. A manager that looks at hundreds of workers several times a second does not.
        """
        names = sorted(name.decode() for name in cast("set[bytes]", self._client.smembers(keys.workers())))
        if not names:
            return []
        pipe = self._client.pipeline(transaction=False)
        pipe.mget([keys.worker_lease(name) for name in names])
        pipe.mget([keys.worker_status(name) for name in names])
        if with_ages:
            pipe.mget([keys.worker_drain(name) for name in names])
            for name in names:
                pipe.pttl(keys.worker_lease(name))
                pipe.pttl(keys.worker_status(name))
        leases, texts, *ages = pipe.execute()
        drains, *lives = ages or [[None] * len(names), *[0] * (2 * len(names))]
        self._worker_statuses.keep_only(set(names))
        return [
            WorkerView(
                name,
                alive=lease is not None,
                lease_ms=max(lease_life, 0),
                status=self._worker_statuses.read(name, text),
                status_age_ms=_age_ms(status_life, STATUS_LIFETIME_SECONDS) if with_ages else 0,
                drain_asked=drain is not None,
            )
            for name, lease, text, drain, lease_life, status_life in zip(
                names, leases, texts, drains, lives[::2], lives[1::2], strict=True
            )
        ]

    def controllers(self, *, within_seconds: float) -> list[str]:
        """Return ids of the controllers that were heard within that time, by the clock of Redis."""
        seconds, micros = self._client.time()
        since_ms = seconds * 1000 + micros // 1000 - round(within_seconds * 1000)
        found = cast("list[bytes]", self._client.zrangebyscore(keys.controllers(), since_ms, "+inf"))
        return sorted(name.decode() for name in found)

    def assignments(self, worker_ids: list[str]) -> dict[str, dict[str, Assignment]]:
        """Return worker id -> camera id -> assignment."""
        pipe = self._client.pipeline(transaction=False)
        for worker_id in worker_ids:
            pipe.hgetall(keys.assignments(worker_id))
        answers = cast("list[dict[bytes, bytes]]", pipe.execute())
        found: dict[str, dict[str, Assignment]] = {}
        seen: set[str] = set()
        for worker_id, answer in zip(worker_ids, answers, strict=True):
            here = found[worker_id] = {}
            for field, text in answer.items():
                camera_id = field.decode()
                place = f"{worker_id} {camera_id}"
                seen.add(place)
                assignment = self._assignments.read(place, text)
                if assignment is not None:
                    here[camera_id] = assignment
        self._assignments.keep_only(seen)
        return found

    def camera_epochs(self, camera_ids: list[str]) -> dict[str, int]:
        """Return the fence of each camera; 0 where there is none."""
        if not camera_ids:
            return {}
        values = cast("list[bytes | None]", self._client.mget([keys.camera_epoch(name) for name in camera_ids]))
        return {name: int(value or 0) for name, value in zip(camera_ids, values, strict=True)}

    def heard_statuses(self, camera_ids: list[str]) -> dict[str, Heard[CameraStatus]]:
        """Return what workers say of the cameras, and how long ago; one of which nobody says anything is left out."""
        found = self._heard(CameraStatus, [keys.camera_status(name) for name in camera_ids], STATUS_LIFETIME_SECONDS)
        return {name: heard for name, heard in zip(camera_ids, found, strict=True) if heard is not None}

    def results(self, camera_ids: list[str]) -> dict[str, AnalysisResult]:
        """Return the newest result of each camera that has one."""
        return self._many(AnalysisResult, camera_ids, keys.camera_result)

    def preview(self, camera_id: str) -> Preview | None:
        """Return the newest preview, or None when there is none or it is too old; its worker hears of the look."""
        pipe = self._client.pipeline(transaction=False)
        pipe.hmget(keys.camera_preview(camera_id), ["jpeg", "result"])
        pipe.set(keys.camera_watched(camera_id), "1", ex=WATCHED_SECONDS)
        # A server that takes no more data still shows what it has.
        found, _ = pipe.execute(raise_on_error=False)
        if isinstance(found, redis.RedisError):
            raise found
        jpeg, text = cast("list[bytes | None]", found)
        result = read_message(AnalysisResult, text)
        return Preview(jpeg, result) if jpeg and result else None

    def indexed_frames(self, camera_id: str, from_ms: int, to_ms: int) -> list[str]:
        """Return paths of the newest saved frames with ``from_ms <= captured_at_ms < to_ms``, in time order."""
        found = self._client.zrangebyscore(keys.camera_frames(camera_id), from_ms, f"({to_ms}")
        return [path.decode() for path in cast("list[bytes]", found)]

    def heard_plan(self) -> Heard[PlanReport] | None:
        """Return what a manager said last, and how long ago."""
        return self._heard(PlanReport, [keys.plan_report()], REPORT_LIFETIME_SECONDS)[0]

    def footage_report(self) -> FootageReport | None:
        """Return what the leading manager said last of the volumes of footage; None: nothing lately."""
        return read_report(self._client)

    def _heard(self, kind: type[Message], names: list[str], lifetime_seconds: int) -> list[Heard[Message] | None]:
        """Return the messages in the order of `names`, keys that live for `lifetime_seconds` from being written."""
        if not names:
            return []
        pipe = self._client.pipeline(transaction=False)
        pipe.mget(names)
        for name in names:
            pipe.pttl(name)
        texts, *lives = pipe.execute()
        messages = (read_message(kind, text) for text in texts)
        return [
            None if message is None else Heard(message, _age_ms(life_ms, lifetime_seconds))
            for message, life_ms in zip(messages, lives, strict=True)
        ]

    def _many(self, kind: type[Message], camera_ids: list[str], key: Any) -> dict[str, Message]:
        if not camera_ids:
            return {}
        texts = cast("list[bytes | None]", self._client.mget([key(name) for name in camera_ids]))
        read = ((name, read_message(kind, text)) for name, text in zip(camera_ids, texts, strict=True))
        return {name: message for name, message in read if message is not None}


def _age_ms(life_ms: int, lifetime_seconds: int) -> int:
    """Return how long ago a key was written that lives `lifetime_seconds` and has `life_ms` left."""
    # A key that never ends, or ended between two reads, is as old as can be: nobody renews it.
    return max(0, lifetime_seconds * 1000 - max(0, life_ms))
