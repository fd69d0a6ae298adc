"""Finds the people in one uploaded picture, so that what is embedded is a crop as workers make them.

A worker's detector fits many frames into one input and loses no millisecond; this one looks at one picture now and
then, and needs none of that.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from contract.errors import FarmError
from model_store import resolve
from reid.images import BgrImage
from runtime.signal_stack import kept_signal_stack

PERSON: Final = "person"
#: Side of the input in pixels.
SIDE: Final = 640
#: Grey of the border, on which the models were trained.
_PADDING: Final = 114
CONFIDENCE: Final = 0.35
#: Boxes that overlap more are one person.
_NMS_IOU: Final = 0.6
#: What is added to a box on each side, as a part of its size: what workers' crops have.
_MARGIN: Final = 0.04
#: A picture of this shape (height by width) with nobody in it is taken for a crop that is so tight that a detector sees
#: nobody: those that this farm makes are like that.
_CROP_SHAPE: Final = (1.5, 4.0)
_CROP_PIXELS: Final = 48


class FinderError(FarmError):
    """People cannot be looked for in pictures; the text says why and what helps."""


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """The person that is searched for."""

    image: BgrImage
    #: Where it is in the picture, pixels.
    xyxy: tuple[float, float, float, float]
    #: How many people are in the picture.
    persons: int


class PersonFinder:
    """A YOLO detector (v8 or 11) on the CPU. Used by one thread at a time."""

    def __init__(self, name: str, models_dir: Path) -> None:
        """Open a model of the store.

        Raises:
            ModelStoreError: It is not there, or damaged.
            FinderError: It is no detector that can be used here.
        """
        model = resolve(name, models_dir)
        names = dict(model.class_names)
        person = next((number for number, label in names.items() if label == PERSON), None)
        if person is None or model.format not in {"onnx", "openvino"}:
            raise FinderError(
                f"{name} is no ONNX or OpenVINO detector that knows the class person; set FARM_REID_DETECTOR to one, "
                "such as yolo11n"
            )
        self._person: Final = person
        try:
            core = ov.Core()
            graph = core.read_model(_graph_file(model.path))
            graph.reshape([1, 3, SIDE, SIDE])
            with kept_signal_stack():
                self._compiled = core.compile_model(graph, "CPU", {"INFERENCE_NUM_THREADS": 1})
        except RuntimeError as error:
            raise FinderError(f"OpenVINO cannot open {name}: {str(error).splitlines()[0]}") from error
        shape = list(self._compiled.output(0).shape)
        if len(shape) != 3 or shape[1] != 4 + len(names):
            raise FinderError(f"{name} answers with {shape}, not as YOLOv8 and YOLO11 do; set FARM_REID_DETECTOR")

    def find(self, picture: BgrImage) -> FoundPerson | None:
        """Return the person that fills most of a picture; None: nobody is seen, and it is no crop of somebody."""
        boxes = self._boxes(picture)
        if not len(boxes):
            return _as_crop(picture)
        sizes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        box = boxes[int(sizes.argmax())]
        left, top, right, bottom = _widened(box, picture.shape[1], picture.shape[0])
        crop = np.ascontiguousarray(picture[top:bottom, left:right])
        return FoundPerson(crop, (float(box[0]), float(box[1]), float(box[2]), float(box[3])), len(boxes))

    def _boxes(self, picture: BgrImage) -> NDArray[np.float32]:
        """Return where people are, shape (N, 4), ``xyxy`` in pixels of the picture."""
        height, width = picture.shape[:2]
        scale = min(SIDE / height, SIDE / width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        canvas = np.full((SIDE, SIDE, 3), _PADDING, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        planes = np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)[np.newaxis], np.float32) / np.float32(255)
        output = self._compiled(planes)[0][0]
        scores = output[4 + self._person]
        chosen = scores > CONFIDENCE
        centre, half, sure = output[:2, chosen].T, output[2:4, chosen].T / 2, scores[chosen]
        corners = np.concatenate([centre - half, centre + half], axis=1)
        rectangles: Any = np.concatenate([corners[:, :2], half * 2], axis=1).astype(np.float64)
        kept = np.asarray(cv2.dnn.NMSBoxes(rectangles, sure, CONFIDENCE, _NMS_IOU), np.intp).reshape(-1)
        gains = np.array([width / size[0], height / size[1]] * 2, np.float32)
        boxes = np.clip(corners[kept] * gains, 0, np.array([width, height] * 2, np.float32))
        return np.asarray(boxes[(boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1)], np.float32)


def _graph_file(path: Path) -> str:
    return str(next(path.glob("*.xml")) if path.is_dir() else path)


def _as_crop(picture: BgrImage) -> FoundPerson | None:
    height, width = picture.shape[:2]
    lowest, highest = _CROP_SHAPE
    if height < _CROP_PIXELS or not lowest <= height / width <= highest:
        return None
    return FoundPerson(picture, (0.0, 0.0, float(width), float(height)), 1)


def _widened(box: NDArray[np.float32], width: int, height: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = (float(side) for side in box)
    across, down = (right - left) * _MARGIN, (bottom - top) * _MARGIN
    return (
        max(0, int(left - across)),
        max(0, int(top - down)),
        min(width, int(np.ceil(right + across))),
        min(height, int(np.ceil(bottom + down))),
    )
