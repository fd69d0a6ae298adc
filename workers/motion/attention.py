"""What of a camera's frames the detector is to look at, so that it sees all that it would see in whole frames.

What moves is looked at, with what surrounds it; so is every known object that moved lately or was not found where it
was. What stands still is looked at on a heartbeat and carried from frame to frame in between; the whole frame on a
slower one. What is due stays due until it was looked at: a frame that is dropped on the way to the detector clears
nothing.
"""

import math
import threading
from collections.abc import Mapping
from typing import Final

from workers.frames import Detections, Region, Wanted
from workers.motion.barren_places import BarrenPlaces
from workers.motion.detect_scale import DetectScale
from workers.motion.known_objects import KnownObjects
from workers.motion.motion_score import Motion
from workers.motion.rectangles import (
    Rectangle,
    area,
    grown,
    merge_closest,
    merge_overlapping,
    spread,
    touch,
    union,
    within,
)

#: Seconds between looks at the whole frame.
WHOLE_SECONDS: Final = 30.0
#: The same where nothing has moved since the last one; twice as long after each of so many further ones before which
#: nothing moved: the pixels are the same.
CALM_WHOLE_SECONDS: Final = 60.0
MOST_CALM_WHOLES: Final = 2
#: Seconds at the start, and of a new scene, in which frames are looked at whole: whoever was in the first one is part
#: of the background until it has been learnt without them, and would leave a hole in it.
WARM_UP_SECONDS: Final = 10.0
#: Share of the frame beyond which all of it is looked at: its regions are hardly cheaper by then, and where much moves
#: faint objects are found by what surrounds them.
WHOLE_SHARE: Final = 0.3
# Lengths in pixels of a frame whose longer side is scaled to `REFERENCE_SIDE`:
REFERENCE_SIDE: Final = 640
#: Least margin around what moves and around known objects, all of which lies in one region.
CORE_MARGIN: Final = 6
#: Margin beyond that where there is room, and the same as a share of the longer side: detectors need to see what is
#: around an object, and of somebody who stands only an arm may move.
MARGIN: Final = 16
MARGIN_SHARE: Final = 0.15
#: Least side of a region where there is room.
LEAST_SIDE: Final = 80
#: A box that ends so close to a region's edge may be cut off there.
EDGE: Final = 3
#: Rectangles that are kept due, at most; the closest are merged beyond.
MOST_DUE: Final = 24


