"""Brings the index up to date while the manager leads: from the stream, and from the volume what the stream has lost.

All of it is done in small steps on a thread of its own: a database or a volume that hangs holds up nothing else.
"""

from collections import OrderedDict
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, Protocol

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.recordings.index import SegmentIndex
from camera_ctrler.recordings.volume_check import CheckedHour, Difference, Repair, VolumeCheck, kept_for_by
from camera_ctrler.registry import Registry
from contract.recording_paths import HOUR_MS
from contract.recordings import MAX_SEGMENT_MS
from runtime.clock import Clock, SystemClock
from runtime.recording_feed import RecordingFeed
from runtime.recording_store import RecordingStore
from runtime.redis_client import connect
from runtime.settings import ControllerSettings
from runtime.shutdown import Shutdown

#: Entries of the stream that are copied in one transaction: a tenth of a second in which nobody else writes to SQLite.
BATCH: Final = 500
#: Seconds between two looks at the stream while nothing is behind.
LOOK_SECONDS: Final = 1.0
#: Seconds between two steps while something is behind, so that others get at database and volume.
BUSY_SECONDS: Final = 0.05
#: Seconds between two hours of a camera that the audit looks at: it costs next to nothing, and comes round.
AUDIT_SECONDS: Final = 5.0
#: How far back the volume is looked at after a loss: at least, and at most. What is older is found by
#: `./farm recordings check`.
SCAN_MIN_MS: Final = 2 * HOUR_MS
SCAN_MAX_MS: Final = 24 * HOUR_MS
#: Damaged files that are remembered, so that the log names each once.
_REMEMBERED: Final = 10_000

log = structlog.get_logger(__name__)


class Loss(StrEnum):
    """Why the stream may not have everything."""

    #: The index has nothing of it yet.
    FIRST_START = "first_start"
    #: The server has lost its data, and its clock or its stream starts anew.
    EMPTIED = "emptied"
    #: Entries that were not read yet made room for newer ones.
    TRIMMED = "trimmed"


class Leading(Protocol):
    """Whether this manager leads; a `threading.Event` will do."""

    def is_set(self) -> bool:
        """Tell whether it does."""
        ...


def loss_of(position: str, ends: tuple[str, str] | None) -> Loss | None:
    """Tell what the stream has lost since it was read up to `position`.

    Args:
        position: Id of the last entry that was read; ``0``: none.
        ends: Ids of the oldest and the newest entry; None: the stream is empty.
    """
    if position == "0":
        return None
    if ends is None or halves(ends[1]) < halves(position):
        return Loss.EMPTIED
    return Loss.TRIMMED if halves(ends[0]) > halves(position) else None


