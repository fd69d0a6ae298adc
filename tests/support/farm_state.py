"""Puts a farm's state into a real Redis, registry and frames volume through the code that workers use."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
import redis
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from camera_ctrler.api.app import create_app
from camera_ctrler.api.services import Services, services_of
from camera_ctrler.registry import ORIGIN_EXTERNAL
from contract import keys
from contract.camera_specs import CameraCreate
from contract.cameras import CameraState, CameraStatus
from contract.detections import AnalysisResult, TrackedDetection
from contract.errors import StatusReason
from contract.events import Event, EventKind
from contract.frame_paths import frame_path
from contract.moves import Move, MoveReason
from contract.plan import PlanReport
from contract.recognition import RecognitionQueue, RecognitionRequest, RecognitionState
from contract.reid_workers import ReidWorkerStatus
from contract.workers import Holding, WorkerStatus
from database.recognitions import recognitions
from runtime.farm_reader import REPORT_LIFETIME_SECONDS
from runtime.frame_store import FrameStore
from runtime.settings import ControllerSettings
from runtime.worker_link import STATUS_LIFETIME_SECONDS, WorkerLink, Written
from tests.support.clips import picture
from tests.support.valkey_server import ValkeyServer

WORKER = "worker-1"


def now_ms() -> int:
    """Return Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def jpeg_of(number: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """Return frame `number` of the test clips as JPEG."""
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(picture(number, size)[..., ::-1]))
    assert done
    return data.tobytes()


PERSON = TrackedDetection(xyxy=(40, 40, 120, 200), confidence=0.87, class_id=0, class_name="person", track_id=12)


