"""Compares the files on the volume with the index, hour by hour, and repairs what differs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

import structlog

from camera_ctrler.playback.track_runs import DamagedFootageError
from camera_ctrler.recordings.file_facts import FileReader
from camera_ctrler.recordings.index import VOLUME, IndexedSegment, SegmentIndex, SegmentKey
from camera_ctrler.registry import CameraNotFoundError, CameraUnreadableError, Registry
from contract.errors import FarmError
from contract.recording_paths import HOUR_MS
from contract.recordings import MAX_SEGMENT_MS, KeptFor, RecordMode, Segment
from runtime.clock import Clock, SystemClock
from runtime.recording_store import FoundFile, RecordingStore

#: A file that was written to in the last milliseconds is being written, or its worker is about to tell of it.
YOUNG_MS: Final = 60_000

log = structlog.get_logger(__name__)


class Difference(StrEnum):
    """How volume and index differ."""

    #: A file that can be played, and no row.
    NOT_INDEXED = "not_indexed"
    #: A file that cannot be played, not even its beginning.
    DAMAGED = "damaged"
    #: A row whose file is gone.
    FILE_GONE = "file_gone"
    #: A file that is longer or shorter than its row says.
    OTHER_SIZE = "other_size"
    #: A file that the index knows in the archive, and that is on the volume, too.
    ALSO_ARCHIVED = "also_archived"


class Repair(IntEnum):
    """What may be changed."""

    NOTHING = 0
    #: Rows are added; nothing is taken away: a listing of a network volume may be late, or the volume not mounted.
    ADD = 1
    #: Rows are added, replaced and removed, damaged files put aside.
    ALL = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference."""

    difference: Difference
    #: Path of the file, relative to the volume.
    path: str
    #: What is wrong, or what was found; for people.
    detail: str
    #: What was done about it; empty: nothing.
    repaired: str = ""


@dataclass(frozen=True, slots=True)
class CheckedHour:
    """What was looked at."""

    camera_id: str
    hour_ms: int
    files: int
    bytes: int
    findings: list[Finding]


class VolumeEmptyError(FarmError):
    """The index knows footage and the volume has none at all."""


