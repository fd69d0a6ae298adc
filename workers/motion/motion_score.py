"""How much of a picture moved, and where, against a background that is learnt; looks at a small copy of it. Pure.

A pixel is foreground where it differs from the background by more than this pixel usually does. What changes the whole
picture alike (a cloud, exposure, a lamp) is taken out before, what is explained by a camera that shakes is left out,
and what changes most of it at once (infrared is switched on, the camera is turned) is no motion but another scene.

Two questions have two answers. How much moved (for the recording) is all foreground that differs clearly. Where
something moves (for the detector) is foreground, however faint, of which some pixels changed within the last seconds:
who stands still stays foreground for half a minute, and need not be looked at in every frame of it.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.frames import Region
from workers.motion.rectangles import Rectangle, merge_closest
from workers.pictures import GrayImage

#: Pixels of the longer side of the copy that is looked at, nearly: the picture is scaled by an even whole number, which
#: is quick. It is half of what the detector sees of a whole frame: the smallest people that it finds there (some 14
#: pixels high) are 7 pixels high here.
SIDE: Final = 320
#: Share of the pixels from which on a picture counts as moved: a person far away.
MOVED_SHARE: Final = 0.002
#: Share beyond which it is another scene.
SCENE_SHARE: Final = 0.6
#: Least difference of grey levels that counts as moved, and that is worth a look.
LEAST_DIFFERENCE: Final = 14
FAINT_DIFFERENCE: Final = 7
#: How many times what a pixel usually differs by, from the background and from another picture, which is as noisy.
NOISE_FACTOR: Final = 5.0
NOISE_FACTOR_OF_TWO: Final = 7.0
#: Seconds in which the background follows by two thirds; the same where something moved: who stands still becomes
#: background, but slowly.
BACKGROUND_SECONDS: Final = 8.0
MOVED_SECONDS: Final = 20.0
NOISE_SECONDS: Final = 12.0
#: Seconds over which a change makes foreground worth a look: long enough for two frames at one a second.
CHANGED_SECONDS: Final = 1.8
#: Rectangles at most; the closest are merged beyond.
MAX_REGIONS: Final = 16
#: Side in pixels of the copy's cells, and how many pixels of one must be foreground, or changed, to count.
CELL: Final = 4
CELL_PIXELS: Final = 3
#: Share of faint foreground from which on a shaking camera is suspected, and what share of it must be explained by a
#: shift of at most this many pixels of the copy.
SHAKE_SHARE: Final = 0.02
SHAKE_EXPLAINS: Final = 0.6
SHAKE_PIXELS: Final = 2
#: Contrast and brightness of a picture and its background are compared on every so many pixels.
_SPARSE: Final = 8
_GAINS: Final = (0.5, 2.0)
_ALL_LEVELS: Final = np.arange(256, dtype=np.float32)
_NONE: Final = np.empty((0, 0), np.uint8)
_KERNEL: Final = np.ones((3, 3), np.uint8)
_SHAKE_KERNEL: Final = np.ones((2 * SHAKE_PIXELS + 1, 2 * SHAKE_PIXELS + 1), np.uint8)

#: Shape (H, W), float32, grey levels in [0, 255].
_Learnt = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Motion:
    """What moved in a picture."""

    #: Share of the pixels that moved, in [0, 1].
    share: float
    #: Rectangles around what moves, pixels of the picture; at most `MAX_REGIONS`, they may overlap.
    regions: tuple[Region, ...] = ()
    #: Whether it has nothing to do with the picture before: the first, another size, another scene.
    is_new_scene: bool = False


class _Levels(NamedTuple):
    """Grey levels that 20, 50 and 80 % of the pixels are below: the typical pixel, so that what moved has no say."""

    low: int
    middle: int
    high: int


class _Before(NamedTuple):
    """A copy, when it was captured in monotonic seconds, and its grey levels."""

    at: float
    gray: GrayImage
    levels: _Levels


class MotionScore:
    """The background of one camera. Not thread-safe."""

    def __init__(self) -> None:
        self._background: _Learnt | None = None
        self._noise: _Learnt | None = None
        #: Size of the pictures, (height, width).
        self._size = (0, 0)
        self._at = 0.0
        #: Copies of the last `CHANGED_SECONDS`, the oldest first, and one that is older.
        self._before: deque[_Before] = deque()

    def update(self, luma: GrayImage, at: float) -> Motion:
        """Return what moved, and learn from it.

        Args:
            luma: Shape (H, W), uint8; rows may be strided. The first one, and the first of another size or scene, has
                moved by 0.
            at: When it was captured, monotonic seconds.
        """
        gray, scale = small_gray(luma)
        background, noise = self._background, self._noise
        if background is None or noise is None or self._size != luma.shape:
            return self._begin(luma, gray, at)
        seconds = max(0.0, at - self._at)
        self._at = at
        levels = _levels(gray)
        learnt = _gray(cv2.convertScaleAbs(background))
        expected = _lit_alike(learnt, _levels(learnt), levels)
        before = self._remember(gray, levels, at)
        difference = _gray(cv2.absdiff(gray, expected))
        # In most pictures nothing moves. Every call into OpenCV hands the interpreter's lock to others and asks for it
        # again, which takes longer than the work: what would say nothing is left out.
        largest = int(difference.max())
        usual = foreground = _NONE
        pixels = 0
        if largest > FAINT_DIFFERENCE:
            usual = _gray(cv2.convertScaleAbs(noise, alpha=NOISE_FACTOR))
            foreground = _above(difference, usual, FAINT_DIFFERENCE)
            pixels = cv2.countNonZero(foreground)
        if not pixels:
            cv2.accumulateWeighted(gray, background, _weight(seconds, BACKGROUND_SECONDS))
            _learn_noise(noise, difference, seconds, is_faint=largest <= LEAST_DIFFERENCE)
            return Motion(0.0)
        if pixels > SHAKE_SHARE * foreground.size:
            difference, foreground = _without_shake(gray, expected, difference, foreground)
        # Single pixels are noise, whatever they differ by.
        moved = cv2.morphologyEx(_above(difference, usual, LEAST_DIFFERENCE), cv2.MORPH_OPEN, _KERNEL)
        share = cv2.countNonZero(moved) / moved.size
        if share > SCENE_SHARE:
            return self._begin(luma, gray, at)
        usual_of_two = _gray(cv2.convertScaleAbs(noise, alpha=NOISE_FACTOR_OF_TWO))
        since = _gray(cv2.absdiff(gray, _lit_alike(before.gray, before.levels, levels)))
        changed = _above(since, usual_of_two, FAINT_DIFFERENCE)
        still = cv2.bitwise_not(foreground)
        cv2.accumulateWeighted(gray, background, _weight(seconds, BACKGROUND_SECONDS), mask=still)
        cv2.accumulateWeighted(gray, background, _weight(seconds, MOVED_SECONDS), mask=foreground)
        _learn_noise(noise, difference, seconds, is_faint=largest <= LEAST_DIFFERENCE)
        return Motion(share, _regions(foreground, changed, scale, luma.shape))

    def _begin(self, luma: GrayImage, gray: GrayImage, at: float) -> Motion:
        height, width = luma.shape
        self._size, self._at = (height, width), at
        self._background = gray.astype(np.float32)
        self._noise = np.full(gray.shape, FAINT_DIFFERENCE / NOISE_FACTOR, np.float32)
        self._before = deque([_Before(at, gray, _levels(gray))])
        return Motion(0.0, is_new_scene=True)

    def _remember(self, gray: GrayImage, levels: _Levels, at: float) -> _Before:
        """Return the newest copy that is `CHANGED_SECONDS` old, or the oldest there is, and keep this one for later."""
        while len(self._before) > 1 and at - self._before[1].at >= CHANGED_SECONDS:
            self._before.popleft()
        before = self._before[0]
        # A few copies are enough, however many pictures there are a second.
        if at - self._before[-1].at >= CHANGED_SECONDS / 4:
            self._before.append(_Before(at, gray, levels))
        return before


def small_gray(luma: GrayImage) -> tuple[GrayImage, int]:
    """Return a smoothed copy whose longer side has about `SIDE` pixels, and the side in pixels that each stands for.

    A picture's last rows and columns are left out where they do not fill a pixel of the copy.
    """
    height, width = luma.shape
    # Every so many pixels are enough to average over, and averaging them all would take longest of everything here.
    step = max(1, round(max(height, width) / (2 * SIDE)))
    scale = 2 * step
    if min(height, width) < scale or max(height, width) <= SIDE:
        return _gray(cv2.blur(np.ascontiguousarray(luma), (3, 3))), 1
    rows, columns = height // scale, width // scale
    sparse = np.ascontiguousarray(luma[: rows * scale : step, : columns * scale : step])
    return _gray(cv2.blur(cv2.resize(sparse, (columns, rows), interpolation=cv2.INTER_AREA), (3, 3))), scale


def _gray(image: object) -> GrayImage:
    return np.asarray(image, np.uint8)


def _learn_noise(noise: _Learnt, difference: GrayImage, seconds: float, *, is_faint: bool) -> None:
    """Learn what pixels usually differ by; `is_faint` says that no difference is beyond `LEAST_DIFFERENCE`.

    Leaves in the wind are foreground again and again, but faintly: that is noise too, where it goes on.
    """
    faint = None if is_faint else cv2.bitwise_not(_beyond(difference, LEAST_DIFFERENCE))
    cv2.accumulateWeighted(difference, noise, _weight(seconds, NOISE_SECONDS), mask=faint)


def _weight(seconds: float, time_constant: float) -> float:
    return 1.0 - math.exp(-seconds / time_constant)


def _above(difference: GrayImage, usual: GrayImage, least: int) -> GrayImage:
    """Return a mask, 255 where the difference is larger than usual and than `least`, and 0 elsewhere."""
    # Two masks: to compare with the larger of the two takes ten times as long.
    return _gray(cv2.bitwise_and(cv2.compare(difference, usual, cv2.CMP_GT), _beyond(difference, least)))


def _beyond(image: GrayImage, level: int) -> GrayImage:
    """Return a mask, 255 where the image is above the level, and 0 elsewhere."""
    return _gray(cv2.threshold(image, level, 255, cv2.THRESH_BINARY)[1])


def _without_shake(
    gray: GrayImage, expected: GrayImage, difference: GrayImage, foreground: GrayImage
) -> tuple[GrayImage, GrayImage]:
    """Return difference and foreground without what a small shift of the camera explains, where that is most of it.

    A pixel is explained by levels that lie close by in the background. Always to leave such pixels out would hide
    whoever moves slowly, so it is done only when much of the picture seems to move.
    """
    # Subtraction of bytes ends at 0.
    over = cv2.subtract(gray, cv2.dilate(expected, _SHAKE_KERNEL))
    unexplained = _gray(cv2.max(over, cv2.subtract(cv2.erode(expected, _SHAKE_KERNEL), gray)))
    left = _gray(cv2.bitwise_and(foreground, _beyond(unexplained, FAINT_DIFFERENCE)))
    if cv2.countNonZero(left) > (1 - SHAKE_EXPLAINS) * cv2.countNonZero(foreground):
        return difference, foreground
    return unexplained, left


def _regions(
    foreground: GrayImage, changed: GrayImage, scale: int, picture_size: tuple[int, ...]
) -> tuple[Region, ...]:
    """Return rectangles, in pixels of the picture, around connected foreground of which something changed."""
    cells = _cells(foreground)
    fresh = cv2.bitwise_and(_cells(changed), cells)
    if not fresh.any():
        return ()
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
    height, width = picture_size
    side = scale * CELL
    # What reaches the copy's last cells may lie in the pixels that the copy leaves out.
    rectangles: list[Rectangle] = [
        (
            x * side,
            y * side,
            width if x + w == cells.shape[1] else (x + w) * side,
            height if y + h == cells.shape[0] else (y + h) * side,
        )
        for x, y, w, h in (stats[label, :4].tolist() for label in np.unique(labels[fresh > 0]))
    ]
    return tuple(Region(*(int(edge) for edge in each)) for each in merge_closest(rectangles, MAX_REGIONS))


def _cells(mask: GrayImage) -> GrayImage:
    """Return 255 for every cell of which enough pixels are set: single ones are noise, whatever they differ by."""
    height, width = mask.shape
    cells = cv2.copyMakeBorder(mask, 0, -height % CELL, 0, -width % CELL, cv2.BORDER_CONSTANT, value=0)
    # By halves, which takes a fifth of the time of one step; each half rounds by less than the limit leaves.
    for _ in range(CELL.bit_length() - 1):
        size = cells.shape[1] // 2, cells.shape[0] // 2
        cells = cv2.resize(cells, size, interpolation=cv2.INTER_AREA)
    return _beyond(_gray(cells), 255 * CELL_PIXELS // CELL**2 - 1)


def _lit_alike(before: GrayImage, levels_before: _Levels, levels: _Levels) -> GrayImage:
    """Return a copy as it would look in the light of another: with its contrast and brightness."""
    if levels == levels_before:
        return before
    spread = levels_before.high - levels_before.low
    gain = 1.0
    if spread > LEAST_DIFFERENCE:
        gain = min(max((levels.high - levels.low) / spread, _GAINS[0]), _GAINS[1])
    table = np.clip((_ALL_LEVELS - levels_before.middle) * gain + (levels.middle + 0.5), 0, 255).astype(np.uint8)
    return _gray(cv2.LUT(before, table))


def _levels(gray: GrayImage) -> _Levels:
    ordered = np.sort(gray[::_SPARSE, ::_SPARSE], axis=None)
    last = len(ordered) - 1
    return _Levels(int(ordered[last // 5]), int(ordered[last // 2]), int(ordered[last * 4 // 5]))
