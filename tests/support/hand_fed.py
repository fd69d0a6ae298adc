"""Cameras and a detector that do what a test tells them to."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from contract.assignments import Assignment
from runtime.clock import SystemClock
from tests.support.clips import picture
from workers.detection.detector import DetectorError
from workers.frames import Detections, Frame
from workers.pictures import BgrImage, BgrPicture

CLOCK = SystemClock()
CLASS_NAMES = {0: "person"}
#: Height and width of a picture that no JPEG can hold.
TOO_LARGE = (1, 70_000)


class HandFedCapture:
    """A capture whose frames a test hands in."""

    def __init__(self, assignment: Assignment, on_frame: Callable[[Frame], None]) -> None:
        self._assignment = assignment
        self._on_frame = on_frame
        self.stopped = False

    @property
    def url(self) -> str:
        """Where the pictures come from."""
        return self._assignment.url

    def feed(self, size: tuple[int, int] = (64, 48)) -> None:
        """Let one frame arrive."""
        image = np.ascontiguousarray(picture(1, size)) if size != TOO_LARGE else np.zeros((*size, 3), np.uint8)
        self._on_frame(
            Frame(
                self._assignment.camera_id, self._assignment.epoch, CLOCK.now_ms(), CLOCK.monotonic(), BgrPicture(image)
            )
        )

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""
        self.stopped = True

    def join(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the protocol's name
        """Tell whether it has ended."""
        return self.stopped

    def update(self, *, analyse_fps: float, epoch: int) -> None:  # noqa: ARG002 - the protocol's name
        """Change the epoch that frames carry."""
        self._assignment = self._assignment.model_copy(update={"epoch": epoch})


class BreakableDetector:
    """Finds one person, or nothing while nobody is there, and fails while it is told to."""

    device, runtime, input_size, max_batch, boxes_dropped = "cpu", "test", (64, 64), 8, 0
    input_sizes, inputs_at_once, rounds_at_once = ((64, 64),), 1, 1

    def __init__(self) -> None:
        self.broken = False
        self.somebody_is_there = False

    @property
    def class_names(self) -> Mapping[int, str]:
        """Name of every class."""
        return CLASS_NAMES

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:  # noqa: ARG002
        """Find one person or nothing, or fail."""
        if self.broken:
            raise DetectorError("the device is gone")
        person = Detections(
            np.array([[10, 10, 30, 40]], np.float32), np.array([0.9], np.float32), np.array([0], np.int64)
        )
        return [person if self.somebody_is_there else Detections() for _ in images]

    def detect_inputs(self, inputs: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find one person or nothing, or fail."""
        return self.detect(inputs, confidence=confidence)

    def close(self) -> None:
        """Give nothing back."""
