"""What a detector promises, what it needs to know of a model, and how it fails."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from contract.errors import FarmError
from workers.frames import Detections
from workers.pictures import BgrImage

#: IoU above which the weaker of two boxes of one class is dropped; Ultralytics' default for predict.
NMS_IOU: Final = 0.7
#: Boxes kept per frame; Ultralytics' default for predict.
MAX_DETECTIONS: Final = 300


class DetectorError(FarmError):
    """A detector cannot be opened or used; the text names the thing and the remedy."""


class UnsupportedModelError(DetectorError, ValueError):
    """The model's inputs or outputs are not those of a YOLO detector."""


class BackendMissingError(DetectorError, ImportError):
    """The library that a backend needs is not installed or does not load."""


class DeviceUnavailableError(DetectorError):
    """The device that was asked for is not there."""


class OutOfDeviceMemoryError(DetectorError, MemoryError):
    """Not even one frame fits into the device's memory."""


class UnusableFrameError(DetectorError, ValueError):
    """An image is not (H, W, 3) uint8 with at least one pixel."""


class ModelDescription(Protocol):
    """What a detector needs to know of a model file; `model_store.resolve` returns such a thing."""

    @property
    def path(self) -> Path:
        """The file, or the folder of an OpenVINO model."""
        ...

    @property
    def format(self) -> str:
        """``onnx``, ``openvino``, ``pt`` or ``engine``."""
        ...

    @property
    def class_names(self) -> Mapping[int, str]:
        """Name of every class the model knows, by its index; empty where nobody knows."""
        ...


class Detector(Protocol):
    """Finds objects in frames. Used by as many threads at a time as `rounds_at_once` says."""

    @property
    def class_names(self) -> Mapping[int, str]:
        """Name of every class, by `Detections.class_id`."""
        ...

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda:N``."""
        ...

    @property
    def runtime(self) -> str:
        """Library that runs the model, its version and the precision, for people."""
        ...

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width in pixels of the largest input that frames are fitted into."""
        ...

    @property
    def input_sizes(self) -> Sequence[tuple[int, int]]:
        """Height and width of every input that it can run, smallest area first; `input_size` is the last."""
        ...

    @property
    def inputs_at_once(self) -> int:
        """Inputs that it works on at the same time: so many take hardly longer than one."""
        ...

    @property
    def rounds_at_once(self) -> int:
        """Threads that may call it at the same time: more than one where the next inputs are made while some run."""
        ...

    @property
    def max_batch(self) -> int:
        """Frames worth handing over in one call; `detect` takes more, in turns."""
        ...

    @property
    def boxes_dropped(self) -> int:
        """Boxes thrown away since opening because the model answered with NaN or infinity."""
        ...

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find objects in every image, fitted into the largest input.

        Args:
            images: Frames of any sizes, each of shape (H, W, 3), BGR, uint8; may be empty; not written to.
            confidence: Boxes at or below this are left out, in [0, 1].

        Returns:
            One entry per image, in the same order; boxes in that image's pixels and inside it, the most confident
            first, at most `MAX_DETECTIONS`.

        Raises:
            UnusableFrameError: An image has another shape or type; nothing was detected.
            OutOfDeviceMemoryError: Not even one frame fits into the device.
            DetectorError: The runtime failed.
        """
        ...

    def detect_inputs(self, inputs: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find objects in images that were made for this detector.

        Args:
            inputs: Each of shape (height, width, 3) with a size of `input_sizes`; else as `detect`.
            confidence: As `detect`.

        Returns:
            As `detect`.

        Raises:
            DetectorError: As `detect`; `UnusableFrameError` also for another size.
        """
        ...

    def close(self) -> None:
        """Give the model's memory and threads back; may be called twice."""
        ...


def check_inputs(inputs: Sequence[BgrImage], input_sizes: Sequence[tuple[int, int]]) -> None:
    """Raise `UnusableFrameError` unless every image is an input of one of these heights and widths."""
    check_images(inputs)
    for index, image in enumerate(inputs):
        if image.shape[:2] not in input_sizes:
            raise UnusableFrameError(
                f"image {index} of the batch has height and width {image.shape[:2]}; this detector's inputs have "
                f"{', '.join(map(str, input_sizes))}"
            )


def check_images(images: Sequence[BgrImage]) -> None:
    """Raise `UnusableFrameError` unless every image is a non-empty (H, W, 3) array of uint8."""
    for index, image in enumerate(images):
        if image.ndim != 3 or image.shape[2] != 3 or image.size == 0 or image.dtype != np.uint8:
            raise UnusableFrameError(
                f"image {index} of the batch has shape {image.shape} and type {image.dtype}; a frame must have shape "
                "(height, width, 3), type uint8 and at least one pixel. Convert it to BGR before detection"
            )
