"""Writes down what Redis holds while the chaos goes on: results, events, assignments, statuses, the plan."""

import threading
import time
from collections.abc import Collection
from types import TracebackType
from typing import Any, Final, Self, cast

import redis

from contract import keys
from contract.detections import AnalysisResult
from contract.events import Event
from runtime.farm_reader import FarmReader
from tests.chaos.event_log import EventLog

#: Seconds between two looks at results: a result that stood for less than that is seen in its stream alone.
LOOK_SECONDS: Final = 0.025
#: Seconds between two looks at assignments and statuses.
STATE_SECONDS: Final = 0.25
WORKER_SECONDS: Final = 1.0


class Watch:
    """Looks at Redis on a thread and a connection of its own; goes on when Redis is away."""

    def __init__(self, client: redis.Redis, log: EventLog, cameras: Collection[str]) -> None:
        """Prepare; `cameras` may grow meanwhile, and is read with every look."""
        self._client = client
        self._reader = FarmReader(client)
        self._log = log
        self._cameras = cameras
        self._guard = threading.Lock()
        #: Stream -> id of the entry that was read last.
        self._read: dict[str, str] = {}
        self._newest: dict[str, tuple[int, int]] = {}
        self._assigned: set[tuple[str, str, int]] = set()
        self._statuses: dict[str, dict[str, Any]] = {}
        self._plan: dict[str, Any] = {}
        self._workers_at = self._state_at = 0.0
        #: Workers that held their leases and were not about to leave, at the last look.
        self.able: frozenset[str] = frozenset()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)

    def forget_positions(self) -> None:
        """Begin to read the streams from their beginning: the server that held them has lost them."""
        with self._guard:
            self._read.clear()
            self._newest.clear()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                with self._guard:
                    self._look()
            except redis.RedisError:  # away, which the log says already
                self._stop.wait(0.1)

    def _look(self) -> None:
        cameras = sorted(self._cameras)
        if cameras:
            for camera_id, result in self._reader.results(cameras).items():
                self._note_newest(camera_id, result)
            self._read_streams(cameras)
        now = time.monotonic()
        if now - self._state_at >= STATE_SECONDS:
            self._state_at = now
            self._note_state(cameras)
        if now - self._workers_at >= WORKER_SECONDS:
            self._workers_at = now
            self._note_workers()

    def _note_newest(self, camera_id: str, result: AnalysisResult) -> None:
        if self._newest.get(camera_id) != (result.epoch, result.seq):
            self._newest[camera_id] = (result.epoch, result.seq)
            self._log.write("newest", **_fields_of(result))

    def _read_streams(self, cameras: list[str]) -> None:
        streams = [keys.events(), *(keys.camera_results(camera_id) for camera_id in cameras)]
        pipe = self._client.pipeline(transaction=False)
        for stream in streams:
            pipe.xrange(stream, f"({self._read.get(stream, '0-0')}", count=1_000)
        answers = cast("list[list[tuple[bytes, dict[bytes, bytes]]]]", pipe.execute())
        for stream, entries in zip(streams, answers, strict=True):
            for entry_id, fields in entries:
                self._read[stream] = entry_id.decode()
                if b"result" in fields:
                    self._log.write("result", **_fields_of(AnalysisResult.model_validate_json(fields[b"result"])))
                else:
                    event = Event.model_validate_json(fields[b"event"])
                    self._log.write(
                        "event",
                        event_id=event.event_id,
                        kind=event.kind,
                        camera=event.camera_id,
                        epoch=event.epoch,
                        number=event.number,
                        worker=event.worker_id,
                    )

    def _note_state(self, cameras: list[str]) -> None:
        for worker_id, held in self._reader.assignments([view.worker_id for view in self._reader.workers()]).items():
            for camera_id, assignment in held.items():
                if (camera_id, worker_id, assignment.epoch) not in self._assigned:
                    self._assigned.add((camera_id, worker_id, assignment.epoch))
                    self._log.write("assigned", camera=camera_id, worker=worker_id, epoch=assignment.epoch)
        for camera_id, heard in self._reader.heard_statuses(cameras).items():
            status = heard.message
            said = {
                "worker": status.worker_id,
                "epoch": status.epoch,
                "state": status.state,
                "reason": status.reason,
                "dropped": status.frames_dropped,
            }
            if self._statuses.get(camera_id) != said:
                self._statuses[camera_id] = said
                self._log.write("status", camera=camera_id, **said)
        self._note_plan()

    def _note_plan(self) -> None:
        heard = self._reader.heard_plan()
        report = heard.message if heard is not None else None
        said = (
            {}
            if report is None
            else {
                "controller": report.controller_id,
                "unplaced": report.unplaced,
                "handing_over": report.handing_over,
                "moved_total": report.moved_total,
                "refused_plans": report.refused_plans,
            }
        )
        if said != self._plan:
            self._plan = said
            self._log.write("plan", **said)

    def _note_workers(self) -> None:
        views = self._reader.workers()
        self.able = frozenset(
            view.worker_id for view in views if view.alive and view.status and not view.status.draining
        )
        for view in views:
            status = view.status
            fields: dict[str, object] = (
                {}
                if status is None
                else {
                    "cameras": len(status.holdings),
                    "draining": status.draining,
                    "refused": status.refused_writes,
                    "dropped": status.frames_dropped,
                    "spooled": status.spool_records,
                    "lost": status.spool_lost,
                }
            )
            self._log.write("worker", worker=view.worker_id, alive=view.alive, **fields)


def _fields_of(result: AnalysisResult) -> dict[str, object]:
    return {
        "camera": result.camera_id,
        "epoch": result.epoch,
        "seq": result.seq,
        "worker": result.worker_id,
        "captured_at_ms": result.captured_at_ms,
    }
