"""A plaza with people, cut in two: cameras between which people really walk."""

from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import pytest
from av.video.stream import VideoStream

import model_store
from runtime.settings import PROJECT_DIR

CACHE_DIR: Final = PROJECT_DIR / ".farm" / "test-footage"
FPS: Final = 10
LEFT, RIGHT = "plaza-left", "plaza-right"


def plaza_clips(folder: Path, seconds: int) -> None:
    """Write the first seconds of both halves as ``plaza-left.mp4`` and ``plaza-right.mp4``, quick to encode.

    Skips the test where the footage is not there and cannot be fetched.
    """
    try:
        source = model_store.fetch_footage("vtest", CACHE_DIR)
    except model_store.FetchError as error:
        pytest.skip(str(error))
    with (
        av.open(str(source)) as footage,
        av.open(str(folder / f"{LEFT}.mp4"), "w") as left,
        av.open(str(folder / f"{RIGHT}.mp4"), "w") as right,
    ):
        video = footage.streams.video[0]
        video.thread_type = "AUTO"
        width = video.width // 4 * 2
        halves = [(clip, _stream(clip, width, video.height)) for clip in (left, right)]
        for number, frame in enumerate(footage.decode(video)):
            if number == seconds * FPS:
                break
            picture = frame.to_ndarray(format="rgb24")
            for place, (clip, stream) in enumerate(halves):
                half = av.VideoFrame.from_ndarray(picture[:, place * width : (place + 1) * width].copy(), "rgb24")
                half.pts, half.time_base = number, Fraction(1, FPS)
                clip.mux(stream.encode(half))
        for clip, stream in halves:
            clip.mux(stream.encode(None))


def _stream(clip: av.container.OutputContainer, width: int, height: int) -> VideoStream:
    options = {"preset": "ultrafast", "profile": "main", "crf": "23", "bf": "0"}
    stream = clip.add_stream("libx264", rate=FPS, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.gop_size = FPS
    return stream
