"""Decides what of the footage, the saved frames and the crops goes, and in which order. Pure.

Two things make files go. *Age*: a file has been kept for as long as the rules say. *Room*: the volume, all footage or
the footage of one camera takes more than it may; then the oldest of the least wanted goes first, and never evidence
(footage of an event, and frames taken in it), nor anything of the newest minute.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from contract.recording_paths import HOUR_MS
from contract.recordings import KeptFor, Segment
from contract.retention import KeepRules

#: Milliseconds for which everything is kept: live views and events point at it, and workers still write it.
NEWEST_MS: Final = 60_000
#: When a file expires that the archive has as well: at once.
LEFT_BEHIND: Final = 0
#: What may go for want of room, in this order.
GOES_FOR_ROOM: Final = (KeptFor.CONTINUOUS, KeptFor.MOTION)


class Reason(StrEnum):
    """Why a file went."""

    #: Kept for as long as the rules say.
    AGE = "age"
    #: The volume had fewer free bytes than it must have.
    SPACE = "space"
    #: All footage together took more than FARM_RECORDINGS_MAX_BYTES.
    MAX_BYTES = "max_bytes"
    #: The camera's footage took more than FARM_RECORDINGS_CAMERA_MAX_BYTES.
    CAMERA_MAX_BYTES = "camera_max_bytes"
    #: It is in the archive.
    ARCHIVED = "archived"


class Condition(StrEnum):
    """What is wrong with the volumes; shown in log, metrics and status until it is over."""

    #: There is no room, and all that is left is evidence and the newest minute.
    EVIDENCE_FILLS_THE_VOLUME = "evidence_fills_the_volume"
    #: There is no room, and all that is left is the newest minute.
    VOLUME_TOO_SMALL = "volume_too_small"
    #: The volume cannot be read or nothing can be deleted from it.
    VOLUME_FAILS = "volume_fails"
    #: The index does not answer: what is not known to be evidence is taken for none.
    INDEX_AWAY = "index_away"
    #: The archive does not answer: footage stays on the volume as long as there is room.
    ARCHIVE_AWAY = "archive_away"


REMEDIES: Final[Mapping[Condition, str]] = {
    Condition.EVIDENCE_FILLS_THE_VOLUME: "Footage of events fills the volume and is not deleted before its age. "
    "Give it a larger volume or an archive, or shorten event in FARM_RECORDINGS_KEEP.",
    Condition.VOLUME_TOO_SMALL: "The newest minute alone needs more than the volume has above "
    "FARM_FRAMES_MIN_FREE_BYTES. Use a larger volume, lower that setting, or record fewer cameras.",
    Condition.VOLUME_FAILS: "The frames volume cannot be read or written. Check that it is mounted, and for whom.",
    Condition.INDEX_AWAY: "The database does not answer; old files are found by their folders until it does.",
    Condition.ARCHIVE_AWAY: "The archive does not answer. Check FARM_ARCHIVE_URL, its keys and the network; footage "
    "stays on the frames volume meanwhile.",
}


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """One file on the volume: of footage, a saved frame, or a crop."""

    camera_id: str
    #: When its first picture was captured, Unix ms UTC.
    start_ms: int
    #: When its last one ended, or, if that is later, when it was written to last.
    end_ms: int
    size_bytes: int
    #: Best reason to keep it; of a frame: ``event`` inside footage of an event, else ``continuous``; of a crop:
    #: ``motion``.
    kept_for: KeptFor
    #: When it has been kept long enough, Unix ms UTC.
    expires_ms: int
    #: Relative to the volume.
    path: str
    #: None: a saved frame, or a crop.
    epoch: int | None = None
    #: Milliseconds of footage, as far as they are known.
    recorded_ms: int = 0
    is_crop: bool = False

    @property
    def is_footage(self) -> bool:
        """Whether it counts for the limits of footage."""
        return self.epoch is not None


@dataclass(frozen=True, slots=True)
class Doomed:
    """A file that is to go."""

    file: VolumeFile
    reason: Reason


@dataclass(slots=True)
class Wanted:
    """Bytes that are still to be freed; `make_room` counts them down."""

    #: Of anything on the volume.
    volume: int = 0
    #: Of footage, whichever camera's.
    footage: int = 0
    #: Camera id -> of its footage.
    cameras: dict[str, int] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether anything is to be freed."""
        return self.of_all or bool(self.cameras)

    @property
    def of_all(self) -> bool:
        """Whether files of every camera may go for it."""
        return self.volume > 0 or self.footage > 0

    def reason_for(self, file: VolumeFile) -> Reason | None:
        """Return why a file would go now; None: it may stay."""
        if file.is_footage and self.cameras.get(file.camera_id, 0) > 0:
            return Reason.CAMERA_MAX_BYTES
        if file.is_footage and self.footage > 0:
            return Reason.MAX_BYTES
        return Reason.SPACE if self.volume > 0 else None

    def freed(self, file: VolumeFile) -> None:
        """Note that a file is gone."""
        self.volume = max(0, self.volume - file.size_bytes)
        if not file.is_footage:
            return
        self.footage = max(0, self.footage - file.size_bytes)
        left = self.cameras.pop(file.camera_id, 0) - file.size_bytes
        if left > 0:
            self.cameras[file.camera_id] = left


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may lie on the volume; 0: no limit."""

    max_bytes: int = 0
    camera_max_bytes: int = 0


def wanted(missing_bytes: int, totals: Mapping[str, int], limits: Limits) -> Wanted:
    """Return what is to be freed.

    Args:
        missing_bytes: How many more bytes should be free on the volume.
        totals: Camera id -> bytes of its footage on the volume.
        limits: How much of it may be there.
    """
    over = {name: size - limits.camera_max_bytes for name, size in totals.items()} if limits.camera_max_bytes else {}
    footage = sum(totals.values()) - limits.max_bytes if limits.max_bytes else 0
    return Wanted(max(0, missing_bytes), max(0, footage), {name: excess for name, excess in over.items() if excess > 0})


def make_room(files: Iterable[VolumeFile], want: Wanted, kept_for: KeptFor, now_ms: int) -> Iterator[Doomed]:
    """Yield what goes for want of room, until enough has gone; `want` is counted down with each.

    Args:
        files: Oldest first; as many are taken as are necessary.
        want: What is to be freed.
        kept_for: Only files that are kept for this reason go: of `GOES_FOR_ROOM`, one after the other.
        now_ms: Unix ms UTC.
    """
    if kept_for not in GOES_FOR_ROOM:
        raise ValueError(f"footage kept for {kept_for} does not go for want of room")
    rest = iter(files)
    while want.any and (file := next(rest, None)) is not None:
        if file.kept_for is not kept_for or file.end_ms > now_ms - NEWEST_MS:
            continue
        reason = want.reason_for(file)
        if reason is not None:
            want.freed(file)
            yield Doomed(file, reason)


def expired(files: Iterable[VolumeFile], now_ms: int) -> Iterator[Doomed]:
    """Yield what has been kept for as long as the rules say."""
    for file in files:
        if file.expires_ms <= now_ms and file.end_ms <= now_ms - NEWEST_MS:
            yield Doomed(file, Reason.ARCHIVED if file.expires_ms == LEFT_BEHIND else Reason.AGE)


def first_expiry_ms(hour_ms: int, kept: Iterable[KeptFor], rules: KeepRules) -> int:
    """Return the time before which nothing expires of footage that began in an hour, by what is kept there.

    Nothing known of it (`kept` is empty) counts as the best of reasons: it goes when everything would have gone.
    """
    ages = [rules.ages_ms[each] for each in kept]
    return hour_ms + min(ages) if ages else hour_ms + HOUR_MS + rules.longest_ms


class EvidenceSpans:
    """When a camera's footage is evidence, for the frames that were taken meanwhile."""

    def __init__(self, segments: Iterable[Segment], rules: KeepRules) -> None:
        #: (start, end, when its footage has been kept long enough), Unix ms UTC, by start, without overlaps.
        self._spans: list[tuple[int, int, int]] = []
        for segment in sorted(segments, key=lambda each: each.start_ms):
            if segment.kept_for is not KeptFor.EVENT:
                continue
            start_ms, end_ms, expires_ms = segment.start_ms, segment.end_ms, rules.expires_ms(segment)
            if self._spans and start_ms < self._spans[-1][1]:  # two workers recorded it
                before = self._spans.pop()
                start_ms, end_ms, expires_ms = before[0], max(end_ms, before[1]), max(expires_ms, before[2])
            self._spans.append((start_ms, end_ms, expires_ms))

    def kept_until_ms(self, at_ms: int) -> int:
        """Return until when a frame captured at a time is evidence; 0: it is none."""
        found = bisect_right(self._spans, at_ms, key=lambda span: span[0]) - 1
        if found < 0 or at_ms >= self._spans[found][1]:
            return 0
        return self._spans[found][2]
