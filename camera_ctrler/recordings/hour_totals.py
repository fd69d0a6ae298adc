"""What the files of one hour come to: kept up to date file by file, so that nobody sums up millions of rows. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from pydantic_core import from_json, to_json

from camera_ctrler.recordings.spans import Span, merged
from contract.recording_paths import HOUR_MS

RANKS: Final = range(3)
MINUTE_MS: Final = 60_000
#: Bytes of the longest text of classes: it stands in an index of PostgreSQL, whose rows have 2.7 kB at most.
_SEEN_LENGTH: Final = 1_800


class StoredFile(NamedTuple):
    """A row of the table `segments`, in the order of these fields."""

    camera: int
    start_ms: int
    epoch: int
    duration_ms: int
    size_bytes: int
    format: int
    kept_for: int
    #: Thousandths.
    motion: int
    tier: int
    #: JSON or None.
    seen: str | None

    @property
    def end_ms(self) -> int:
        """End of the last picture."""
        return self.start_ms + self.duration_ms

    @property
    def hour_ms(self) -> int:
        """Begin of the hour in which it counts."""
        return hour_of(self.start_ms)


def hour_of(at_ms: int) -> int:
    """Return the begin of the hour that contains `at_ms`."""
    return at_ms // HOUR_MS * HOUR_MS


def seen_text(seen: Mapping[str, int]) -> str | None:
    """Return what is stored of classes that were seen: as many as there is room for, the most frequent first."""
    if not seen:
        return None
    text = to_json(seen)
    if len(text) <= _SEEN_LENGTH:
        return text.decode()
    kept: dict[str, int] = {}
    room = _SEEN_LENGTH
    for name, most in sorted(seen.items(), key=lambda item: (-item[1], item[0])):
        room -= len(to_json({name: most}))
        if room < 0:
            break
        kept[name] = most
    return to_json(kept).decode()


def read_seen(text: str | None) -> dict[str, int]:
    """Return what `seen_text` was given."""
    return dict(from_json(text)) if text else {}


@dataclass(slots=True)
class Minutes:
    """What the files come to that start in each minute of an hour; as `HourTotals`, in lists of 60."""

    recorded_ms: list[int] = field(default_factory=lambda: [0] * 60)
    moving: list[int] = field(default_factory=lambda: [0] * 60)
    #: Number of the minute -> class name -> most seen.
    seen: dict[int, dict[str, int]] = field(default_factory=dict)

    def add(self, number: int, file: StoredFile, seen: Mapping[str, int]) -> None:
        """Count a file that starts in a minute."""
        self.recorded_ms[number] += file.duration_ms
        self.moving[number] += file.duration_ms * file.motion
        if seen:
            _raise(self.seen.setdefault(number, {}), seen)

    def text(self) -> str:
        """Return what is stored of them."""
        return to_json([self.recorded_ms, self.moving, self.seen]).decode()

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what `text` was made from."""
        recorded_ms, moving, seen = from_json(text)
        return cls(recorded_ms, moving, {int(number): its for number, its in seen.items()})


def _raise(most: dict[str, int], seen: Mapping[str, int]) -> None:
    for name, number in seen.items():
        most[name] = max(number, most.get(name, 0))


@dataclass(slots=True)
class HourTotals:
    """What the files come to that start in one hour of a camera, on one tier."""

    camera: int
    hour_ms: int
    tier: int
    #: Files and bytes by rank.
    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    sizes: list[int] = field(default_factory=lambda: [0, 0, 0])
    #: Sum of the files' durations.
    recorded_ms: int = 0
    #: Sum of duration times motion, in thousandths.
    moving: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    minutes: Minutes = field(default_factory=Minutes)
    spans: list[Span] = field(default_factory=list)

    def add(self, files: Iterable[StoredFile]) -> None:
        """Count files that were not counted before."""
        pieces = [(span.start_ms, span.end_ms) for span in self.spans]
        for file in files:
            self.counts[file.kept_for] += 1
            self.sizes[file.kept_for] += file.size_bytes
            self.recorded_ms += file.duration_ms
            self.moving += file.duration_ms * file.motion
            pieces.append((file.start_ms, file.end_ms))
            seen = read_seen(file.seen)
            _raise(self.seen, seen)
            self.minutes.add((file.start_ms - self.hour_ms) // MINUTE_MS, file, seen)
        self.spans = merged(pieces)

    def promote(self, before: StoredFile, after: StoredFile) -> None:
        """Count a file for a better reason."""
        self.counts[before.kept_for] -= 1
        self.sizes[before.kept_for] -= before.size_bytes
        self.counts[after.kept_for] += 1
        self.sizes[after.kept_for] += after.size_bytes

    @property
    def key(self) -> tuple[int, int, int]:
        """Camera, hour and tier."""
        return self.camera, self.hour_ms, self.tier

    def sums(self) -> dict[str, Any]:
        """Return the figures of the table `segment_hours`."""
        counts, sizes = self.counts, self.sizes
        return {
            "count_0": counts[0],
            "count_1": counts[1],
            "count_2": counts[2],
            "bytes_0": sizes[0],
            "bytes_1": sizes[1],
            "bytes_2": sizes[2],
        }

    def times(self) -> dict[str, Any]:
        """Return the figures of the table `segment_times`."""
        return {
            "recorded_ms": self.recorded_ms,
            "moving": self.moving,
            "seen": seen_text(self.seen),
            "spans": spans_text(self.spans, self.hour_ms),
            "minutes": self.minutes.text(),
        }

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        """Return what a row says: key, figures of `segment_hours`, figures of `segment_times`, in their order."""
        camera, hour_ms, tier, *sums, recorded_ms, moving, seen, spans, minutes = row
        return cls(
            camera=camera,
            hour_ms=hour_ms,
            tier=tier,
            counts=sums[:3],
            sizes=sums[3:],
            recorded_ms=recorded_ms,
            moving=moving,
            seen=read_seen(seen),
            minutes=Minutes.read(minutes),
            spans=read_spans(spans, hour_ms),
        )


def totals_of(files: Iterable[StoredFile]) -> list[HourTotals]:
    """Sum up files; one for each camera, hour and tier."""
    grouped: dict[tuple[int, int, int], list[StoredFile]] = {}
    for file in files:
        grouped.setdefault((file.camera, file.hour_ms, file.tier), []).append(file)
    found = []
    for (camera, hour_ms, tier), its in grouped.items():
        totals = HourTotals(camera, hour_ms, tier)
        totals.add(its)
        found.append(totals)
    return found


def only_promoted(before: StoredFile, after: StoredFile) -> bool:
    """Tell whether two rows of a file differ in the reason it is kept for, at most."""
    return before._replace(kept_for=after.kept_for) == after


def spans_text(spans: Iterable[Span], hour_ms: int) -> str:
    """Return what is stored of an hour's spans."""
    flat = [at_ms - hour_ms for span in spans for at_ms in (span.start_ms, span.end_ms)]
    return to_json(flat).decode()


def read_spans(text: str, hour_ms: int) -> list[Span]:
    """Return what `spans_text` was given."""
    flat = from_json(text)
    return [Span(flat[at] + hour_ms, flat[at + 1] + hour_ms) for at in range(0, len(flat), 2)]