@dataclass
class FarmState:
    """Speaks for workers and manager."""

    client: redis.Redis
    store: FrameStore
    services: Services
    seq: dict[str, int] = field(default_factory=dict)

    def link(self, worker_id: str = WORKER) -> WorkerLink:
        """Return a worker's side of Redis."""
        return WorkerLink(self.client, worker_id, frame_index_size=100)

    def camera(self, camera_id: str, **fields: object) -> str:
        """Register a camera."""
        url = str(fields.pop("url", "rtsp://192.0.2.10/stream1"))
        self.services.registry.add(CameraCreate.model_validate({"id": camera_id, "url": url, **fields}))
        self.client.set(keys.camera_epoch(camera_id), 1)  # as the manager does when it gives the camera to a worker
        return camera_id

    def external_camera(self, camera_id: str) -> None:
        """Register a camera as the follower of the external table does."""
        spec = CameraCreate.model_validate({"id": camera_id, "url": "rtsp://192.0.2.10/stream1"})
        self.services.registry.add(spec, origin=ORIGIN_EXTERNAL)

    def worker(self, worker_id: str = WORKER, *camera_ids: str, lease_seconds: float = 60, **fields: object) -> None:
        """Let a worker hold its lease and say how it does; `fields` are those of its status."""
        link = self.link(worker_id)
        link.announce()
        self.client.set(keys.worker_lease(worker_id), "token", px=round(lease_seconds * 1000))
        status = WorkerStatus(
            worker_id=worker_id,
            host="host",
            pid=1,
            version="0.1.0",
            started_at_ms=now_ms(),
            updated_at_ms=now_ms(),
            device="cpu",
            detector="openvino",
            model="yolo11n",
            cores=2,
            max_cameras=64,
            holdings={name: Holding(epoch=1) for name in camera_ids},
            refused_writes=3,
        )
        link.publish_worker(status.model_copy(update=fields))

    def plan(
        self,
        unplaced: dict[str, StatusReason] | None = None,
        *,
        age_ms: int = 0,
        clock_behind_ms: int = 0,
        **fields: object,
    ) -> None:
        """Let a manager say what it did, so long ago and by a clock that is so far behind."""
        at_ms = now_ms() - age_ms - clock_behind_ms
        report = PlanReport(
            controller_id="controller-1",
            updated_at_ms=at_ms,
            leading_since_ms=at_ms,
            cameras=1,
            workers=1,
            unplaced=unplaced or {},
            moved_total=2,
        ).model_copy(update=fields)
        self.client.set(keys.plan_report(), report.model_dump_json(), px=REPORT_LIFETIME_SECONDS * 1000 - age_ms)

    def status(
        self,
        camera_id: str,
        state: CameraState = CameraState.ONLINE,
        reason: StatusReason | None = None,
        *,
        age_ms: int = 0,
        clock_behind_ms: int = 0,
    ) -> None:
        """Let the worker say how a camera does, so long ago and by a clock that is so far behind."""
        said_ms = now_ms() - age_ms - clock_behind_ms
        (written,) = self.link().publish_statuses(
            [
                CameraStatus(
                    camera_id=camera_id,
                    worker_id=WORKER,
                    epoch=1,
                    state=state,
                    reason=reason,
                    updated_at_ms=said_ms,
                    last_frame_at_ms=said_ms,
                    stream_fps=25.0,
                    analysed_fps=1.0,
                    width=320,
                    height=240,
                    codec="h264",
                    frames_analysed=10,
                    frames_dropped={"slow_detector": 4},
                )
            ]
        )
        assert written is Written.ACCEPTED
        self.client.pexpire(keys.camera_status(camera_id), STATUS_LIFETIME_SECONDS * 1000 - age_ms)

    def move(self, camera_id: str, reason: MoveReason, **fields: object) -> str:
        """Let the manager record a move; return its entry id."""
        move = Move(at_ms=now_ms(), camera_id=camera_id, reason=reason, to_worker=WORKER, epoch=2)
        recorded = self.client.xadd(keys.moves(), {"move": move.model_copy(update=fields).model_dump_json()})
        return cast("bytes", recorded).decode()

    def event(self, camera_id: str, number: int, kind: EventKind = EventKind.TRACK_STARTED, **fields: object) -> str:
        """Let a worker report an event; return its entry id."""
        event = Event(
            event_id=f"{camera_id}:1:{number}",
            kind=kind,
            camera_id=camera_id,
            epoch=1,
            number=number,
            worker_id=WORKER,
            at_ms=now_ms(),
        )
        assert self.link().publish_event(event.model_copy(update=fields)) is Written.ACCEPTED
        return cast("list[tuple[bytes, object]]", self.client.xrevrange(keys.events(), count=1))[0][0].decode()

    def reid_worker(self, worker_id: str = "reid-1", **fields: object) -> None:
        """Let a ReID worker live and say what it does."""
        values = {"worker_id": worker_id, "host": "h", "pid": 1, "version": "1", "started_at_ms": 1, "updated_at_ms": 1}
        status = ReidWorkerStatus.model_validate(values | fields)
        self.client.sadd(keys.reid_workers(), worker_id)
        self.client.set(keys.reid_worker_lease(worker_id), "token", ex=60)
        self.client.set(keys.reid_worker_status(worker_id), status.model_dump_json())

    def recognition(self, event_id: str, recogniser: str, state: RecognitionState, **fields: object) -> None:
        """Let a recogniser have been asked of an event."""
        camera_id = event_id.partition(":")[0]
        request = RecognitionRequest(
            event_id=event_id,
            recogniser=recogniser,
            kind=EventKind.TRACK_ENDED,
            at_ms=now_ms(),
            camera_id=camera_id,
            track=f"{camera_id}:1:1",
            started_at_ms=now_ms(),
            class_name="person",
            crops=[],
        )
        row = request.model_dump(include={"event_id", "recogniser", "at_ms", "camera_id", "track", "class_name"})
        row |= {"request": request.model_dump(mode="json"), "state": state, "queue": RecognitionQueue.DEFAULT}
        row |= {"attempts": 0, "left_out": 0, "due_at_ms": 0}
        with self.services.registry.engine.begin() as connection:
            connection.execute(insert(recognitions).values(row | fields))

    def numbered_result(self, camera_id: str, epoch: int, seq: int) -> AnalysisResult:
        """Let a worker publish a result under an epoch and a number of the test's choice, without a picture."""
        result = self.plain_result((PERSON,), (320, 240))
        result = result.model_copy(update={"camera_id": camera_id, "epoch": epoch, "seq": seq})
        assert self.link().publish_result(result, None) is Written.ACCEPTED
        return result

    def save(self, camera_id: str, at_ms: int, number: int = 0, size: tuple[int, int] = (320, 240)) -> str:
        """Save one frame to the volume only."""
        path = frame_path(camera_id, at_ms)
        self.store.save(path, jpeg_of(number, size))
        return path

    def result(
        self,
        camera_id: str,
        *,
        at_ms: int | None = None,
        detections: tuple[TrackedDetection, ...] = (PERSON,),
        saved: bool = True,
        size: tuple[int, int] = (320, 240),
        masks: str = "",
    ) -> AnalysisResult:
        """Analyse one frame: saved to the volume, result, preview and index to Redis."""
        at_ms = at_ms or now_ms()
        seq = self.seq[camera_id] = self.seq.get(camera_id, 0) + 1
        result = self.plain_result(detections, size).model_copy(
            update={
                "camera_id": camera_id,
                "seq": seq,
                "captured_at_ms": at_ms,
                "published_at_ms": at_ms + 5,
                "frame_path": self.save(camera_id, at_ms, seq, size) if saved else None,
                "masks": masks,
            }
        )
        assert self.link().publish_result(result, jpeg_of(seq, (160, 120))) is Written.ACCEPTED
        return result

    @staticmethod
    def plain_result(detections: tuple[TrackedDetection, ...], size: tuple[int, int]) -> AnalysisResult:
        """Return the analysis of a frame of camera ``lobby`` that nobody saved."""
        at_ms = now_ms()
        return AnalysisResult(
            camera_id="lobby",
            epoch=1,
            seq=1,
            worker_id=WORKER,
            captured_at_ms=at_ms,
            published_at_ms=at_ms,
            width=size[0],
            height=size[1],
            detections=list(detections),
        )

    def online(self, camera_id: str, **fields: object) -> AnalysisResult:
        """Register a camera that a worker watches and has analysed."""
        self.camera(camera_id, **fields)
        self.status(camera_id)
        return self.result(camera_id)


@pytest.fixture
def controller_settings(tmp_path: Path, valkey_server: ValkeyServer) -> ControllerSettings:
    """Settings of a controller with folders of its own."""
    return settings_for(tmp_path, valkey_server.url)


def settings_for(folder: Path, redis_url: str, **fields: object) -> ControllerSettings:
    """Return settings that take nothing from the environment that matters here."""
    values = {
        "redis_url": redis_url,
        "data_dir": folder / "data",
        "frames_dir": folder / "frames",
        "secret_key": Fernet.generate_key().decode(),
        # Who may what has tests of its own, which set it.
        "auth": False,
        **fields,
    }
    return ControllerSettings.model_validate(values)


@pytest.fixture
def app(controller_settings: ControllerSettings, redis_client: redis.Redis) -> Iterator[Flask]:
    """The API on an empty registry, an empty Redis and an empty volume."""
    assert redis_client.dbsize() == 0
    made = create_app(controller_settings)
    services_of(made).registry.migrate()
    yield made
    services_of(made).close()


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    """A client of the API."""
    return app.test_client()


@pytest.fixture
def farm_state(app: Flask, redis_client: redis.Redis) -> FarmState:
    """Puts state behind the API."""
    return FarmState(redis_client, services_of(app).store, services_of(app))
