"""A worker's side of Redis: reads its assignments, publishes what it sees; every write is fenced by epoch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, cast

import redis
from pydantic import ValidationError

from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraStatus
from contract.detections import AnalysisResult
from contract.events import Event
from contract.workers import WorkerStatus
from runtime.scripts import Script
from runtime.stream_reader import stream_entries

STATUS_LIFETIME_SECONDS: Final = 60
RESULT_LIFETIME_SECONDS: Final = 86_400
PREVIEW_LIFETIME_SECONDS: Final = 15


#: Answer of the scripts on a server that holds no plan although there was one.
_NO_PLAN: Final = 5


class NoPlanError(redis.RedisError):
    """The server has lost its data and the manager has not restored it yet: as good as away."""

    def __init__(self) -> None:
        super().__init__("it has lost its data, and the manager has not restored the plan yet")


class Written(IntEnum):
    """What became of a fenced write."""

    REFUSED = 0
    ACCEPTED = 1
    #: The camera is being handed over and the former worker's status stands.
    EARLY = 2
    #: It was accepted before; nothing was changed.
    REPEATED = 3
    #: An event: the server has lost one that it had accepted before it; nothing was changed.
    BEHIND = 4


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record on its way to Redis."""

    record: AnalysisResult | Event
    #: Of a result: the small picture for live views.
    preview_jpeg: bytes | None = None
    #: Of an event: the number of an older one of its camera and epoch that the server has accepted; 0: not known.
    after: int = 0


@dataclass(frozen=True, slots=True)
class Numbers:
    """The newest numbers of one camera's records under one epoch; 0 where there is none."""

    epoch: int = 0
    seq: int = 0
    event: int = 0

    def newest(self, other: "Numbers") -> "Numbers":
        """Return the larger ones; those of an older epoch do not count."""
        if self.epoch != other.epoch:
            return max(self, other, key=lambda numbers: numbers.epoch)
        return Numbers(self.epoch, max(self.seq, other.seq), max(self.event, other.event))


@dataclass(frozen=True, slots=True)
class Orders:
    """What Redis says a worker shall do."""

    #: The cameras it shall watch, by id; those that cannot be read are left out.
    assignments: dict[str, Assignment]
    #: Whether a manager has written its plan to this server; until then a missing assignment means nothing.
    is_planned: bool


