"""Roboflow's ``InferencePipeline`` with CamFarm's detector as its custom logic.

Run by other benchmarks with the Python of an environment that has ``inference`` and what the detector needs:
PYTHON -m benchmarks.peers.roboflow_inference --url ... --model yolo11n.onnx --out FILE

    python -m venv ENVIRONMENT
    ENVIRONMENT/bin/pip install inference openvino structlog pydantic-settings

A frame's capture time is its ``frame_timestamp``, which the library takes when it grabs the frame.
"""

import argparse
import os
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.peers.frame_log import FrameLog, parser

#: No telemetry, no models from the network.
os.environ |= {
    "METRICS_ENABLED": "False",
    "TELEMETRY_OPT_OUT": "True",
    "CORE_MODELS_ENABLED": "False",
    "OFFLINE_MODE": "True",
    "DISABLE_VERSION_CHECK": "True",
}


@dataclass(frozen=True)
class _Model:
    path: Path
    format: str
    class_names: dict[int, str]


def detect(options: argparse.Namespace, log: FrameLog) -> None:
    """Run the pipeline for ever."""
    from inference import InferencePipeline  # type: ignore[import-not-found, unused-ignore] # another environment's

    from workers.detection.openvino_detector import OpenVinoDetector

    names = {number: str(number) for number in range(80)}
    detector = OpenVinoDetector(_Model(Path(options.model), "onnx", names))

    def on_frames(frames: list[Any]) -> list[Any]:
        return list(detector.detect([frame.image for frame in frames], confidence=options.confidence))

    def on_results(_results: Any, frames: Any) -> None:
        for frame in frames if isinstance(frames, list) else [frames]:
            if frame is not None:
                log.note(frame.source_id or 0, _seconds(frame.frame_timestamp))

    pipeline = InferencePipeline.init_with_custom_logic(
        video_reference=options.url, on_video_frame=on_frames, on_prediction=on_results
    )
    pipeline.start(use_main_thread=False)
    pipeline.join()


def _seconds(at: datetime) -> float:
    return at.timestamp()


def main() -> int:
    """Watch all cameras."""
    arguments = parser(__doc__)
    arguments.add_argument("--confidence", type=float, default=0.2)
    options = arguments.parse_args()
    log = FrameLog(options)
    threading.Thread(target=detect, args=(options, log), daemon=True).start()
    log.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
