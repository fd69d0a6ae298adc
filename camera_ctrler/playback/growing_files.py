"""Remembers for a while which files were being written, for Redis names only one of a camera.

During a handover two workers write; one that was killed has not said that its last file is finished.
"""

import threading
from collections.abc import Iterable
from typing import Final

from camera_ctrler.playback.live_windows import WINDOW_SECONDS
from camera_ctrler.recordings.index import IndexedSegment
from runtime.clock import Clock

#: Seconds for which a file is remembered: as long as a live playlist shows it.
LIFETIME_SECONDS: Final = float(WINDOW_SECONDS)


class GrowingFiles:
    """Files of all cameras that were named as being written. Safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        #: Path -> the file, and until when it is remembered (monotonic seconds); some sixty of each camera watched.
        self._known: dict[str, tuple[IndexedSegment, float]] = {}

    def noted(self, camera_id: str, named: Iterable[IndexedSegment]) -> list[IndexedSegment]:
        """Note the files that are named now, and return all of the camera that are remembered, by start and epoch."""
        now = self._clock.monotonic()
        with self._lock:
            for each in named:
                self._known[each.path] = each, now + LIFETIME_SECONDS
            self._known = {path: known for path, known in self._known.items() if known[1] > now}
            found = [each for each, _ in self._known.values() if each.segment.camera_id == camera_id]
        return sorted(found, key=lambda each: (each.segment.start_ms, each.segment.epoch))
