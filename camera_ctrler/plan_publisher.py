"""Writes a plan to Redis, as operations that the server carries out only while their sender leads."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import redis

from contract import keys
from contract.assignments import Assignment
from contract.plan import PlanReport
from runtime.farm_reader import REPORT_LIFETIME_SECONDS
from runtime.scripts import Script

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
        for key in (keys.camera_status, keys.camera_result, keys.camera_preview, keys.camera_frames):
            self._items.append(([key(camera_id)], ["forget"]))

    def hide_camera(self, camera_id: str) -> None:
        """Delete the status of a camera that nobody watches any more."""
        self._items.append(([keys.camera_status(camera_id)], ["forget"]))

    def dismiss_worker(self, worker_id: str) -> None:
        """Delete what Redis holds of a worker that is gone."""
        for key in (keys.assignments(worker_id), keys.wakeups(worker_id), keys.worker_status(worker_id)):
            self._items.append(([key], ["forget"]))
        self._items.append(([keys.workers()], ["dismiss", worker_id]))
        self._wake.pop(worker_id, None)

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

    def report(self, report: PlanReport) -> None:
        """Say what this manager did."""
        self._client.set(keys.plan_report(), report.model_dump_json(), ex=REPORT_LIFETIME_SECONDS)
