"""Is anything missing in what was recorded? Read from the files alone. Pure, but for the reader of times."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.recording_cost import picture_times


@dataclass(frozen=True, slots=True)
class Footage:
    """What there is of one span of one camera."""

    #: Seconds that pictures are there for / seconds.
    share: float
    longest_hole_seconds: float


def footage(times: list[float], since: float, until: float, *, fps: float) -> Footage:
    """Judge one span.

    Args:
        times: When each recorded picture is shown, Unix seconds, ascending.
        since: Beginning of the span, Unix seconds.
        until: Its end.
        fps: Pictures a second that the camera sends.

    Returns:
        A picture stands for one frame distance. Distances up to one and a half are the camera's own jitter.
    """
    beat = 1 / fps
    inside = [since, *(at for at in times if since < at < until), until]
    holes = [after - before - beat for before, after in pairwise(inside) if after - before > 1.5 * beat]
    return Footage(share=1 - sum(holes) / (until - since), longest_hole_seconds=max(holes, default=0.0))


def read_footage(files: list[Path], since: float, until: float, *, fps: float) -> Footage:
    """Read a camera's files that can hold the span, and judge it."""
    starts = [int(path.stem.split("-")[0]) / 1000 for path in files]
    ends = [*starts[1:], float("inf")]
    chosen = [path for path, start, end in zip(files, starts, ends, strict=True) if start < until and end > since - 60]
    return footage(picture_times(chosen) if chosen else [], since, until, fps=fps)
