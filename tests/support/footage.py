"""Files of recorded footage made in code, as the recorder writes them, with the time burnt into every picture.

The time of a picture stands in its top sixth as two rows of 24 blocks, white for 1: 42 bits of Unix milliseconds, then
6 bits that count the ones before them. Blocks are large, so that a test can read them from a decoded picture, a JPEG,
a canvas in a browser, at any size (`read_time`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from contract.recording_paths import segment_path
from contract.recordings import FRAGMENT_SECONDS, KeptFor, Segment

#: Blocks of the burnt-in time: across, down, and the share of the picture's height of one row.
COLUMNS: Final = 24
ROWS: Final = 2
ROW_SHARE: Final = 1 / 12
_TIME_BITS: Final = 42
_TICKS: Final = 90_000
_SOUND_RATE: Final = 16_000
#: How a recorder writes: playable from the first fragment on, whatever happens to the writer later.
MOVFLAGS: Final = "empty_moov+default_base_moof+frag_keyframe"

Codec = Literal["h264", "hevc"]
_ENCODERS: Final[dict[Codec, str]] = {"h264": "libx264", "hevc": "libx265"}

#: Shape (H, W), uint8.
GrayImage = NDArray[np.uint8]


@dataclass(frozen=True)
class Look:
    """How a camera's stream looks."""

    size: tuple[int, int] = (640, 360)
    fps: Fraction | int = 25
    #: Frames from keyframe to keyframe.
    gop: int = 25
    codec: Codec = "h264"
    #: Most B-frames in a row.
    b_frames: int = 0
    #: A tone, AAC.
    sound: bool = False
    #: Share of the picture, at its bottom, that is noise: it makes the stream as large as a real one.
    noise: float = 0.0


LOOK: Final = Look()


def write_segment(
    root: Path,
    camera_id: str,
    start_ms: int,
    *,
    seconds: float = 10.0,
    epoch: int = 1,
    look: Look = LOOK,
    kept_for: KeptFor = KeptFor.CONTINUOUS,
    motion: float = 0.0,
    seen: dict[str, int] | None = None,
) -> Segment:
    """Write one finished file below `root` (the frames volume) and return what its worker would tell of it."""
    path = root / segment_path(camera_id, start_ms, epoch)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_footage(path, start_ms, seconds=seconds, look=look)
    frames = round(Fraction(look.fps) * Fraction(seconds))
    return Segment(
        camera_id=camera_id,
        start_ms=start_ms,
        end_ms=start_ms + round(frames * 1000 / Fraction(look.fps)),
        epoch=epoch,
        size_bytes=path.stat().st_size,
        codec=look.codec,
        audio="aac" if look.sound else "",
        width=look.size[0],
        height=look.size[1],
        kept_for=kept_for,
        motion=motion,
        seen=seen or {},
    )


def write_segments(
    root: Path, camera_id: str, start_ms: int, count: int, *, seconds: float = 10.0, epoch: int = 1, look: Look = LOOK
) -> list[Segment]:
    """Write `count` files, each beginning where the one before ends."""
    segments: list[Segment] = []
    for _ in range(count):
        begins_ms = segments[-1].end_ms if segments else start_ms
        segments.append(write_segment(root, camera_id, begins_ms, seconds=seconds, epoch=epoch, look=look))
    return segments


def write_footage(path: Path, start_ms: int, *, seconds: float, look: Look = LOOK) -> None:
    """Write a fragmented MP4 whose pictures show the time from `start_ms` on."""
    options = {"movflags": MOVFLAGS, "frag_duration": str(round(FRAGMENT_SECONDS * 1_000_000))}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video = _add_video(container, look)
        sound = _add_sound(container) if look.sound else None
        tone = _tone(seconds) if sound else iter(())
        heard = next(tone, None)
        for number in range(round(Fraction(look.fps) * Fraction(seconds))):
            at = number / Fraction(look.fps)
            while sound is not None and heard is not None and heard.pts is not None and heard.pts < at * _SOUND_RATE:
                container.mux(sound.encode(heard))
                heard = next(tone, None)
            container.mux(video.encode(_frame(start_ms, at, look)))
        container.mux(video.encode(None))
        if sound is not None:
            container.mux(sound.encode(None))


def cut_into_last_fragment(path: Path) -> None:
    """Leave the file as a killed writer does: its last fragment ends in the middle."""
    data = path.read_bytes()
    last = data.rindex(b"moof") - 4
    path.write_bytes(data[: last + (data.index(b"mdat", last) - last) + 200])


def remove_moov(path: Path) -> None:
    """Leave the file without what says how to decode it."""
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4] + data[data.index(b"moof") - 4 :])


