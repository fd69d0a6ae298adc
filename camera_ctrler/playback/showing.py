"""Which file shows which time, and where it may be cut. Pure.

Files of two workers may overlap; then the newer epoch shows. Of one worker, the file that starts later does.
"""

import heapq
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from camera_ctrler.playback.fragments import Layout
from camera_ctrler.recordings.index import IndexedSegment

#: Milliseconds by which files of one camera may overlap, or lie apart, because clocks and time stamps are rounded
#: and corrected: no more than what a player steps over by itself.
HOLE_MS: Final = 150
#: Seconds that a part of a live playlist has at least.
PART_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Shown:
    """A file in the time in which it is the one that shows; Unix ms UTC."""

    found: IndexedSegment
    from_ms: int
    to_ms: int

    @property
    def whole(self) -> bool:
        """Whether nothing of the file is hidden, but for a rounding."""
        segment = self.found.segment
        return self.from_ms - segment.start_ms <= HOLE_MS and segment.end_ms - self.to_ms <= HOLE_MS


def shown(files: Iterable[IndexedSegment]) -> list[Shown]:
    """Return what shows when, in the order of time.

    A file may show twice, when another lies in the middle of it. What would show for no more than `HOLE_MS` between
    two others is left out.
    """
    ordered = sorted((each for each in files if each.segment.end_ms > each.segment.start_ms), key=_start)
    borders = sorted({time for each in ordered for time in (each.segment.start_ms, each.segment.end_ms)})
    running: list[tuple[int, int, int]] = []  # best first: newest epoch, then latest start; the last is the place
    found: list[Shown] = []
    waiting = 0
    for begin, end in itertools.pairwise(borders):
        while waiting < len(ordered) and _start(ordered[waiting]) <= begin:
            segment = ordered[waiting].segment
            heapq.heappush(running, (-segment.epoch, -segment.start_ms, waiting))
            waiting += 1
        while running and ordered[running[0][2]].segment.end_ms <= begin:
            heapq.heappop(running)
        if running:
            _append(found, ordered[running[0][2]], begin, end)
    return [each for each in found if each.to_ms - each.from_ms > HOLE_MS or each.whole]


def _append(found: list[Shown], file: IndexedSegment, begin_ms: int, end_ms: int) -> None:
    if found and found[-1].found is file and found[-1].to_ms == begin_ms:
        found[-1] = Shown(file, found[-1].from_ms, end_ms)
    else:
        found.append(Shown(file, begin_ms, end_ms))


def _start(file: IndexedSegment) -> int:
    return file.segment.start_ms


@dataclass(frozen=True, slots=True)
class Run:
    """Fragments that are played together: the first one begins with a keyframe."""

    first: int
    last: int
    #: Seconds from the file's first picture.
    begin: Fraction
    end: Fraction


def runs_of(layout: Layout, *, open_end: bool) -> list[Run]:
    """Cut a file into runs of at least `PART_SECONDS`, each beginning with a keyframe.

    Where it is cut depends only on what comes before, so that a file that grows is cut as it was.

    Args:
        layout: The file.
        open_end: It is still being written: what follows the last cut is no run yet.
    """
    runs: list[Run] = []
    first = 0
    for place in range(1, len(layout.fragments)):
        long_enough = layout.begin(place) - layout.begin(first) >= PART_SECONDS
        if long_enough and layout.fragments[place].keyframe:
            runs.append(Run(first, place - 1, layout.begin(first), layout.begin(place)))
            first = place
    if layout.fragments and not open_end:
        runs.append(Run(first, len(layout.fragments) - 1, layout.begin(first), layout.length))
    return runs


def runs_shown(runs: Sequence[Run], file: Shown) -> list[Run]:
    """Return the runs of a file that have something of the time in which it shows, more than `HOLE_MS`."""
    start_ms = file.found.segment.start_ms
    return [
        run
        for run in runs
        if start_ms + run.begin * 1000 < file.to_ms - HOLE_MS and start_ms + run.end * 1000 > file.from_ms + HOLE_MS
    ]