class Attention:
    """What is due in one camera's picture. Thread-safe: `saw` is called by the capture's thread, `looked` by another.

    Args:
        phase: In [0, 1), different from camera to camera, so that their whole frames do not fall due together.
        largest_side: Pixels that the longer side of a frame has in the model's input, at most (FARM_DETECT_SIZE).
        groups: For every class the smallest class index of those that may be the same object; a class that is missing
            is a group of its own.
        warm_up_seconds: For how long frames are looked at whole at the start.
    """

    def __init__(
        self,
        *,
        phase: float = 0.0,
        largest_side: int = REFERENCE_SIDE,
        groups: Mapping[int, int] | None = None,
        warm_up_seconds: float = WARM_UP_SECONDS,
    ) -> None:
        self._warm_up_seconds = warm_up_seconds
        self._phase = phase
        self._lock = threading.Lock()
        self._known = KnownObjects(groups)
        self._barren = BarrenPlaces()
        self._scale = DetectScale(largest_side)
        #: Height and width of the frames.
        self._size = (0, 0)
        #: Of the frame that was seen last.
        self._number = 0
        #: What moved, or is to be looked at wider, and the number of the last frame with which it fell due.
        self._due: list[tuple[Rectangle, int]] = []
        #: Number of the last frame with which the whole fell due; 0: it is not.
        self._whole_due = 0
        #: Monotonic seconds until which frames are looked at whole.
        self._warm_at = -math.inf
        #: Monotonic seconds of the last frame that was looked at whole.
        self._whole_at = -math.inf
        #: Monotonic seconds when something moved last.
        self._moved_at = -math.inf
        #: Looks at the whole frame one after the other before which nothing had moved since the one before; at most
        #: `MOST_CALM_WHOLES`.
        self._calm_wholes = 0

    def saw(self, motion: Motion, at: float, frame_size: tuple[int, int]) -> Wanted:
        """Return what of a frame is to be looked at, with all that earlier frames left due.

        Args:
            motion: What moved in it.
            at: When it was captured, monotonic seconds.
            frame_size: Its height and width in pixels.
        """
        with self._lock:
            self._number += 1
            if self._number == 1 or motion.is_new_scene or frame_size != self._size:
                self._warm_at = at + self._warm_up_seconds
            if frame_size != self._size:
                self._size = frame_size
                self._known.clear()
                self._barren.clear()
                self._due = []
                self._whole_due = self._number
            if motion.regions:
                self._moved_at = at
            if motion.is_new_scene or self._is_whole_due(at):
                self._whole_due = self._number
            moved = [(each.left, each.top, each.right, each.bottom) for each in motion.regions]
            self._known.stirred([grown(each, MARGIN * self._pixel, 0, frame_size) for each in moved], at)
            for each in moved:
                if not self._barren.hides(each, at, frame_size):
                    self._add_due(each, self._number)
            return self._wanted(at)

    def looked(self, wanted: Wanted, fresh: Detections, at: float, frame_size: tuple[int, int]) -> Detections:
        """Return all that is in a frame: what was found in what was looked at, and what is carried on elsewhere.

        Call it for every frame that was not dropped, in their order, also where nothing was wanted.

        Args:
            wanted: What of the frame was looked at, as `saw` returned it for the frame.
            fresh: What was found there; pixels of the frame.
            at: When the frame was captured, monotonic seconds.
            frame_size: Its height and width in pixels.
        """
        with self._lock:
            if frame_size != self._size:  # the camera's next frames have another size already
                return fresh
            if wanted.is_whole:
                is_calm = self._warm_at < self._whole_at < at and self._moved_at < self._whole_at
                self._calm_wholes = min(self._calm_wholes + 1, MOST_CALM_WHOLES) if is_calm else 0
                self._whole_at = max(self._whole_at, at)
                if self._whole_due <= wanted.number:
                    self._whole_due = 0
            boxes = [_rectangle(box) for box in fresh.xyxy.tolist()]
            moved = [each for each, number in self._due if number <= wanted.number]
            for each in moved:
                self._barren.looked(each, boxes, at, frame_size)
            self._due = [(each, number) for each, number in self._due if number > wanted.number]
            covered = self._covered(wanted)
            is_cut = [self._is_cut(box, covered) for box in boxes]
            for left, top, right, bottom in (box for box, cut in zip(boxes, is_cut, strict=True) if cut):
                # Look again, wider, in the next frame that comes.
                wider = grown((left, top, right, bottom), max(right - left, bottom - top), 0, frame_size)
                self._add_due(wider, self._number + 1)
            if not wanted.is_nothing:
                sizes = [math.sqrt(area(box)) / max(frame_size) for box in boxes]
                self._scale.looked(sizes, at, is_whole=wanted.is_whole)
            return self._known.looked(covered, moved, fresh, is_cut, at)

    def _is_whole_due(self, at: float) -> bool:
        if at < self._warm_at or not math.isfinite(self._whole_at):
            return True
        # All cameras of a worker may have started in the same second; their phases set them apart. A turn that comes
        # soon after a look is left out.
        every = WHOLE_SECONDS
        if self._moved_at < self._whole_at:
            every = CALM_WHOLE_SECONDS * 2**self._calm_wholes
        return self._turn(at, every) > self._turn(self._whole_at + every / 2, every)

    def _turn(self, at: float, every: float) -> int:
        return math.floor(at / every + self._phase)

    def _add_due(self, rectangle: Rectangle, number: int) -> None:
        self._due.append((rectangle, number))
        if len(self._due) > MOST_DUE:
            latest = max(number for _, number in self._due)
            merged = merge_closest((each for each, _ in self._due), MOST_DUE // 2)
            self._due = [(each, latest) for each in merged]

    def _wanted(self, at: float) -> Wanted:
        is_small_moving = any(
            not self._scale.is_large(math.sqrt(area(each)) / max(self._size)) for each, _ in self._due
        )
        regions = [] if self._whole_due else self._regions(at)
        height, width = self._size
        is_whole = bool(self._whole_due) or sum(area(each) for each in regions) > WHOLE_SHARE * height * width
        side = self._scale.side(is_whole=is_whole, is_small_moving=is_small_moving)
        if is_whole:
            return Wanted(is_whole=True, side=side, number=self._number)
        return Wanted(tuple(Region(*(int(edge) for edge in each)) for each in regions), side=side, number=self._number)

    def _regions(self, at: float) -> list[Rectangle]:
        """Return the rectangles to look at; whole pixels, inside the frame, none overlaps another."""
        known = self._known.boxes()
        cores = [self._core(each, known) for each, _ in self._due]
        cores = merge_overlapping(cores + [self._core(each, []) for each in self._known.due(at)])
        while True:  # every turn that does not end it swallows a known object that was cut
            regions = spread(cores, [self._wish(each) for each in cores])
            cut = [box for box in known if 0 < within(box, cores) < 1]
            if not cut:
                return regions
            cores = merge_overlapping(cores + [self._core(box, []) for box in cut])

    @property
    def _pixel(self) -> float:
        """Pixels of the frame in one of `REFERENCE_SIDE`; frames are never enlarged."""
        return max(1.0, max(self._size) / REFERENCE_SIDE)

    def _core(self, rectangle: Rectangle, known: list[Rectangle]) -> Rectangle:
        """Return what must be in one region: with the known objects that it touches, and a little around."""
        for box in known:
            if touch(rectangle, box):
                rectangle = union(rectangle, box)
        return self._whole_pixels(grown(rectangle, CORE_MARGIN * self._pixel, 0, self._size))

    def _wish(self, core: Rectangle) -> Rectangle:
        """Return it with all the margin that there should be, where there is room."""
        left, top, right, bottom = core
        margin = max(MARGIN * self._pixel, MARGIN_SHARE * max(right - left, bottom - top))
        return self._whole_pixels(grown(core, margin, LEAST_SIDE * self._pixel, self._size))

    def _whole_pixels(self, rectangle: Rectangle) -> Rectangle:
        left, top, right, bottom = rectangle
        height, width = self._size
        return (
            max(0, math.floor(left)),
            max(0, math.floor(top)),
            min(width, math.ceil(right)),
            min(height, math.ceil(bottom)),
        )

    def _covered(self, wanted: Wanted) -> list[Rectangle]:
        if wanted.is_whole:
            height, width = self._size
            return [(0, 0, width, height)]
        return [(each.left, each.top, each.right, each.bottom) for each in wanted.regions]

    def _is_cut(self, box: Rectangle, covered: list[Rectangle]) -> bool:
        """Whether a box reaches the edge of what was looked at where the picture goes on."""
        edge = EDGE * self._pixel
        height, width = self._size
        region = max(covered, key=lambda each: within(box, [each]), default=None)
        if region is None:
            return False
        return (
            (box[0] <= region[0] + edge and region[0] > 0)
            or (box[1] <= region[1] + edge and region[1] > 0)
            or (box[2] >= region[2] - edge and region[2] < width)
            or (box[3] >= region[3] - edge and region[3] < height)
        )


def _rectangle(box: list[float]) -> Rectangle:
    return box[0], box[1], box[2], box[3]
