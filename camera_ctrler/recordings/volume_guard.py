"""Watches how full the frames volume is, and makes room before it is full: footage and frames, oldest first."""

import shutil
from typing import Final

import structlog

from camera_ctrler.recordings.cleaner import Cleaner
from camera_ctrler.recordings.fill_rate import LONGEST_PAUSE, FillRate
from camera_ctrler.recordings.known_footage import IndexSilentError, KnownFootage
from camera_ctrler.recordings.retention import Condition, Limits, wanted
from contract.recordings import KeptFor
from runtime.clock import Clock
from runtime.recording_store import RecordingStore

#: Seconds for which files are deleted before the volume is looked at again.
STEP_SECONDS: Final = 1.0
#: Seconds between two looks at how much footage there is; the index sums it up.
TOTALS_SECONDS: Final = 10.0
#: Seconds between two looks while nothing is left that may go.
HELPLESS_SECONDS: Final = 2.0
#: Below so many times the room that must be free, an archive would do well to hurry.
_HURRY: Final = 1.2

log = structlog.get_logger(__name__)


class VolumeGuard:
    """Keeps room free on one volume. Not thread-safe: one thread calls `look`."""

    def __init__(
        self,
        store: RecordingStore,
        cleaner: Cleaner,
        known: KnownFootage,
        clock: Clock,
        *,
        floor_bytes: int,
        limits: Limits,
    ) -> None:
        self._store = store
        self._cleaner = cleaner
        self._known = known
        self._clock = clock
        self._floor_bytes = floor_bytes
        self._limits = limits
        self._totals: dict[str, int] = {}
        self._totals_at = float("-inf")
        self._deleted_before = 0
        self.rate: Final = FillRate()
        self.free_bytes = 0
        self.total_bytes = 0
        #: Whether the room that must be free is nearly used up: moving footage into an archive would help.
        self.is_pressed = False
        #: What keeps it from making room; None: nothing.
        self.condition: Condition | None = None

    def look(self) -> float:
        """Look at the volume and make room, for a second or so; returns the seconds after which to look again."""
        try:
            return self._look()
        except OSError as error:
            if self.condition is not Condition.VOLUME_FAILS:
                log.error("volume_fails", error=str(error))
            self.condition = Condition.VOLUME_FAILS
            return LONGEST_PAUSE

    def _look(self) -> float:
        now = self._clock.monotonic()
        self._store.root.mkdir(parents=True, exist_ok=True)
        self.total_bytes, _, self.free_bytes = shutil.disk_usage(self._store.root)
        deleted = self._cleaner.deleted.bytes.total()
        self.rate.note(now, self.free_bytes, deleted - self._deleted_before)
        self._deleted_before = deleted
        must_be_free = self.rate.free_wanted(self._floor_bytes, self.total_bytes)
        sizes = self._sizes(now)
        nearly_over = 0 < self._limits.max_bytes < sum(sizes.values()) * _HURRY
        self.is_pressed = nearly_over or self.free_bytes < must_be_free * _HURRY
        want = wanted(must_be_free - self.free_bytes, sizes, self._limits)
        if not want.any:
            self._note(None)
            return self.rate.pause_seconds(self.free_bytes)
        is_done = self._cleaner.make_room(want, now + STEP_SECONDS)
        self._totals_at = float("-inf")
        if not is_done:
            return 0.0
        is_short = self.free_bytes + self._freed_since(deleted) < self._floor_bytes
        self._note(self._what_is_left() if want.any and (is_short or want.footage or want.cameras) else None)
        return max(self.rate.pause_seconds(self.free_bytes), HELPLESS_SECONDS if self.condition is not None else 0.0)

    def _freed_since(self, deleted: int) -> int:
        return self._cleaner.deleted.bytes.total() - deleted

    def _sizes(self, now: float) -> dict[str, int]:
        """Return camera id -> bytes of its footage, where that is limited; as it was last while the index is away."""
        if self._limits == Limits() or now - self._totals_at < TOTALS_SECONDS:
            return self._totals
        self._totals_at = now
        try:
            self._totals = self._known.ask(lambda index: index.totals())
        except IndexSilentError:
            self._totals = {}
        return self._totals

    def _what_is_left(self) -> Condition:
        has_evidence = any(hour.bytes[KeptFor.EVENT] for hour in self._known.hours.values())
        return Condition.EVIDENCE_FILLS_THE_VOLUME if has_evidence else Condition.VOLUME_TOO_SMALL

    def _note(self, condition: Condition | None) -> None:
        if condition is not self.condition:
            if condition is not None:
                log.error(condition.value, free_bytes=self.free_bytes, floor_bytes=self._floor_bytes)
            elif self.condition is not None:
                log.info("volume_has_room_again", was=self.condition.value, free_bytes=self.free_bytes)
        self.condition = condition
