"""Galleries on real databases, and people to be seen."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import redis
from numpy.typing import NDArray
from sqlalchemy import Engine, delete, func, select, update

from contract.crop_paths import CropName, crop_path
from contract.crops import Crop
from contract.events import EventKind
from contract.recognition import RecognitionRequest
from database.base import Base
from database.identities import embeddings, gallery_state, identities, sightings
from reid.gallery.embedding_rows import insert_embeddings
from reid.gallery.gallery_index import GalleryIndex
from reid.gallery.news import GalleryNews
from reid.gallery.writer import GalleryWriter
from reid.images import Embeddings
from reid.matching.thresholds import Thresholds
from runtime.crop_store import CropStore
from tests.support.clocks import SetClock
from tests.support.segment_index import DATABASES, engine_of, migrated

#: 2026-11-21 08:00 UTC.
EIGHT_MS = 1_795_248_000_000
DIMENSION = 64
VERSION = "test-1"
HOUR_MS = 3_600_000
#: Of two crops of one person, about 0.8; of two people, about 0 and nearly never 0.5.
NOISE = 0.06


def thresholds() -> Thresholds:
    """Return what the similarities of the people here mean: half way between strangers and the same."""
    likeness = {
        "false_matches": [{"rate": 0.1, "similarity": 0.25}, {"rate": 0.0001, "similarity": 0.45}],
        "lowest_genuine": 0.4,
    }
    return Thresholds.model_validate(
        {
            "embedder": "test",
            "measured": "made up",
            "mean": [0.0] * DIMENSION,
            "same_camera": likeness,
            "other_camera": likeness,
            "certain": 0.5,
            "margin": 0.05,
        }
    )


def direction(number: int) -> NDArray[np.float32]:
    """Return what one person looks like, shape (DIMENSION,)."""
    found = np.random.default_rng(number).standard_normal(DIMENSION).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found), np.float32)


def looks(person: int, crops: int = 3, seed: int = 0) -> Embeddings:
    """Return what crops of one person look like, each a little different."""
    noise = np.random.default_rng((person, seed)).standard_normal((crops, DIMENSION)).astype(np.float32) * NOISE
    found = direction(person) + noise
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def _hash(text: str) -> int:
    return zlib.crc32(text.encode())


def request(
    person: int, track: str, *, camera: str = "lobby", at_ms: int = EIGHT_MS, crops: int = 3, part: int = 0
) -> RecognitionRequest:
    """Return what the recogniser is asked of one track: crops a second apart, the first a second after it began.

    Args:
        person: Who it shows; told apart by `looks` alone.
        track: Id of the track.
        camera: Which camera.
        at_ms: When the track began, Unix ms UTC.
        crops: How many.
        part: Which of the track's events it is, from 0.
    """
    begin_ms = at_ms + 1_000 + part * crops * 1_000
    number = (_hash(f"{person}/{track}")) % 10**9
    return RecognitionRequest(
        event_id=f"{track}:{part}",
        recogniser="reid",
        kind=EventKind.TRACK_UPDATED,
        at_ms=begin_ms + (crops - 1) * 1_000,
        camera_id=camera,
        track=track,
        started_at_ms=at_ms,
        class_name="person",
        crops=[
            Crop(
                path=crop_path(CropName(camera, begin_ms + place * 1_000, 1, number)),
                captured_at_ms=begin_ms + place * 1_000,
                xyxy=(0, 0, 40, 80),
                width=40,
                height=80,
                confidence=0.9,
                quality=0.9 - 0.1 * place,
            )
            for place in range(crops)
        ],
    )


@dataclass
class Gallery:
    """A database with embeddings, and what follows it."""

    engine: Engine
    client: redis.Redis
    folder: Path
    clock: SetClock = field(default_factory=lambda: SetClock(EIGHT_MS + HOUR_MS))

    def __post_init__(self) -> None:
        self.crops = CropStore(self.folder / "frames")

    def see(
        self,
        person: int,
        track: str,
        *,
        camera: str = "lobby",
        at_ms: int = EIGHT_MS,
        part: int = 0,
        version: str = VERSION,
    ) -> RecognitionRequest:
        """Let a camera see somebody: three crops on the volume, embedded and stored."""
        asked = request(person, track, camera=camera, at_ms=at_ms, part=part)
        for crop in asked.crops:
            self.crops.save(crop.path, b"a crop")
        with self.engine.begin() as connection:
            insert_embeddings(connection, [(asked, looks(person, 3, seed=_hash(f"{track}/{part}")))], version)
        return asked

    def see_strangers(self, count: int, camera: str, first: int = 1_000, at_ms: int = EIGHT_MS - HOUR_MS) -> None:
        """Let a camera see many people, so that it is known what is the camera's and what is a person's."""
        for number in range(count):
            self.see(first + number, f"{camera}:9:{first + number}", camera=camera, at_ms=at_ms + number * 10_000)

    def index(self, name: str = "snapshots", version: str = VERSION) -> GalleryIndex:
        """Return an index with files in a folder of this name."""
        return GalleryIndex(self.engine, version, DIMENSION, self.folder / name, self.clock)

    def writer(self, index: GalleryIndex | None = None, name: str = "writer-1", **fields: int) -> GalleryWriter:
        """Return a gallery writer; the one that took over last writes."""
        return GalleryWriter(
            self.engine,
            index or self.index(),
            thresholds(),
            GalleryNews(self.client),
            name,
            window_ms=fields.get("window_ms", 24 * HOUR_MS),
            clock=self.clock,
        )

    def identity_of(self, track: str) -> str | None:
        """Return whose sighting a track is."""
        with self.engine.connect() as connection:
            row = connection.execute(select(sightings.c.identity).where(sightings.c.track == track)).one()
        return None if row.identity is None else str(row.identity)

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with self.engine.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(Base.metadata.tables[table])) or 0)

    def state(self) -> list[tuple[object, ...]]:
        """Return all identities and sightings, as they can be compared."""
        with self.engine.connect() as connection:
            found: list[Sequence[object]] = []
            for query in (
                select(identities).order_by(identities.c.identity),
                select(sightings).order_by(sightings.c.track),
            ):
                found += connection.execute(query).all()
        return [tuple(row) for row in found]

    def last_number(self) -> int:
        """Return the number of the newest embedding."""
        with self.engine.connect() as connection:
            return int(connection.scalar(select(func.max(embeddings.c.number))) or 0)


def settle(writer: GalleryWriter) -> None:
    """Step until everything is decided."""
    for _ in range(1_000):
        if not writer.step():
            return
    raise AssertionError("it is never done")


def empty(engine: Engine) -> None:
    """Forget all rows."""
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if table is not gallery_state and not table.name.endswith("_state"):
                connection.execute(delete(table))
        connection.execute(update(gallery_state).values(last_number=0, writer=""))


@pytest.fixture(scope="module", params=DATABASES)
def gallery_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine of each kind, for all tests of a file."""
    with engine_of(request, tmp_path_factory.mktemp("gallery"), f"gallery_{request.node.path.stem}") as engine:
        yield engine


@pytest.fixture
def gallery(gallery_engine: Engine, redis_client: redis.Redis, tmp_path: Path) -> Gallery:
    """An empty gallery on each kind of database."""
    empty(gallery_engine)
    return Gallery(gallery_engine, redis_client, tmp_path)


@pytest.fixture
def sqlite_gallery(redis_client: redis.Redis, tmp_path: Path) -> Iterator[Gallery]:
    """An empty gallery in a file of the test's own."""
    with migrated(f"sqlite:///{tmp_path}/farm.sqlite3") as engine:
        yield Gallery(engine, redis_client, tmp_path)
