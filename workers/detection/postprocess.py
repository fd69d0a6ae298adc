"""From a model's raw output to detections: pure functions, the same for every backend that hands out raw outputs."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.detection.detector import MAX_DETECTIONS, NMS_IOU, UnsupportedModelError
from workers.detection.letterbox import Letterbox
from workers.frames import Detections

#: Candidates that go into NMS per frame; Ultralytics' ``max_nms``.
MAX_CANDIDATES: Final = 30_000


class Head(Enum):
    """How a model answers."""

    #: (batch, 4 + classes, anchors): centre and size, then one score per class; needs NMS. YOLOv8, YOLO11, YOLO12.
    DENSE = auto()
    #: (batch, boxes, 6): ``xyxy``, confidence, class index; NMS is in the model. YOLOv10, YOLO26, ``nms=True``.
    FINAL = auto()


@dataclass(frozen=True, slots=True)
class Decoded:
    """Detections of one frame and what had to be thrown away to get them."""

    detections: Detections
    #: Boxes that hold NaN or infinity.
    broken: int = 0


def find_head(shape: tuple[int, ...], class_count: int) -> Head:
    """Tell how a model answers from the shape of its only output.

    Args:
        shape: Sizes of the output; an unknown size is -1.
        class_count: Classes the model was trained for.

    Raises:
        UnsupportedModelError: Neither shape; the text names it.
    """
    if len(shape) == 3 and shape[1] == 4 + class_count:
        return Head.DENSE
    if len(shape) == 3 and shape[2] == 6:
        return Head.FINAL
    raise UnsupportedModelError(
        f"the model's output has shape {list(shape)} for {class_count} classes; a detector must answer with "
        f"[batch, {4 + class_count}, anchors] (YOLOv8, YOLO11) or [batch, boxes, 6] (NMS inside the model). "
        "Segmentation, pose, YOLOv5 and YOLOX models answer otherwise: export a YOLOv8 or YOLO11 detection model"
    )


def decode(output: NDArray[np.float32], head: Head, letterbox: Letterbox, confidence: float) -> Decoded:
    """Turn one frame's part of a model's output into detections.

    Args:
        output: Shape (4 + classes, anchors) or (boxes, 6), after `head`; pixels of the model's input.
        head: How the model answers.
        letterbox: Where the frame lay in the model's input.
        confidence: Boxes at or below this are left out, in [0, 1].
    """
    if head is Head.DENSE:
        xyxy, scores, class_id, broken = _dense_candidates(output, confidence)
        keep = suppress(xyxy, scores, class_id)
    else:
        xyxy, scores, class_id, broken = _final_boxes(output, confidence)
        keep = strongest(scores)
    boxes = letterbox.to_frame(xyxy[keep])
    # A model with NMS inside may hand out corners in the wrong order; a box is never inside out after this.
    boxes[:, 2:] = np.maximum(boxes[:, :2], boxes[:, 2:])
    return Decoded(Detections(boxes, np.clip(scores[keep], 0, 1), class_id[keep]), broken)


_Candidates = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], int]


def _dense_candidates(output: NDArray[np.float32], confidence: float) -> _Candidates:
    """Return ``xyxy``, the best class's score and index of every anchor above `confidence`, and the broken ones."""
    best = output[4:].max(axis=0)
    # NaN compares false with everything: without the second test a broken anchor would vanish uncounted.
    chosen = np.flatnonzero((best > confidence) | ~np.isfinite(best))
    candidates = output[:, chosen]
    finite = np.isfinite(candidates).all(axis=0)
    candidates = candidates[:, finite]
    centre, half = candidates[:2].T, candidates[2:4].T / 2
    xyxy = np.concatenate([centre - half, centre + half], axis=1)
    class_id = candidates[4:].argmax(axis=0).astype(np.int64)
    return xyxy, best[chosen][finite], class_id, int(finite.size - np.count_nonzero(finite))


def _final_boxes(output: NDArray[np.float32], confidence: float) -> _Candidates:
    """Return ``xyxy``, score and class of every row above `confidence`, and the number of broken rows."""
    chosen = output[(output[:, 4] > confidence) | ~np.isfinite(output[:, 4])]
    finite = np.isfinite(chosen).all(axis=1)
    rows = chosen[finite]
    return rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64), int(finite.size - np.count_nonzero(finite))


def strongest(scores: NDArray[np.float32], limit: int = MAX_DETECTIONS) -> NDArray[np.intp]:
    """Return indices of the `limit` highest scores, highest first; the earlier of two equal ones first."""
    return np.argsort(-scores, kind="stable")[:limit]


def suppress(xyxy: NDArray[np.float32], scores: NDArray[np.float32], class_id: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return indices of the boxes that non-maximum suppression keeps within each class, the most confident first."""
    candidates = strongest(scores, MAX_CANDIDATES)
    # OpenCV's annotations ask for sequences; arrays are taken as they are and five times as quickly.
    corner_and_size: Any = np.hstack([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]])[candidates].astype(np.float64)
    candidate_scores: Any = scores[candidates]
    candidate_classes: Any = class_id[candidates].astype(np.int32)
    kept = cv2.dnn.NMSBoxesBatched(corner_and_size, candidate_scores, candidate_classes, 0.0, NMS_IOU)
    kept_candidates = candidates[np.asarray(kept, dtype=np.intp).reshape(-1)]
    return kept_candidates[strongest(scores[kept_candidates])]
