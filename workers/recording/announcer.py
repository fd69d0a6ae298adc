"""Tells Redis what was recorded, on a thread of its own: while Redis is away, writing goes on undisturbed."""

import threading
from collections.abc import Iterable
from typing import Final

import redis
import structlog

from contract.recordings import OpenSegment, Segment
from runtime.recording_feed import RecordingFeed

#: Finished files that may wait for Redis: half an hour of sixty cameras. What is lost is found on the volume.
MOST_WAITING: Final = 10_000
#: Seconds between two words while Redis is there, and until it is tried again when it is not.
INTERVAL_SECONDS: Final = 1.0
#: Files that are told of in one exchange.
_AT_ONCE: Final = 500

log = structlog.get_logger(__name__)


class Announcer:
    """Keeps what is to be told until Redis has taken it. Safe to use from several threads."""

    def __init__(self, feed: RecordingFeed) -> None:
        self._feed = feed
        self._changed = threading.Condition()
        #: By key, so that a file about which more was found out meanwhile is told of once.
        self._waiting: dict[tuple[str, int, int], Segment] = {}
        self._opened: dict[str, OpenSegment] = {}
        self._closed: set[str] = set()
        self._closing = False
        self._is_away = False
        #: Finished files that could not be kept until Redis would take them.
        self.lost = 0
        self._thread = threading.Thread(target=self._run, name="recording-news", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Finished files that are still to be told of."""
        return len(self._waiting)

    def tell(self, camera_id: str, finished: Iterable[Segment], opened: OpenSegment | None) -> None:
        """Leave what is new of a camera; never blocks for long."""
        with self._changed:
            for segment in finished:
                key = (segment.camera_id, segment.start_ms, segment.epoch)
                self._waiting.pop(key, None)
                self._waiting[key] = segment
                if len(self._waiting) > MOST_WAITING:
                    self._waiting.pop(next(iter(self._waiting)))
                    self.lost += 1
            if opened is not None:
                self._opened[camera_id] = opened
                self._closed.discard(camera_id)

    def closed(self, camera_id: str) -> None:
        """Leave word that nothing is being written for a camera any more."""
        with self._changed:
            self._opened.pop(camera_id, None)
            self._closed.add(camera_id)

    def close(self, timeout_seconds: float) -> int:
        """Tell what waits, for at most `timeout_seconds`; return how many finished files were not told of."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return len(self._waiting)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing, INTERVAL_SECONDS)
                is_last = self._closing
                finished = dict(list(self._waiting.items())[:_AT_ONCE])
                opened, self._opened = self._opened, {}
                closed, self._closed = self._closed, set()
            told = self._told(finished, opened, closed)
            if is_last and (not told or not self._waiting):
                return

    def _told(
        self, finished: dict[tuple[str, int, int], Segment], opened: dict[str, OpenSegment], closed: set[str]
    ) -> bool:
        try:
            if finished or opened:
                self._feed.publish(finished.values(), opened.values())
            self._feed.closed(closed)
        except redis.RedisError as error:
            if not self._is_away:
                log.warning("recordings_not_told", error=str(error))
            self._is_away = True
            return False
        self._is_away = False
        with self._changed:
            for key, segment in finished.items():
                # One that was told of with less than is known by now stays.
                if self._waiting.get(key) is segment:
                    del self._waiting[key]
        return True
