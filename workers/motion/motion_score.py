"""How much of a picture moved, against a background that is learnt; looks at a small grey copy of it. Pure.

A pixel has moved where it differs from the background by more than this pixel usually does. What changes the whole
picture alike (a cloud, exposure, a lamp) is taken out before, and what changes most of it at once (infrared is switched
on, the camera is turned) is no motion but another scene.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.pictures import BgrImage

#: Height in pixels of the copy that is looked at; its width keeps the picture's proportions.
HEIGHT: Final = 90
#: Share of the pixels from which on a picture counts as moved: a person far away.
MOVED_SHARE: Final = 0.002
#: Share beyond which it is another scene.
SCENE_SHARE: Final = 0.6
#: Least difference of grey levels that counts, and how many times what a pixel usually differs by.
LEAST_DIFFERENCE: Final = 14.0
NOISE_FACTOR: Final = 4.0
#: Weight of the newest picture in the background, and in what a pixel usually differs by.
BACKGROUND_WEIGHT: Final = 0.08
NOISE_WEIGHT: Final = 0.05
#: The same for the background where something moved: who stands still becomes background, but slowly.
MOVED_WEIGHT: Final = 0.02
#: Contrast and brightness of a picture and its background are compared on every so many pixels.
_SPARSE: Final = 4
_GAINS: Final = (0.5, 2.0)
_KERNEL: Final = np.ones((3, 3), np.uint8)

#: Shape (H, W), float32, grey levels in [0, 255].
_Gray = NDArray[np.float32]


class MotionScore:
    """The background of one camera. Not thread-safe."""

    def __init__(self) -> None:
        self._background: _Gray | None = None
        self._noise: _Gray | None = None

    def update(self, image: BgrImage) -> float:
        """Return the share of the picture that moved, in [0, 1], and learn from it.

        Args:
            image: Shape (H, W, 3), BGR. The first one, and the first of another size or scene, has moved by 0.
        """
        gray = small_gray(image)
        background, noise = self._background, self._noise
        if background is None or noise is None or background.shape != gray.shape:
            self._begin(gray)
            return 0.0
        difference = cv2.absdiff(gray, _lit_alike(background, gray))
        moved = cv2.compare(difference, np.maximum(LEAST_DIFFERENCE, noise * NOISE_FACTOR), cv2.CMP_GT)
        # Single pixels are noise, whatever they differ by.
        moved = cv2.morphologyEx(moved, cv2.MORPH_OPEN, _KERNEL)
        share = cv2.countNonZero(moved) / moved.size
        if share > SCENE_SHARE:
            self._begin(gray)
            return 0.0
        still = cv2.bitwise_not(moved)
        cv2.accumulateWeighted(gray, background, BACKGROUND_WEIGHT, mask=still)
        cv2.accumulateWeighted(gray, background, MOVED_WEIGHT, mask=moved)
        cv2.accumulateWeighted(difference, noise, NOISE_WEIGHT, mask=still)
        return share

    def _begin(self, gray: _Gray) -> None:
        self._background = gray
        self._noise = np.full(gray.shape, LEAST_DIFFERENCE / NOISE_FACTOR, np.float32)


def small_gray(image: BgrImage) -> _Gray:
    """Return a copy of `HEIGHT` rows (fewer where the picture has fewer), smoothed, shape (h, w)."""
    height, width = image.shape[:2]
    # Every so many pixels are enough to average over, and averaging them all would take longest of everything here.
    step = max(1, height // (2 * HEIGHT))
    sparse = cv2.cvtColor(np.ascontiguousarray(image[::step, ::step]), cv2.COLOR_BGR2GRAY)
    size = (max(1, round(width * HEIGHT / height)), HEIGHT) if height > HEIGHT else (width, height)
    small = cv2.resize(sparse, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(small, (3, 3)), np.float32)


def _lit_alike(background: _Gray, gray: _Gray) -> _Gray:
    """Return the background as it would look in the light of `gray`: with its contrast and brightness.

    The typical pixel decides, so that what moved has no say.
    """
    low_before, middle_before, high_before = _levels(background)
    low, middle, high = _levels(gray)
    spread = high_before - low_before
    gain = float(np.clip((high - low) / spread, *_GAINS)) if spread > LEAST_DIFFERENCE else 1.0
    return np.asarray(background * np.float32(gain) + np.float32(middle - middle_before * gain), np.float32)


def _levels(gray: _Gray) -> tuple[float, float, float]:
    """Return the grey levels that 20, 50 and 80 % of the pixels are below."""
    ordered = np.sort(gray[::_SPARSE, ::_SPARSE], axis=None)
    last = len(ordered) - 1
    return float(ordered[last // 5]), float(ordered[last // 2]), float(ordered[last * 4 // 5])
