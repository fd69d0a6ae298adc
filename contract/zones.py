"""Areas, lines and masks drawn on a camera's picture, and what makes them ones that can be used. Pure."""

import hashlib
import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import combinations, pairwise
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

#: Areas, lines and masks of one camera; points of one of them.
MAX_ZONES: Final = 32
MAX_POINTS: Final = 64
#: Share of the picture that an area covers at least: less is a slip of the mouse.
LEAST_AREA: Final = 0.000_01
#: Shape of their ids.
ZONE_ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_ZONE_ID: Final = re.compile(ZONE_ID_PATTERN)

#: Shares of the picture's width and height, from its upper left corner, each in [0, 1]; so one drawing fits the main
#: stream and the smaller one.
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Point = tuple[Share, Share]


class ZoneKind(StrEnum):
    """What is drawn."""

    #: An area that rules speak of.
    ZONE = "zone"
    #: A line, of one piece or several, that rules speak of.
    LINE = "line"
    #: An area that is blacked out before anything is analysed, saved, recorded or shown.
    MASK = "mask"


def _check_id(value: str) -> str:
    if _ZONE_ID.fullmatch(value) is None:
        raise ValueError(
            "must begin with a letter or digit and have only letters, digits, '.', '_' and '-', 64 at most"
        )
    return value


class Zone(BaseModel):
    """One area, line or mask."""

    model_config = ConfigDict(extra="forbid")

    #: Unique within its camera; rules name it.
    id: Annotated[str, Field(json_schema_extra={"pattern": ZONE_ID_PATTERN}), AfterValidator(_check_id)]
    name: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    kind: ZoneKind = ZoneKind.ZONE
    #: At least three for an area, whose last one is joined to the first; at least two for a line. Shares of width and
    #: height, in [0, 1].
    points: Annotated[list[Point], Field(min_length=2, max_length=MAX_POINTS)]

    @model_validator(mode="after")
    def _can_be_used(self) -> "Zone":
        problem = problem_of_line(self.points) if self.kind is ZoneKind.LINE else problem_of_area(self.points)
        if problem:
            raise ValueError(f"{self.kind} {self.name or self.id!r} {problem}")
        return self


def _check_unique(zones: list[Zone]) -> list[Zone]:
    seen: set[str] = set()
    for zone in zones:
        if zone.id in seen:
            raise ValueError(f"two of them have the id {zone.id!r}; give each one its own")
        seen.add(zone.id)
    return zones


Zones = Annotated[list[Zone], Field(max_length=MAX_ZONES), AfterValidator(_check_unique)]


class ZoneSettings(BaseModel):
    """What is drawn on a camera's picture; the same field in the API and the registry."""

    model_config = ConfigDict(extra="forbid")

    #: Areas, lines and privacy masks. What a mask covers is black in all that is analysed, saved, recorded and shown
    #: from then on; what was saved before stays as it is.
    zones: Zones = []


Polygon = tuple[Point, ...]


def masks_of(zones: Sequence[Zone]) -> tuple[Polygon, ...]:
    """Return the outlines of the masks among `zones`."""
    return tuple(tuple(zone.points) for zone in zones if zone.kind is ZoneKind.MASK)


def mark_of_masks(zones: Sequence[Zone]) -> str:
    """Return what tells the masks among `zones` from other ones: some letters; empty: there are none."""
    masks = masks_of(zones)
    return hashlib.blake2b(repr(masks).encode(), digest_size=6).hexdigest() if masks else ""


# --- geometry ---------------------------------------------------------------------------------------------------------


def problem_of_line(points: Sequence[Point]) -> str:
    """Return what is wrong with a line, in words; empty: nothing is."""
    if len(points) < 2:
        return "needs two points at least"
    if any(a == b for a, b in pairwise(points)):
        return "has the same point twice in a row; remove one"
    return ""


def problem_of_area(points: Sequence[Point]) -> str:
    """Return what is wrong with an area, in words; empty: nothing is."""
    if len(points) < 3:
        return "needs three points at least"
    if len(set(points)) < len(points):
        return "has the same point twice; remove one"
    is_flat = all(_turn(points[0], points[1], point) == 0 for point in points[2:])
    if not is_flat and crosses_itself(points):
        return "crosses itself; move its points so that no two sides cross"
    if abs(signed_area(points)) < LEAST_AREA:
        return "covers nothing; move its points apart"
    return ""


def signed_area(points: Sequence[Point]) -> float:
    """Return the area of a polygon as a share of the picture; negative where its points go the other way round."""
    closed = zip(points, [*points[1:], points[0]], strict=True)
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in closed) / 2


def crosses_itself(points: Sequence[Point]) -> bool:
    """Tell whether two sides of a polygon meet anywhere but at the corner between them.

    Source:
        Cormen et al., "Introduction to Algorithms", section 33.1: two segments and the sides their ends lie on.
    """
    count = len(points)
    sides = [(points[at], points[(at + 1) % count]) for at in range(count)]
    for (first, one), (second, other) in combinations(enumerate(sides), 2):
        if second - first in {1, count - 1}:
            # Neighbours share a corner; they meet elsewhere only where the one goes back along the other.
            before, after = (one, other) if second - first == 1 else (other, one)
            if _turn(*before, after[1]) == 0 and _goes_back(before[0], before[1], after[1]):
                return True
        elif _meet(one, other):
            return True
    return False


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _goes_back(a: Point, corner: Point, c: Point) -> bool:
    """Tell whether the way from `a` over `corner` to `c`, all on one line, turns round."""
    return (corner[0] - a[0]) * (c[0] - corner[0]) + (corner[1] - a[1]) * (c[1] - corner[1]) < 0


def _within(a: Point, b: Point, point: Point) -> bool:
    """Tell whether a point on the line through `a` and `b` lies between them."""
    return min(a[0], b[0]) <= point[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])


def _meet(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    (a, b), (c, d) = one, other
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(turn == 0 and _within(*side) for turn, side in zip(turns, ends, strict=True))
