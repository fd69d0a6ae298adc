"""The script that CamFarm succeeds, as many have written it: a thread per camera, every frame tracked, JPEG into Redis.

Run by other benchmarks: python -m benchmarks.peers.first_generation --url rtsp://... --model yolo11n.onnx --redis URL
     --out FILE

``cv2.VideoCapture`` hands out every frame in order and Ultralytics' ``model.track`` looks at each, so that what
comes faster than it is tracked waits in buffers and grows old. A frame's capture time is that of the stream itself,
counted from the first frame: when it would have been seen without any waiting.
"""

import importlib
import os
import sys
import threading
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import redis

from benchmarks.peers.frame_log import FrameLog, parser

os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true"}


def watch(camera: int, url: str, model_path: str, client: redis.Redis, log: FrameLog) -> None:
    """Read, track, encode and store every frame, for ever."""
    from ultralytics.models import YOLO

    model: Any = YOLO(model_path, task="detect")  # untyped
    model.add_callback("on_predict_start", skip_warm_up)
    while True:
        capture = cv2.VideoCapture(url)
        began: float | None = None
        while True:
            is_read, image = capture.read()
            if not is_read:
                break
            media = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            began = time.time() - media if began is None else began
            results = model.track(image, persist=True, verbose=False)
            encoded = cv2.imencode(".jpg", results[0].plot())[1]
            client.set(f"frame:{camera}", encoded.tobytes())
            log.note(camera, began + media)


def have_torchvision() -> None:
    """Put Ultralytics' own NMS in the place of torchvision's where torchvision does not load, beside torch for CPU.

    Ultralytics imports it for streams only to take that one function from it, and says that both give the same.
    """
    try:
        importlib.import_module("torchvision")
    except (ImportError, OSError, RuntimeError):
        from ultralytics.utils.nms import TorchNMS

        stand_in: Any = ModuleType("torchvision")
        stand_in.ops = SimpleNamespace(nms=TorchNMS.nms)
        sys.modules["torchvision"] = stand_in


def skip_warm_up(predictor: Any) -> None:
    """Do without Ultralytics' warm-up, which calls a torchvision that need not work here."""
    predictor.done_warmup = True


def main() -> int:
    """Watch all cameras."""
    arguments = parser(__doc__)
    arguments.add_argument("--redis", required=True)
    options = arguments.parse_args()
    log, client = FrameLog(options), redis.Redis.from_url(options.redis)
    for camera, url in enumerate(options.url):
        threading.Thread(target=watch, args=(camera, url, options.model, client, log), daemon=True).start()
    log.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