class WorkerLink:
    """Typed access to the keys a worker uses. Every method raises what redis-py raises when Redis is away."""

    def __init__(
        self,
        client: redis.Redis,
        worker_id: str,
        *,
        frame_index_size: int,
        result_stream_size: int = 600,
        event_stream_size: int = 100_000,
    ) -> None:
        """Prepare a link; nothing is sent yet.

        Args:
            client: For this link alone.
            worker_id: Whose keys are meant.
            frame_index_size: Saved frames that are listed per camera.
            result_stream_size: Results that are kept per camera.
            event_stream_size: Events that are kept of all cameras.
        """
        self._client = client
        self._worker_id = worker_id
        self._frame_index_size = frame_index_size
        self._result_stream_size = result_stream_size
        self._event_stream_size = event_stream_size
        self._publish_result = Script(client, "publish_result")
        self._publish_event = Script(client, "publish_event")
        self._publish_status = Script(client, "publish_status")
        self._last_wakeup = "$"
        #: Whether a manager is known to keep a plan in Redis: then a server without one has lost its data, fences too,
        #: and nothing may be written until the manager has put them back. `NoPlanError` says so.
        self.expects_plan = False

    def announce(self) -> None:
        """Add this worker to those that the manager looks at."""
        self._client.sadd(keys.workers(), self._worker_id)

    def publish_worker(self, status: WorkerStatus) -> None:
        """Say how this worker does."""
        self._client.set(keys.worker_status(self._worker_id), status.model_dump_json(), ex=STATUS_LIFETIME_SECONDS)

    def withdraw_worker(self) -> None:
        """Take this worker's status back; done when it leaves in order."""
        self._client.delete(keys.worker_status(self._worker_id))

    def orders(self) -> Orders:
        """Return what this worker shall do, as it stands at one moment."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hgetall(keys.assignments(self._worker_id))
        pipe.exists(keys.plan_mark())
        found, marks = cast("tuple[dict[bytes, bytes], int]", pipe.execute())
        readable = {}
        for camera_id, text in found.items():
            try:
                readable[camera_id.decode()] = Assignment.model_validate_json(text)
            except ValidationError:
                # Written by a newer controller: the cameras that can be understood must not suffer for it.
                continue
        return Orders(readable, is_planned=bool(marks))

    def is_known(self) -> bool:
        """Tell whether Redis holds this worker's lease; without it, Redis may have lost its assignments too."""
        return bool(self._client.exists(keys.worker_lease(self._worker_id)))

    def drain_asked_by(self) -> str | None:
        """Return who has asked this worker to hand its cameras over and leave; None: nobody has."""
        text = cast("bytes | None", self._client.get(keys.worker_drain(self._worker_id)))
        return None if text is None else text.decode(errors="replace")

    def forget_drain(self) -> None:
        """Forget who asked: it was done, or was meant for a process before this one."""
        self._client.delete(keys.worker_drain(self._worker_id))

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
        entries = [name.decode() for name, _ in stream_entries(answer)]
        if not entries:
            return False
        self._last_wakeup = entries[-1]
        return True

    def ping(self) -> None:
        """Find out whether the server answers."""
        self._client.ping()

    def server_id(self) -> str:
        """Return what names the server's process: another one may have less data."""
        return str(self._client.info("server")["run_id"])

    def publish_result(self, result: AnalysisResult, preview_jpeg: bytes | None) -> Written:
        """Publish one analysed frame."""
        return self._published(Outgoing(result, preview_jpeg))

    def publish_event(self, event: Event, *, after: int = 0) -> Written:
        """Publish one event, unless the server has lost the one numbered `after`, which it had accepted."""
        return self._published(Outgoing(event, after=after))

    def _published(self, outgoing: Outgoing) -> Written:
        script, script_keys, arguments = self._call(outgoing)
        return _written(script(script_keys, arguments))

    def publish_all(self, outgoing: Sequence[Outgoing]) -> list[Written | redis.RedisError]:
        """Publish records in one exchange; return what became of each, in the same order.

        An error that the server gave for one record does not keep it from carrying out those behind it: the caller
        must not put a record behind an older one that it must not overtake.
        """
        pipe = self._client.pipeline(transaction=False)
        for each in outgoing:
            script, script_keys, arguments = self._call(each)
            script.queue(pipe, script_keys, arguments)
        answers = pipe.execute(raise_on_error=False)
        return [answer if isinstance(answer, redis.RedisError) else _answered(int(answer)) for answer in answers]

    def _call(self, outgoing: Outgoing) -> tuple[Script, list[str], list[Any]]:
        """Return the script that publishes a record, with its keys and arguments."""
        record = outgoing.record
        camera_id = record.camera_id
        if isinstance(record, Event):
            return (
                self._publish_event,
                [
                    keys.camera_epoch(camera_id),
                    keys.camera_event_cursor(camera_id),
                    keys.events(),
                    keys.plan_mark(),
                ],
                [
                    record.epoch,
                    record.number,
                    record.model_dump_json(),
                    self._event_stream_size,
                    outgoing.after,
                    int(self.expects_plan),
                ],
            )
        return (
            self._publish_result,
            [
                keys.camera_epoch(camera_id),
                keys.camera_result(camera_id),
                keys.camera_preview(camera_id),
                keys.camera_frames(camera_id),
                keys.camera_results(camera_id),
                keys.plan_mark(),
            ],
            [
                record.epoch,
                record.model_dump_json(),
                RESULT_LIFETIME_SECONDS,
                outgoing.preview_jpeg or b"",
                PREVIEW_LIFETIME_SECONDS,
                record.frame_path or "",
                record.captured_at_ms,
                self._frame_index_size,
                keys.camera_channel(camera_id),
                record.seq,
                self._result_stream_size,
                int(self.expects_plan),
            ],
        )

    def accepted_numbers(self, wanted: Iterable[Assignment]) -> dict[str, Numbers]:
        """Return the newest numbers that were accepted under the epochs of assignments, by camera id.

        A worker that takes up an epoch which a process before it has written for goes on after them: the same number
        would count as the same record.
        """
        assignments = list(wanted)
        pipe = self._client.pipeline(transaction=False)
        for each in assignments:
            pipe.xrevrange(keys.camera_results(each.camera_id), f"{each.epoch}-18446744073709551615", each.epoch, 1)
            pipe.hget(keys.camera_event_cursor(each.camera_id), str(each.epoch))
        answers = pipe.execute() if assignments else []
        found = {}
        for each, newest, event in zip(assignments, answers[::2], answers[1::2], strict=True):
            seq = int(newest[0][0].decode().partition("-")[2]) if newest else 0
            found[each.camera_id] = Numbers(each.epoch, seq, int(event or 0))
        return found

    def watched(self, camera_ids: Sequence[str]) -> set[str]:
        """Return those of the cameras whose previews somebody looks at now."""
        if not camera_ids:
            return set()
        marks = cast("list[bytes | None]", self._client.mget([keys.camera_watched(name) for name in camera_ids]))
        return {name for name, mark in zip(camera_ids, marks, strict=True) if mark is not None}

    def publish_statuses(self, statuses: Sequence[CameraStatus]) -> list[Written]:
        """Say how cameras do, in one exchange; return what became of each, in the same order.

        Raises:
            redis.RedisError: Redis is away, or did not take one of them.
        """
        pipe = self._client.pipeline(transaction=False)
        for status in statuses:
            self._publish_status.queue(
                pipe,
                [keys.camera_epoch(status.camera_id), keys.camera_status(status.camera_id)],
                [status.epoch, status.model_dump_json(), STATUS_LIFETIME_SECONDS],
            )
        return [Written(int(answer)) for answer in pipe.execute()] if statuses else []


def _answered(answer: int) -> Written | NoPlanError:
    return NoPlanError() if answer == _NO_PLAN else Written(answer)


def _written(answer: int) -> Written:
    found = _answered(answer)
    if isinstance(found, NoPlanError):
        raise found
    return found
