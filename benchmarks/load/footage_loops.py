"""Encoded loops for many cameras: real people and cars for a share of the time, else a still real scene with noise.

Loop `k` of `n` moves from `k / n` of its length on, so that of cameras that play all of them the same share moves at
any time. Made once from the demo's footage and kept in the cache: `cache_dir`.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from numpy.typing import NDArray

from model_store import fetch_footage
from workers.media import VideoPacket

FPS: Final = 25
#: Standard deviation of the noise that is drawn for every frame, in steps of 8-bit luma: a small sensor by day.
NOISE_SIGMA: Final = 2.0
#: Frames whose median is the scene without what moves in it.
STILL_SAMPLES: Final = 41
#: Bits a second of a picture of 640x360; a larger picture has more, by the power of 0.75, as encoders are tuned.
BITS_PER_SECOND: Final = 800_000
#: Of every ten loops, those that show a motorway; the others show people on a plaza.
MOTORWAY_LOOPS: Final = frozenset({2, 5, 8})
#: Change it when the way loops are made changes.
VERSION: Final = 1

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class LoopKind:
    """What the loops of a set have in common."""

    width: int = 640
    height: int = 360
    #: Frames from keyframe to keyframe.
    gop: int = 25
    #: Share of the time in which something moves.
    moving: float = 0.2
    count: int = 10
    seconds: int = 100
    #: Frames a second that are sent; the stream's own header always says `FPS`.
    sent_fps: int = FPS

    @property
    def name(self) -> str:
        """Name of its folder."""
        sent = "" if self.sent_fps == FPS else f"-sent{self.sent_fps}"
        return (
            f"v{VERSION}-{self.width}x{self.height}-gop{self.gop}-moving{round(self.moving * 100)}"
            f"-{self.count}x{self.seconds}s{sent}"
        )

    @property
    def bits_per_second(self) -> int:
        """What the encoder aims at."""
        return round(BITS_PER_SECOND * math.pow(self.width * self.height / (640 * 360), 0.75))


def cache_dir() -> Path:
    """Return where loops, footage and programs of benchmarks are kept, outside the checkout."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "camfarm-benchmarks"


def loops(kind: LoopKind) -> list[Path]:
    """Return the files of a set, made where they are missing; that takes minutes."""
    folder = cache_dir() / kind.name
    folder.mkdir(parents=True, exist_ok=True)
    return [_made(folder, kind, number) for number in range(kind.count)]


def _made(folder: Path, kind: LoopKind, number: int) -> Path:
    path = folder / f"loop{number:02}.mp4"
    if not path.exists():
        print(f"making {kind.name}/{path.name}", flush=True)
        unfinished = path.with_suffix(".unfinished")
        _encode(unfinished, kind, number)
        unfinished.replace(path)
    return path


# --- pictures --------------------------------------------------------------------------------------------------------


def pictures(kind: LoopKind, number: int) -> Iterator[Plane]:
    """Yield the frames of one loop, shape (H * 3 / 2, W), yuv420p."""
    name = "motorway" if number % 10 in MOTORWAY_LOOPS else "vtest"
    source = fetch_footage(name, cache_dir() / "footage")
    graph = _Scene(source, kind, mirrored=bool(number % 2))
    still = graph.still() if kind.moving < 1 else None
    frames = kind.seconds * kind.sent_fps
    first, moving = round(frames * number / kind.count), round(frames * kind.moving)
    noise = _Noise(kind, seed=number)
    # Every loop shows another stretch of the footage.
    stretch = graph.moving(moving, skip_seconds=number * 11 % 40 if name == "vtest" else number)
    shown = {(first + position) % frames for position in range(moving)}
    for position in range(frames):
        picture = next(stretch) if position in shown else still
        assert picture is not None
        yield noise.over(picture)


