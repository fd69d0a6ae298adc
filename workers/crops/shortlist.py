"""The best few sightings of one object, unlike each other, and when to tell of them. Pure: time is passed in.

A set is told early, so that somebody who looks for this one hears of it while it is there; a better one later; and at
the end what has come since.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from workers.crops.sharpness import likeness

Kept = TypeVar("Kept")

#: Crops of one set.
SET: Final = 4
#: Crops of one object in all.
MOST: Final = 12
#: Seconds between two looks at an object's pixels: sightings of one moment show the same.
LOOK_SECONDS: Final = 0.2
#: Likeness of two glances from which on they show the same, in [-1, 1]: people who walk were 0.4 to 0.6 alike from
#: one sighting to the next, people who stand 0.9 and more.
ALIKE: Final = 0.8
#: So many times better than one that is kept must be what takes its place.
BETTER: Final = 1.1
#: Share of the best one's quality below which a sighting is not kept: it may show somebody else, who stands in front.
LEAST_SHARE: Final = 0.4
#: So many times better than all that was told must be what is worth telling again.
WORTH_TELLING: Final = 1.25
#: Seconds after the first sighting within which the first set is told.
FIRST_SECONDS: Final = 1.5
#: Seconds from the first set to the second at least, and those after which a full set is told though it is no better.
SECOND_SECONDS: Final = 5.0
SECOND_ANYWAY_SECONDS: Final = 20.0
#: Seconds without a sighting after which what is kept is told: before the track is said to have ended, which is to name
#: it, and while the tracker still looks for the object.
UNSEEN_SECONDS: Final = 3.0


class Due(Enum):
    """What is to be done with a shortlist now."""

    NOTHING = "nothing"
    #: Tell of the set.
    TELL = "tell"
    #: Tell of it when the track ends.
    TELL_LAST = "tell_last"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of one crop."""

    quality: float
    #: Monotonic seconds.
    at: float
    #: What it looks like; see `sharpness`.
    glance: NDArray[np.float32]


@dataclass(slots=True)
class Shortlist(Generic[Kept]):
    """The crops of one object that were not told of yet, and what those were like that were."""

    #: Monotonic seconds of the first sighting that could be cropped, and of the last one.
    first_at: float
    last_at: float
    _held: list[tuple[Sighting, Kept]] = field(default_factory=list)
    _told: list[Sighting] = field(default_factory=list)
    _told_at: float = 0.0
    #: Sets that were told, and how many the last one had.
    sets: int = 0
    _last_set: int = 0
    _looked_at: float = float("-inf")

    @property
    def held(self) -> list[Kept]:
        """What is kept, best first."""
        return [kept for _, kept in sorted(self._held, key=lambda each: each[0].quality, reverse=True)]

    def seen(self, at: float) -> None:
        """Take note of a sighting."""
        self.last_at = at

    def is_worth_a_look(self, worth: float, at: float) -> bool:
        """Tell whether a sighting that can be `worth` at best may get in; if so, its pixels are looked at now."""
        if worth <= 0 or at - self._looked_at < LOOK_SECONDS or len(self._told) >= MOST:
            return False
        if worth < LEAST_SHARE * self._best:
            return False
        if len(self._held) >= self._room and worth < BETTER * min(each.quality for each, _ in self._held):
            return False
        self._looked_at = at
        return True

    def place_of(self, sighting: Sighting) -> int | None:
        """Return where a sighting gets in: the place of the one that it pushes out, or behind the last; None: nowhere.

        Of those that are alike only the best is kept, so that the set shows the object from several sides.
        """
        like_told = [each for each in self._told if likeness(each.glance, sighting.glance) >= ALIKE]
        if sighting.quality < LEAST_SHARE * self._best or any(
            sighting.quality < WORTH_TELLING * each.quality for each in like_told
        ):
            return None
        qualities = [each.quality for each, _ in self._held]
        like_held = [
            place for place, (each, _) in enumerate(self._held) if likeness(each.glance, sighting.glance) >= ALIKE
        ]
        if not like_held and len(self._held) < self._room:
            return len(self._held)
        if not self._held:
            return None
        rival = min(like_held or range(len(self._held)), key=lambda place: qualities[place])
        return rival if sighting.quality >= BETTER * qualities[rival] else None

    def put(self, place: int, sighting: Sighting, kept: Kept) -> list[Kept]:
        """Keep a sighting at the place that `place_of` said; return what it pushes out, or is too poor beside it."""
        out = [each for _, each in self._held[place : place + 1]]
        self._held[place : place + 1] = [(sighting, kept)]
        least = LEAST_SHARE * self._best
        out += [each for known, each in self._held if known.quality < least]
        self._held = [each for each in self._held if each[0].quality >= least]
        return out

    def due(self, now: float, gap: float) -> Due:
        """Return whether the set is to be told of.

        Args:
            now: Monotonic seconds.
            gap: Seconds after which the next frame may be expected.
        """
        if not self._held:
            return Due.NOTHING
        is_unseen = now - self.last_at >= UNSEEN_SECONDS
        if not self.sets:
            return Due.TELL if is_unseen or now + gap > self.first_at + FIRST_SECONDS else Due.NOTHING
        if is_unseen:
            return Due.TELL_LAST
        return Due.TELL if self.sets == 1 and self._is_second_due(now) else Due.NOTHING

    def _is_second_due(self, now: float) -> bool:
        age = now - self._told_at
        told = max(each.quality for each in self._told)
        is_better = self._best >= WORTH_TELLING * told
        return age >= SECOND_SECONDS and (is_better or (age >= SECOND_ANYWAY_SECONDS and len(self._held) >= self._room))

    def told(self, now: float) -> None:
        """Take note that what is held was told, or will be when the track ends."""
        self._told += [each for each, _ in self._held]
        self._last_set = len(self._held)
        self._held.clear()
        self._told_at = now
        self.sets += 1

    def lost(self, now: float) -> None:
        """Take note that the set which was told last could not be saved: what comes from now on takes its place."""
        del self._told[len(self._told) - self._last_set :]
        self._last_set = 0
        self.sets -= 1
        self.first_at = now

    @property
    def _best(self) -> float:
        """Quality of the best sighting that is held or was told; 0: there is none."""
        return max([each.quality for each, _ in self._held] + [each.quality for each in self._told], default=0.0)

    @property
    def _room(self) -> int:
        """How many may be held: at the end one set shall still have room."""
        return min(SET, MOST - len(self._told))
