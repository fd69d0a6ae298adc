"""What masks hide is black in every plane of a picture, whatever its format, and the decoder is not disturbed."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from contract.zones import Polygon
from tests.support.clips import picture
from workers.mask_painter import MaskPainter
from workers.pictures import DecodedPicture

SIZE = (322, 182)  # no multiples of anything
LEFT: Polygon = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
MIDDLE: Polygon = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
#: Most that a colour of a hidden pixel may be: converting black costs some.
DARK = 4


def _frame(pixel_format: str) -> VideoFrame:
    return av.VideoFrame.from_ndarray(picture(3, SIZE), format="rgb24").reformat(format=pixel_format)


def _hidden(masks: tuple[Polygon, ...]) -> NDArray[np.bool_]:
    """Return which pixels lie wholly inside a mask that is a rectangle, shape (H, W)."""
    width, height = SIZE
    rows, columns = np.mgrid[0:height, 0:width]
    hidden = np.zeros((height, width), bool)
    for mask in masks:
        (left, top), _, (right, bottom), _ = mask
        inside = (columns >= left * width) & (columns + 1 <= right * width)
        hidden |= inside & (rows >= top * height) & (rows + 1 <= bottom * height)
    return hidden


@pytest.mark.parametrize(
    "pixel_format",
    ["yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "yuv420p10le", "bgr24"],
)
def test_what_masks_hide_is_black_and_all_else_is_as_it_was(pixel_format: str) -> None:
    """Given two masks that overlap, then both are black, also where they overlap, and nothing else has changed."""
    hidden = _hidden((LEFT, MIDDLE))
    painted = DecodedPicture(MaskPainter((LEFT, MIDDLE)).frame(_frame(pixel_format)))
    image, before = painted.bgr(), picture(3, SIZE)[..., ::-1]
    assert image[hidden].max() <= DARK
    assert painted.luma()[hidden].max() <= 16
    assert painted.bgr_at(160, 90)[:, :78].max() <= DARK
    far = ~hidden
    far[:, : int(SIZE[0] * 0.75) + 4] = False  # sides of a mask are rounded outwards, and colours are shared
    assert np.abs(image[far].astype(int) - before[far]).mean() < 6
    assert image[far].min() > 20


def test_a_picture_of_pixels_is_painted_too() -> None:
    """Given a snapshot camera's picture, then what a mask hides in it is black, and only that."""
    image = np.ascontiguousarray(picture(3, SIZE))
    painted = MaskPainter((MIDDLE,)).image(image)
    hidden = _hidden((MIDDLE,))
    assert painted[hidden].max() == 0
    assert painted[:40].min() > 20


def test_a_mask_of_a_corner_and_one_of_less_than_a_pixel_hide_something() -> None:
    """Given masks at the very edge and smaller than a pixel, then they are painted, outwards rather than inwards."""
    corner: Polygon = ((0.9, 0.9), (1.0, 0.9), (1.0, 1.0))
    speck: Polygon = ((0.5, 0.5), (0.5005, 0.5), (0.5005, 0.5005))
    image = MaskPainter((corner, speck)).image(np.full((100, 100, 3), 200, np.uint8))
    assert image[99, 99].max() == 0
    assert image[50, 50].max() == 0
    assert (image == 0).all(axis=2).sum() < 80


def test_frames_that_follow_are_decoded_from_what_the_camera_sent() -> None:
    """Given a stream of which every frame is painted, then what lies outside the masks is decoded without a trace."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=10, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.gop_size = 40
        for number in range(40):
            made = av.VideoFrame.from_ndarray(picture(number, (320, 240)), format="rgb24")
            made.pts, made.time_base = number, Fraction(1, 10)
            output.mux(stream.encode(made))
        output.mux(stream.encode(None))
    painter = MaskPainter((LEFT,))
    for number, (plain, painted) in enumerate(zip(_decoded(file), map(painter.frame, _decoded(file)), strict=True)):
        # The squares come out of the masked half and go into it: a painted reference would leave black behind them.
        right = np.s_[:, 164:]
        difference = plain.to_ndarray(format="gray")[right].astype(int) - painted.to_ndarray(format="gray")[right]
        assert np.abs(difference).max() == 0, number


def _decoded(file: io.BytesIO) -> list[VideoFrame]:
    file.seek(0)
    with av.open(file, "r") as source:
        return list(source.decode(video=0))
