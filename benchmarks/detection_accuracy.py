"""Do the detectors in the pipeline equal the model? mAP on COCO images beside Ultralytics' own run of the same file.

Run: python -m benchmarks.detection_accuracy [--coco FOLDER] [--reference FILE.json] [--int8 MODEL]
"""

import argparse
import contextlib
import importlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import model_store
from model_store import ModelFile
from workers.detection.detector import Detector
from workers.detection.onnxruntime_detector import OnnxRuntimeDetector
from workers.detection.openvino_detector import OpenVinoDetector, Precision
from workers.detection.parts import Part, PartsDetector
from workers.frames import Detections, Wanted
from workers.pictures import BgrImage, BgrPicture

PROJECT_DIR: Final = Path(__file__).resolve().parent.parent
MODELS_DIR: Final = PROJECT_DIR / ".farm" / "models"
#: Beside the checkout; never part of it.
COCO_DIR: Final = PROJECT_DIR.parent / "shared" / "data" / "coco"
#: As low as in COCO's own evaluation: the curve of precision over recall needs the weak boxes too.
CONFIDENCE: Final = 0.001
BATCH: Final = 8
COCO_CLASS_COUNT: Final = 80


@dataclass(frozen=True, slots=True)
class Score:
    """Mean average precision over classes, in [0, 1]."""

    map50_95: float
    map50: float


def coco_images(coco_dir: Path) -> dict[str, Path]:
    """Return the pictures by their name without suffix, sorted."""
    return {path.stem: path for path in sorted((coco_dir / "images" / "val2017").glob("*.jpg"))}


def read_image(path: Path) -> BgrImage:
    """Return a picture, shape (H, W, 3), BGR.

    Raises:
        ValueError: It is not a picture.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} is not a picture")
    return np.asarray(image, np.uint8)


@cache
def read_images(coco_dir: Path) -> list[BgrImage]:
    """Return all pictures, in the order of their numbers."""
    return [read_image(path) for path in coco_images(coco_dir).values()]


def load_truth(coco_dir: Path) -> COCO:
    """Return the labelled boxes (YOLO text files: class, then centre and size as shares of the picture)."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (stem, path) in enumerate(coco_images(coco_dir).items()):
        height, width = read_image(path).shape[:2]
        images.append({"id": number, "file_name": stem, "height": height, "width": width})
        label_file = coco_dir / "object_detection" / "labels" / "val2017" / f"{stem}.txt"
        for line in label_file.read_text().splitlines() if label_file.exists() else []:
            class_id, x, y, w, h = (float(word) for word in line.split())
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": int(class_id),
                    "bbox": [(x - w / 2) * width, (y - h / 2) * height, w * width, h * height],
                    "area": w * width * h * height,
                    "iscrowd": 0,
                }
            )
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": str(number)} for number in range(COCO_CLASS_COUNT)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    return truth