def halves(entry_id: str) -> tuple[int, int]:
    """Return an entry's id as numbers, which compare as the server orders them; the first is Unix ms of its clock."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def scan_from(now_ms: int, since_ms: int) -> int:
    """Return from when on the volume is looked at for what was lost since `since_ms`."""
    wanted = since_ms - MAX_SEGMENT_MS - HOUR_MS
    return max(now_ms - SCAN_MAX_MS, min(wanted, now_ms - SCAN_MIN_MS))


class SegmentIndexer:
    """Copies finished files into the index, finds lost ones, and looks at the newest day again and again.

    Not thread-safe: one thread calls `step`.
    """

    def __init__(
        self,
        index: SegmentIndex,
        feed: RecordingFeed,
        store: RecordingStore,
        check: VolumeCheck,
        clock: Clock | None = None,
    ) -> None:
        self._index = index
        self._feed = feed
        self._store = store
        self._check = check
        self._clock = clock or SystemClock()
        #: Id of the last entry in the index; None: to be asked for.
        self._position: str | None = None
        #: Hours to be looked at because something was lost, newest first.
        self._scan: Iterator[tuple[str, int]] | None = None
        #: The same, of the newest day, without haste.
        self._audit: Iterator[tuple[str, int]] = iter(())
        #: The hour that is looked at next; it stays while the database is away.
        self._hour: tuple[str, int] | None = None
        #: Monotonic seconds when the audit looked last.
        self._audited_at = float("-inf")
        #: When Redis was away first, Unix ms; None: it is not.
        self._away_since_ms: int | None = None
        self._named: OrderedDict[str, None] = OrderedDict()
        #: Files copied from the stream, and found on the volume.
        self.copied = self.found = 0

    def rest(self) -> None:
        """Take note that another one leads, who goes on from here: nothing that is remembered counts any more."""
        self._position = self._scan = self._hour = None

    @property
    def is_scanning(self) -> bool:
        """Whether the volume is being looked at for something that was lost."""
        return self._scan is not None

    def step(self) -> bool:
        """Do one small piece of work; return whether there is more to be done soon.

        Raises:
            redis.RedisError: Redis is away; when it is back the volume is looked at.
            SQLAlchemyError: The database is away.
            OSError: The volume is away.
        """
        if self._position is None:
            self._position = self._index.position()
            if self._position == "0":
                self._begin_scan(Loss.FIRST_START, 0)
        try:
            is_full = self._copy()
        except redis.RedisError:
            if self._away_since_ms is None:
                self._away_since_ms = self._clock.now_ms()
            raise
        if self._away_since_ms is not None:
            self._begin_scan("outage", self._away_since_ms)
            self._away_since_ms = None
        if is_full:
            return True
        self._look_at_volume()
        return self.is_scanning

    def _copy(self) -> bool:
        """Copy one batch; return whether there may be more."""
        assert self._position is not None
        loss = loss_of(self._position, self._feed.ends())
        if loss is not None:
            self._begin_scan(loss, halves(self._position)[0])
        if loss is Loss.EMPTIED:
            self._index.begin_anew()
            self._position = "0"
        page = self._feed.finished_after(self._position, BATCH)
        if page.last_id is None:
            return False
        if self._index.add(page.segments, position=page.last_id):
            self._position = page.last_id
            self.copied += len(page.segments)
        else:  # another manager was further, or it was written when nobody heard the database say so
            self._position = self._index.position()
        return page.entries == BATCH

    # --- the volume ----------------------------------------------------------------------------------------------

    def _begin_scan(self, why: str, since_ms: int) -> None:
        now_ms = self._clock.now_ms()
        from_ms = scan_from(now_ms, since_ms)
        log.info("footage_scan", reason=why, hours=round((now_ms - from_ms) / HOUR_MS, 1))
        self._scan, self._hour = self._hours(from_ms, now_ms + HOUR_MS), None

    def _hours(self, from_ms: int, to_ms: int) -> Iterator[tuple[str, int]]:
        """Yield camera and hour, newest first, as the volume has them when asked."""
        for hour_ms in range(to_ms // HOUR_MS * HOUR_MS, from_ms - HOUR_MS, -HOUR_MS):
            for camera_id in self._store.cameras():
                yield camera_id, hour_ms

    def _look_at_volume(self) -> None:
        self._hour = self._hour or self._next_hour()
        if self._hour is None:
            return
        try:
            checked = self._check.check_hour(*self._hour, Repair.ADD)
        except OSError:
            self._hour = None  # a folder that cannot be read must not keep all others waiting
            raise
        self._hour = None
        self._tell(checked)

    def _next_hour(self) -> tuple[str, int] | None:
        if self._scan is not None:
            hour = next(self._scan, None)
            if hour is None:
                self._scan = None
                log.info("footage_scanned", found=self.found)
            return hour
        now = self._clock.monotonic()
        if now - self._audited_at < AUDIT_SECONDS:
            return None
        self._audited_at = now
        hour = next(self._audit, None)
        if hour is None:
            now_ms = self._clock.now_ms()
            self._audit = self._hours(now_ms - SCAN_MAX_MS, now_ms)
        return hour

    def _tell(self, checked: CheckedHour) -> None:
        added = [each for each in checked.findings if each.repaired]
        if added:
            self.found += len(added)
            log.info("footage_found", camera=checked.camera_id, hour_ms=checked.hour_ms, files=len(added))
        for each in checked.findings:
            if each.difference is Difference.DAMAGED and each.path not in self._named:
                self._named[each.path] = None
                log.warning("footage_damaged", path=each.path, error=each.detail)
        while len(self._named) > _REMEMBERED:
            self._named.popitem(last=False)


def run_indexer(indexer: SegmentIndexer, leading: Leading, shutdown: Shutdown) -> None:
    """Index while this manager leads, until the process shall end."""
    told = ""
    pause = LOOK_SECONDS
    while not shutdown.wait(pause):
        pause = LOOK_SECONDS
        if not leading.is_set():
            indexer.rest()
            continue
        problem = ""
        try:
            if indexer.step():
                pause = BUSY_SECONDS
        except redis.RedisError as error:
            problem = f"Redis: {error}"
        except SQLAlchemyError as error:
            problem = f"the database: {str(error).splitlines()[0]}"
        except OSError as error:
            problem = f"the frames volume: {error}"
        except Exception as error:  # footage must be found again tomorrow, whatever one file or message was like
            problem = repr(error)
            log.exception("footage_indexer_failed")
        if problem != told:
            told = problem
            log.warning("footage_not_indexed", problem=problem or "none any more")


def index_footage(
    settings: ControllerSettings, registry: Registry, name: str, leading: Leading, shutdown: Shutdown
) -> None:
    """Index on connections of its own while this manager leads, until the process shall end."""
    store, index = RecordingStore(settings.frames_dir), SegmentIndex(registry.engine)
    with connect(settings, name=name) as client:
        check = VolumeCheck(store, index, kept_for_by(registry))
        run_indexer(SegmentIndexer(index, RecordingFeed(client), store, check), leading, shutdown)
