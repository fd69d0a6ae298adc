"""The least that analysing live cameras takes: a thread per camera that keeps the newest frame, a detector, no more.

Run by other benchmarks: python -m benchmarks.floors.latest_frame --url ... --model yolo11n.onnx --fps 5 --out FILE

Written by hand as a limit to compare with: it has no tracker, no recording, no Redis, no second try. Frames are
stamped when their packet has arrived, as the worker does it. The detector is the worker's own, with the ``FARM_*``
settings of the environment.
"""

import itertools
import random
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np

from benchmarks.peers.frame_log import FrameLog, parser
from runtime.settings import WorkerSettings
from workers.detection.opening import open_detector

#: What trackers are given; a lower one makes reading the model's answer dearer.
CONFIDENCE: Final = 0.2
#: From frame to frame of the cameras; one that comes half of it early is on time.
FRAME_SECONDS: Final = 0.04


@dataclass(frozen=True, slots=True)
class Slot:
    """The newest due frame of a camera."""

    captured: float
    frame: av.VideoFrame


class Newest:
    """A slot per camera; the detector takes them in turns."""

    def __init__(self, count: int) -> None:
        self._slots: list[Slot | None] = [None] * count
        self._changed = threading.Condition()
        self._turns = itertools.cycle(range(count))

    def put(self, camera: int, slot: Slot) -> None:
        """Put a frame in place of an older one."""
        with self._changed:
            self._slots[camera] = slot
            self._changed.notify()

    def take(self) -> tuple[int, Slot]:
        """Wait for a frame of the camera whose turn it is, or of the next one that has any."""
        with self._changed:
            while True:
                for camera in itertools.islice(self._turns, len(self._slots)):
                    slot = self._slots[camera]
                    if slot is not None:
                        self._slots[camera] = None
                        return camera, slot
                self._changed.wait()


def capture(camera: int, url: str, fps: float, newest: Newest) -> None:
    """Decode what is needed for `fps` frames a second: keyframes where they come often enough, else every frame."""
    with av.open(url, options={"rtsp_transport": "tcp", "fpsprobesize": "0"}) as container:
        video = container.streams.video[0]
        video.thread_type = "NONE"
        interval, keyframes_do = 1 / fps, False
        # Cameras that were all opened at one moment would all be due at one moment, for ever.
        due = time.time() + random.uniform(0, interval)  # noqa: S311 - nothing secret
        keyframe_at: float | None = None
        for packet in container.demux(video):
            captured = time.time()
            if packet.is_keyframe:
                if keyframe_at is not None:
                    keyframes_do = captured - keyframe_at <= 1.1 * interval
                keyframe_at = captured
            elif keyframes_do:
                continue
            for frame in packet.decode():
                if captured >= due - min(interval, FRAME_SECONDS) / 2:
                    due = (captured if captured >= due + interval else due) + interval
                    newest.put(camera, Slot(captured, frame))


def main() -> int:
    """Watch all cameras."""
    arguments = parser(__doc__)
    arguments.add_argument("--fps", type=float, nargs="+", default=[30.0], help="one for all cameras, or one for each")
    options = arguments.parse_args()
    rates = options.fps * len(options.url) if len(options.fps) == 1 else options.fps
    detector = open_detector(_Model(Path(options.model)), WorkerSettings())
    log, newest = FrameLog(options), Newest(len(options.url))

    def detect() -> None:
        while True:
            camera, slot = newest.take()
            image = np.asarray(slot.frame.to_ndarray(format="bgr24"), np.uint8)
            detector.detect([image], confidence=CONFIDENCE)
            log.note(camera, slot.captured)

    for camera, url in enumerate(options.url):
        threading.Thread(target=capture, args=(camera, url, rates[camera], newest), daemon=True).start()
    threading.Thread(target=detect, daemon=True).start()
    log.finish()
    return 0


@dataclass(frozen=True, slots=True)
class _Model:
    """A model that is in no store; its classes are not asked for."""

    path: Path

    @property
    def format(self) -> str:
        """As its name ends; a folder is OpenVINO's."""
        return self.path.suffix.removeprefix(".") or "openvino"

    @property
    def class_names(self) -> dict[int, str]:
        """Numbers, for the boxes are not looked at."""
        return {number: str(number) for number in range(80)}


if __name__ == "__main__":
    sys.exit(main())
