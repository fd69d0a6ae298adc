"""What the files of one hour come to: kept up to date file by file, so that nobody sums up millions of rows. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from camera_ctrler.recordings.spans import Span, merged
from contract.recording_paths import HOUR_MS

RANKS: Final = range(3)
MINUTE_MS: Final = 60_000


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
    """Return what is stored of classes that were seen."""
    return json.dumps(seen, separators=(",", ":"), sort_keys=True) if seen else None


def read_seen(text: str | None) -> dict[str, int]:
    """Return what `seen_text` was given."""
    return dict(json.loads(text)) if text else {}


@dataclass(slots=True)
class Minute:
    """What the files come to that start in one minute."""

    #: As in `HourTotals`.
    recorded_ms: int = 0
    moving: int = 0
    seen: dict[str, int] = field(default_factory=dict)


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
    #: By minute of the hour, of the files that start in it.
    minutes: dict[int, Minute] = field(default_factory=dict)
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
            minute = self.minutes.setdefault((file.start_ms - self.hour_ms) // MINUTE_MS, Minute())
            minute.recorded_ms += file.duration_ms
            minute.moving += file.duration_ms * file.motion
            for name, most in read_seen(file.seen).items():
                self.seen[name] = max(most, self.seen.get(name, 0))
                minute.seen[name] = max(most, minute.seen.get(name, 0))
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
        """Return the row of the table `segment_hours`."""
        counts = {f"count_{rank}": self.counts[rank] for rank in RANKS}
        return self._named_key | counts | {f"bytes_{rank}": self.sizes[rank] for rank in RANKS}

    def times(self) -> dict[str, Any]:
        """Return the row of the table `segment_times`."""
        return self._named_key | {
            "recorded_ms": self.recorded_ms,
            "moving": self.moving,
            "seen": seen_text(self.seen),
            "spans": spans_text(self.spans, self.hour_ms),
            "minutes": minutes_text(self.minutes),
        }

    @property
    def _named_key(self) -> dict[str, Any]:
        return {"camera": self.camera, "hour_ms": self.hour_ms, "tier": self.tier}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return what the rows of both tables, joined, were made from."""
        return cls(
            camera=row["camera"],
            hour_ms=row["hour_ms"],
            tier=row["tier"],
            counts=[row[f"count_{rank}"] for rank in RANKS],
            sizes=[row[f"bytes_{rank}"] for rank in RANKS],
            recorded_ms=row["recorded_ms"],
            moving=row["moving"],
            seen=read_seen(row["seen"]),
            minutes=read_minutes(row["minutes"]),
            spans=read_spans(row["spans"], row["hour_ms"]),
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


def minutes_text(minutes: Mapping[int, Minute]) -> str:
    """Return what is stored of an hour's minutes; those without a file are left out."""
    flat = [[number, each.recorded_ms, each.moving, each.seen or 0] for number, each in sorted(minutes.items())]
    return json.dumps(flat, separators=(",", ":"))


def read_minutes(text: str) -> dict[int, Minute]:
    """Return what `minutes_text` was given."""
    return {number: Minute(recorded_ms, moving, seen or {}) for number, recorded_ms, moving, seen in json.loads(text)}


def spans_text(spans: Iterable[Span], hour_ms: int) -> str:
    """Return what is stored of an hour's spans."""
    flat = [at_ms - hour_ms for span in spans for at_ms in (span.start_ms, span.end_ms)]
    return json.dumps(flat, separators=(",", ":"))


def read_spans(text: str, hour_ms: int) -> list[Span]:
    """Return what `spans_text` was given."""
    flat = json.loads(text)
    return [Span(flat[at] + hour_ms, flat[at + 1] + hour_ms) for at in range(0, len(flat), 2)]
