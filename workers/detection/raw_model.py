"""What the backends that hand out raw outputs share: reading a model's input, and one frame through it."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.detection.detector import ModelDescription, UnsupportedModelError
from workers.detection.input_sizes import Size, sizes_for
from workers.detection.letterbox import Letterbox
from workers.detection.postprocess import Head, decode, find_head
from workers.frames import Detections
from workers.pictures import BgrImage

#: Stands for a size that the model leaves open.
OPEN: Final = -1


def choose_input_sizes(shape: Sequence[int], wanted: int) -> tuple[Size, ...]:
    """Return the inputs that frames are fitted into, smallest first: the model's own, or some where it leaves it open.

    Args:
        shape: Sizes of the model's only input; `OPEN` where it takes any.
        wanted: Side in pixels of the largest one.

    Raises:
        UnsupportedModelError: It is not a batch of three-channel images, or its batch is fixed above one.
    """
    if len(shape) != 4 or shape[1] not in {3, OPEN}:
        raise UnsupportedModelError(
            f"the model's input has shape {list(shape)}; a detector must take [batch, 3, height, width]. "
            "Export it again as ONNX or OpenVINO with Ultralytics"
        )
    if shape[0] not in {1, OPEN}:
        raise UnsupportedModelError(
            f"the model takes exactly {shape[0]} frames at a time; export it again with batch 1 or dynamic=True"
        )
    if shape[2] == shape[3] == OPEN:
        return sizes_for(wanted)
    height, width = (wanted if side == OPEN else side for side in shape[2:])
    return ((height, width),)


def class_names_of(model: ModelDescription) -> dict[int, str]:
    """Return the model's class names.

    Raises:
        UnsupportedModelError: Nobody knows them.
    """
    if not model.class_names:
        raise UnsupportedModelError(
            f"{model.path.name} does not say which classes it knows, so its output cannot be read. Export it with "
            "Ultralytics, which writes the names into the file, and add it again"
        )
    return dict(model.class_names)


class OutputReader:
    """Turns raw outputs of one model into detections and counts what it drops."""

    def __init__(self, output_shape: Sequence[int], class_names: dict[int, str]) -> None:
        self._head: Final[Head] = find_head(tuple(output_shape), len(class_names))
        self._class_ids = np.array(sorted(class_names), np.int64)
        #: Boxes dropped because they held NaN, infinity or a class that has no name.
        self.dropped = 0

    def read(self, output: NDArray[np.float32], letterbox: Letterbox, confidence: float) -> Detections:
        """Return the detections in one frame's output, shape (1, ...) as `find_head` says."""
        decoded = decode(output[0], self._head, letterbox, confidence)
        self.dropped += decoded.broken
        known = np.isin(decoded.detections.class_id, self._class_ids)
        if known.all():
            return decoded.detections
        self.dropped += int(known.size - np.count_nonzero(known))
        return decoded.detections.select(known)


def fit_and_draw(image: BgrImage, canvas: BgrImage) -> Letterbox:
    """Draw a frame into the model's input and say where it lies."""
    height, width = image.shape[:2]
    letterbox = Letterbox.fit((height, width), (canvas.shape[0], canvas.shape[1]))
    letterbox.draw(image, canvas)
    return letterbox
