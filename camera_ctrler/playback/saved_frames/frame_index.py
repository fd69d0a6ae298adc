"""Finds saved frames by time, from the volume and from Redis together."""

import heapq
from collections.abc import Iterator
from typing import Final

import redis
import structlog

from contract.errors import ContractError
from contract.frame_paths import captured_at_ms, frame_path
from runtime.clock import Clock, SystemClock
from runtime.farm_reader import FarmReader
from runtime.frame_store import FrameStore

#: How far back Redis is asked: longer than any network file system takes to show a new file to other machines.
INDEX_SPAN_MS: Final = 300_000

log = structlog.get_logger(__name__)


class FrameIndex:
    """Lists saved frames.

    The volume is the truth: Redis may have been emptied, may have lost its last second, and knows nothing of frames
    that a worker saved while it could not reach it. The index in Redis adds what a listing of the volume does not
    show yet: on a network file system new files of another machine appear in folder listings up to a minute late,
    while they can be opened by name at once. So both are asked, and the answer is right with either one missing.
    """

    def __init__(self, store: FrameStore, reader: FarmReader, clock: Clock | None = None) -> None:
        self._store = store
        self._reader = reader
        self._clock = clock or SystemClock()

    def frames(self, camera_id: str, from_ms: int, to_ms: int) -> Iterator[str]:
        """Yield relative paths of frames with ``from_ms <= captured_at_ms < to_ms``, in time order, each once.

        Folders are read as the answer is consumed, so that the beginning of a long range comes at once.
        """
        listed = ((captured_at_ms(path), True) for path in self._store.frames(camera_id, from_ms, to_ms))
        newest_ms = max(from_ms, self._clock.now_ms() - INDEX_SPAN_MS)
        indexed = ((time_ms, False) for time_ms in self._indexed(camera_id, newest_ms, to_ms))
        last = -1
        for time_ms, is_listed in heapq.merge(listed, indexed, key=lambda found: found[0]):
            path = frame_path(camera_id, time_ms)
            # The index outlives a frame that was deleted for its age or for want of space.
            if time_ms != last and (is_listed or (self._store.root / path).is_file()):
                last = time_ms
                yield path

    def _indexed(self, camera_id: str, from_ms: int, to_ms: int) -> list[int]:
        if from_ms >= to_ms:
            return []
        try:
            paths = self._reader.indexed_frames(camera_id, from_ms, to_ms)
        except redis.RedisError as error:  # the volume is enough
            log.warning("frame_index_away", camera=camera_id, error=str(error))
            return []
        try:
            return [captured_at_ms(path) for path in paths]
        except ContractError as error:  # written by another version: the volume is enough
            log.warning("frame_index_unreadable", camera=camera_id, error=str(error))
            return []
