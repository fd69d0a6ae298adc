"""Rectangles of a frame: grown, moved inside, merged. Pure.

A rectangle is ``(left, top, right, bottom)``; pixels of the frame, not always whole ones.
"""

from collections.abc import Iterable, Sequence

Rectangle = tuple[float, float, float, float]


def area(a: Rectangle) -> float:
    """Return the area; 0 for what is empty."""
    return max(0.0, a[2] - a[0]) * max(0.0, a[3] - a[1])


def union(a: Rectangle, b: Rectangle) -> Rectangle:
    """Return the smallest rectangle that holds both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def shared(a: Rectangle, b: Rectangle) -> float:
    """Return the area that both have."""
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def touch(a: Rectangle, b: Rectangle) -> bool:
    """Whether they share at least an edge or a corner."""
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def iou(a: Rectangle, b: Rectangle) -> float:
    """Return intersection over union; 0 where neither has an area."""
    both = shared(a, b)
    together = area(a) + area(b) - both
    return both / together if together > 0 else 0.0


def within(a: Rectangle, others: Iterable[Rectangle]) -> float:
    """Return which share of `a` lies in the others, which must not overlap; 0 where `a` has no area."""
    whole = area(a)
    return sum(shared(a, other) for other in others) / whole if whole > 0 else 0.0


def grown(a: Rectangle, margin: float, least: float, frame: tuple[int, int]) -> Rectangle:
    """Return `a` with a margin on every side, at least `least` wide and high, inside the frame.

    Args:
        a: The rectangle.
        margin: Pixels.
        least: Pixels; a frame that is smaller is taken whole.
        frame: Its height and width.
    """
    height, width = frame
    left, right = _side(a[0] - margin, a[2] + margin, least, width)
    top, bottom = _side(a[1] - margin, a[3] + margin, least, height)
    return left, top, right, bottom


def _side(low: float, high: float, least: float, limit: int) -> tuple[float, float]:
    # What lies at the frame's edge gets its least size from within the frame.
    low, high = max(0.0, min(low, limit)), max(0.0, min(high, limit))
    missing = least - (high - low)
    if missing > 0:
        low = min(max(0.0, low - missing / 2), max(0.0, limit - least))
        high = min(float(limit), low + least)
    return low, high


def merge_closest(rectangles: Iterable[Rectangle], most: int) -> list[Rectangle]:
    """Return at most `most` rectangles that hold all; those are merged whose union adds least."""
    # Beyond this many the choice would cost more than it saves, so neighbours in reading order are merged first.
    left = sorted(rectangles)
    while len(left) > 4 * most:
        left = [union(*pair) for pair in zip(left[::2], left[1::2], strict=False)] + left[len(left) // 2 * 2 :]
    while len(left) > most:
        _, i, j = min((_added(a, b), i, j) for i, a in enumerate(left) for j, b in enumerate(left) if i < j)
        left[i] = union(left[i], left.pop(j))
    return left


def merge_overlapping(rectangles: Iterable[Rectangle]) -> list[Rectangle]:
    """Return rectangles of which no two overlap, and which hold all of these."""
    left = list(rectangles)
    apart: list[Rectangle] = []
    while left:
        a = left.pop()
        near = [b for b in apart if _overlap(a, b)]
        if not near:
            apart.append(a)
            continue
        apart = [b for b in apart if b not in near]
        for b in near:
            a = union(a, b)
        left.append(a)
    return apart


def spread(cores: Sequence[Rectangle], wishes: Sequence[Rectangle]) -> list[Rectangle]:
    """Return for every core a rectangle that holds it, as much of its wish as possible, and overlaps no other.

    Args:
        cores: No two overlap.
        wishes: One for each core, which holds it.
    """
    got = list(wishes)
    for i in range(len(got)):
        for j in range(i):
            if _overlap(got[i], got[j]):
                got[i], got[j] = _parted(got[i], cores[i], got[j], cores[j])
    return got


def _parted(a: Rectangle, a_core: Rectangle, b: Rectangle, b_core: Rectangle) -> tuple[Rectangle, Rectangle]:
    """Return both without the overlap, cut in the middle between their cores where that is widest."""
    gaps = (b_core[0] - a_core[2], b_core[1] - a_core[3], a_core[0] - b_core[2], a_core[1] - b_core[3])
    side = gaps.index(max(gaps))
    if side >= 2:
        b, a = _parted(b, b_core, a, a_core)
        return a, b
    middle = (a_core[side + 2] + b_core[side]) // 2
    if side == 0:
        return (a[0], a[1], min(a[2], middle), a[3]), (max(b[0], middle), b[1], b[2], b[3])
    return (a[0], a[1], a[2], min(a[3], middle)), (b[0], max(b[1], middle), b[2], b[3])


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _added(a: Rectangle, b: Rectangle) -> float:
    return area(union(a, b)) - area(a) - area(b)
