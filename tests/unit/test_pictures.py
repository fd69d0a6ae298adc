"""The pixels of frames: the same whoever asks first, and made only when asked for."""

import time
from collections.abc import Callable
from threading import Thread

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workers.pictures import BgrPicture, DecodedPicture, GrayImage

WIDTH, HEIGHT = 322, 182  # neither is a multiple of what rows are padded to


def scene() -> np.ndarray:
    """Return shape (HEIGHT, WIDTH, 3), BGR: smooth colours, so that formats with little colour lose nothing."""
    across, down = np.meshgrid(np.linspace(20, 230, WIDTH), np.linspace(30, 220, HEIGHT))
    return np.dstack([across, down, (across + down) / 2]).astype(np.uint8)


def decoded(pixel_format: str) -> VideoFrame:
    """Return the scene in one of libav's formats."""
    return VideoFrame.from_ndarray(scene(), format="bgr24").reformat(format=pixel_format)


def gray() -> GrayImage:
    """Return the scene's luma."""
    return np.asarray(cv2.cvtColor(scene(), cv2.COLOR_BGR2GRAY), np.uint8)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "nv12", "yuv420p10le", "gbrp", "gray"])
def test_the_luma_is_the_brightness_whatever_the_format_of_the_decoder(pixel_format: str) -> None:
    """Given a frame as a decoder gives it, then its luma has its size and is that of the scene, but for the range."""
    luma = DecodedPicture(decoded(pixel_format)).luma()
    assert luma.shape == (HEIGHT, WIDTH)
    assert np.corrcoef(luma.ravel(), gray().ravel())[0, 1] > 0.999
    assert np.abs(luma.astype(int) - gray()).mean() < 14


def test_a_decoded_picture_is_converted_at_full_size_and_scaled() -> None:
    """Given a decoded frame, when it is asked for in full and scaled, then both show the scene, and are made once."""
    picture = DecodedPicture(decoded("yuv420p"))
    full, half = picture.bgr(), picture.bgr_at(WIDTH // 2, HEIGHT // 2)
    assert full.shape == (HEIGHT, WIDTH, 3)
    assert full.flags.c_contiguous
    assert np.abs(full.astype(int) - scene()).mean() < 3
    smaller = cv2.resize(scene(), (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    assert np.abs(half.astype(int) - smaller).mean() < 3
    assert picture.bgr_at(WIDTH, HEIGHT) is full
    assert picture.bgr_at(WIDTH // 2, HEIGHT // 2) is half


RECTANGLES = st.tuples(
    st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.integers(1, WIDTH), st.integers(1, HEIGHT)
).filter(lambda each: each[0] < each[2] and each[1] < each[3])


@pytest.mark.parametrize("colorspace", [1, 2, 6])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "nv12", "yuv422p"])
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(RECTANGLES)
def test_a_part_of_a_picture_has_the_colours_that_it_has_in_the_whole(
    pixel_format: str, colorspace: int, rectangle: tuple[int, int, int, int]
) -> None:
    """Given a frame in a format and space of colours, any rectangle of it is that of the whole."""
    frame = decoded(pixel_format)
    frame.colorspace = colorspace
    left, top, right, bottom = rectangle
    part, whole = DecodedPicture(frame).bgr_part(*rectangle), DecodedPicture(frame)
    assert part.shape == (bottom - top, right - left, 3)
    assert np.abs(part.astype(int) - whole.bgr()[top:bottom, left:right]).max() <= 8
    assert np.array_equal(whole.bgr_part(*rectangle), whole.bgr()[top:bottom, left:right])


def test_a_part_of_a_picture_does_not_make_the_whole() -> None:
    """Given a large frame, when parts are asked for, its pixels are not all converted: it takes a fraction of that."""
    frame = VideoFrame.from_ndarray(np.asarray(cv2.resize(scene(), (3840, 2160)), np.uint8), format="bgr24").reformat(
        format="yuv420p"
    )

    def seconds(use: Callable[[DecodedPicture], object]) -> float:
        began = time.thread_time()
        for _ in range(10):
            use(DecodedPicture(frame))
        return time.thread_time() - began

    assert seconds(lambda picture: picture.bgr_part(100, 100, 228, 356)) * 4 < seconds(lambda picture: picture.bgr())


def test_a_picture_outlives_the_stream_it_came_from(tmp_path: object) -> None:
    """Given a picture of which nothing was asked while its stream was open, then it is there afterwards."""
    path = f"{tmp_path}/clip.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(VideoFrame.from_ndarray(scene(), format="bgr24")))
        container.mux(stream.encode(None))
    with av.open(path) as container:
        picture = DecodedPicture(next(container.decode(video=0)))
    assert np.abs(picture.bgr().astype(int) - scene()).mean() < 5
    assert picture.luma().shape == (HEIGHT, WIDTH)


def test_threads_that_ask_at_the_same_time_are_given_the_same_pixels() -> None:
    """Given one picture, when eight threads ask for it, then they are given the same array."""
    picture = DecodedPicture(decoded("yuv420p"))
    got: list[int] = []
    threads = [Thread(target=lambda: got.append(id(picture.bgr()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 1


def test_a_picture_of_pixels_is_what_it_was_made_of() -> None:
    """Given a picture made of pixels, then it shows them in every form."""
    picture = BgrPicture(scene())
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    assert np.array_equal(picture.bgr(), scene())
    assert np.array_equal(picture.luma(), gray())
    assert picture.bgr_at(40, 20).shape == (20, 40, 3)
    assert picture.bgr_at(40, 20) is picture.bgr_at(40, 20)
    assert np.array_equal(picture.bgr_part(3, 5, 9, 12), scene()[5:12, 3:9])
