"""When each saved frame is due in a playback. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

#: Longer gaps between two frames are not waited out...
LONGEST_GAP_MS: Final = 5_000
#: ...but shown as a short stop, so that a person sees that something is missing.
SHOWN_GAP_MS: Final = 1_000
#: Frames per second that a playback shows at most; a screen and a network need no more.
MAX_SHOWN_FPS: Final = 30


@dataclass(frozen=True, slots=True)
class DueFrame:
    """One frame of a playback."""

    captured_at_ms: int
    #: Milliseconds from the first frame, in playback time.
    due_ms: float


def schedule(times_ms: Iterable[int], speed: float) -> Iterator[DueFrame]:
    """Yield when each frame is due.

    Args:
        times_ms: Capture times, ascending.
        speed: How many seconds of capture pass in one second of playback, 1 or more.

    Yields:
        The frames in order; those that would follow the former one within less than 1 / `MAX_SHOWN_FPS` s are left
        out.
    """
    last_ms: int | None = None
    due_ms = shown_ms = 0.0
    for time_ms in times_ms:
        if last_ms is None:
            yield DueFrame(time_ms, 0.0)
        else:
            gap_ms = time_ms - last_ms
            due_ms += (SHOWN_GAP_MS if gap_ms > LONGEST_GAP_MS else gap_ms) / speed
            # A thousandth of tolerance: 30 frames a second are 33.33 ms apart, and captured in whole milliseconds.
            if due_ms - shown_ms >= 1000 / MAX_SHOWN_FPS - 1:
                shown_ms = due_ms
                yield DueFrame(time_ms, due_ms)
        last_ms = time_ms
