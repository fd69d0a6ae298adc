"""Puts rectangles of several frames together on inputs of the detector, as cheaply as a simple rule finds. Pure.

What an input costs grows with its area. So a rectangle joins others on an input where it makes that one dearer by less
than an input of its own would cost. Placing is the bottom-left rule on a skyline (Jylänki, "A Thousand Ways to Pack the
Bin", 2010, section 2.3), the highest rectangles first.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workers.detection.input_sizes import STRIDE, Size, area

#: Pixels of the model's finest grid.
FINE_STRIDE: Final = 8
#: Least pixels of grey between two rectangles: boxes must not grow together.
GAP: Final = 16
#: Pixels around every rectangle of a canvas that are tried, the most first.
CONTEXTS: Final = (128, 96, 64, 48, 32, 16)
#: Pixels of an input that cost as much as running any input at all, whatever its size.
FIXED_COST: Final = 5_000


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a rectangle lies; all in pixels of the input."""

    #: Which of the given rectangles it is.
    index: int
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Canvas:
    """One input of the detector and what lies on it."""

    #: Height and width.
    size: Size
    placements: tuple[Placement, ...]

    @property
    def cost(self) -> int:
        """What running it costs, in pixels."""
        return area(self.size) + FIXED_COST


def plan(rectangles: Sequence[Size], input_sizes: Sequence[Size]) -> list[Canvas]:
    """Place every rectangle once, none over another; see `joined`."""
    return joined([], range(len(rectangles)), rectangles, input_sizes)


def joined(
    canvases: Sequence[Canvas], new: Sequence[int], rectangles: Sequence[Size], input_sizes: Sequence[Size]
) -> list[Canvas]:
    """Place more rectangles, none over another, on canvases that there are or on further ones.

    Args:
        canvases: From an earlier call with the same rectangles before these.
        new: Indices of the rectangles to place.
        rectangles: Height and width of all, at least 1 and none larger than the largest input.
        input_sizes: Height and width of every input there is, smallest area first.

    Returns:
        Canvases, each of the smallest input that holds what is on it.

    Raises:
        ValueError: A rectangle fits into no input.
    """
    planned = list(canvases)
    for index in sorted(new, key=lambda each: _order(rectangles[each], each)):
        best = smallest_that_holds([index], rectangles, input_sizes)
        if best is None:
            raise ValueError(f"no input of {list(input_sizes)} holds a rectangle of {rectangles[index]}")
        chosen, extra = len(planned), best.cost
        for number in reversed(range(len(planned))):  # the newest has most room
            canvas = planned[number]
            members = [lies.index for lies in canvas.placements] + [index]
            candidate = smallest_that_holds(members, rectangles, input_sizes, cheaper_than=canvas.cost + extra)
            if candidate is not None:
                chosen, extra, best = number, candidate.cost - canvas.cost, candidate
            if extra <= 0:
                break
        planned[chosen : chosen + 1] = [best]
    return planned


def smallest_that_holds(
    members: Sequence[int],
    rectangles: Sequence[Size],
    input_sizes: Sequence[Size],
    *,
    cheaper_than: float = math.inf,
) -> Canvas | None:
    """Return the smallest input with the rectangles that `members` names placed on it; None where none holds them."""
    needed = sum((rectangles[index][0] + GAP) * (rectangles[index][1] + GAP) for index in members)
    for size in input_sizes:
        if area(size) + FIXED_COST >= cheaper_than:
            return None
        # A gap may stick out of the input to the right and below.
        if (size[0] + GAP) * (size[1] + GAP) < needed:
            continue
        # Where it is possible every rectangle lies on the model's coarsest grid alike, whatever lies beside it.
        for step in (STRIDE, FINE_STRIDE):
            placements = place(members, rectangles, size, step)
            if placements is not None:
                return Canvas(size, placements)
    return None


def widened(canvas: Canvas, rectangles: Sequence[Size], most: Sequence[Size]) -> Canvas:
    """Return the canvas with its rectangles as much larger as there is room: what surrounds a thing helps to see it.

    Args:
        canvas: From `plan`.
        rectangles: As for `plan`.
        most: Height and width that each rectangle may grow to; its own where it must not grow.
    """
    members = [lies.index for lies in canvas.placements]
    for context in CONTEXTS if len(members) > 1 else [max(canvas.size)]:
        grown = {index: _grown(rectangles[index], most[index], canvas.size, context) for index in members}
        for step in (STRIDE, FINE_STRIDE):
            placements = place(members, grown, canvas.size, step)
            if placements is not None:
                return Canvas(canvas.size, placements)
    return canvas


def _grown(rectangle: Size, most: Size, canvas_size: Size, context: int) -> Size:
    height, width = (
        max(side, min(side + 2 * context, limit, room))
        for side, limit, room in zip(rectangle, most, canvas_size, strict=True)
    )
    return height, width


def place(
    members: Sequence[int], rectangles: Sequence[Size] | Mapping[int, Size], size: Size, step: int
) -> tuple[Placement, ...] | None:
    """Place rectangles on one input, `GAP` apart and with corners on multiples of `step`; None where they do not fit.

    A lone one lies in the middle, as the model was trained.
    """
    height, width = size
    if len(members) == 1:
        (index,) = members
        return _centred(index, rectangles[index], size)
    # How far down each column of `step` pixels is taken; a gap may stick out of the input to the right and below.
    taken = [0] * (-(-width // step))
    placements = []
    for index in sorted(members, key=lambda member: _order(rectangles[member], member)):
        part_height, part_width = rectangles[index]
        # Its gap must be free too: what lies beside it may have been placed before.
        columns, starts = -(-(part_width + GAP) // step), (width - part_width) // step + 1
        tops = [(max(taken[left : left + columns]), left) for left in range(starts)]
        top, left = min(tops, default=(height, 0))
        if top + part_height > height:
            return None
        below, end = top + -(-(part_height + GAP) // step) * step, min(left + columns, len(taken))
        taken[left:end] = [below] * (end - left)
        placements.append(Placement(index, left * step, top, part_width, part_height))
    return tuple(placements)


def _centred(index: int, rectangle: Size, size: Size) -> tuple[Placement, ...] | None:
    height, width = rectangle
    if height > size[0] or width > size[1]:
        return None
    # 0.1 decides where an odd pixel goes, as in `Letterbox`.
    left, top = round((size[1] - width) / 2 - 0.1), round((size[0] - height) / 2 - 0.1)
    return (Placement(index, left, top, width, height),)


def _order(rectangle: Size, index: int) -> tuple[int, int, int]:
    return -rectangle[0], -rectangle[1], index
