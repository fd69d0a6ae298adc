"""JPEG pictures one after another in one HTTP answer (`multipart/x-mixed-replace`)."""

import threading
from collections.abc import Iterable, Iterator
from typing import Final

from camera_ctrler.playback.saved_frames.timeline import schedule
from contract.frame_paths import captured_at_ms, frame_path
from runtime.clock import Clock
from runtime.frame_store import FrameStore

BOUNDARY: Final = "camfarm-frame"
MIMETYPE: Final = "multipart/x-mixed-replace"
CONTENT_TYPE: Final = f"{MIMETYPE}; boundary={BOUNDARY}"
#: Opens the answer; every part closes itself, because browsers show a part only when they have seen its end.
OPENING: Final = f"--{BOUNDARY}\r\n".encode()

_JPEG_START: Final = b"\xff\xd8"
_JPEG_END: Final = b"\xff\xd9"


def part(jpeg: bytes, captured_ms: int | None = None) -> bytes:
    """Return one picture as a part of the answer."""
    stamp = f"X-Captured-At-Ms: {captured_ms}\r\n" if captured_ms is not None else ""
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n{stamp}\r\n".encode()
    return head + jpeg + f"\r\n--{BOUNDARY}\r\n".encode()


def looks_whole(jpeg: bytes) -> bool:
    """Tell whether `jpeg` begins and ends as a JPEG file does."""
    return jpeg.startswith(_JPEG_START) and jpeg.rstrip(b"\x00").endswith(_JPEG_END)


def play(
    paths: Iterable[str], store: FrameStore, *, speed: float, clock: Clock, stopping: threading.Event
) -> Iterator[bytes]:
    """Yield saved frames as parts, each when it is due; ends with the last one, or when `stopping` is set.

    A frame that has vanished or is damaged is left out.
    """
    began = clock.monotonic()
    yield OPENING
    camera_id = ""

    def times() -> Iterator[int]:
        nonlocal camera_id
        for path in paths:
            camera_id = path.partition("/")[0]
            yield captured_at_ms(path)

    for frame in schedule(times(), speed):
        if stopping.wait(max(0.0, began + frame.due_ms / 1000 - clock.monotonic())):
            return
        jpeg = read_frame(store, frame_path(camera_id, frame.captured_at_ms))
        if jpeg is not None:
            yield part(jpeg, frame.captured_at_ms)


def read_frame(store: FrameStore, path: str) -> bytes | None:
    """Return a saved frame, or None where it has vanished or is damaged."""
    try:
        jpeg = store.resolve(path).read_bytes()
    except OSError:  # deleted since it was listed, or the volume is away
        return None
    return jpeg if looks_whole(jpeg) else None
