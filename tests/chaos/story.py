"""A log made into what the invariants ask for: faults with their times, owners of cameras, times of life. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tests.chaos.event_log import Line
from tests.chaos.fault_kinds import KINDS, FaultKind

#: A look at assignments takes place every 250 ms; what the log shows so long after a fault may have been so before it.
LOOK_MS: Final = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the log, times in ms of the log's clock."""

    number: int
    kind: FaultKind
    target: str
    begin_ms: int
    end_ms: int
    line: int

    def covers(self, at_ms: int, *, before_ms: int = 0, after_ms: int = 0) -> bool:
        """Tell whether `at_ms` lies within it, or so long before or after it."""
        return self.begin_ms - before_ms <= at_ms <= self.end_ms + after_ms


@dataclass(frozen=True, slots=True)
class Span:
    """A time in ms of the log's clock, and why it is one."""

    begin_ms: int
    end_ms: int
    why: str = ""

    def meets(self, begin_ms: int, end_ms: int) -> bool:
        """Tell whether the two have a moment in common."""
        return self.begin_ms <= end_ms and begin_ms <= self.end_ms


class Story:
    """One log, by what happened to whom."""

    def __init__(self, lines: list[Line], slack: float = 1.0) -> None:
        """Read a log.

        Args:
            lines: Of the log, numbered.
            slack: Every time that something may take is so many times as long: for machines that are slow or busy.
        """
        self.lines = lines
        self._slack = slack
        self.by_what: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            self.by_what[line["what"]].append(line)
        #: Camera id -> its accepted results, in the order of its stream.
        self.results = _by_camera(self.by_what["result"])
        #: Camera id -> what stood as its newest result, in order.
        self.newest = _by_camera(self.by_what["newest"])
        self._assigned = _by_camera(self.by_what["assigned"])

    def allowed_ms(self, seconds: float) -> int:
        """Return how many ms something may take here that may take so many seconds on a good machine."""
        return round(seconds * 1000 * self._slack)

    def first(self, what: str) -> Line | None:
        """Return the first line of a kind."""
        found = self.by_what.get(what)
        return found[0] if found else None

    @cached_property
    def end_ms(self) -> int:
        """Until when cameras are expected to be analysed: the farm was asked to stop, or the log breaks off."""
        stop = self.first("inventory") or self.first("stopping")
        return int(stop["at_ms"] if stop else self.lines[-1]["at_ms"])

    @cached_property
    def breaking_ms(self) -> int:
        """From when on they are."""
        breaking = self.first("breaking")
        return int(breaking["at_ms"]) if breaking else self.end_ms

    @cached_property
    def faults(self) -> list[Fault]:
        """All faults, in the order in which they began; one that was not healed lasts until the end."""
        healed = {line["fault"]: line["at_ms"] for line in self.by_what["healed"]}
        return [
            Fault(
                number=line["fault"],
                kind=KINDS[line["kind"]],
                target=line["target"],
                begin_ms=line["at_ms"],
                end_ms=healed.get(line["fault"], self.end_ms),
                line=line["line"],
            )
            for line in self.by_what["fault"]
        ]

    def faults_of(self, *kinds: str, target: str | None = None) -> list[Fault]:
        """Return the faults of these kinds, of one target or of all."""
        return [fault for fault in self.faults if fault.kind.name in kinds and target in {None, fault.target}]

    @cached_property
    def lost_data_ms(self) -> list[int]:
        """When Redis lost its data."""
        return [fault.begin_ms for fault in self.faults_of("redis_emptied")]

    def lost_data_between(self, begin_ms: int, end_ms: int) -> bool:
        """Tell whether Redis lost its data in that time; the log's last look before it may be a little older."""
        return any(begin_ms - LOOK_MS <= at_ms <= end_ms for at_ms in self.lost_data_ms)

    @cached_property
    def hosts(self) -> dict[str, str]:
        """Camera id -> its camera host."""
        return {line["camera"]: line["host"] for line in self.by_what["camera"] if line["change"] == "added"}

    @cached_property
    def wanted(self) -> dict[str, list[Span]]:
        """Camera id -> when it was registered and enabled; `why` says what began it."""
        changes = _by_camera(self.by_what["camera"])
        return {camera_id: list(_spans(its, self.end_ms)) for camera_id, its in changes.items()}

    def holders(self, camera_id: str, at_ms: int) -> set[str]:
        """Return workers that may have been watching a camera: assigned last, or with the last result."""
        found = set()
        for lines in (self._assigned.get(camera_id, []), self.results.get(camera_id, [])):
            index = bisect_right([line["at_ms"] for line in lines], at_ms + LOOK_MS)
            # The assignment before the last one, too: its worker goes on until the camera is handed over.
            found |= {line["worker"] for line in lines[max(0, index - 2) : index]}
        return found


def _by_camera(lines: Iterable[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        found[line["camera"]].append(line)
    return dict(found)


def _spans(changes: list[Line], end_ms: int) -> Iterable[Span]:
    """Yield the times in which a camera was wanted.

    One that is about to be disabled or removed is not wanted from the moment the API is asked; where the API did not
    do it, it is wanted again from the next change on, which may be never.
    """
    since: tuple[int, str] | None = None
    for line in changes:
        if line["change"] in {"added", "enabled"}:
            since = since or (line["at_ms"], f"camera_{line['change']}")
        elif line["change"] in {"disabling", "removing"} and since is not None:
            yield Span(since[0], line["at_ms"], since[1])
            since = None
    if since is not None:
        yield Span(since[0], end_ms, since[1])
