"""Rectangles of a frame: grown, moved inside, merged. Pure.

A rectangle is ``(left, top, right, bottom)``; pixels of the frame, not always whole ones.
"""

from collections.abc import Iterable

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


def merge_cheap(rectangles: Iterable[Rectangle], price: float) -> list[Rectangle]:
    """Merge until no two overlap, and no two are left whose union adds no more than `price` pixels of area."""
    left = list(rectangles)
    merged: list[Rectangle] = []
    while left:
        a = left.pop()
        near = [b for b in left if _overlap(a, b) or _added(a, b) <= price]
        if not near:
            near = [b for b in merged if _overlap(a, b) or _added(a, b) <= price]
            merged = [b for b in merged if b not in near]
        else:
            left = [b for b in left if b not in near]
        if not near:
            merged.append(a)
            continue
        for b in near:
            a = union(a, b)
        left.append(a)
    return merged


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _added(a: Rectangle, b: Rectangle) -> float:
    return area(union(a, b)) - area(a) - area(b)
