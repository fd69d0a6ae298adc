"""What was found in one camera's picture last, and when each of it is to be looked at again. Pure; not thread-safe."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from workers.frames import Detections
from workers.motion.rectangles import Rectangle, area, iou, shared, touch, union, within

#: IoU from which on two boxes of one group are the same object in two looks.
SAME_IOU: Final = 0.3
#: IoU, or share of the smaller box, from which on a box that was carried and a fresh one are the same object.
DUPLICATE_IOU: Final = 0.45
DUPLICATE_SHARE: Final = 0.8
#: IoU with where it was, from which on an object stands still: boxes of small objects jitter by some pixels.
STILL_IOU: Final = 0.7
#: Looks and seconds of standing still after which an object is settled.
SETTLE_LOOKS: Final = 3
SETTLE_SECONDS: Final = 3.0
#: Seconds between looks at an object that is settled.
HEARTBEAT_SECONDS: Final = 5.0
#: The same for one near which nothing has moved for a while: the pixels are the same as before.
CALM_HEARTBEAT_SECONDS: Final = 15.0
#: The same for an object of which the detector is so unsure that one frame may make it a track, or none.
UNSURE: Final = (0.35, 0.6)
UNSURE_SECONDS: Final = 1.0
#: Frames are never on the beat: what is due so soon is due.
EARLY_SECONDS: Final = 0.1
#: Share of a box that must have been looked at for it to be replaced by what was found there.
COVERED_SHARE: Final = 0.6
#: An object that is not found where it was is looked for in so many looks, and after them every so many seconds, for
#: as long as a tracker remembers it: detectors miss faint objects now and then.
MISSES: Final = 3
MISSED_EVERY_SECONDS: Final = 0.7
FORGET_SECONDS: Final = 5.0
WORTH_CONFIDENCE: Final = 0.5
#: Unless so much of where it was moved: then it has gone.
MOVED_ON_SHARE: Final = 0.1


#: Seconds without motion near it, and looks since then, after which an object is calm: another look at the same
#: pixels tells nothing but the detector's own flicker.
CALM_SECONDS: Final = 3.0
CALM_LOOKS: Final = 2


@dataclass(frozen=True, slots=True)
class Known:
    """One object."""

    box: Rectangle
    confidence: float
    class_id: int
    #: Smallest class index of those that may be the same object.
    group: int
    #: When it was found, and looked for, last; monotonic seconds as all times here.
    seen_at: float
    looked_at: float
    #: Where and since when it stands still, and looks that found it there.
    anchor: Rectangle
    still_since: float
    equal_looks: int = 0
    #: Looks since it was found last.
    misses: int = 0
    #: When something moved near it last, and looks at it since then.
    stirred_at: float = -math.inf
    calm_looks: int = 0
    #: Pixels per second to the right and downwards.
    velocity: tuple[float, float] = (0.0, 0.0)

    @property
    def is_settled(self) -> bool:
        """Whether it has stood still for long enough not to be looked at in every frame."""
        return (
            self.misses == 0 and self.equal_looks >= SETTLE_LOOKS and self.seen_at - self.still_since >= SETTLE_SECONDS
        )

    def is_calm(self, at: float) -> bool:
        """Whether it was looked at again since the last motion near it, which is long ago."""
        return self.calm_looks >= CALM_LOOKS and at - self.stirred_at >= CALM_SECONDS

    def is_due(self, at: float) -> bool:
        """Whether it is to be looked at in a frame that was captured then."""
        is_overlooked = self.misses > 0 and (self.confidence >= WORTH_CONFIDENCE or self.equal_looks >= SETTLE_LOOKS)
        if self.is_calm(at) and not is_overlooked:
            # The faintest are left to looks at the whole frame.
            return self.confidence >= UNSURE[0] and at - self.looked_at >= CALM_HEARTBEAT_SECONDS - EARLY_SECONDS
        if self.is_settled:
            is_unsure = UNSURE[0] <= self.confidence < UNSURE[1]
            return at - self.looked_at >= (UNSURE_SECONDS if is_unsure else HEARTBEAT_SECONDS) - EARLY_SECONDS
        return self.misses < MISSES or at - self.looked_at >= MISSED_EVERY_SECONDS

    def is_worth_looking_for(self, at: float) -> bool:
        """Whether it may only have been overlooked: the faint that was found once was a mistake as likely as not."""
        if self.equal_looks == 0 and self.confidence < WORTH_CONFIDENCE:
            return False
        return at - self.seen_at < FORGET_SECONDS or self.misses < MISSES

    def place(self, at: float) -> Rectangle:
        """Return where it was and where it would be by now."""
        seconds = max(0.0, at - self.seen_at)
        left, top, right, bottom = self.box
        # Nobody knows whether it goes on: never further than its own size.
        across = _limited(self.velocity[0] * seconds, right - left)
        down = _limited(self.velocity[1] * seconds, bottom - top)
        return union(self.box, (left + across, top + down, right + across, bottom + down))

    def found_again(self, fresh: "Known", at: float) -> "Known":
        """Return what is known after it was found again."""
        seconds = at - self.seen_at
        velocity = (0.0, 0.0)
        if seconds > 0:
            moved = [(new - old) / seconds for new, old in zip(_centre(fresh.box), _centre(self.box), strict=True)]
            velocity = moved[0], moved[1]
        if iou(fresh.box, self.anchor) < STILL_IOU:
            return replace(fresh, velocity=velocity, stirred_at=self.stirred_at)
        return replace(
            fresh,
            stirred_at=self.stirred_at,
            calm_looks=max(fresh.calm_looks, self.calm_looks + 1),
            anchor=self.anchor,
            still_since=self.still_since,
            equal_looks=self.equal_looks + 1,
            velocity=velocity,
        )

    def missed(self, at: float) -> "Known":
        """Return what is known after a look that did not find it."""
        return replace(self, looked_at=at, misses=self.misses + 1, calm_looks=self.calm_looks + 1)


class KnownObjects:
    """The objects of one camera.

    Args:
        groups: For every class the smallest class index of those that may be the same object; a class that is missing
            is a group of its own.
    """

    def __init__(self, groups: Mapping[int, int] | None = None) -> None:
        self._groups = dict(groups or {})
        self._known: list[Known] = []

    def clear(self) -> None:
        """Forget all."""
        self._known = []

    def boxes(self) -> list[Rectangle]:
        """Return the boxes of all objects that were found when they were looked for last."""
        return [known.box for known in self._known if known.misses == 0]

    def stirred(self, moved: Sequence[Rectangle], at: float) -> None:
        """Take note of what moved in a frame that was captured `at`: what is near it is looked at anew."""
        for index, known in enumerate(self._known):
            if any(touch(known.box, each) for each in moved):
                self._known[index] = replace(known, stirred_at=at, calm_looks=0)

    def due(self, at: float) -> list[Rectangle]:
        """Return where to look for objects in a frame that was captured `at`.

        When one of them is due, so is whoever would be within half a heartbeat: one look at several costs less than a
        look at each.
        """
        if not any(known.is_due(at) for known in self._known):
            return []
        soon = at + HEARTBEAT_SECONDS / 2
        return [known.place(at) for known in self._known if known.is_due(at) or known.is_due(soon)]

    def looked(
        self,
        covered: Sequence[Rectangle],
        moved: Sequence[Rectangle],
        fresh: Detections,
        is_cut: Sequence[bool],
        at: float,
    ) -> Detections:
        """Take note of what was found, and return all that is there: what was found now, or is carried on.

        Args:
            covered: What was looked at; rectangles that do not overlap.
            moved: Where something had moved, of what was looked at.
            fresh: What was found there.
            is_cut: For every fresh detection, whether it reaches the edge of what was looked at, and so may be a part.
            at: When the frame was captured.
        """
        carried = [known for known in self._known if within(known.box, covered) < COVERED_SHARE]
        asked = [known for known in self._known if within(known.box, covered) >= COVERED_SHARE]
        found = self._as_known(fresh, moved, at)
        # A part of something that is known as a whole is no object.
        found = [
            each
            for each, cut in zip(found, is_cut, strict=True)
            if not (cut and any(_is_part(each, known) for known in carried))
        ]
        carried = [known for known in carried if not any(_is_duplicate(known, each) for each in found)]
        lost = self._follow(asked, found, at)
        # Who moved and is not found has gone on, and what moves is looked at anyway.
        lost = [
            known
            for known in lost
            if not any(shared(known.box, each) > MOVED_ON_SHARE * area(known.box) for each in moved)
            and not any(_is_duplicate(known, each) for each in found)
        ]
        self._known = found + carried + lost
        return _as_detections([known for known in found + carried if known.misses == 0], at)

    def _as_known(self, fresh: Detections, moved: Sequence[Rectangle], at: float) -> list[Known]:
        rows = zip(fresh.xyxy.tolist(), fresh.confidence.tolist(), fresh.class_id.tolist(), strict=True)
        return [
            Known(
                box=(box[0], box[1], box[2], box[3]),
                confidence=confidence,
                class_id=class_id,
                group=self._groups.get(class_id, class_id),
                seen_at=at,
                looked_at=at,
                anchor=(box[0], box[1], box[2], box[3]),
                still_since=at,
                # What is faint, and where nothing moves, would look no clearer in the next frame.
                calm_looks=CALM_LOOKS
                if confidence < WORTH_CONFIDENCE
                and not any(touch((box[0], box[1], box[2], box[3]), each) for each in moved)
                else 0,
            )
            for box, confidence, class_id in rows
        ]

    @staticmethod
    def _follow(asked: Sequence[Known], found: list[Known], at: float) -> list[Known]:
        """Write into `found` what is known of it from before; return what was not found, unless it is forgotten."""
        pairs = sorted(
            (
                (iou(known.box, each.box), i, j)
                for i, known in enumerate(asked)
                for j, each in enumerate(found)
                if known.group == each.group
            ),
            reverse=True,
        )
        before: set[int] = set()
        after: set[int] = set()
        for likeness, i, j in pairs:
            if likeness < SAME_IOU:
                break
            if i not in before and j not in after:
                before.add(i)
                after.add(j)
                found[j] = asked[i].found_again(found[j], at)
        missed = [known.missed(at) for i, known in enumerate(asked) if i not in before]
        return [known for known in missed if known.is_worth_looking_for(at)]


def _is_duplicate(known: Known, fresh: Known) -> bool:
    if known.group != fresh.group:
        return False
    smaller = min(area(known.box), area(fresh.box))
    return iou(known.box, fresh.box) >= DUPLICATE_IOU or shared(known.box, fresh.box) >= DUPLICATE_SHARE * smaller > 0


def _is_part(part: Known, known: Known) -> bool:
    return part.group == known.group and shared(part.box, known.box) >= DUPLICATE_SHARE * area(part.box)


def _as_detections(objects: Iterable[Known], at: float) -> Detections:
    ordered = sorted(objects, key=lambda known: -known.confidence)
    if not ordered:
        return Detections()
    return Detections(
        np.array([known.box for known in ordered], np.float32),
        np.array([known.confidence for known in ordered], np.float32),
        np.array([known.class_id for known in ordered], np.int64),
        fresh=np.array([known.seen_at == at for known in ordered], bool),
    )


def _centre(box: Rectangle) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _limited(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
