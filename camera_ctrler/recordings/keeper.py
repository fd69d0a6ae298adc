"""Keeps the volumes of footage and pictures: makes room, deletes what is too old, moves to the archive, reports."""

import threading
from collections.abc import Callable, Iterable
from typing import Final

import redis
import structlog

from camera_ctrler.recordings.archive import ArchiveError, open_archive
from camera_ctrler.recordings.archive_cleaner import ArchiveCleaner
from camera_ctrler.recordings.archive_mover import ArchiveMover, MoveSettings
from camera_ctrler.recordings.cleaner import Cleaner
from camera_ctrler.recordings.index import SegmentIndex
from camera_ctrler.recordings.known_footage import IndexSilentError, KnownFootage
from camera_ctrler.recordings.retention import REMEDIES, Condition, Limits
from camera_ctrler.recordings.volume_contents import KeepSettings, VolumeContents
from camera_ctrler.recordings.volume_guard import VolumeGuard
from contract.footage_report import FootageReport
from contract.recording_paths import HOUR_MS
from contract.recordings import KeptFor
from contract.retention import FOREVER_MS
from runtime.clock import Clock
from runtime.crop_store import CropStore
from runtime.frame_store import FrameStore
from runtime.recording_store import RecordingStore
from runtime.settings import ControllerSettings
from runtime.shutdown import Shutdown

#: Seconds between two reports, and for which files are deleted for their age at a time.
STEP_SECONDS: Final = 5.0
#: Seconds between two surveys of index and volume, and of the archive; at least so many times as long as one takes.
SURVEY_SECONDS: Final = 60.0
_REST_FACTOR: Final = 50.0
#: Seconds after which a manager that does not lead looks again whether it does.
IDLE_SECONDS: Final = 1.0
#: Cameras whose oldest footage is looked up exactly; of the others the hour is told.
_EXACT_CAMERAS: Final = 200

log = structlog.get_logger(__name__)


