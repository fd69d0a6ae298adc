"""From raw outputs to detections, beside a plain implementation of the same rules."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers.detection.detector import MAX_DETECTIONS, NMS_IOU, UnsupportedModelError
from workers.detection.letterbox import Letterbox
from workers.detection.postprocess import Decoded, Head, decode, find_head

#: A frame that fills the input, so that boxes keep their coordinates.
WHOLE = Letterbox.fit((640, 640), (640, 640))
CLASSES = 3


def dense(rows: Sequence[tuple[float, ...]]) -> NDArray[np.float32]:
    """Return an output of a dense head: each row is centre x and y, width, height and the scores."""
    return np.array(rows, np.float32).reshape(-1, 4 + CLASSES).T


def iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the intersection over union of two boxes, the plain way."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(width * height / (areas - width * height))


def slow_nms(output: NDArray[np.float32], confidence: float) -> list[tuple[int, float]]:
    """Return (anchor, score) of the boxes that greedy suppression within each class keeps, the plain way."""
    boxes = output[:4].T.astype(np.float64)
    xyxy = np.hstack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2])
    best, classes = output[4:].max(axis=0), output[4:].argmax(axis=0)
    kept: list[int] = []
    for anchor in sorted(np.flatnonzero(best > confidence), key=lambda index: (-best[index], index)):
        rivals = (other for other in kept if classes[other] == classes[anchor])
        if all(iou(xyxy[anchor], xyxy[other]) <= NMS_IOU for other in rivals):
            kept.append(int(anchor))
    return [(anchor, float(best[anchor])) for anchor in kept]


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 60), confidence=st.sampled_from([0.0, 0.25, 0.6]))
def test_suppression_keeps_what_the_plain_greedy_rule_keeps(seed: int, count: int, confidence: float) -> None:
    """Given many boxes on top of each other, when decoded, then the same are kept as by the rule spelled out."""
    rng = np.random.default_rng(seed)
    rows = np.hstack(
        [rng.uniform(200, 240, (count, 2)), rng.uniform(50, 120, (count, 2)), rng.uniform(0, 1, (count, CLASSES))]
    )
    output = rows.astype(np.float32).T

    found = decode(output, Head.DENSE, WHOLE, confidence).detections

    expected = slow_nms(output, confidence)
    assert found.confidence.tolist() == [score for _, score in expected]
    assert found.class_id.tolist() == [int(output[4:, anchor].argmax()) for anchor, _ in expected]


def test_boxes_of_different_classes_do_not_suppress_each_other() -> None:
    """Given two classes in one place, when decoded, then both are there, and of twins of one class the better one."""
    output = dense([(100, 100, 50, 50, 0.9, 0, 0), (100, 100, 50, 50, 0, 0.8, 0), (101, 100, 50, 50, 0.7, 0, 0)])

    found = decode(output, Head.DENSE, WHOLE, 0.25).detections

    assert found.class_id.tolist() == [0, 1]
    assert found.confidence == pytest.approx([0.9, 0.8])
    assert found.xyxy.tolist() == [[75, 75, 125, 125]] * 2


def test_a_score_equal_to_the_threshold_is_left_out() -> None:
    """Given a score of exactly the confidence asked for, when decoded, then it is not above it."""
    found = decode(dense([(100, 100, 50, 50, 0.5, 0, 0)]), Head.DENSE, WHOLE, 0.5).detections

    assert len(found) == 0
    assert found.xyxy.shape == (0, 4)


def test_at_most_300_boxes_are_kept_and_they_are_the_most_confident() -> None:
    """Given 500 separate boxes, when decoded, then the 300 best come back in order."""
    rows = [(20.0 * (i % 30) + 10, 20.0 * (i // 30) + 10, 10.0, 10.0, 0.3 + i / 1000, 0.0, 0.0) for i in range(500)]

    found = decode(dense(rows), Head.DENSE, WHOLE, 0.25).detections

    assert len(found) == MAX_DETECTIONS
    assert found.confidence.tolist() == sorted(found.confidence.tolist(), reverse=True)
    assert found.confidence[-1] == pytest.approx(0.3 + 200 / 1000)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 2, 4, 6])
def test_boxes_with_nan_or_infinity_are_dropped_and_counted(broken: float, place: int) -> None:
    """Given a broken box beside a good one, when decoded, then the good one is left and one drop is counted."""
    row = [300.0, 300.0, 50.0, 50.0, 0.9, 0.0, 0.0]
    row[place] = broken

    decoded = decode(dense([(100, 100, 50, 50, 0.8, 0, 0), tuple(row)]), Head.DENSE, WHOLE, 0.25)

    assert decoded.detections.confidence == pytest.approx([0.8])
    assert decoded.broken == 1


def final(rows: list[tuple[float, ...]], confidence: float = 0.25) -> Decoded:
    """Decode an output of a model that has NMS inside."""
    return decode(np.array(rows, np.float32), Head.FINAL, WHOLE, confidence)


def test_a_model_with_nms_inside_is_read_without_suppressing_again() -> None:
    """Given final boxes on top of each other, when decoded, then all above the threshold come back, best first."""
    decoded = final([(10, 10, 60, 60, 0.5, 2), (10, 10, 60, 60, 0.7, 2), (0, 0, 5, 5, 0.1, 0)])

    assert decoded.detections.confidence == pytest.approx([0.7, 0.5])
    assert decoded.detections.class_id.tolist() == [2, 2]
    assert decoded.detections.xyxy.tolist() == [[10, 10, 60, 60]] * 2


def test_final_boxes_that_are_broken_or_inside_out_do_no_harm() -> None:
    """Given NaN and swapped corners, when decoded, then NaN is counted out and no box is inside out."""
    decoded = final([(np.nan, 0, 9, 9, 0.9, 1), (0, 0, 9, 9, np.nan, 1), (60, 60, 10, 10, 0.8, 1)])

    assert decoded.broken == 2
    assert len(decoded.detections) == 1
    x_min, y_min, x_max, y_max = decoded.detections.xyxy[0]
    assert x_max >= x_min
    assert y_max >= y_min


@pytest.mark.parametrize(
    ("shape", "classes", "head"),
    [
        ((1, 84, 8400), 80, Head.DENSE),
        ((1, 5, 8400), 1, Head.DENSE),
        ((-1, 84, -1), 80, Head.DENSE),
        ((1, 6, 8400), 2, Head.DENSE),
        ((1, 300, 6), 80, Head.FINAL),
    ],
)
def test_the_head_is_known_by_its_shape(shape: tuple[int, ...], classes: int, head: Head) -> None:
    """Given the shape of a detector's output, when it is looked at, then the head is the right one."""
    assert find_head(shape, classes) is head


@pytest.mark.parametrize("shape", [(1, 56, 8400), (1, 25200, 85), (1, 3549, 85), (1, 512), (1, 84, 20, 20)])
def test_outputs_of_other_models_are_refused_by_name_of_their_shape(shape: tuple[int, ...]) -> None:
    """Given a pose, YOLOv5, YOLOX, ReID or feature-map output, when it is looked at, then the error names the shape."""
    with pytest.raises(UnsupportedModelError, match=str(list(shape)).replace("[", r"\[")):
        find_head(shape, 80)
