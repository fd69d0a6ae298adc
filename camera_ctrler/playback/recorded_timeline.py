"""What of a range was recorded, what was not, and in which steps it is shown. Pure."""

from collections.abc import Sequence
from typing import Final

from camera_ctrler.recordings.spans import Span

_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
#: Widths of buckets that people can read, milliseconds; beyond the last one whole days.
_WIDTHS: Final = (
    *(seconds * _SECOND for seconds in (1, 2, 5, 10, 15, 30)),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
)
_DAY: Final = 24 * _HOUR


def bucket_width(from_ms: int, to_ms: int, most: int) -> int:
    """Return the width (ms) of the narrowest readable buckets of which at most `most` cover a range.

    Buckets begin at multiples of their width, so there may be one more than fit into the range.
    """
    wanted = (to_ms - from_ms) / max(1, most - 1)
    return next((width for width in _WIDTHS if width >= wanted), max(1, -(-int(wanted) // _DAY)) * _DAY)


def gaps(spans: Sequence[Span], from_ms: int, to_ms: int) -> list[Span]:
    """Return what lies between spans (in order, without overlaps) in a range."""
    borders = [from_ms, *(time for span in spans for time in (span.start_ms, span.end_ms)), to_ms]
    found = (Span(begin, end) for begin, end in zip(borders[::2], borders[1::2], strict=True))
    return [gap for gap in found if gap.start_ms < gap.end_ms]
