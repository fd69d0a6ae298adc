"""Draws what was seen onto pictures, and pictures that say why there is none."""

import textwrap
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.detections import AnalysisResult, TrackedDetection

#: Shape (H, W, 3), BGR, uint8.
BgrImage = NDArray[np.uint8]

JPEG_QUALITY: Final = 80
#: Dark enough for white letters, far apart in hue, and none of them the green or grey of a usual scene.
PALETTE: Final = ("#c2185b", "#1565c0", "#6a1b9a", "#bf360c", "#00695c", "#4527a0", "#ad1457", "#0277bd")
NO_SIGNAL_SIZE: Final = (640, 360)
#: Letters of 18 pixels that fit beside each other.
WRAP_CHARACTERS: Final = 62


def label_of(detection: TrackedDetection) -> str:
    """Return the words beside a box, for example ``person 0.87 #12``."""
    track = f" #{detection.track_id}" if detection.track_id is not None else ""
    return f"{detection.class_name} {detection.confidence:.2f}{track}"


def draw_result(image: BgrImage, result: AnalysisResult) -> BgrImage:
    """Return a copy of `image` with the boxes of `result`.

    Args:
        image: The analysed frame, at any size: boxes are scaled from the size that `result` states.
        result: What was seen in it.
    """
    if not result.detections:
        return image
    import supervision

    height, width = image.shape[:2]
    scale = np.array([width / max(result.width, 1), height / max(result.height, 1)] * 2)
    detections = supervision.Detections(
        xyxy=np.array([item.xyxy for item in result.detections], float) * scale,
        class_id=np.array([item.class_id for item in result.detections]),
    )
    # Lines and letters grow with the picture, so that a 4K snapshot is as readable as a preview.
    size = max(width, height) / 640
    outline, box, label = _annotators(max(1, round(size * 2)), round(max(0.4, 0.42 * size), 1))
    drawn = outline.annotate(image.copy(), detections)
    drawn = box.annotate(drawn, detections)
    return cast("BgrImage", label.annotate(drawn, detections, labels=[label_of(item) for item in result.detections]))


@cache
def _annotators(thickness: int, text_scale: float) -> tuple[Any, ...]:
    import supervision

    palette = supervision.ColorPalette.from_hex(list(PALETTE))
    white = supervision.Color.WHITE
    return (
        # A white line below the coloured one: on a dark scene that is what is seen.
        supervision.BoxAnnotator(color=white, thickness=thickness + 2),
        supervision.BoxAnnotator(color=palette, thickness=thickness),
        supervision.LabelAnnotator(
            color=palette,
            text_color=white,
            text_scale=text_scale,
            text_thickness=max(1, thickness // 2),
            text_padding=max(3, thickness * 2),
            smart_position=True,
        ),
    )


def no_signal(camera: str, lines: Sequence[str]) -> bytes:
    """Return a JPEG that says that a camera shows nothing, and why.

    Args:
        camera: What the camera is called.
        lines: Reason, remedy; long ones are wrapped.
    """
    width, height = NO_SIGNAL_SIZE
    image = np.full((height, width, 3), (38, 32, 28), np.uint8)
    sans = cv2.FontFace("sans")
    wrapped = [part for line in lines for part in textwrap.wrap(line, WRAP_CHARACTERS)][:6]
    y = 90
    for text, size, colour in (
        (camera[:WRAP_CHARACTERS], 20, (170, 160, 150)),
        ("No signal", 34, (255, 255, 255)),
        *((line, 18, (200, 195, 190)) for line in wrapped),
    ):
        y += round(size * 1.2)
        cv2.putText(image, text, (40, y), colour, sans, size, 500)
        y += size // 3
    return encode(cast("BgrImage", image))


def encode(image: BgrImage) -> bytes:
    """Return `image` as JPEG."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done, "the JPEG encoder takes every uint8 picture of three channels"
    return data.tobytes()