def picture(at_ms: int, size: tuple[int, int]) -> GrayImage:
    """Return the picture that is shown at a time.

    Returns:
        Shape (H, W), gray: the time in the top sixth, below it a ramp with a square that moves 8 pixels in 40 ms.
    """
    width, height = size
    image = _ground(width, height).copy()
    side = height // 6
    x = at_ms // 5 % (width - side)
    image[height // 2 : height // 2 + side, x : x + side] = 235
    bits = time_bits(at_ms)
    row_height = round(height * ROW_SHARE)
    edges = [column * width // COLUMNS for column in range(COLUMNS + 1)]
    for place, bit in enumerate(bits):
        row, column = divmod(place, COLUMNS)
        image[row * row_height : (row + 1) * row_height, edges[column] : edges[column + 1]] = 235 if bit else 16
    return image


def time_bits(at_ms: int) -> list[int]:
    """Return the blocks of a time, in reading order."""
    bits = [at_ms >> place & 1 for place in reversed(range(_TIME_BITS))]
    ones = sum(bits)
    return bits + [ones >> place & 1 for place in reversed(range(COLUMNS * ROWS - _TIME_BITS))]


def read_time(image: NDArray[Any]) -> int | None:
    """Return the time (Unix ms) that a picture shows, or None where it shows none that can be read.

    Args:
        image: Shape (H, W) or (H, W, 3).
    """
    gray = image if image.ndim == 2 else image.mean(axis=2)
    height, width = gray.shape
    bits = []
    for row in range(ROWS):
        y = round((row + 0.5) * height * ROW_SHARE)
        for column in range(COLUMNS):
            x = (2 * column + 1) * width // (2 * COLUMNS)
            bits.append(int(gray[y - 1 : y + 2, x - 2 : x + 3].mean() > 128))
    at_ms = int("".join(map(str, bits[:_TIME_BITS])), 2)
    return at_ms if time_bits(at_ms) == bits else None


#: The same in JavaScript: `readTime(source, width, height)` of a video, an image or a canvas.
READ_TIME_JS: Final = f"""
function readTime(source, width, height) {{
  const canvas = document.createElement("canvas");
  canvas.width = width; canvas.height = height;
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  context.drawImage(source, 0, 0, width, height);
  const bits = [];
  for (let row = 0; row < {ROWS}; row++) {{
    const y = Math.round((row + 0.5) * height * {ROW_SHARE});
    for (let column = 0; column < {COLUMNS}; column++) {{
      const x = Math.floor((2 * column + 1) * width / {2 * COLUMNS});
      const data = context.getImageData(x - 2, y - 1, 5, 3).data;
      let sum = 0;
      for (let place = 0; place < data.length; place += 4) sum += data[place + 1];
      bits.push(sum / (data.length / 4) > 128 ? 1 : 0);
    }}
  }}
  const ones = bits.slice(0, {_TIME_BITS}).reduce((a, b) => a + b, 0);
  const said = bits.slice({_TIME_BITS}).reduce((a, b) => a * 2 + b, 0);
  return ones === said ? bits.slice(0, {_TIME_BITS}).reduce((a, b) => a * 2 + b, 0) : null;
}}
"""


@cache
def _ground(width: int, height: int) -> GrayImage:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.asarray(60 + columns * 60 // width + rows * 60 // height, np.uint8)


def _frame(start_ms: int, at: Fraction, look: Look) -> av.VideoFrame:
    width, height = look.size
    shown = picture(start_ms + round(at * 1000), look.size)
    if look.noise:
        rows = round(height * look.noise)
        generator = np.random.default_rng(round(at * 1000))
        shown[height - rows :] = generator.integers(100, 140, (rows, width), np.uint8)
    chroma = np.full((height // 2, width), 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(np.vstack([shown, chroma]), format="yuv420p")
    frame.pts, frame.time_base = round(at * _TICKS), Fraction(1, _TICKS)
    return frame


def _add_video(container: OutputContainer, look: Look) -> VideoStream:
    options = {"preset": "ultrafast", "sc_threshold": "0"}
    if look.codec == "hevc":
        options |= {"x265-params": f"log-level=error:bframes={look.b_frames}:keyint={look.gop}:min-keyint={look.gop}"}
    else:
        options |= {"bf": str(look.b_frames), "forced-idr": "1"}
    added = container.add_stream(_ENCODERS[look.codec], rate=Fraction(look.fps), options=cast("Any", options))
    stream = cast("VideoStream", added)
    stream.width, stream.height = look.size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.gop_size = look.gop
    stream.codec_context.max_b_frames = look.b_frames
    stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
    stream.codec_context.thread_count = 1  # several at once must not fight for cores
    if look.codec == "hevc":
        stream.codec_context.codec_tag = "hvc1"
    return stream


def _add_sound(container: OutputContainer) -> AudioStream:
    stream = container.add_stream("aac", rate=_SOUND_RATE)
    stream.layout = "mono"
    return stream


def _tone(seconds: float) -> Iterator[av.AudioFrame]:
    total = round(_SOUND_RATE * seconds)
    wave = np.sin(np.arange(total) * (440 * 2 * np.pi / _SOUND_RATE)).astype(np.float32)
    for start in range(0, total, 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
        # The encoder begins 1024 samples early; a recorder's sound begins with its pictures.
        frame.sample_rate, frame.pts, frame.time_base = _SOUND_RATE, start + 1024, Fraction(1, _SOUND_RATE)
        yield frame
