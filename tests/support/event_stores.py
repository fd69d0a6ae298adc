"""Event stores on real databases, and events to put into them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
import redis
from sqlalchemy import Engine, delete, select, update

from camera_ctrler.event_store.cleaner import EventCleaner
from camera_ctrler.event_store.reading import EventReading
from camera_ctrler.event_store.store import EventStore
from camera_ctrler.event_store.stored_event import StreamEvent
from camera_ctrler.event_store.tables import event_dead_letters, event_photos, event_store_state, events, tracks
from camera_ctrler.event_store.writer import EventWriter, Holder
from contract import keys
from contract.crops import Crop
from contract.events import Event, EventKind
from contract.retention import FOREVER_MS
from database.recognitions import recognition_notes, recognitions
from runtime.event_feed import EventFeed
from runtime.lease import Lease
from runtime.worker_link import WorkerLink, Written
from tests.support.clocks import SetClock
from tests.support.segment_index import DATABASES, engine_of, migrated

#: 2026-11-21 08:00 UTC.
EIGHT_MS = 1_795_248_000_000
LEASE_SECONDS = 60.0


def event(number: int, **fields: object) -> Event:
    """Return an event as a worker tells of it: the camera ``lobby`` is online, unless `fields` say otherwise."""
    values = {
        "kind": EventKind.CAMERA_ONLINE,
        "camera_id": "lobby",
        "epoch": 1,
        "number": number,
        "worker_id": "w",
        "at_ms": EIGHT_MS + number,
    } | fields
    return Event.model_validate({"event_id": f"{values['camera_id']}:{values['epoch']}:{number}"} | values)


def track_event(number: int, **fields: object) -> Event:
    """Return an event of a person's track that starts, unless `fields` say otherwise, with a saved frame and a box."""
    values = {
        "kind": EventKind.TRACK_STARTED,
        "track_id": 7,
        "track": "lobby:1:1",
        "started_at_ms": EIGHT_MS + 1,
        "frames_seen": number,
        "class_id": 0,
        "class_name": "person",
        "frame_path": f"lobby/20261121/08/{EIGHT_MS + number}.jpg",
        "xyxy": (10.5, 20.0, 30.0, 60.0),
        "confidence": 0.5,
        "width": 100,
        "height": 100,
    }
    return event(number, **(values | fields))


def crop(name: str, **fields: object) -> Crop:
    """Return a crop as a worker tells of it, which need not be there."""
    values = {
        "path": f"lobby/crops/20261121/08/{name}.jpg",
        "captured_at_ms": EIGHT_MS,
        "xyxy": (10.0, 20.0, 30.0, 60.0),
        "width": 24,
        "height": 48,
        "confidence": 0.9,
        "quality": 0.8,
    }
    return Crop.model_validate(values | fields)


def in_the_stream(found: Sequence[Event], first_ms: int = EIGHT_MS) -> list[StreamEvent]:
    """Return events as entries that came one after the other."""
    return [StreamEvent(f"{first_ms + place}-0", each) for place, each in enumerate(found)]


@dataclass
class StoredEvents:
    """An event store with what writes to it."""

    engine: Engine
    client: redis.Redis
    clock: SetClock = field(default_factory=lambda: SetClock(EIGHT_MS))
    leases: dict[str, Lease] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = EventStore(self.engine, self.clock)
        self.reading = EventReading(self.engine)
        self.feed = EventFeed(self.client)

    def publish(self, *found: Event, size: int = 100_000) -> None:
        """Let a worker publish events."""
        link = WorkerLink(self.client, "w", frame_index_size=10, event_stream_size=size)
        for each in found:
            assert link.publish_event(each) is Written.ACCEPTED

    def writer(self, name: str = "writer-1", keep_ms: int = FOREVER_MS) -> EventWriter:
        """Return a writer that holds a lease."""
        lease = self.leases[name] = Lease(self.client, keys.event_writer_lease(name), LEASE_SECONDS)
        assert lease.take()
        cleaner = EventCleaner(self.engine, keep_ms, self.clock)
        return EventWriter(self.store, self.feed, cleaner, Holder(name, lease.token), self.clock)

    def ids(self) -> list[str]:
        """Return the ids of all stored events, in the order in which they came."""
        query = select(events.c.event_id).order_by(events.c.entry_ms, events.c.entry_seq)
        with self.engine.connect() as connection:
            return list(connection.scalars(query))

    def pending(self) -> int:
        """Return how many entries were taken and not acknowledged."""
        return int(cast("dict[str, int]", self.client.xpending(keys.events(), "store"))["pending"])


def settle(writer: EventWriter) -> None:
    """Step until nothing is behind: two looks one after the other, for a batch that is not full ends a look."""
    idle = 0
    for _ in range(1_000):
        idle = 0 if writer.step() else idle + 1
        if idle == 2:
            return
    raise AssertionError("it is never done")


def empty(engine: Engine) -> None:
    """Forget all events."""
    with engine.begin() as connection:
        for table in (events, event_photos, recognition_notes, recognitions, tracks, event_dead_letters):
            connection.execute(delete(table))
        connection.execute(update(event_store_state).values(stored=0, repeated=0, dead_letters=0))


@pytest.fixture(scope="module", params=DATABASES)
def event_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine of each kind, for all tests of a file."""
    with engine_of(request, tmp_path_factory.mktemp("events"), f"events_{request.node.path.stem}") as engine:
        yield engine


@pytest.fixture
def stored_events(event_engine: Engine, redis_client: redis.Redis) -> StoredEvents:
    """An empty store on each kind of database, and an empty stream."""
    empty(event_engine)
    return StoredEvents(event_engine, redis_client)


@pytest.fixture
def sqlite_events(tmp_path: Path, redis_client: redis.Redis) -> Iterator[StoredEvents]:
    """An empty store in a file of the test's own."""
    with migrated(f"sqlite:///{tmp_path}/events.sqlite3") as engine:
        yield StoredEvents(engine, redis_client)
