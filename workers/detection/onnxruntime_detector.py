"""YOLO on ONNX Runtime: for machines that OpenVINO has no build for."""

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from runtime.cpus import usable_cpus
from workers.detection.detector import (
    DetectorError,
    ModelDescription,
    UnsupportedModelError,
    check_images,
    check_inputs,
)
from workers.detection.raw_model import OPEN, OutputReader, choose_input_sizes, class_names_of, fit_and_draw
from workers.frames import Detections
from workers.pictures import BgrImage

#: ONNX Runtime's exceptions have no base of their own.
ORT_ERRORS: Final = (
    ort_errors.EPFail,
    ort_errors.EngineError,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.ModelLoaded,
    ort_errors.NoModel,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


class OnnxRuntimeDetector:
    """Runs a ``.onnx`` file on the CPU, one frame after the other (a batch is slower, see benchmarks/README.md).

    Args:
        model: The model; its file must exist.
        input_size: Side in pixels of the largest input for models that leave it open.
        threads: Threads of the runtime; 0: all that this process may use.
        max_batch: What `max_batch` reports.

    Raises:
        UnsupportedModelError: It is not a YOLO detector.
        DetectorError: It cannot be read.
    """

    def __init__(self, model: ModelDescription, *, input_size: int = 640, threads: int = 0, max_batch: int = 8) -> None:
        self.class_names: Mapping[int, str] = class_names_of(model)
        self.device = "cpu"
        self.inputs_at_once = self.rounds_at_once = 1
        self.max_batch = max_batch
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or usable_cpus()
        # Threads that spin while they wait take the CPU from decoding in the same process.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: ort.InferenceSession | None = ort.InferenceSession(
                model.path, options, providers=["CPUExecutionProvider"]
            )
        except ORT_ERRORS as error:
            raise DetectorError(
                f"ONNX Runtime cannot read {model.path}: {error}. The file is missing or damaged; fetch it again"
            ) from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(self._session.get_outputs()) != 1 or inputs[0].type != "tensor(float)":
            raise UnsupportedModelError(
                f"{model.path.name} has {len(inputs)} inputs (the first is {inputs[0].type}) and "
                f"{len(self._session.get_outputs())} outputs; a detector takes one tensor(float) and answers with one. "
                "Export a YOLOv8 or YOLO11 detection model as ONNX, without half=True"
            )
        self._input_name = inputs[0].name
        shape = [side if isinstance(side, int) else OPEN for side in inputs[0].shape]
        self.input_sizes = choose_input_sizes(shape, input_size)
        self.input_size = self.input_sizes[-1]
        self._canvases = {size: np.zeros((*size, 3), np.uint8) for size in self.input_sizes}
        # The sizes of the output are known for sure only once it was run; this also warms it up.
        output = self._run(self._canvases[self.input_size])
        self._reader = OutputReader(output.shape, dict(self.class_names))
        self.runtime = f"ONNX Runtime {ort.__version__} f32"

    @property
    def boxes_dropped(self) -> int:
        """Boxes thrown away since opening because the model's answer made no sense."""
        return self._reader.dropped

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find objects in every image; see `Detector.detect`."""
        check_images(images)
        return [self._look(image, self._canvases[self.input_size], confidence) for image in images]

    def detect_inputs(self, inputs: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find objects in inputs of several sizes; see `Detector.detect_inputs`."""
        check_inputs(inputs, self.input_sizes)
        return [self._look(image, self._canvases[image.shape[0], image.shape[1]], confidence) for image in inputs]

    def _look(self, image: BgrImage, canvas: BgrImage, confidence: float) -> Detections:
        letterbox = fit_and_draw(image, canvas)
        return self._reader.read(self._run(canvas), letterbox, confidence)

    def _run(self, canvas: BgrImage) -> NDArray[np.float32]:
        """Return the raw output, shape (1, ...), for a filled canvas."""
        if self._session is None:
            raise DetectorError("the detector was closed; open another one")
        planes = cv2.dnn.blobFromImage(canvas, 1 / 255, swapRB=True)
        try:
            output: NDArray[np.float32] = self._session.run(None, {self._input_name: planes})[0]
        except ORT_ERRORS as error:
            raise DetectorError(f"ONNX Runtime failed to run the model: {error}") from error
        return output

    def close(self) -> None:
        """Give the model's memory and threads back; may be called twice."""
        self._session = None
