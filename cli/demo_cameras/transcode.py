"""Makes a demo clip from footage: once, H.264 without B-frames, a keyframe at least every second."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.filter import Graph
from av.video.stream import VideoStream

from contract.errors import FarmError

MAX_WIDTH: Final = 1280
MAX_HEIGHT: Final = 720
MAX_FPS: Final = Fraction(30)
#: x264's constant rate factor: footage of about 1 to 2 Mbit/s, as a camera's main stream at these sizes.
_CRF: Final = 24
#: Part of the stamp of every clip: change it when the way clips are made changes.
VERSION: Final = 1


class FootageError(FarmError, ValueError):
    """Footage that cannot be made into a clip."""


@dataclass(frozen=True)
class Cut:
    """Which part of the picture becomes a camera, and how it goes on at its end."""

    #: Left edge, top edge, right edge and bottom edge as shares of the picture, 0 to 1.
    area: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    #: Play it forward and backward, so that the loop has no jump; for footage in which nothing shows the direction.
    there_and_back: bool = False


def even(pixels: float) -> int:
    """Return `pixels` rounded down to an even number, at least 2: H.264 with 4:2:0 colour needs even sides."""
    return max(2, int(pixels) // 2 * 2)


def output_size(width: int, height: int) -> tuple[int, int]:
    """Return the even width and height up to `MAX_WIDTH` and `MAX_HEIGHT` that keep a picture's shape."""
    scale = min(1.0, MAX_WIDTH / width, MAX_HEIGHT / height)
    return even(width * scale), even(height * scale)


def filters(width: int, height: int, fps: Fraction, cut: Cut) -> list[tuple[str, str]]:
    """Return the FFmpeg filters, name and arguments, that make a camera's frames of the footage's."""
    left, top, right, bottom = cut.area
    crop_width, crop_height = even((right - left) * width), even((bottom - top) * height)
    out_width, out_height = output_size(crop_width, crop_height)
    return [
        ("crop", f"{crop_width}:{crop_height}:{even(left * width) if left else 0}:{even(top * height) if top else 0}"),
        ("scale", f"{out_width}:{out_height}"),
        ("setsar", "1"),
        ("fps", str(min(fps, MAX_FPS))),
        ("format", "yuv420p"),
    ]


def transcode(source: Path, target: Path, cut: Cut) -> None:
    """Write the clip `target` (MP4) from `source`.

    Raises:
        FootageError: `source` cannot be decoded.
    """
    try:
        with av.open(str(source)) as footage, av.open(str(target), "w", format="mp4") as clip:
            video = footage.streams.video[0]
            video.thread_type = "AUTO"
            fps = min(video.average_rate or Fraction(25), MAX_FPS)
            stream: VideoStream | None = None
            for number, frame in enumerate(_in_order(_filtered(footage.decode(video), video, cut), cut)):
                if stream is None:
                    stream = _add_stream(clip, frame.width, frame.height, fps)
                frame.pts, frame.time_base, frame.pict_type = number, 1 / fps, 0
                clip.mux(stream.encode(frame))
            if stream is None:
                raise FootageError(f"{source.name} has no frames")
            clip.mux(stream.encode(None))
    except (av.FFmpegError, IndexError) as error:
        raise FootageError(f"{source.name} cannot be decoded: {error}") from error


def _filtered(frames: Iterator[av.VideoFrame], video: VideoStream, cut: Cut) -> Iterator[av.VideoFrame]:
    graph = Graph()
    rate = video.average_rate or Fraction(25)
    wanted = filters(video.width, video.height, rate, cut)
    chain = [graph.add_buffer(template=video), *(graph.add(name, arguments) for name, arguments in wanted)]
    chain.append(graph.add("buffersink"))
    graph.link_nodes(*chain).configure()
    for frame in frames:
        graph.vpush(frame)
        yield from _pulled(graph)
    graph.vpush(None)
    yield from _pulled(graph)


def _pulled(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return


def _in_order(frames: Iterator[av.VideoFrame], cut: Cut) -> Iterator[av.VideoFrame]:
    """Yield the frames, and then, if the cut says so, all but the two ends backward; those are kept in memory."""
    kept: list[av.VideoFrame] = []
    for frame in frames:
        if cut.there_and_back:
            kept.append(frame)
        yield frame
    yield from reversed(kept[1:-1])


def _add_stream(clip: av.container.OutputContainer, width: int, height: int, fps: Fraction) -> VideoStream:
    options = {"preset": "veryfast", "profile": "main", "crf": str(_CRF), "bf": "0"}
    stream = clip.add_stream("libx264", rate=fps, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.gop_size = max(1, int(fps))
    stream.codec_context.time_base = 1 / fps
    return stream