def score(truth: COCO, found: Mapping[int, Detections]) -> Score:
    """Score detections with COCO's own evaluation.

    Args:
        truth: From `load_truth`.
        found: Detections by the number of their image.
    """
    results = [
        {
            "image_id": number,
            "category_id": int(class_id),
            "bbox": [float(x_min), float(y_min), float(x_max - x_min), float(y_max - y_min)],
            "score": float(confidence),
        }
        for number, boxes in found.items()
        for (x_min, y_min, x_max, y_max), confidence, class_id in zip(
            boxes.xyxy, boxes.confidence, boxes.class_id, strict=True
        )
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return Score(float(evaluation.stats[0]), float(evaluation.stats[1]))


def run_detector(detector: Detector, coco_dir: Path) -> dict[int, Detections]:
    """Run a detector of ours over all pictures, in batches of different sizes of picture."""
    images = read_images(coco_dir)
    found: dict[int, Detections] = {}
    for start in range(0, len(images), BATCH):
        for offset, boxes in enumerate(detector.detect(images[start : start + BATCH], confidence=CONFIDENCE)):
            found[start + offset] = boxes
    return found


def run_parts(detector: Detector, coco_dir: Path, side: int = 640) -> dict[int, Detections]:
    """Run a detector over all pictures as the pipeline does: each in the smallest input that holds it."""
    parts = PartsDetector(detector)
    wanted = Wanted(is_whole=True, side=side)
    return {
        number: parts.detect([Part(BgrPicture(image), wanted)], confidence=CONFIDENCE)[0]
        for number, image in enumerate(read_images(coco_dir))
    }


def run_ultralytics(weights: Path, coco_dir: Path) -> dict[int, Detections]:
    """Run the same file with Ultralytics' predict, none of our code between the pictures and its boxes."""
    os.environ["YOLO_AUTOINSTALL"], os.environ["YOLO_OFFLINE"] = "false", "true"
    yolo: Any = importlib.import_module("ultralytics").YOLO(str(weights), task="detect")
    # The warm-up needs torchvision, which does not load beside a torch built for CPU; it changes no result.
    yolo.add_callback("on_predict_start", lambda predictor: setattr(predictor, "done_warmup", True))
    found: dict[int, Detections] = {}
    for number, image in enumerate(read_images(coco_dir)):
        boxes = yolo.predict(
            image, imgsz=640, conf=CONFIDENCE, iou=0.7, max_det=300, rect=False, device="cpu", verbose=False
        )[0].boxes
        found[number] = Detections(boxes.xyxy.numpy(), boxes.conf.numpy(), boxes.cls.numpy().astype(np.int64))
    return found


def default_model() -> ModelFile:
    """Return the default detector's weights, fetched if need be."""
    model_store.fetch("yolo11n", MODELS_DIR)
    return model_store.resolve("yolo11n", MODELS_DIR)


_Candidate = tuple[str, Callable[[], dict[int, Detections]]]


def _candidates(model: ModelFile, int8: ModelFile | None, coco_dir: Path) -> Iterator[_Candidate]:
    kinds: list[tuple[ModelFile, Precision]] = [(model, "f32"), (model, "bf16")]
    if int8:
        kinds.append((int8, "f32"))
    yield "Ultralytics predict, the reference", partial(run_ultralytics, model.path, coco_dir)
    for each, precision in kinds:
        detector = OpenVinoDetector(each, precision=precision)
        yield f"workers/detection, {precision} asked for, {detector.runtime}", partial(run_detector, detector, coco_dir)
        if precision != "bf16":
            yield "the same, smallest input that holds the frame", partial(run_parts, detector, coco_dir)
            yield "the same, at 320 pixels", partial(run_parts, detector, coco_dir, 320)
    ort = OnnxRuntimeDetector(model)
    yield f"workers/detection, {ort.runtime}", partial(run_detector, ort, coco_dir)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coco", type=Path, default=COCO_DIR)
    parser.add_argument("--reference", type=Path, help="write the reference's score into this file")
    parser.add_argument("--int8", help="a model made by `./farm models quantise`, compared too")
    arguments = parser.parse_args()
    int8 = model_store.resolve(arguments.int8, MODELS_DIR) if arguments.int8 else None
    truth = load_truth(arguments.coco)
    reference: Score | None = None
    print(
        f"| {len(truth.imgs)} images, confidence > {CONFIDENCE} | mAP50-95 | mAP50 | delta mAP50-95 | CPU ms a frame |"
    )
    print("|---|---|---|---|---|")
    for name, run in _candidates(default_model(), int8, arguments.coco):
        started = time.process_time()
        found = run()
        cpu_ms = (time.process_time() - started) * 1000 / len(found)
        result = score(truth, found)
        reference = reference or result
        delta = result.map50_95 - reference.map50_95
        print(f"| {name} | {result.map50_95:.4f} | {result.map50:.4f} | {delta:+.4f} | {cpu_ms:.1f} |", flush=True)
    if arguments.reference and reference:
        text = json.dumps({"map50_95": round(reference.map50_95, 4), "map50": round(reference.map50, 4)}, indent=2)
        arguments.reference.write_text(text + "\n")


if __name__ == "__main__":
    main()
