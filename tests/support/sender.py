"""A real publisher with cameras that make results and events on demand."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import redis

from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraState
from contract.detections import AnalysisResult
from contract.events import Event, EventKind
from runtime.clock import SystemClock
from runtime.redis_client import connect
from runtime.settings import CommonSettings
from runtime.spool import NewRecord, Spool
from runtime.worker_link import WorkerLink
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer
from workers.camera_run import CameraRun, Tally
from workers.capture.state import CaptureState
from workers.frames import Detections, Frame
from workers.pictures import BgrPicture
from workers.publisher import Publisher
from workers.stage_meter import StageMeter

CLOCK = SystemClock()
ROOM = 1_000_000
EVENT = Event(event_id="c:1:1", kind=EventKind.CAMERA_ONLINE, camera_id="c", epoch=1, number=1, worker_id="w", at_ms=1)


class Sender:
    """A publisher with cameras that make results on demand."""

    def __init__(self, client: redis.Redis, folder: Path, *, worker_id: str = "w", room: int = ROOM) -> None:
        self.refused: list[tuple[str, int]] = []
        self.runs: dict[str, CameraRun] = {}
        self.tally = Tally()
        self.spool = Spool.own(folder, worker_id, room, CLOCK)
        link = WorkerLink(client, worker_id, frame_index_size=10, result_stream_size=100_000)
        self.publisher = Publisher(link, self.spool, CLOCK, self._refused, StageMeter(CLOCK))
        self._worker_id = worker_id

    def _refused(self, camera_id: str, epoch: int) -> None:
        self.refused.append((camera_id, epoch))
        self.runs[camera_id].refused(epoch)

    def watch(self, camera_id: str = "c", epoch: int = 1) -> CameraRun:
        """Begin with a camera."""
        assignment = Assignment(camera_id=camera_id, url="rtsp://h/x", epoch=epoch)
        self.runs[camera_id] = CameraRun(assignment, self._worker_id, CLOCK, tally=self.tally)
        return self.runs[camera_id]

    def send(self, count: int = 1, camera_id: str = "c", preview: bytes = b"jpeg") -> None:
        """Leave results of frames that arrived now."""
        run = self.runs[camera_id]
        for _ in range(count):
            frame = Frame(
                camera_id, run.epoch, CLOCK.now_ms(), CLOCK.monotonic(), BgrPicture(np.zeros((2, 2, 3), np.uint8))
            )
            result = run.result(frame, Detections(), {})
            assert result is not None
            self.publisher.put_result(run, result, frame.captured_monotonic, preview)

    def tell(self, online: bool, camera_id: str = "c") -> None:
        """Leave the event that a camera came or went."""
        run = self.runs[camera_id]
        state = CaptureState(CameraState.ONLINE if online else CameraState.OFFLINE)
        run.tell(
            lambda events: events.accepted(run.epoch) + events.capture_changed(state, 1),
            lambda event: self.publisher.put_event(run, event),
        )

    def until_done(self, count: int) -> None:
        """Wait until so many frames are accounted for."""
        wait_until(lambda: sum((self.tally.totals.analysed, self.tally.totals.dropped)) >= count, f"{count} frames", 30)

    def until_delivered(self) -> None:
        """Wait until nothing lies on disk."""
        wait_until(lambda: self.publisher.waiting[0] == 0, "the spool is delivered", 30)


def stream_of(client: redis.Redis, camera_id: str = "c") -> list[str]:
    """Return the ids of a camera's results."""
    found = cast("list[tuple[bytes, object]]", client.xrange(keys.camera_results(camera_id)))
    return [entry_id.decode() for entry_id, _ in found]


def events_of(client: redis.Redis) -> list[str]:
    """Return the ids of all events."""
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.events()))
    return [Event.model_validate_json(fields[b"event"]).event_id for _, fields in found]


def ids(count: int, epoch: int = 1) -> list[str]:
    """Return the ids of the first results of an epoch."""
    return [f"{epoch}-{seq}" for seq in range(1, count + 1)]


def spooled_result(camera_id: str, epoch: int, seq: int) -> NewRecord:
    """Make a result as it lies on disk."""
    result = AnalysisResult(
        camera_id=camera_id,
        epoch=epoch,
        seq=seq,
        worker_id="x",
        captured_at_ms=seq,
        published_at_ms=0,
        width=2,
        height=2,
    )
    return NewRecord("result", camera_id, epoch, seq, result.model_dump_json())


@pytest.fixture
def quick_client(own_valkey: ValkeyServer) -> Iterator[redis.Redis]:
    """A data client with a short time-out, of a server that may be stopped."""
    with connect(CommonSettings(redis_url=own_valkey.url), name="t", timeout_seconds=0.3) as made:
        yield made


Start = Callable[..., Sender]


@pytest.fixture
def start_sender(tmp_path: Path) -> Iterator[Start]:
    """Start senders whose publishers are closed in the end."""
    made: list[Sender] = []

    def begin(client: redis.Redis, **options: object) -> Sender:
        made.append(Sender(client, tmp_path / "spool", **options))  # type: ignore[arg-type]
        return made[-1]

    yield begin
    for sender in made:
        sender.publisher.close(1)