class VolumeCheck:
    """Compares volume and index. Not thread-safe.

    Methods raise `SQLAlchemyError` while the database is away and `OSError` while the volume is.
    """

    def __init__(
        self,
        store: RecordingStore,
        index: SegmentIndex,
        kept_for: Callable[[str], KeptFor] = lambda _: KeptFor.CONTINUOUS,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._index = index
        self._kept_for = kept_for
        self._clock = clock or SystemClock()
        self._reader = FileReader(store)

    def hours(self, camera_ids: Iterable[str], from_ms: int, to_ms: int) -> list[tuple[str, int]]:
        """Return camera and hour of everything in the range that volume or index has, by camera and time.

        Raises:
            VolumeEmptyError: The volume has no footage of any camera, but the index knows some: very likely it is not
                mounted, and all rows would be taken for rows without a file.
        """
        wanted = set(camera_ids)
        present = set(self._store.cameras())
        known = [
            (each.camera_id, each.hour_ms)
            for each in self._index.hours(tier=VOLUME, before_ms=to_ms)
            if each.hour_ms > from_ms - HOUR_MS and (not wanted or each.camera_id in wanted)
        ]
        if known and not present and not wanted:
            raise VolumeEmptyError(
                f"there is no footage below {self._store.root}, but the index knows some in {len(known)} hours of "
                "cameras; mount the volume or set FARM_FRAMES_DIR, or name the cameras whose footage is gone with "
                "--camera"
            )
        listed = (
            (camera_id, hour_ms)
            for camera_id in sorted(present & wanted if wanted else present)
            for hour_ms in self._store.hours(camera_id, from_ms, to_ms)
        )
        return sorted({*known, *listed})

    def check_hour(self, camera_id: str, hour_ms: int, repair: Repair = Repair.NOTHING) -> CheckedHour:
        """Compare the files that start in an hour with what the index knows of them, and repair what may be."""
        files = {_key(each): each for each in self._store.segments(camera_id, hour_ms, hour_ms + HOUR_MS)}
        # After the files: what was finished in between has a row and is not taken for one without.
        rows = {each.key: each for each in self._index.segments_of_hour(camera_id, hour_ms)}
        for key, row in rows.items():
            if key not in files and (late := self._store.found(row.path)) is not None:
                files[key] = late
        old_ms = self._clock.now_ms() - YOUNG_MS
        settled = [each for each in files.values() if each.changed_at_ms < old_ms]
        findings = [
            *self._unknown([each for each in settled if _key(each) not in rows], repair),
            *self._changed([(each, rows[_key(each)]) for each in settled if _key(each) in rows], repair),
            *self._gone([row for key, row in rows.items() if key not in files and row.tier == VOLUME], repair),
        ]
        size = sum(each.size_bytes for each in files.values())
        return CheckedHour(camera_id, hour_ms, len(files), size, sorted(findings, key=lambda each: each.path))

    def _unknown(self, files: list[FoundFile], repair: Repair) -> Iterator[Finding]:
        readable: list[Segment] = []
        for found in files:
            try:
                segment = self._reader.read(found, self._kept_for(found.camera_id))
            except FileNotFoundError:  # deleted meanwhile
                continue
            except DamagedFootageError as error:
                yield self._damaged(found, str(error), repair)
                continue
            readable.append(segment)
            seconds = (segment.end_ms - segment.start_ms) / 1000
            detail = f"{seconds:.1f} s of {segment.codec}, {segment.width}x{segment.height}"
            yield Finding(
                Difference.NOT_INDEXED, found.path, detail, "added to the index" if repair >= Repair.ADD else ""
            )
        if readable and repair >= Repair.ADD:
            self._index.add_missing(readable)

    def _damaged(self, found: FoundFile, detail: str, repair: Repair) -> Finding:
        if repair is not Repair.ALL:
            return Finding(Difference.DAMAGED, found.path, detail)
        if found.changed_at_ms > self._clock.now_ms() - MAX_SEGMENT_MS:
            # Its camera may have been silent for a while; after this time its worker has surely closed it.
            wait = "it may still be written: check again in ten minutes"
            return Finding(Difference.DAMAGED, found.path, f"{detail}; {wait}")
        aside = self._store.put_aside(found.path)
        return Finding(Difference.DAMAGED, found.path, detail, f"moved to {aside}")

    def _changed(self, pairs: list[tuple[FoundFile, IndexedSegment]], repair: Repair) -> Iterator[Finding]:
        for found, row in pairs:
            if row.tier != VOLUME:
                detail = "the index knows it in the archive; the cleaner deletes it here once it is surely there"
                yield Finding(Difference.ALSO_ARCHIVED, found.path, detail)
            elif found.size_bytes != row.segment.size_bytes:
                yield self._resized(found, row.segment, repair)

    def _resized(self, found: FoundFile, known: Segment, repair: Repair) -> Finding:
        detail = f"{found.size_bytes} bytes, the index says {known.size_bytes}"
        try:
            read = self._reader.read(found, known.kept_for)
        except DamagedFootageError as error:
            finding = self._damaged(found, f"{detail}; {error}", repair)
            if finding.repaired:
                self._index.remove([_key(found)], tier=VOLUME)
            return finding
        if repair is Repair.ALL:
            self._index.add([read.model_copy(update={"motion": known.motion, "seen": known.seen})])
        return Finding(
            Difference.OTHER_SIZE, found.path, detail, "corrected in the index" if repair is Repair.ALL else ""
        )

    def _gone(self, rows: list[IndexedSegment], repair: Repair) -> Iterator[Finding]:
        for row in rows:
            segment = row.segment
            seconds = (segment.end_ms - segment.start_ms) / 1000
            detail = f"{seconds:.1f} s, {segment.size_bytes} bytes, kept for {segment.kept_for}"
            repaired = "removed from the index" if repair is Repair.ALL else ""
            yield Finding(Difference.FILE_GONE, row.path, detail, repaired)
        if rows and repair is Repair.ALL:
            self._index.remove((row.key for row in rows), tier=VOLUME)


def kept_for_by(registry: Registry) -> Callable[[str], KeptFor]:
    """Return what files are kept for of which nobody knows why: the reason for which their camera records at all.

    Else retention would delete a camera's events as if nothing had happened in them.
    """
    reasons = {RecordMode.MOTION: KeptFor.MOTION, RecordMode.EVENTS: KeptFor.EVENT}

    def kept_for(camera_id: str) -> KeptFor:
        try:
            mode = registry.get(camera_id).view().record
        except (CameraNotFoundError, CameraUnreadableError):
            return KeptFor.CONTINUOUS
        return reasons.get(mode, KeptFor.CONTINUOUS)

    return kept_for


def _key(found: FoundFile) -> SegmentKey:
    return found.camera_id, found.start_ms, found.epoch