class _Scene:
    """One piece of footage, fitted into the loop's picture."""

    def __init__(self, source: Path, kind: LoopKind, *, mirrored: bool) -> None:
        self._source = source
        self._kind = kind
        self._mirrored = mirrored

    def _decoded(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """Yield seconds from the start, and the frame."""
        with av.open(str(self._source)) as container:
            video = container.streams.video[0]
            rate = float(video.average_rate or FPS)
            for number, frame in enumerate(container.decode(video)):
                yield number / rate, frame

    def _fitted(self, frames: Iterator[av.VideoFrame]) -> Iterator[Plane]:
        kind, graph = self._kind, Graph()
        chain: list[FilterContext] = []
        for frame in frames:
            if not chain:
                wide = min(frame.width, frame.height * kind.width // kind.height) // 2 * 2
                tall = min(frame.height, frame.width * kind.height // kind.width) // 2 * 2
                chain = [
                    graph.add_buffer(
                        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
                    ),
                    graph.add("crop", f"{wide}:{tall}"),
                    *([graph.add("hflip")] if self._mirrored else []),
                    graph.add("scale", f"{kind.width}:{kind.height}"),
                    graph.add("format", "yuv420p"),
                    graph.add("buffersink"),
                ]
                graph.link_nodes(*chain).configure()
            frame.pts = None
            graph.vpush(frame)
            yield np.asarray(graph.vpull().to_ndarray(), np.uint8)

    def still(self) -> Plane:
        """Return the scene without what moves: the median of frames from all over the footage."""
        total = sum(1 for _ in self._decoded())
        step = max(1, total // STILL_SAMPLES)
        chosen = (frame for number, (_, frame) in enumerate(self._decoded()) if number % step == 0)
        return np.asarray(np.median(np.stack(list(self._fitted(chosen))), axis=0), np.uint8)

    def moving(self, count: int, *, skip_seconds: float) -> Iterator[Plane]:
        """Yield `count` frames at the loop's rate, at the speed of the footage, over and over."""
        span = count / self._kind.sent_fps
        kept = ((at, frame) for at, frame in self._decoded() if skip_seconds <= at < skip_seconds + span + 1)
        times: list[float] = []
        planes: list[Plane] = []

        def noted() -> Iterator[av.VideoFrame]:
            for at, frame in kept:
                times.append(at - skip_seconds)
                yield frame

        planes.extend(self._fitted(noted()))
        rate = (len(times) - 1) / (times[-1] - times[0])
        for number in range(count):
            yield planes[int(number / self._kind.sent_fps * rate) % len(planes)]


class _Noise:
    """White noise on the luma plane, another part of one large field for every frame."""

    ROOM: Final = 97

    def __init__(self, kind: LoopKind, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._height, self._width = kind.height, kind.width
        shape = (kind.height + self.ROOM, kind.width + self.ROOM)
        field = np.rint(self._random.normal(0, NOISE_SIGMA, shape))
        self._more = np.clip(field, 0, 255).astype(np.uint8)
        self._less = np.clip(-field, 0, 255).astype(np.uint8)

    def over(self, picture: Plane) -> Plane:
        """Return the picture with noise."""
        top, left = self._random.integers(0, self.ROOM, 2)
        part = np.s_[top : top + self._height, left : left + self._width]
        noisy = picture.copy()
        noisy[: self._height] = cv2.subtract(cv2.add(picture[: self._height], self._more[part]), self._less[part])
        return noisy


# --- encoding --------------------------------------------------------------------------------------------------------


def _encode(path: Path, kind: LoopKind, number: int) -> None:
    """Write one loop: H.264 without B-frames, keyframes exactly `gop` frames apart."""
    with av.open(str(path), "w", format="mp4") as file:
        bits = kind.bits_per_second
        options = {
            "preset": "veryfast",
            "profile": "main",
            "x264-params": f"bframes=0:keyint={kind.gop}:min-keyint={kind.gop}:scenecut=0:vbv-maxrate={bits // 500}"
            f":vbv-bufsize={bits // 500}",
        }
        stream = file.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = kind.width, kind.height, "yuv420p", bits
        stream.codec_context.time_base = Fraction(1, FPS)
        for position, picture in enumerate(pictures(kind, number)):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = position, Fraction(1, FPS)
            file.mux(_timed(stream.encode(frame), kind))
        file.mux(_timed(stream.encode(None), kind))


def _timed(packets: list[VideoPacket], kind: LoopKind) -> list[VideoPacket]:
    """Send the packets at the rate of the kind, whatever the header of the stream says."""
    for packet in packets:
        packet.time_base = Fraction(1, kind.sent_fps)
    return packets


def bytes_per_second(path: Path) -> float:
    """Return the mean rate of a file."""
    with av.open(str(path)) as file:
        return path.stat().st_size / (float(file.duration or 1) / av.time_base)


def first_frames(path: Path, count: int) -> list[NDArray[np.uint8]]:
    """Return the first frames of a file, shape (H, W, 3), BGR."""
    with av.open(str(path)) as file:
        return [
            np.asarray(one.to_ndarray(format="bgr24"), np.uint8) for one in islice(cycle(file.decode(video=0)), count)
        ]
