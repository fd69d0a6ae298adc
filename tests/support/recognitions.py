"""ReID workers on real queues and databases: recognisers that do what a test says, crops, and who runs them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import redis
from sqlalchemy import Connection, Engine, delete, insert, select

from contract import keys
from contract.crops import Crop
from contract.events import Event, EventKind
from contract.recognition import RecognitionState
from database.recognitions import recognition_notes, recognitions
from reid.crop_files import CropFiles
from reid.errors import UnusableCropsError
from reid.queue.answering import AnsweringRows
from reid.queue.asking import AskingRows
from reid.queue.dispatcher import CHECK_SECONDS, RESTLESS_SECONDS, Dispatcher, Limits
from reid.queue.jobs import RecognitionQueues
from reid.queue.recognising import Recognising
from reid.queue.worker import BatchLimits, BatchWorker, Holder
from reid.recognisers.recogniser import Answered, LoadedRequest, Recognition
from runtime.clock import SystemClock
from runtime.lease import Lease
from tests.support.clocks import SetClock
from tests.support.event_stores import EIGHT_MS, track_event
from tests.support.segment_index import engine_of

LEASE_SECONDS = 60.0


@dataclass
class ToldRecogniser:
    """Says how many crops it was given; fails where it is told to."""

    name: str = "counting"
    version: str = "1"
    #: Event id -> what it does to the recogniser.
    breaks: dict[str, Exception] = field(default_factory=dict)
    unkeepable: set[str] = field(default_factory=set)
    #: Event ids of each call, in their order.
    calls: list[list[str]] = field(default_factory=list)
    kept: Counter[str] = field(default_factory=Counter)

    def wants(self, event: Event) -> bool:
        """Want whatever has crops."""
        return event.kind is not EventKind.TRACK_STARTED

    def recognise(self, requests: Sequence[LoadedRequest]) -> list[Recognition]:
        """Count crops."""
        self.calls.append([loaded.request.event_id for loaded in requests])
        for loaded in requests:
            if loaded.request.event_id in self.breaks:
                raise self.breaks[loaded.request.event_id]
        return [Recognition({"crops": len(loaded.images)}) for loaded in requests]

    def keep(self, _connection: Connection, answered: Sequence[Answered]) -> None:
        """Count how often something was to be kept."""
        if self.unkeepable & {each.request.event_id for each in answered}:
            raise ValueError("no room for it")
        self.kept.update(each.request.event_id for each in answered)


class Unusable:
    """Breaks a recogniser for one event's crops."""

    def __init__(self, event_id: str) -> None:
        self.error = UnusableCropsError(event_id, "nobody is in them")


def seen_event(number: int, crops: Sequence[Crop], **fields: object) -> Event:
    """Return the end of a person's track that has crops."""
    return track_event(number, **({"kind": EventKind.TRACK_ENDED, "crops": list(crops)} | fields))


def picture(colour: tuple[int, int, int] = (40, 90, 200), size: tuple[int, int] = (24, 48)) -> np.ndarray[Any, Any]:
    """Return a picture of one colour (blue, green, red); `size` is width and height."""
    return np.full((size[1], size[0], 3), colour, np.uint8)


