"""Places where something moves all the time and nothing is ever found: leaves, water, a flag. Pure; not thread-safe.

What moves inside such a place is looked at now and then only. Whatever is larger than it, or beside it, is looked at
as always; and as soon as anything is found there, the place is one like all others.
"""

from dataclasses import dataclass
from typing import Final

from workers.motion.rectangles import Rectangle, area, grown, touch, union, within

#: Looks one after the other that found nothing, after which a place is barren.
LOOKS: Final = 4
#: Seconds between looks at what moves in a barren place.
EVERY_SECONDS: Final = 4.0
#: Seconds without motion after which a place is forgotten.
FORGET_SECONDS: Final = 60.0
#: Share of the frame's area beyond which a place is too large to be told as one.
LARGEST_SHARE: Final = 0.05
#: How far motion may reach beyond the place, as a share of the frame's longer side: leaves do not stay put.
SLACK_SHARE: Final = 0.015
#: Places that are kept; the one that was looked at longest ago goes first.
MOST: Final = 32


@dataclass(slots=True)
class _Place:
    rectangle: Rectangle
    looks: int
    looked_at: float


class BarrenPlaces:
    """The places of one camera. All times are monotonic seconds, all sizes (height, width) in pixels."""

    def __init__(self) -> None:
        self._places: list[_Place] = []

    def clear(self) -> None:
        """Forget all."""
        self._places = []

    def hides(self, moved: Rectangle, at: float, frame_size: tuple[int, int]) -> bool:
        """Whether what moved need not be looked at in a frame that was captured `at`."""
        place = self._place_of(moved, frame_size)
        return place is not None and place.looks >= LOOKS and at - place.looked_at < EVERY_SECONDS

    def looked(self, moved: Rectangle, found: list[Rectangle], at: float, frame_size: tuple[int, int]) -> None:
        """Take note of a look at what moved, and of all that was found in the frame."""
        place = self._place_of(moved, frame_size)
        if any(touch(moved, box) for box in found):
            self._places = [each for each in self._places if not touch(each.rectangle, moved)]
        elif place is not None:
            place.rectangle = union(place.rectangle, moved)
            place.looks += at > place.looked_at
            place.looked_at = at
        elif area(moved) <= LARGEST_SHARE * frame_size[0] * frame_size[1]:
            self._places.append(_Place(moved, 1, at))
        kept = [each for each in self._places if at - each.looked_at < FORGET_SECONDS]
        self._places = sorted(kept, key=lambda each: each.looked_at)[-MOST:]

    def _place_of(self, moved: Rectangle, frame_size: tuple[int, int]) -> _Place | None:
        slack = SLACK_SHARE * max(frame_size)
        # Places grow only as far as they may be large.
        limit = LARGEST_SHARE * frame_size[0] * frame_size[1]
        for place in self._places:
            if within(moved, [grown(place.rectangle, slack, 0, frame_size)]) == 1:
                return place if area(union(place.rectangle, moved)) <= limit else None
        return None
