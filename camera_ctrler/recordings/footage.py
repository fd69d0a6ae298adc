"""What players ask: the index in SQL, and the newest footage, which only Redis knows of, as one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Final, Self

import redis
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.recordings.index import VOLUME, IndexedSegment, SegmentIndex
from camera_ctrler.recordings.spans import Bucket, Piece, Span, buckets_of, check_buckets, clipped, merged
from contract.errors import FarmError
from contract.recordings import OpenSegment, Segment
from runtime.clock import Clock, SystemClock
from runtime.recording_feed import HotSegments, RecordingFeed
from runtime.recording_store import RecordingStore
from runtime.redis_client import connect
from runtime.settings import CommonSettings

#: Seconds for one answer of Redis; it is asked once more where the connection fails, and a player waits for both.
REDIS_SECONDS: Final = 0.7
#: Seconds in which Redis is not asked again after it has failed: the next player shall not wait as the first did.
AWAY_SECONDS: Final = 2.0
_NOTHING: Final = HotSegments([], None)

log = structlog.get_logger(__name__)


class IndexAwayError(SQLAlchemyError, FarmError):
    """The database with the index of footage cannot be used; the files are there all the same."""

    def __init__(self, cause: SQLAlchemyError) -> None:
        said = str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]
        super().__init__(
            f"the index of footage cannot be read ({said}); check that the database runs and FARM_DATABASE_URL"
        )


class Footage:
    """Finds footage by camera and time. Safe to use from several threads.

    Times are Unix milliseconds UTC, ranges are half open. While Redis is away, what was recorded last is missing until
    it is in the database; while the database is away, every method but `open_segment` raises `IndexAwayError`.
    """

    def __init__(
        self, index: SegmentIndex, feed: RecordingFeed, store: RecordingStore, clock: Clock | None = None
    ) -> None:
        self.store: Final = store
        self._index = index
        self._feed = feed
        self._clock = clock or SystemClock()
        #: Monotonic seconds until which Redis is left alone.
        self._away_until = float("-inf")

    @classmethod
    def create(cls, settings: CommonSettings, engine: Engine) -> tuple[Self, Callable[[], None]]:
        """Return the footage of a farm, and what closes its connection to Redis; nothing is asked yet.

        Raises:
            FarmError: A setting cannot be used.
        """
        client = connect(settings, name="camfarm-footage", timeout_seconds=REDIS_SECONDS)
        store = RecordingStore(settings.frames_dir)
        return cls(SegmentIndex(engine), RecordingFeed(client), store), client.close

    def find(self, camera_id: str, from_ms: int, to_ms: int, *, limit: int | None = None) -> list[IndexedSegment]:
        """Return the finished files that have something of the range, by start and epoch; the first `limit` of them.

        Raises:
            IndexAwayError: The database is away.
        """
        hot = self._hot(camera_id)
        with _asking_the_index():
            found = self._index.find(camera_id, from_ms, to_ms, limit=limit)
            fresh = self._fresh(camera_id, hot, from_ms, to_ms)
        if not fresh:
            return found
        joined = [*found, *(IndexedSegment(each, VOLUME) for each in fresh)]
        return sorted(joined, key=lambda each: (each.segment.start_ms, each.segment.epoch))[:limit]

    def open_segment(self, camera_id: str) -> OpenSegment | None:
        """Return the file that is being written for a camera; None: none, or nobody knows."""
        return self._hot(camera_id).open

    def spans(self, camera_id: str, from_ms: int, to_ms: int) -> list[Span]:
        """Return what was recorded without a gap, the file that is being written included, clipped to the range.

        Raises:
            IndexAwayError: The database is away.
        """
        hot = self._hot(camera_id)
        with _asking_the_index():
            indexed = self._index.spans(camera_id, from_ms, to_ms)
            fresh = self._fresh(camera_id, hot, from_ms, to_ms)
        return _all_spans(indexed, fresh, hot.open, from_ms, to_ms)

    def density(self, camera_id: str, from_ms: int, to_ms: int, bucket_ms: int) -> list[Bucket]:
        """Return what happened, as `SegmentIndex.density` does; nobody knows yet of the file that is being written.

        Raises:
            ContractError: More buckets than anybody can look at.
            IndexAwayError: The database is away.
        """
        check_buckets(from_ms, to_ms, bucket_ms)
        hot = self._hot(camera_id)
        with _asking_the_index():
            indexed = self._index.spans(camera_id, from_ms, to_ms)
            fresh = self._fresh(camera_id, hot, from_ms, to_ms)
            known = list(self._index.pieces(camera_id, from_ms, to_ms, bucket_ms))
        new = (Piece(each.start_ms, each.end_ms, each.motion, 1.0, each.seen) for each in fresh)
        spans = _all_spans(indexed, fresh, hot.open, from_ms, to_ms)
        return buckets_of(spans, chain(known, new), from_ms, to_ms, bucket_ms)

    def _hot(self, camera_id: str) -> HotSegments:
        """Return what Redis knows; nothing while it is away."""
        if self._clock.monotonic() < self._away_until:
            return _NOTHING
        try:
            return self._feed.hot(camera_id)
        except redis.RedisError as error:  # the index has all but the last seconds
            self._away_until = self._clock.monotonic() + AWAY_SECONDS
            log.warning("newest_footage_unknown", camera=camera_id, error=str(error))
            return _NOTHING

    def _fresh(self, camera_id: str, hot: HotSegments, from_ms: int, to_ms: int) -> list[Segment]:
        """Return what is finished, has something of the range, and is not in the index yet."""
        wanted = [each for each in hot.finished if each.start_ms < to_ms and each.end_ms > from_ms]
        if not wanted:
            return []
        indexed = {each.key for each in self._index.find(camera_id, wanted[0].start_ms, wanted[-1].start_ms + 1)}
        new = [each for each in wanted if (camera_id, each.start_ms, each.epoch) not in indexed]
        # Redis still names files that were deleted for want of space.
        return [each for each in new if self.store.found(IndexedSegment(each, VOLUME).path) is not None]


def _all_spans(
    indexed: list[Span], fresh: list[Segment], opened: OpenSegment | None, from_ms: int, to_ms: int
) -> list[Span]:
    new = [(each.start_ms, each.end_ms) for each in fresh]
    if opened is not None:
        new.append((opened.start_ms, opened.end_ms))
    if not new:
        return indexed
    return clipped(merged([*((each.start_ms, each.end_ms) for each in indexed), *new]), from_ms, to_ms)


@contextmanager
def _asking_the_index() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise IndexAwayError(error) from error
