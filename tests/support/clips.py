"""Test clips made in code: squares that move over a patterned ground, and files that are broken in known ways.

Clips are made once per folder and named after their arguments; give the session's temporary folder.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import av
import numpy as np
import pytest
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

Codec = Literal["h264", "hevc", "mjpeg", "mpeg2"]

_ENCODERS: Final[dict[Codec, str]] = {"h264": "libx264", "hevc": "libx265", "mjpeg": "mjpeg", "mpeg2": "mpeg2video"}
_OPTIONS: Final[dict[Codec, dict[str, str]]] = {
    "h264": {"preset": "ultrafast", "tune": "zerolatency"},
    "hevc": {"preset": "ultrafast", "x265-params": "log-level=error:bframes=0"},
    "mjpeg": {},
    "mpeg2": {"bf": "0"},
}
#: Pixels a square moves from frame to frame.
SPEED: Final = 4
#: Side of a square in pixels.
SIDE: Final = 32


@dataclass(frozen=True)
class Clips:
    """Makes clips in `folder`, each of them once."""

    folder: Path

    def make(
        self,
        name: str = "squares",
        *,
        codec: Codec = "h264",
        size: tuple[int, int] = (320, 240),
        fps: Fraction | int = 10,
        gop: int = 10,
        seconds: float = 4,
        container: str = "mp4",
    ) -> Path:
        """Make a clip of moving squares.

        Args:
            name: File name without its ending.
            codec: What it is encoded with; without B-frames.
            size: Width and height in pixels, even.
            fps: Frames per second; a `Fraction` such as ``Fraction(30000, 1001)`` stays exact.
            gop: Frames from keyframe to keyframe.
            seconds: Length.
            container: Ending: ``mp4``, ``ts``, ``mkv``, ``avi``.

        Returns:
            The file.
        """
        path = self.folder / f"{name}.{container}"
        if not path.exists():
            with av.open(path, "w") as output:
                stream = _add_stream(output, codec, size, Fraction(fps), gop)
                _encode(output, stream, size, range(round(Fraction(fps) * Fraction(seconds))))
        return path

    def changing_resolution(
        self,
        name: str = "changing",
        *,
        sizes: tuple[tuple[int, int], tuple[int, int]] = ((320, 240), (640, 360)),
        seconds_each: float = 3,
        fps: int = 10,
    ) -> Path:
        """Make an MPEG-TS of H.264 whose frames change from the first size to the second midway."""
        path = self.folder / f"{name}.ts"
        if not path.exists():
            frames = round(fps * seconds_each)
            halves = [self.folder / f".{name}-{part}.h264" for part in range(len(sizes))]
            for half, size in zip(halves, sizes, strict=True):
                with av.open(half, "w", format="h264") as raw:
                    _encode(raw, _add_stream(raw, "h264", size, Fraction(fps), fps), size, range(frames))
            _join_as_mpegts(halves, path, Fraction(fps))
        return path

    def truncated(self, name: str = "truncated", *, share: float = 0.5) -> Path:
        """Make an MP4 that ends in the middle: its index came first, `share` of its bytes are there."""
        path = self.folder / f"{name}.mp4"
        if not path.exists():
            whole = self.folder / f".{name}-whole.mp4"
            with av.open(whole, "w", options={"movflags": "faststart"}) as output:
                stream = _add_stream(output, "h264", (320, 240), Fraction(10), 10)
                _encode(output, stream, (320, 240), range(40))
            data = whole.read_bytes()
            path.write_bytes(data[: int(len(data) * share)])
        return path

    def audio_only(self, name: str = "audio", *, seconds: float = 4) -> Path:
        """Make an MP4 with a tone (AAC) and no video."""
        path = self.folder / f"{name}.mp4"
        if not path.exists():
            rate = 16_000
            with av.open(path, "w") as output:
                stream = output.add_stream("aac", rate=rate)
                tone = np.sin(np.arange(round(rate * seconds)) * (440 * 2 * np.pi / rate)).astype(np.float32)
                for start in range(0, len(tone), 1024):
                    frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="fltp", layout="mono")
                    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
                    output.mux(stream.encode(frame))
                output.mux(stream.encode(None))
        return path

    def garbage(self, name: str = "garbage", *, size_bytes: int = 100_000, container: str = "mp4") -> Path:
        """Make a file of random bytes, the same ones each time."""
        path = self.folder / f"{name}.{container}"
        if not path.exists():
            path.write_bytes(np.random.default_rng(7).bytes(size_bytes))
        return path


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Give the folder of test clips of this session."""
    return Clips(tmp_path_factory.mktemp("clips"))


def picture(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return frame `number` of a clip.

    Returns:
        Shape (H, W, 3), RGB, uint8: a fixed pattern with a white square at ``x = number * SPEED`` (modulo the room
        it has), ``y = H // 4``, and a red one that moves the other way at ``y = H // 2``.
    """
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    image = np.empty((height, width, 3), np.uint8)
    image[..., 0] = 40 + columns * 60 // width
    image[..., 1] = 60 + rows * 60 // height
    image[..., 2] = 80 + (columns // 16 + rows // 16) % 2 * 30
    x = number * SPEED % (width - SIDE)
    image[height // 4 : height // 4 + SIDE, x : x + SIDE] = 255
    back = width - SIDE - x
    image[height // 2 : height // 2 + SIDE, back : back + SIDE] = (220, 30, 30)
    return image


def _add_stream(output: OutputContainer, codec: Codec, size: tuple[int, int], fps: Fraction, gop: int) -> VideoStream:
    stream = output.add_stream(_ENCODERS[codec], rate=fps, options=dict(_OPTIONS[codec]))
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    stream.codec_context.gop_size = gop
    stream.codec_context.time_base = 1 / fps
    return stream


def _encode(output: OutputContainer, stream: VideoStream, size: tuple[int, int], numbers: range) -> None:
    for number in numbers:
        frame = av.VideoFrame.from_ndarray(picture(number, size), format="rgb24")
        frame.pts = number
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _join_as_mpegts(parts: list[Path], path: Path, fps: Fraction) -> None:
    """Put raw H.264 files behind each other; each brings its own parameter sets in its keyframes."""
    with av.open(path, "w", format="mpegts") as output:
        stream: VideoStream | None = None
        number = 0
        for part in parts:
            with av.open(part, format="h264") as raw:
                if stream is None:
                    stream = output.add_stream_from_template(raw.streams.video[0])
                for packet in raw.demux(raw.streams.video[0]):
                    if packet.size:
                        packet.stream = stream
                        packet.time_base = 1 / fps
                        packet.pts = packet.dts = number
                        output.mux(packet)
                        number += 1
