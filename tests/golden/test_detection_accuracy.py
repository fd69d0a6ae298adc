"""The detectors in the pipeline equal the model: mAP on COCO images beside an independent run of the same weights."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from benchmarks.detection_accuracy import COCO_DIR, Score, load_truth, run_detector, run_parts, run_ultralytics, score
from runtime.settings import WorkerSettings
from tests.support.weights import yolo11n
from workers.detection.detector import Detector
from workers.detection.onnxruntime_detector import OnnxRuntimeDetector
from workers.detection.opening import open_detector
from workers.detection.openvino_detector import OpenVinoDetector

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not COCO_DIR.is_dir(), reason=f"{COCO_DIR} is not there"),
]

#: What Ultralytics' predict scored on the same file and images; `python -m benchmarks.detection_accuracy --reference`.
REFERENCE: Final = Score(**json.loads((Path(__file__).parent / "coco64_yolo11n.json").read_text()))
#: What the farm promises of its detector.
PROMISED_DELTA: Final = 0.002
#: In float32 only rounding may differ.
EXACT_DELTA: Final = 0.0005


@pytest.fixture(scope="module")
def score_of() -> Callable[[Detector], Score]:
    """Give what runs a detector over the images and scores it, once for each runtime and precision."""
    scores: dict[str, Score] = {}

    def run(detector: Detector) -> Score:
        if detector.runtime not in scores:
            scores[detector.runtime] = score(load_truth(COCO_DIR), run_detector(detector, COCO_DIR))
        detector.close()
        return scores[detector.runtime]

    return run


def test_the_detector_that_workers_open_by_default_is_within_the_promise(
    score_of: Callable[[Detector], Score], tmp_path: Path
) -> None:
    """Given default settings, when the images are scored, then mAP50-95 is within 0.002 of the independent run."""
    detector = open_detector(yolo11n(), WorkerSettings.load(models_dir=tmp_path, device="cpu"))

    assert score_of(detector).map50_95 == pytest.approx(REFERENCE.map50_95, abs=PROMISED_DELTA)


@pytest.mark.parametrize(
    "opener",
    [lambda: OpenVinoDetector(yolo11n(), precision="f32"), lambda: OnnxRuntimeDetector(yolo11n())],
    ids=["openvino", "onnxruntime"],
)
def test_in_float32_both_backends_score_what_the_model_scores(
    score_of: Callable[[Detector], Score], opener: Callable[[], Detector]
) -> None:
    """Given float32, when the images are scored, then nothing but rounding separates them from the independent run."""
    result = score_of(opener())

    assert result.map50_95 == pytest.approx(REFERENCE.map50_95, abs=EXACT_DELTA)
    assert result.map50 == pytest.approx(REFERENCE.map50, abs=EXACT_DELTA)


def test_frames_in_the_smallest_input_that_holds_them_score_what_they_score_in_the_square(tmp_path: Path) -> None:
    """Given the pipeline's way of looking at whole frames, when the images are scored, then little is lost by it."""
    detector = open_detector(yolo11n(), WorkerSettings.load(models_dir=tmp_path, device="cpu"))
    result = score(load_truth(COCO_DIR), run_parts(detector, COCO_DIR))
    detector.close()

    # One image of 64 can be worth 0.002, and nine run in another input than the reference's.
    assert result.map50_95 == pytest.approx(REFERENCE.map50_95, abs=0.004)


def test_bfloat16_costs_little(score_of: Callable[[Detector], Score]) -> None:
    """Given bfloat16, when the images are scored, then mAP50-95 is within 0.005 of the independent run."""
    result = score_of(OpenVinoDetector(yolo11n(), precision="bf16"))

    assert result.map50_95 == pytest.approx(REFERENCE.map50_95, abs=0.005)


@pytest.mark.long
@pytest.mark.skipif(importlib.util.find_spec("ultralytics") is None, reason="the torch extra is not installed")
def test_the_recorded_score_of_the_independent_run_is_true() -> None:
    """Given Ultralytics, when it predicts on the same file and images, then it scores what is recorded."""
    result = score(load_truth(COCO_DIR), run_ultralytics(yolo11n().path, COCO_DIR))

    assert result.map50_95 == pytest.approx(REFERENCE.map50_95, abs=EXACT_DELTA)
    assert result.map50 == pytest.approx(REFERENCE.map50, abs=EXACT_DELTA)
