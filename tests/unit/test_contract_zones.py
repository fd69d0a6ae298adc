"""Which areas, lines and masks can be used, and what is said of the others."""

import itertools
import json
import math
import random
from typing import Any

import pytest
from pydantic import ValidationError

from contract.camera_specs import CameraCreate, CameraPatch
from contract.zones import MAX_POINTS, MAX_ZONES, Point, Zone, ZoneKind, crosses_itself, masks_of, signed_area

SQUARE: list[Point] = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)]
BOW_TIE: list[Point] = [(0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)]


def _zone(points: list[Any], kind: str = "zone", **more: Any) -> dict[str, Any]:
    return {"id": "a", "kind": kind, "points": points} | more


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (_zone(BOW_TIE), "crosses itself"),
        (_zone(BOW_TIE, "mask"), "crosses itself"),
        (_zone(SQUARE[:2]), "three points"),
        (_zone(SQUARE[:1], "line"), "at least 2 items"),
        (_zone([[0.1, 0.1], [0.1, 0.1]], "line"), "same point twice"),
        (_zone([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]), "covers nothing"),
        (_zone([*SQUARE, SQUARE[0]]), "same point twice"),
        (_zone([[0, 0], [1.2, 0], [1, 1]]), "less than or equal to 1"),
        (_zone([[0, 0], [-0.1, 0], [1, 1]]), "greater than or equal to 0"),
        (_zone([[0, 0], [math.nan, 0], [1, 1]]), "finite number"),
        (_zone([[0, 0, 0], [1, 0], [1, 1]]), "at most 2 items"),
        (_zone([[i / 100, (i % 2) / 10] for i in range(MAX_POINTS + 1)], "line"), f"at most {MAX_POINTS} items"),
        (_zone(SQUARE, id="a b"), "letter or digit"),
        (_zone(SQUARE, kind="hole"), "'zone', 'line' or 'mask'"),
        (_zone(SQUARE, name="a\nb"), "match pattern"),
        (_zone(SQUARE, colour="red"), "not permitted"),
    ],
)
def test_a_drawing_that_cannot_be_used_is_refused_in_words(drawn: dict[str, Any], said: str) -> None:
    """Given a drawing that makes no sense, then the error says what is wrong with it."""
    with pytest.raises(ValidationError, match=said):
        CameraCreate.model_validate({"url": "rtsp://h/x", "zones": [drawn]})


def test_zones_of_a_camera_are_bounded_and_have_ids_of_their_own() -> None:
    """Given too many zones, or two with one id, then the camera is refused."""
    many = [_zone(SQUARE) | {"id": f"z{number}"} for number in range(MAX_ZONES + 1)]
    assert CameraPatch.model_validate({"zones": many[:MAX_ZONES]}).zones is not None
    with pytest.raises(ValidationError, match=f"at most {MAX_ZONES} items"):
        CameraPatch.model_validate({"zones": many})
    with pytest.raises(ValidationError, match="two of them have the id 'z0'"):
        CameraPatch.model_validate({"zones": [many[0], many[0]]})


def test_a_patch_gives_zones_as_they_are_stored() -> None:
    """Given the JSON of a request, then a patch accepts it strictly and its changes are plain values."""
    body = {"zones": [_zone(SQUARE, "mask", name="Window"), _zone([[0, 0.5], [1, 0.5]], "line") | {"id": "b"}]}
    patch = CameraPatch.model_validate_json(json.dumps(body), strict=True)
    stored = patch.changes()["zones"]
    assert json.loads(json.dumps(stored)) == [
        {"id": "a", "name": "Window", "kind": "mask", "points": [list(point) for point in SQUARE]},
        {"id": "b", "name": "", "kind": "line", "points": [[0.0, 0.5], [1.0, 0.5]]},
    ]
    assert CameraPatch.model_validate({"zones": []}).changes() == {"zones": []}
    assert "zones" not in CameraPatch(name="x").changes()


def test_only_masks_are_blacked_out() -> None:
    """Given one of each kind, then the outline of the mask alone is one."""
    drawn = [
        Zone(id="z", points=SQUARE),
        Zone(id="l", kind=ZoneKind.LINE, points=SQUARE[:2]),
        Zone(id="m", kind=ZoneKind.MASK, points=SQUARE[:3]),
    ]
    assert masks_of(drawn) == (tuple(SQUARE[:3]),)


@pytest.mark.parametrize(
    ("points", "crosses"),
    [
        (SQUARE, False),
        (BOW_TIE, True),
        ([(0.1, 0.1), (0.5, 0.4), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)], False),  # a notch
        ([(0.1, 0.1), (0.5, 0.95), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)], True),  # a notch through the other side
        ([(0.1, 0.1), (0.5, 0.9), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)], True),  # one that touches it
        ([(0.0, 0.0), (0.8, 0.0), (0.4, 0.0), (0.4, 0.8)], True),  # a side that goes back along the one before
        ([(0.0, 0.0), (0.4, 0.0), (0.8, 0.0), (0.4, 0.8)], False),  # a corner that is none
        ([(0.0, 0.0), (0.5, 0.0), (0.25, 0.5)], False),
    ],
)
def test_a_polygon_crosses_itself_where_two_sides_meet(points: list[Point], *, crosses: bool) -> None:
    """Given a polygon, then the answer is the same from whichever corner and in whichever direction it is told."""
    for start in range(len(points)):
        turned = points[start:] + points[:start]
        assert crosses_itself(turned) is crosses
        assert crosses_itself(turned[::-1]) is crosses


def test_stars_are_simple_and_shuffled_ones_are_not() -> None:
    """Given corners in the order of their angles there is no crossing; with two far ones exchanged there is one."""
    rng = random.Random(7)  # noqa: S311 - the same stars each time
    for count in (5, 8, 13, MAX_POINTS):
        angles = [2 * math.pi * number / count for number in range(count)]
        radii = [rng.uniform(0.2, 0.45) for _ in angles]
        star = [
            (0.5 + radius * math.cos(angle), 0.5 + radius * math.sin(angle))
            for radius, angle in zip(radii, angles, strict=True)
        ]
        assert not crosses_itself(star)
        assert signed_area(star) > 0 > signed_area(star[::-1])
        exchanged = star.copy()
        exchanged[0], exchanged[2] = exchanged[2], exchanged[0]
        assert crosses_itself(exchanged) == any(
            _cross(exchanged, a, b) for a, b in itertools.combinations(range(count), 2) if 1 < b - a < count - 1
        )


def _cross(points: list[Point], first: int, second: int) -> bool:
    """Find out by solving for the point where the lines meet: another way than that of the code."""
    (ax, ay), (bx, by) = points[first], points[first + 1]
    (cx, cy), (dx, dy) = points[second], points[(second + 1) % len(points)]
    bottom = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx)
    if bottom == 0:
        return False
    along = ((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / bottom
    other = ((cx - ax) * (by - ay) - (cy - ay) * (bx - ax)) / bottom
    return 0 <= along <= 1 and 0 <= other <= 1
