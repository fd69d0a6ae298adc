"""Pictures of analysed frames: the evidence on the volume and the preview."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contract.cameras import SaveMode
from runtime.frame_store import FrameStore
from workers.frames import Frame
from workers.jpeg import encode, encode_preview
from workers.pictures import BgrPicture
from workers.saving.saver import FrameSaver, shall_save


def scene(height: int, width: int) -> NDArray[np.uint8]:
    """Make a picture with a blue, a green and a red third, BGR."""
    image = np.zeros((height, width, 3), np.uint8)
    for channel in range(3):
        image[:, channel * width // 3 : (channel + 1) * width // 3, channel] = 255
    return image


def decoded(data: bytes) -> NDArray[np.uint8]:
    """Decode a JPEG to BGR."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_a_saved_frame_is_the_frame_with_its_colours_in_order(tmp_path: Path) -> None:
    """Given a frame with blue, green and red thirds, the file at the returned path shows them in that order."""
    saver = FrameSaver(FrameStore(tmp_path), jpeg_quality=90, preview_size=160)
    frame = Frame("gate", 1, 1_735_689_600_000, 0.0, BgrPicture(scene(240, 320)))
    path = saver.save(frame)
    assert path == "gate/20250101/00/1735689600000.jpg"
    image = decoded((tmp_path / path).read_bytes())
    assert image.shape == (240, 320, 3)
    assert [int(image[120, x].argmax()) for x in (50, 160, 270)] == [0, 1, 2]
    assert np.abs(image.astype(int) - frame.image).mean() < 10


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1080, 1920), (90, 160)), ((1920, 1080), (160, 90)), ((100, 120), (100, 120)), ((1, 4000), (1, 160))],
)
def test_a_preview_fits_the_longest_side_and_is_never_enlarged(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    """Given frames of any form, the preview's longest side is at most what was asked for."""
    assert decoded(encode_preview(scene(*size), 160)).shape[:2] == expected


def test_a_lower_quality_makes_a_smaller_file() -> None:
    """Given one picture with noise, a lower quality has fewer bytes."""
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    assert len(encode(noise, 30)) < len(encode(noise, 95))


def test_a_frame_that_is_no_picture_is_an_error_with_its_shape() -> None:
    """Given an array without pixels, the error says its shape and no file is left."""
    with pytest.raises(ValueError, match=r"\(0, 4, 3\)"):
        encode(np.empty((0, 4, 3), np.uint8), 80)


@pytest.mark.parametrize(
    ("mode", "without", "with_two"),
    [(SaveMode.ALL, True, True), (SaveMode.DETECTIONS, False, True), (SaveMode.NONE, False, False)],
)
def test_what_is_saved_follows_the_cameras_setting(mode: SaveMode, without: bool, with_two: bool) -> None:
    """Given each mode, frames without and with detections are kept as it says."""
    assert (shall_save(mode, 0), shall_save(mode, 2)) == (without, with_two)
