"""Ultralytics' own loader of many streams: a ``.streams`` file, ``predict(stream=True)``, one batch of newest frames.

Run by other benchmarks: python -m benchmarks.peers.ultralytics_streams --url ... --model yolo11n.onnx --out FILE

A frame's capture time is when ``cv2.VideoCapture`` handed it out, as the worker's is when its packet arrived.
"""

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.peers.frame_log import FrameLog, parser

os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true"}
_VideoCapture: Any = cv2.VideoCapture


class StampedImage(np.ndarray[Any, np.dtype[np.uint8]]):
    """A picture that knows when it was captured (Unix seconds)."""

    captured = 0.0


class StampingCapture:
    """``cv2.VideoCapture`` whose pictures are stamped; the loader sees no other difference."""

    def __init__(self, url: str) -> None:
        self._capture = _VideoCapture(url)
        self._grabbed = 0.0

    def grab(self) -> bool:
        """Take the next frame of the stream."""
        is_there = bool(self._capture.grab())
        self._grabbed = time.time()
        return is_there

    def retrieve(self) -> tuple[bool, Any]:
        """Decode it."""
        is_there, image = self._capture.retrieve()
        return is_there, self._stamped(image)

    def read(self) -> tuple[bool, Any]:
        """Take and decode the next frame."""
        self.grab()
        return self.retrieve()

    def _stamped(self, image: Any) -> Any:
        if image is None:
            return None
        stamped = image.view(StampedImage)
        stamped.captured = self._grabbed
        return stamped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._capture, name)


def predict(urls: list[str], model_path: str, log: FrameLog) -> None:
    """Predict on all streams for ever."""
    from ultralytics.models import YOLO

    from benchmarks.peers.first_generation import have_torchvision, skip_warm_up

    have_torchvision()
    setattr(cv2, "VideoCapture", StampingCapture)  # noqa: B010 - a type checker refuses the plain assignment
    model: Any = YOLO(model_path, task="detect")  # untyped
    model.add_callback("on_predict_start", skip_warm_up)
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "cameras.streams"
        sources.write_text("\n".join(urls))
        for number, result in enumerate(model.predict(str(sources), stream=True, verbose=False)):
            log.note(number % len(urls), result.orig_img.captured)


def main() -> int:
    """Watch all cameras."""
    options = parser(__doc__).parse_args()
    log = FrameLog(options)
    threading.Thread(target=predict, args=(options.url, options.model, log), daemon=True).start()
    log.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