@dataclass
class RecognitionFarm:
    """One database, one server, a volume; dispatchers and ReID workers without their threads."""

    engine: Engine
    client: redis.Redis
    volume: Path
    recogniser: ToldRecogniser = field(default_factory=ToldRecogniser)
    clock: SetClock = field(default_factory=lambda: SetClock(EIGHT_MS))
    bound: int = 100
    batch: int = 8
    retries: int = 2

    def __post_init__(self) -> None:
        self.queues = RecognitionQueues(self.client, 60)

    def save_crop(self, path: str, content: bytes | None = None) -> Crop:
        """Put a crop on the volume, or `content` in its place."""
        if content is None:
            content = bytes(cv2.imencode(".jpg", picture())[1])
        file = self.volume / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return Crop(
            path=path,
            captured_at_ms=EIGHT_MS,
            xyxy=(0.0, 0.0, 24.0, 48.0),
            width=24,
            height=48,
            confidence=0.9,
            quality=0.8,
        )

    def happen(self, *events: Event) -> None:
        """Leave notes of events, as event writers do."""
        rows = [{"event_id": e.event_id, "at_ms": e.at_ms, "event": e.model_dump(mode="json")} for e in events]
        with self.engine.begin() as connection:
            connection.execute(insert(recognition_notes), rows)

    def happen_with_crops(self, numbers: Sequence[int], crops: int = 2, **fields: object) -> None:
        """Leave notes of events whose crops are there."""
        saved = [self.save_crop(f"lobby/crops/20261121/08/{index}.jpg") for index in range(crops)]
        self.happen(*(seen_event(number, saved, **fields) for number in numbers))

    def dispatcher(self, **fields: object) -> Dispatcher:
        """Return a dispatcher that looks at dead workers at once."""
        limits = Limits(int(str(fields.get("bound", self.bound))), self.retries)
        wants = {self.recogniser.name: self.recogniser.wants}
        made = Dispatcher(
            self.client,
            RecognitionQueues(self.client, 60),
            AskingRows(self.engine),
            wants,
            limits,
            self.clock,
            lambda: 0.0,
        )
        self.clock.advance(RESTLESS_SECONDS)
        return made

    def worker(self, name: str = "reid-1", recogniser: ToldRecogniser | None = None) -> BatchWorker:
        """Return a ReID worker that holds a lease."""
        lease = Lease(self.client, keys.reid_worker_lease(name), LEASE_SECONDS)
        assert lease.take()
        used = recogniser or self.recogniser
        recognising = Recognising({used.name: used}, CropFiles(self.volume), nullcontext, SystemClock())
        return BatchWorker(
            Holder(name, lease.token),
            RecognitionQueues(self.client, 60),
            AnsweringRows(self.engine),
            recognising,
            {used.name: used.keep},
            BatchLimits(self.batch, self.retries),
            self.clock,
            lambda: 0.0,
        )

    def kill(self, name: str) -> None:
        """Let a ReID worker's lease be gone, as when it was killed a while ago."""
        self.client.delete(keys.reid_worker_lease(name))

    def settle(self, dispatcher: Dispatcher, *workers: BatchWorker) -> None:
        """Step until nothing is to be done."""
        for _ in range(500):
            busy = dispatcher.step()
            for worker in workers:
                busy = worker.step() or busy
            if not busy:
                return
        raise AssertionError("it is never done")

    def let_checks_come(self) -> None:
        """Let the time pass after which a dispatcher looks for what is missing."""
        self.clock.advance(CHECK_SECONDS + 1)

    def rows(self) -> dict[str, Any]:
        """Return all recognitions by event id."""
        with self.engine.connect() as connection:
            return {row.event_id: row for row in connection.execute(select(recognitions))}

    def states(self) -> Counter[str]:
        """Return how many recognitions are in each state."""
        return Counter(row.state for row in self.rows().values())

    def done(self) -> int:
        """Return how many are done."""
        return self.states()[RecognitionState.DONE]

    def notes(self) -> int:
        """Return how many notes are left."""
        with self.engine.connect() as connection:
            return len(connection.execute(select(recognition_notes.c.number)).all())


def empty(engine: Engine) -> None:
    """Forget all recognitions."""
    with engine.begin() as connection:
        for table in (recognition_notes, recognitions):
            connection.execute(delete(table))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def recognition_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine of each kind, for all tests of a file."""
    with engine_of(request, tmp_path_factory.mktemp("recognitions"), f"rec_{request.node.path.stem}") as engine:
        yield engine


@pytest.fixture
def recognition_farm(recognition_engine: Engine, redis_client: redis.Redis, tmp_path: Path) -> RecognitionFarm:
    """A farm on each kind of database, and an empty server."""
    empty(recognition_engine)
    return RecognitionFarm(recognition_engine, redis_client, tmp_path)