class VolumeKeeper:
    """All chores of the volumes, a few steps at a time. Each `*_step` belongs to one thread."""

    def __init__(
        self,
        settings: ControllerSettings,
        index: SegmentIndex,
        clock: Clock,
        *,
        controller_id: str,
        publish: Callable[[FootageReport], None],
    ) -> None:
        """Make the parts; nothing is read yet.

        Args:
            settings: Where the volumes are, and what is kept how long.
            index: Says what is evidence.
            clock: Of this machine.
            controller_id: Who reports.
            publish: Takes a report; raises what redis-py raises when Redis is away.
        """
        rules, hours = settings.keep_rules, settings.frames_max_age_hours
        footage = RecordingStore(settings.frames_dir)
        keep = KeepSettings(rules, round(hours * HOUR_MS) if hours else FOREVER_MS, settings.crops_keep_ms)
        archive = open_archive(settings)
        self._clock = clock
        self._controller_id = controller_id
        self._publish = publish
        self.known: Final = KnownFootage(index, rules, clock)
        contents = VolumeContents(
            footage,
            FrameStore(settings.frames_dir),
            CropStore(settings.frames_dir),
            known=self.known,
            keep=keep,
            clock=clock,
        )
        self.cleaner: Final = Cleaner(contents, self.known, clock)
        self.guard: Final = VolumeGuard(
            footage,
            self.cleaner,
            self.known,
            clock,
            floor_bytes=settings.frames_min_free_bytes,
            limits=Limits(settings.recordings_max_bytes, settings.recordings_camera_max_bytes),
        )
        self.mover: ArchiveMover | None = None
        self._archive_cleaner: ArchiveCleaner | None = None
        if archive is not None:
            moves = MoveSettings(settings.archive_after_ms, settings.archive_bytes_per_second)
            self.mover = ArchiveMover(archive, footage, self.known, self.cleaner, rules, moves, clock)
            self._archive_cleaner = ArchiveCleaner(
                archive, self.known, rules, clock, max_bytes=settings.archive_max_bytes
            )
        #: Monotonic seconds when index and volume are looked at again, and when the archive was.
        self._survey_at = self._archive_surveyed_at = float("-inf")
        #: When the index was last asked for its sums.
        self._known_at = float("-inf")
        self._archive_trouble = ""
        self._oldest_ms: dict[str, int] = {}

    def survey_step(self) -> float:
        """Ask the index now and then how things stand, delete what is too old, report; returns the pause in seconds."""
        is_done = self._clock.monotonic() < self._survey_at or self._survey()
        try:
            self._publish(self.report())
        except redis.RedisError as error:
            log.info("footage_not_reported", error=str(error))
        return STEP_SECONDS if is_done else 0.0

    def _survey(self) -> bool:
        """Look at index and volume, and delete what is too old; returns whether all of it was looked at."""
        began = self._clock.monotonic()
        try:
            if began - self._known_at >= SURVEY_SECONDS and not self.known.is_away:
                self.known.survey()
                self._oldest_ms = self._find_oldest()
                self._known_at = self._clock.monotonic()
            if not self.cleaner.expire(STEP_SECONDS):
                return False
        except IndexSilentError as error:
            log.warning("footage_not_surveyed", error=str(error))
        except OSError as error:
            log.warning("volume_not_cleaned", error=str(error))
        ended = self._clock.monotonic()
        self._survey_at = ended + max(SURVEY_SECONDS, _REST_FACTOR * (ended - began))
        return True

    def _find_oldest(self) -> dict[str, int]:
        first: dict[str, int] = {}
        for camera_id, hour_ms in self.known.hours:
            first[camera_id] = min(hour_ms, first.get(camera_id, hour_ms))
        for _, (camera_id, hour_ms) in zip(range(_EXACT_CAMERAS), list(first.items()), strict=False):
            files = self.known.of_hour(camera_id, hour_ms).files
            first[camera_id] = min((start_ms for start_ms, _ in files), default=hour_ms)
        return first

    def guard_step(self) -> float:
        """Make room on the volume; returns the pause in seconds."""
        pause = self.guard.look()
        if self.mover is not None:
            self.mover.is_pressed = self.guard.is_pressed
        return pause

    def archive_step(self) -> float:
        """Move some footage to the archive, and delete there what is to go; returns the pause in seconds."""
        if self.mover is None or self._archive_cleaner is None:
            raise ValueError("there is no archive")
        pause = self.mover.step()
        now = self._clock.monotonic()
        if not self.mover.trouble and now - self._archive_surveyed_at >= SURVEY_SECONDS:
            self._archive_surveyed_at = now
            try:
                self._archive_cleaner.step(now + STEP_SECONDS)
                self._archive_trouble = ""
            except (ArchiveError, IndexSilentError) as error:
                self._archive_trouble = str(error)
                log.warning("archive_not_cleaned", error=str(error))
        return pause

    def report(self) -> FootageReport:
        """Return how things stand."""
        guard, deleted = self.guard, self.cleaner.deleted
        hours = self.known.hours.values()
        report = FootageReport(
            controller_id=self._controller_id,
            updated_at_ms=self._clock.now_ms(),
            free_bytes=guard.free_bytes,
            total_bytes=guard.total_bytes,
            fill_bytes_per_second=round(guard.rate.bytes_per_second),
            bytes={kept_for: sum(hour.bytes[kept_for] for hour in hours) for kept_for in KeptFor},
            deleted_bytes={reason.value: count for reason, count in dict(deleted.bytes).items()},
            deleted_seconds={reason.value: round(seconds, 1) for reason, seconds in dict(deleted.seconds).items()},
            oldest_ms=self._oldest_ms,
            conditions={condition.value: text for condition, text in self._conditions()},
        )
        if self._archive_cleaner is not None:
            report.archive_bytes = self._archive_cleaner.bytes
            report.archive_deleted_bytes = {
                reason.value: count for reason, count in dict(self._archive_cleaner.deleted_bytes).items()
            }
        return report

    def _conditions(self) -> Iterable[tuple[Condition, str]]:
        if self.guard.condition is not None:
            yield self.guard.condition, REMEDIES[self.guard.condition]
        if self.known.is_away:
            yield Condition.INDEX_AWAY, REMEDIES[Condition.INDEX_AWAY]
        trouble = (self.mover.trouble if self.mover is not None else "") or self._archive_trouble
        if trouble:
            yield Condition.ARCHIVE_AWAY, f"{REMEDIES[Condition.ARCHIVE_AWAY]} It says: {trouble}"

    def start(self, shutdown: Shutdown, may_clean: Callable[[], bool]) -> None:
        """Start a thread for each chore; they end with the process, or when it shall stop.

        Args:
            shutdown: Ends them.
            may_clean: Whether this manager is the one that cleans: it leads, or nobody can know who does.
        """
        steps = {"volume-guard": self.guard_step, "volume-survey": self.survey_step}
        if self.mover is not None:
            steps["archive-mover"] = self.archive_step
        for name, step in steps.items():
            threading.Thread(target=repeat, args=(step, shutdown, may_clean), name=name, daemon=True).start()


def repeat(step: Callable[[], float], shutdown: Shutdown, may_clean: Callable[[], bool]) -> None:
    """Take a step again and again, until the process shall stop.

    Args:
        step: Returns the seconds after which to take it again.
        shutdown: Ends it.
        may_clean: Whether to take it now.
    """
    pause = 0.0
    while not shutdown.wait(max(pause, 0.01)):
        try:
            pause = step() if may_clean() else IDLE_SECONDS
        except Exception:  # whatever one file or row was like: a volume that nobody keeps fills
            pause = STEP_SECONDS
            log.exception("volume_chore_failed")
