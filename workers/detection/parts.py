"""Looks at parts of frames: regions and small whole frames of several cameras share inputs of one detector.

A frame is scaled so that its longest side is what is wanted of it; its regions are cut out of that and
laid on canvases (see `canvases`) with grey between them, on which the models were trained. Where a canvas has room to
spare a region is shown with what surrounds it, for a person in a tight crop is often missed. A box belongs to the
region that holds its centre.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from workers.detection.canvases import Canvas, Placement, joined, widened
from workers.detection.detector import MAX_DETECTIONS, Detector, UnusableFrameError
from workers.detection.input_sizes import Size, area
from workers.detection.letterbox import PADDING_LEVEL
from workers.detection.postprocess import suppress
from workers.frames import Detections, Region, Wanted
from workers.pictures import BgrImage, Picture

#: Share of a box that must lie in what was shown; what sticks out further is no object of this frame.
LEAST_INSIDE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Part:
    """A frame and what of it is to be looked at."""

    picture: Picture
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Cut:
    """One rectangle of a frame as the model will see it."""

    #: In the frame; it has the boxes whose centres lie in it.
    region: Region
    #: Width and height of the whole frame, and what they are scaled to.
    frame: tuple[int, int]
    scaled: tuple[int, int]
    #: The rectangle of the scaled frame that must be shown.
    inside: Region
    #: Height and width on the canvas: that of `inside`, or less where no input holds it.
    size: Size

    @property
    def most(self) -> Size:
        """Height and width that may be shown: the whole frame, unless it is scaled once more."""
        is_shrunk = self.size != (self.inside.bottom - self.inside.top, self.inside.right - self.inside.left)
        return self.size if is_shrunk else (self.scaled[1], self.scaled[0])

    def window(self, shown: Size) -> Region:
        """Return the rectangle of the scaled frame, around `inside`, that is shown at a height and width."""
        if shown == self.size:
            return self.inside
        left, right = _around(self.inside.left, self.inside.right, shown[1], self.scaled[0])
        top, bottom = _around(self.inside.top, self.inside.bottom, shown[0], self.scaled[1])
        return Region(left, top, right, bottom)


class Round:
    """Tells how many frames fit into one round of the detector, in which all its inputs are busy once."""

    def __init__(self, input_sizes: Sequence[Size], canvases: int) -> None:
        """Begin a round of at most so many canvases; only its first frame may need more."""
        self._input_sizes = input_sizes
        self._limit = canvases
        self._sizes: list[Size] = []
        self._canvases: list[Canvas] = []
        self._is_empty = True

    def takes(self, width: int, height: int, wanted: Wanted) -> bool:
        """Take one more frame if there is room; the first one always fits, and one that wants nothing.

        Args:
            width: Of the frame, pixels.
            height: Of the frame, pixels.
            wanted: What of it is to be looked at.
        """
        cuts = cuts_of(width, height, wanted, self._input_sizes[-1])
        sizes = self._sizes + [cut.size for cut in cuts]
        canvases = joined(self._canvases, range(len(self._sizes), len(sizes)), sizes, self._input_sizes)
        if len(canvases) > self._limit and not self._is_empty and cuts:
            return False
        self._limit = max(self._limit, len(canvases))
        self._sizes, self._canvases, self._is_empty = sizes, canvases, False
        return True


class PartsDetector:
    """Runs a detector on parts of frames. Used by one thread at a time."""

    def __init__(self, detector: Detector) -> None:
        self.detector: Final = detector
        #: Inputs that were run since it was made; a smaller one counts by its area as a share of the largest.
        self.inputs_run = 0.0

    def new_round(self) -> Round:
        """Return an empty round; `detect` is then called with the frames that it took."""
        return Round(self.detector.input_sizes, self.detector.inputs_at_once)

    def pixels(self, width: int, height: int, wanted: Wanted) -> int:
        """Return how many pixels of inputs what is wanted of a frame takes, without what is left empty beside it."""
        return sum(area(cut.size) for cut in cuts_of(width, height, wanted, self.detector.input_size))

    def detect(self, parts: Sequence[Part], *, confidence: float) -> list[Detections]:
        """Find objects in what is wanted of every frame.

        Args:
            parts: Frames of any sizes; may be empty.
            confidence: Boxes at or below this are left out, in [0, 1].

        Returns:
            One entry per part, in the same order; boxes in that frame's pixels whose centre lies in one of its regions,
            the most confident first, at most `MAX_DETECTIONS`.

        Raises:
            UnusableFrameError: The pixels of a frame cannot be had; says which; nothing was detected.
            DetectorError: As `Detector.detect`.
        """
        cuts: list[Cut] = []
        sizes: list[Size] = []
        owners: list[int] = []
        planned: list[Canvas] = []
        for number, part in enumerate(parts):
            cuts += cuts_of(part.picture.width, part.picture.height, part.wanted, self.detector.input_size)
            sizes = [cut.size for cut in cuts]
            # Frame by frame, as `Round` has done it.
            planned = joined(planned, range(len(owners), len(cuts)), sizes, self.detector.input_sizes)
            owners += [number] * (len(cuts) - len(owners))
        canvases = [widened(canvas, sizes, [cut.most for cut in cuts]) for canvas in planned]
        self.inputs_run += sum(area(canvas.size) for canvas in canvases) / area(self.detector.input_size)
        scaled = [_scaled(parts[number].picture, cut, number) for number, cut in zip(owners, cuts, strict=True)]
        found = self.detector.detect_inputs(
            [_drawn(canvas, cuts, scaled) for canvas in canvases], confidence=confidence
        )
        of_frames: list[list[Detections]] = [[] for _ in parts]
        for canvas, boxes in zip(canvases, found, strict=True):
            for lies in canvas.placements:
                of_frames[owners[lies.index]].append(in_frame(boxes, lies, cuts[lies.index]))
        return [merged(of_frame) for of_frame in of_frames]


def cuts_of(width: int, height: int, wanted: Wanted, largest: Size) -> list[Cut]:
    """Return what is cut out of a frame.

    Args:
        width: Of the frame, pixels, at least 1.
        height: Of the frame, pixels, at least 1.
        wanted: What of it is to be looked at.
        largest: Height and width of the detector's largest input.
    """
    if wanted.is_nothing:
        return []
    scale = wanted.side / max(width, height)
    regions = wanted.regions
    if wanted.is_whole:
        scale = min(scale, largest[0] / height, largest[1] / width)
        regions = (Region(0, 0, width, height),)
    scaled = max(round(width * scale), 1), max(round(height * scale), 1)
    return [_cut(region, (width, height), scaled, largest) for region in regions]


def _cut(region: Region, frame: tuple[int, int], scaled: tuple[int, int], largest: Size) -> Cut:
    across, down = scaled[0] / frame[0], scaled[1] / frame[1]
    left, top = floor(region.left * across), floor(region.top * down)
    right = min(max(ceil(region.right * across), left + 1), scaled[0])
    bottom = min(max(ceil(region.bottom * down), top + 1), scaled[1])
    height, width = bottom - top, right - left
    shrunk = min(1.0, largest[0] / height, largest[1] / width)
    size = (max(round(height * shrunk), 1), max(round(width * shrunk), 1))
    return Cut(region, frame, scaled, Region(left, top, right, bottom), size)


def _around(begin: int, end: int, length: int, limit: int) -> tuple[int, int]:
    """Return a stretch of `length` with ``begin`` to ``end`` in its middle, or as near as 0 and `limit` allow."""
    start = min(max(begin - (length - (end - begin)) // 2, 0), limit - length)
    return start, start + length


def _scaled(picture: Picture, cut: Cut, number: int) -> BgrImage:
    """Return the whole frame as it is wanted; only the first time that it is asked for costs anything."""
    width, height = cut.scaled
    try:
        scaled = picture.bgr_at(width, height)
    except (FFmpegError, cv2.error) as error:
        raise UnusableFrameError(f"frame {number} of the round cannot be converted: {error}") from error
    if scaled.shape != (height, width, 3) or scaled.dtype != np.uint8:
        raise UnusableFrameError(
            f"frame {number} of the round has pixels of shape {scaled.shape} and type {scaled.dtype}; they must have "
            f"shape ({height}, {width}, 3) and type uint8"
        )
    return scaled


def _drawn(canvas: Canvas, cuts: Sequence[Cut], scaled: Sequence[BgrImage]) -> BgrImage:
    """Return the canvas with its parts on it, shape (*canvas.size, 3); not to be written to.

    Args:
        canvas: What lies where.
        cuts: All cuts of the round.
        scaled: The frame of each cut, of its scaled size.
    """
    drawn: BgrImage | None = None
    for lies in canvas.placements:
        window = cuts[lies.index].window((lies.height, lies.width))
        shown = scaled[lies.index][window.top : window.bottom, window.left : window.right]
        if shown.shape[:2] != (lies.height, lies.width):
            shown = np.asarray(cv2.resize(shown, (lies.width, lies.height), interpolation=cv2.INTER_AREA), np.uint8)
        if shown.shape[:2] == canvas.size:
            return shown
        if drawn is None:
            drawn = np.full((*canvas.size, 3), PADDING_LEVEL, np.uint8)
        drawn[lies.top : lies.top + lies.height, lies.left : lies.left + lies.width] = shown
    assert drawn is not None, "a canvas holds at least one part"
    return drawn


def in_frame(boxes: Detections, lies: Placement, cut: Cut) -> Detections:
    """Return those boxes of a canvas that belong to a cut, in pixels of its frame, clipped to what was shown of it.

    Args:
        boxes: Found on the canvas, in its pixels.
        lies: Where the cut lies on it.
        cut: What it is of its frame.
    """
    window = cut.window((lies.height, lies.width))
    corner = np.array([window.left, window.top] * 2)
    # Each side is divided by its own, rounded, scale: that is what the resize really did.
    shrunk = np.array([lies.width / (window.right - window.left), lies.height / (window.bottom - window.top)] * 2)
    gain = np.array([cut.scaled[0] / cut.frame[0], cut.scaled[1] / cut.frame[1]] * 2)
    whole = ((boxes.xyxy - np.array([lies.left, lies.top] * 2)) / shrunk + corner) / gain
    shown = np.array([window.left, window.top, window.right, window.bottom]) / gain
    clipped = np.clip(whole, np.tile(shown[:2], 2), np.tile(shown[2:], 2))
    centre = (whole[:, :2] + whole[:, 2:]) / 2
    region = cut.region
    mine = ((centre >= (region.left, region.top)) & (centre < (region.right, region.bottom))).all(axis=1)
    mine &= _areas(clipped) >= LEAST_INSIDE * np.maximum(_areas(whole), np.finfo(np.float32).tiny)
    kept = boxes.select(mine)
    return Detections(clipped[mine].astype(np.float32), kept.confidence, kept.class_id)


def _areas(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1)
    return areas


def merged(of_frame: Sequence[Detections]) -> Detections:
    """Return the detections of one frame's regions together, the most confident first."""
    if len(of_frame) == 1:
        return of_frame[0]
    if not of_frame:
        return Detections()
    xyxy = np.concatenate([each.xyxy for each in of_frame])
    confidence = np.concatenate([each.confidence for each in of_frame])
    class_id = np.concatenate([each.class_id for each in of_frame])
    # Two windows may show one thing whose centre lies where their regions meet.
    keep = suppress(xyxy, confidence, class_id)[:MAX_DETECTIONS]
    return Detections(xyxy, confidence, class_id).select(keep)
