"""What was recorded without a gap, and how much happened in it: arithmetic on times. Pure.

Times are Unix milliseconds UTC, ranges are half open: ``[from, to)``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from contract.errors import ContractError
from contract.recordings import GAP_MS

#: More buckets than any screen has columns.
MAX_BUCKETS: Final = 20_000


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A time in which everything was recorded."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What was seen in a time, to be spread over buckets."""

    start_ms: int
    end_ms: int
    #: Share of the frames looked at in which something moved, in [0, 1].
    motion: float
    #: How much of the time counts: 1 unless it stands for several files with gaps between them.
    weight: float
    seen: dict[str, int]


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was recorded and seen in ``[start_ms, start_ms + bucket_ms)``, as far as the range asked for reaches."""

    start_ms: int
    recorded_seconds: float
    #: Mean share of frames with motion over what was recorded, in [0, 1].
    motion: float
    #: Class name -> most objects of that class seen in one frame.
    seen: dict[str, int]


def merged(pieces: Iterable[tuple[int, int]]) -> list[Span]:
    """Join pieces (start, end), in any order, between which less than `GAP_MS` lies."""
    found: list[Span] = []
    start = end = -1
    for piece_start, piece_end in sorted(pieces):
        if end >= 0 and piece_start - end < GAP_MS:
            end = max(end, piece_end)
            continue
        if end >= 0:
            found.append(Span(start, end))
        start, end = piece_start, piece_end
    if end >= 0:
        found.append(Span(start, end))
    return found


def clipped(spans: Iterable[Span], from_ms: int, to_ms: int) -> list[Span]:
    """Return the parts of `spans` that lie in the range; none is empty."""
    cut = (Span(max(span.start_ms, from_ms), min(span.end_ms, to_ms)) for span in spans)
    return [span for span in cut if span.start_ms < span.end_ms]


@dataclass(slots=True)
class _Filling:
    recorded_ms: int = 0
    motion: float = 0.0
    weight: float = 0.0
    seen: dict[str, int] = field(default_factory=dict)


def buckets_of(
    spans: Iterable[Span], pieces: Iterable[Piece], from_ms: int, to_ms: int, bucket_ms: int
) -> list[Bucket]:
    """Spread spans and pieces over buckets that begin at multiples of `bucket_ms`; empty ones are left out.

    Args:
        spans: What was recorded; without overlaps.
        pieces: What was seen; may overlap.
        from_ms: Begin of the range; the first bucket may begin before it.
        to_ms: End of the range.
        bucket_ms: Width of a bucket.

    Raises:
        ContractError: The buckets are narrower than 1 ms, or more than `MAX_BUCKETS`.
    """
    check_buckets(from_ms, to_ms, bucket_ms)
    filled: dict[int, _Filling] = {}
    for span in clipped(spans, from_ms, to_ms):
        for start, overlap in _parts(span.start_ms, span.end_ms, bucket_ms):
            filled.setdefault(start, _Filling()).recorded_ms += overlap
    for piece in pieces:
        first, last = max(piece.start_ms, from_ms), min(piece.end_ms, to_ms)
        for start, overlap in _parts(first, last, bucket_ms):
            bucket = filled.get(start)
            if bucket is None:
                bucket = filled[start] = _Filling()
            bucket.motion += piece.motion * piece.weight * overlap
            bucket.weight += piece.weight * overlap
            for name, most in piece.seen.items():
                bucket.seen[name] = max(most, bucket.seen.get(name, 0))
    return [
        Bucket(start, each.recorded_ms / 1000, each.motion / each.weight if each.weight else 0.0, each.seen)
        for start, each in sorted(filled.items())
    ]


def check_buckets(from_ms: int, to_ms: int, bucket_ms: int) -> None:
    """Raise `ContractError` for buckets that are too narrow for the range."""
    if bucket_ms < 1 or (to_ms - from_ms) / bucket_ms > MAX_BUCKETS:
        raise ContractError(
            f"buckets of {bucket_ms} ms are too narrow for a range of {to_ms - from_ms} ms; "
            f"ask for at most {MAX_BUCKETS} buckets"
        )


def _parts(start_ms: int, end_ms: int, bucket_ms: int) -> Iterable[tuple[int, int]]:
    """Cut a time at the buckets' borders: the bucket's start, and the milliseconds in it."""
    first = start_ms // bucket_ms * bucket_ms
    if start_ms < end_ms <= first + bucket_ms:  # by far the most
        return ((first, end_ms - start_ms),)
    starts = range(first, end_ms, bucket_ms) if start_ms < end_ms else ()
    return [(start, min(end_ms, start + bucket_ms) - max(start_ms, start)) for start in starts]
