"""Writes a plan to Redis, as operations that the server carries out only while their sender leads."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import redis

from contract import keys
from contract.assignments import Assignment
from contract.moves import Move
from contract.plan import PlanReport
from runtime.farm_reader import REPORT_LIFETIME_SECONDS
from runtime.scripts import Script

MOVES_KEPT: Final = 10_000
#: A controller that was not heard of for this long is forgotten.
FORGET_CONTROLLER_MS: Final = 60_000
#: Operations in one script call: some 20 ms of the server's time, so that leases are renewed in between.
CHUNK: Final = 500


class NotLeadingError(Exception):
    """Another manager leads; nothing of this plan's chunk was written."""


@dataclass
class Operations:
    """A list of changes to the plan in Redis; `runtime/lua/publish_plan.lua` describes each kind."""

    _items: list[tuple[list[str], list[Any]]] = field(default_factory=list)
    _wake: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._items) + len(self._wake)

    def assign(self, worker_id: str, assignment: Assignment, *, fence: bool) -> None:
        """Give a camera to a worker; with `fence`, writes of the former epoch are refused from now on."""
        camera_id = assignment.camera_id
        self._items.append(
            (
                [keys.assignments(worker_id), keys.camera_epoch(camera_id)],
                ["assign", camera_id, assignment.model_dump_json(), str(assignment.epoch), int(fence)],
            )
        )
        self._wake[worker_id] = "assign"

    def withdraw(self, worker_id: str, camera_id: str) -> None:
        """Take a camera from a worker."""
        self._items.append(([keys.assignments(worker_id)], ["withdraw", camera_id]))
        self._wake[worker_id] = "withdraw"

    def fence(self, camera_id: str, epoch: int) -> None:
        """Refuse writes for a camera of any epoch before `epoch`."""
        self._items.append(([keys.camera_epoch(camera_id)], ["fence", str(epoch)]))

    def forget_camera(self, camera_id: str) -> None:
        """Delete what Redis holds of a camera; its fence stays, so that late writes are refused."""
        of_camera = (keys.camera_status, keys.camera_result, keys.camera_preview, keys.camera_frames)
        for key in (*of_camera, keys.camera_results, keys.camera_event_cursor):
            self._items.append(([key(camera_id)], ["forget"]))

    def hide_camera(self, camera_id: str) -> None:
        """Delete the status of a camera that nobody watches any more."""
        self._items.append(([keys.camera_status(camera_id)], ["forget"]))

    def note(self, move: Move) -> None:
        """Add to the history of moves."""
        self._items.append(([keys.moves()], ["note", move.model_dump_json(), MOVES_KEPT]))

    def mark(self) -> None:
        """Say that what the server holds is a plan, so that one that lost its data is known by the lack of it.

        After what puts lost fences back: from the mark on workers write.
        """
        self._items.append(([keys.plan_mark()], ["mark"]))

    def dismiss_worker(self, worker_id: str) -> None:
        """Delete what Redis holds of a worker that is gone."""
        for key in (keys.assignments, keys.wakeups, keys.worker_status, keys.worker_drain):
            self._items.append(([key(worker_id)], ["forget"]))
        self._items.append(([keys.workers()], ["dismiss", worker_id]))
        self._wake.pop(worker_id, None)

    def wake_only(self, workers: Collection[str]) -> None:
        """Wake nobody else: a dead worker's stream of wake-ups would be made anew and stay for ever."""
        self._wake = {worker_id: why for worker_id, why in self._wake.items() if worker_id in workers}

    def chunks(self) -> Iterable[list[tuple[list[str], list[Any]]]]:
        """Yield the operations in order, in chunks; last, the workers whom they concern are woken."""
        wake = [([keys.wakeups(worker_id)], ["wake", why]) for worker_id, why in sorted(self._wake.items())]
        items = self._items + wake
        for start in range(0, len(items), CHUNK):
            yield items[start : start + CHUNK]


class PlanPublisher:
    """Writes plans under one manager's lease token."""

    def __init__(self, client: redis.Redis, token: str) -> None:
        self._client = client
        self._token = token
        self._script = Script(client, "publish_plan")

    def publish(self, operations: Operations) -> None:
        """Carry out `operations`.

        Raises:
            NotLeadingError: The lease is another's; what was not written yet is not written.
        """
        for chunk in operations.chunks():
            touched = [key for keys_of_one, _ in chunk for key in keys_of_one]
            arguments = [json.dumps(arguments) for _, arguments in chunk]
            if self._script([keys.controller_lease(), *touched], [self._token, *arguments]) < 0:
                raise NotLeadingError

    def check_lead(self) -> None:
        """Raise `NotLeadingError` unless the lease is this manager's."""
        if self._client.get(keys.controller_lease()) != self._token.encode():
            raise NotLeadingError

    def is_marked(self) -> bool:
        """Tell whether a plan was ever written to this server."""
        return bool(self._client.exists(keys.plan_mark()))

    def report(self, report: PlanReport) -> None:
        """Say what this manager did."""
        self._client.set(keys.plan_report(), report.model_dump_json(), ex=REPORT_LIFETIME_SECONDS)


def announce_controller(client: redis.Redis, controller_id: str, lease_seconds: float) -> tuple[int, list[str]]:
    """Say that a controller runs; return the server's Unix time in ms, and all controllers that said so lately.

    Raises what redis-py raises when Redis is away.
    """
    seconds, micros = client.time()
    now_ms = seconds * 1000 + micros // 1000
    pipe = client.pipeline(transaction=False)
    pipe.zadd(keys.controllers(), {controller_id: now_ms})
    pipe.zremrangebyscore(keys.controllers(), "-inf", now_ms - FORGET_CONTROLLER_MS)
    pipe.zrangebyscore(keys.controllers(), now_ms - round(lease_seconds * 1000), "+inf")
    return now_ms, sorted(name.decode() for name in pipe.execute()[-1])
