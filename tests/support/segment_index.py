"""Indexes of footage on real databases, and segments to put into them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, make_url, text, update

from camera_ctrler.recordings.index import SegmentIndex
from camera_ctrler.recordings.tables import recording_state, segment_hours, segment_times, segments
from contract.recordings import Segment
from database.engine import migrate, open_engine
from tests.support.postgres import administrator_of

#: 2026-11-21 08:00 UTC.
EIGHT_MS = 1_795_248_000_000
DATABASES = ("sqlite", "postgresql")


def segment(start_ms: int, seconds: float = 10, *, camera: str = "lobby", epoch: int = 1, **fields: object) -> Segment:
    """Return a file of footage as its worker tells of it."""
    values = {"size_bytes": 1_000_000, "codec": "h264", "width": 640, "height": 360} | fields
    return Segment.model_validate(
        values | {"camera_id": camera, "start_ms": start_ms, "end_ms": start_ms + round(seconds * 1000), "epoch": epoch}
    )


def in_a_row(count: int, start_ms: int = EIGHT_MS, *, camera: str = "lobby") -> list[Segment]:
    """Return files of ten seconds, each beginning where the one before ends."""
    return [segment(start_ms + 10_000 * number, camera=camera) for number in range(count)]


@contextmanager
def migrated(url: str) -> Iterator[Engine]:
    """Open a database with the current schema."""
    engine = open_engine(url)
    migrate(engine)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def engine_of(request: pytest.FixtureRequest, folder: Path, name: str) -> Iterator[Engine]:
    """Open a new database of the kind that `request` is for: in a folder, or of a name on PostgreSQL."""
    if request.param == "sqlite":
        with migrated(f"sqlite:///{folder}/farm.sqlite3") as engine:
            yield engine
        return
    server = str(request.getfixturevalue("postgres_server"))
    administrator = administrator_of(server)
    with administrator.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    administrator.dispose()
    with migrated(make_url(server).set(database=name).render_as_string(hide_password=False)) as engine:
        yield engine


@pytest.fixture(scope="module", params=DATABASES)
def index_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine of each kind, for all tests of a file."""
    with engine_of(request, tmp_path_factory.mktemp("index"), f"index_{request.node.path.stem}") as engine:
        yield engine


@pytest.fixture
def segment_index(index_engine: Engine) -> SegmentIndex:
    """An empty index on each kind of database."""
    empty(index_engine)
    return SegmentIndex(index_engine)


@pytest.fixture
def sqlite_index(tmp_path: Path) -> Iterator[SegmentIndex]:
    """An empty index in a file of the test's own."""
    with migrated(f"sqlite:///{tmp_path}/index.sqlite3") as engine:
        yield SegmentIndex(engine)


def empty(engine: Engine) -> None:
    """Forget all footage and the position in the stream."""
    with engine.begin() as connection:
        for table in (segments, segment_hours, segment_times):
            connection.execute(delete(table))
        connection.execute(update(recording_state).values(position_ms=0, position_seq=0))
