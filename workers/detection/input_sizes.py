"""Which sizes of input one model is opened with. Pure.

A model that leaves its input open can be run on less than the whole square: what it costs grows with the area (see
benchmarks/README.md). A wide frame leaves almost half of the square empty, and a few regions of a frame most of it.
"""

from typing import Final

#: Pixels of the model's coarsest grid: both sides of an input are multiples of it.
STRIDE: Final = 32
#: Height of the wide inputs as a share of their width: 16:9 frames fit, rounded up to the stride.
WIDE: Final = 0.6
#: Sides below this are not worth a graph of their own.
LEAST_SIDE: Final = 128

#: Height and width in pixels.
Size = tuple[int, int]


def sizes_for(side: int) -> tuple[Size, ...]:
    """Return the inputs to open for models that leave the size open, smallest area first.

    Args:
        side: Side in pixels of the largest one, a square.
    """
    largest = (side, side)
    if side % STRIDE:
        return (largest,)
    half = _to_stride(side / 2)
    candidates = {(_to_stride(WIDE * half), half), (half, half), (_to_stride(WIDE * side), side), largest}
    kept = {size for size in candidates if min(size) >= LEAST_SIDE or size == largest}
    return tuple(sorted(kept, key=area))


def area(size: Size) -> int:
    """Return the pixels of an input."""
    return size[0] * size[1]


def _to_stride(pixels: float) -> int:
    return -(-round(pixels) // STRIDE) * STRIDE
