"""What players are told: the index and the newest footage as one, with either of them away."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.recordings.footage import AWAY_SECONDS, Footage, IndexAwayError
from camera_ctrler.recordings.index import ARCHIVE, SegmentIndex, Span
from contract import keys
from contract.errors import FarmError
from contract.recording_paths import segment_path
from contract.recordings import OpenSegment, Segment
from database.engine import open_engine
from runtime.recording_feed import RecordingFeed
from runtime.recording_store import RecordingStore
from runtime.settings import ControllerSettings
from tests.support.clocks import SetClock
from tests.support.segment_index import EIGHT_MS, in_a_row, migrated, segment
from tests.support.valkey_server import ValkeyServer

DAY_MS = 86_400_000


class Recorded:
    """An index, a server and a volume."""

    def __init__(self, index: SegmentIndex, client: redis.Redis, root: Path) -> None:
        self.index = index
        self.feed = RecordingFeed(client)
        self.root = root
        self.clock = SetClock()
        self.footage = Footage(index, self.feed, RecordingStore(root), self.clock)

    def write(self, *segments: Segment) -> None:
        """Put files with these names onto the volume."""
        for each in segments:
            file = self.root / segment_path(each.camera_id, each.start_ms, each.epoch)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")

    def starts(self, limit: int | None = None) -> list[int]:
        """Return when the files of the day start, in seconds since eight."""
        found = self.footage.find("lobby", EIGHT_MS, EIGHT_MS + DAY_MS, limit=limit)
        return [(each.segment.start_ms - EIGHT_MS) // 1000 for each in found]


@pytest.fixture
def recorded(sqlite_index: SegmentIndex, redis_client: redis.Redis, tmp_path: Path) -> Recorded:
    """Nothing recorded yet."""
    return Recorded(sqlite_index, redis_client, tmp_path / "volume")


def opened(start_ms: int, seconds: float) -> OpenSegment:
    """Return a file that is being written."""
    return OpenSegment(
        camera_id="lobby",
        worker_id="w",
        start_ms=start_ms,
        end_ms=start_ms + round(seconds * 1000),
        epoch=1,
        size_bytes=5,
        codec="h264",
    )


def test_footage_that_is_not_in_the_database_yet_is_found(recorded: Recorded) -> None:
    """Given six files of which four are indexed, and one being written, players see all, each once."""
    files = in_a_row(6)
    recorded.write(*files)
    recorded.index.add(files[:4])
    recorded.feed.publish(files, [opened(EIGHT_MS + 60_000, 4)])
    assert recorded.starts() == [0, 10, 20, 30, 40, 50]
    assert recorded.starts(limit=5) == [0, 10, 20, 30, 40]
    assert recorded.footage.open_segment("lobby") == opened(EIGHT_MS + 60_000, 4)
    assert recorded.footage.spans("lobby", EIGHT_MS + 5_000, EIGHT_MS + DAY_MS) == [
        Span(EIGHT_MS + 5_000, EIGHT_MS + 64_000)
    ]


def test_a_range_that_ended_before_the_newest_footage_has_none_of_it(recorded: Recorded) -> None:
    """Given files that only Redis knows, a range before them is answered from the index alone."""
    files = in_a_row(6)
    recorded.write(*files)
    recorded.index.add(files[:2])
    recorded.feed.publish(files[2:], [opened(EIGHT_MS + 60_000, 4)])
    found = recorded.footage.find("lobby", EIGHT_MS, EIGHT_MS + 20_000)
    assert [each.segment for each in found] == files[:2]
    assert recorded.footage.spans("lobby", EIGHT_MS, EIGHT_MS + 20_000) == [Span(EIGHT_MS, EIGHT_MS + 20_000)]


def test_density_counts_the_newest_files_too(recorded: Recorded) -> None:
    """Given one file in the index and one in Redis, their bucket has motion and classes of both."""
    old, new = (
        segment(EIGHT_MS, motion=0.2, seen={"person": 1}),
        segment(EIGHT_MS + 10_000, motion=0.6, seen={"car": 2}),
    )
    recorded.write(old, new)
    recorded.index.add([old])
    recorded.feed.publish([new], [opened(EIGHT_MS + 20_000, 5)])
    for bucket_ms in (60_000, 3_600_000):
        (bucket,) = recorded.footage.density("lobby", EIGHT_MS, EIGHT_MS + 3_600_000, bucket_ms)
        assert bucket.recorded_seconds == 25
        assert bucket.motion == pytest.approx(0.4)
        assert bucket.seen == {"person": 1, "car": 2}


def test_what_the_database_knows_better_stands(recorded: Recorded) -> None:
    """Given a file that was archived and that Redis still names as new, its tier is the archive."""
    (file,) = in_a_row(1)
    recorded.index.add([file])
    recorded.index.moved([("lobby", EIGHT_MS, 1)], ARCHIVE)
    recorded.feed.publish([file], [])
    assert [each.tier for each in recorded.footage.find("lobby", EIGHT_MS, EIGHT_MS + 1)] == [ARCHIVE]


def test_files_that_were_deleted_are_not_offered_because_redis_names_them(recorded: Recorded) -> None:
    """Given newest files of which one is not on the volume any more, it is not found."""
    files = in_a_row(3)
    recorded.write(files[0], files[2])
    recorded.feed.publish(files, [])
    assert recorded.starts() == [0, 20]
    assert recorded.footage.spans("lobby", EIGHT_MS, EIGHT_MS + DAY_MS) == [
        Span(EIGHT_MS, EIGHT_MS + 10_000),
        Span(EIGHT_MS + 20_000, EIGHT_MS + 30_000),
    ]


def test_messages_of_another_version_are_passed_over(recorded: Recorded, redis_client: redis.Redis) -> None:
    """Given nonsense among the newest files, the others are found."""
    files = in_a_row(2)
    recorded.write(*files)
    recorded.feed.publish(files, [])
    redis_client.lpush(keys.camera_segments("lobby"), b'{"camera_id": 7}', b"\xff")
    redis_client.set(keys.camera_open_segment("lobby"), b"nonsense")
    assert recorded.starts() == [0, 10]
    assert recorded.footage.open_segment("lobby") is None


@pytest.fixture
def frozen(own_valkey: ValkeyServer, tmp_path: Path) -> Iterator[tuple[Footage, SegmentIndex]]:
    """Footage whose server is stopped: it accepts connections and answers nothing."""
    settings = ControllerSettings.model_validate(
        {"redis_url": own_valkey.url, "data_dir": tmp_path, "frames_dir": tmp_path}
    )
    with migrated(f"sqlite:///{tmp_path}/f.sqlite3") as engine:
        footage, close = Footage.create(settings, engine)
        footage.find("lobby", 0, 1)
        own_valkey.freeze()
        try:
            yield footage, SegmentIndex(engine)
        finally:
            own_valkey.thaw()
            close()


def test_a_server_that_hangs_costs_one_player_a_moment_and_the_next_none(
    frozen: tuple[Footage, SegmentIndex],
) -> None:
    """Given a frozen Redis, the index answers within 1.5 s, and for the next players at once."""
    footage, index = frozen
    index.add(in_a_row(3))
    began = time.monotonic()
    assert len(footage.find("lobby", EIGHT_MS, EIGHT_MS + DAY_MS)) == 3
    first = time.monotonic() - began
    assert first < 3.0  # 1.4 s of patience, on a machine that is slow
    began = time.monotonic()
    assert footage.open_segment("lobby") is None
    assert footage.spans("lobby", EIGHT_MS, EIGHT_MS + DAY_MS) == [Span(EIGHT_MS, EIGHT_MS + 30_000)]
    assert time.monotonic() - began < AWAY_SECONDS / 4


def test_a_server_that_is_back_is_asked_again(recorded: Recorded, own_valkey: ValkeyServer, tmp_path: Path) -> None:
    """Given a server that was away for a moment, its news are there again after some seconds."""
    clock = SetClock()
    footage = Footage(recorded.index, RecordingFeed(own_valkey.client()), RecordingStore(tmp_path / "volume"), clock)
    own_valkey.kill()
    assert footage.open_segment("lobby") is None
    own_valkey.restart(keep_data=True)
    RecordingFeed(own_valkey.client()).publish([], [opened(EIGHT_MS, 1)])
    assert footage.open_segment("lobby") is None
    clock.advance(AWAY_SECONDS)
    assert footage.open_segment("lobby") == opened(EIGHT_MS, 1)


def test_a_database_that_is_away_is_named(redis_client: redis.Redis, tmp_path: Path) -> None:
    """Given a database without its tables and one that nobody serves, the error says so, and what to check."""
    for url in (f"sqlite:///{tmp_path}/empty.sqlite3", "postgresql://farm:s3cr3tpw@127.0.0.1:1/x"):
        engine = open_engine(url)
        footage = Footage(SegmentIndex(engine), RecordingFeed(redis_client), RecordingStore(tmp_path))
        for ask in (footage.find, footage.spans):
            with pytest.raises(IndexAwayError, match="FARM_DATABASE_URL") as caught:
                ask("lobby", 0, 1)
            assert isinstance(caught.value, SQLAlchemyError)
            assert isinstance(caught.value, FarmError)
            assert "s3cr3tpw" not in str(caught.value)
        with pytest.raises(IndexAwayError):
            footage.density("lobby", 0, 1_000, 100)
        assert footage.open_segment("lobby") is None
        engine.dispose()
