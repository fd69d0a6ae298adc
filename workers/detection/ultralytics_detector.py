"""YOLO on Ultralytics and torch: ``.pt`` and ``.engine`` weights, CUDA or CPU.

torch, torchvision and Ultralytics are the optional torch extra. They are imported when a detector is opened, never
when this module is.
"""

import importlib
import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import structlog

from runtime.cpus import usable_cpus
from workers.detection.batching import run_in_batches
from workers.detection.detector import (
    MAX_DETECTIONS,
    NMS_IOU,
    BackendMissingError,
    DetectorError,
    ModelDescription,
    OutOfDeviceMemoryError,
    UnsupportedModelError,
    check_images,
    check_inputs,
)
from workers.detection.postprocess import strongest
from workers.frames import Detections
from workers.pictures import BgrImage

#: What reading damaged or foreign weights raises: they are a zip of pickles, read by torch.
LOADING_ERRORS: Final = (
    AttributeError,
    EOFError,
    ImportError,
    KeyError,
    OSError,
    pickle.UnpicklingError,
    RuntimeError,
    TypeError,
    ValueError,
)

log = structlog.get_logger(__name__)


class UltralyticsDetector:
    """Runs ``.pt`` or ``.engine`` weights with Ultralytics' own predict.

    Loading ``.pt`` weights runs the pickle in them: the caller must have made sure that they are trusted.

    Args:
        model: The model; its file must exist.
        device: ``cpu`` or ``cuda:N``, known to be there.
        input_size: Side in pixels of the square.
        threads: Threads of torch on CPU; 0: all that this process may use.
        max_batch: Frames in one call of the model.
        half: Compute in half precision (float16); only CUDA can, and an engine has its own.

    Raises:
        BackendMissingError: The torch extra is not installed.
        UnsupportedModelError: It is not a detection model.
        DetectorError: It cannot be read.
    """

    def __init__(
        self,
        model: ModelDescription,
        *,
        device: str = "cpu",
        input_size: int = 640,
        threads: int = 0,
        max_batch: int = 8,
        half: bool = False,
    ) -> None:
        self._torch, ultralytics = import_torch_extra()
        if device == "cpu":
            self._torch.set_num_threads(threads or usable_cpus())
        self._yolo: Any = _load(ultralytics, model.path)
        if self._yolo.task != "detect":
            raise UnsupportedModelError(
                f"{model.path.name} is a model for {self._yolo.task}, not for detection; choose a detection model"
            )
        if not _torchvision_works():
            self._yolo.add_callback("on_predict_start", _skip_warm_up)
        self.device = device
        #: Ultralytics' word for the bits of the arithmetic.
        self._bits = 16 if half and device != "cpu" else 32
        self.max_batch = max_batch
        self.input_size: tuple[int, int] = (input_size, input_size)
        self.boxes_dropped = 0
        # An engine is loaded by the first prediction: a bad one shall be found now and not at the first frame.
        try:
            self._predict([np.zeros((*self.input_size, 3), np.uint8)], 1.0)
        except LOADING_ERRORS as error:
            raise DetectorError(f"Ultralytics cannot run {model.path} on {device}: {error}") from error
        self.class_names: Mapping[int, str] = {int(index): str(name) for index, name in self._yolo.names.items()}
        # Exported models have sizes of their own, which Ultralytics uses instead of the one asked for.
        height, width = self._yolo.predictor.imgsz
        self.input_size = (int(height), int(width))
        self.runtime = f"Ultralytics {ultralytics.__version__}, torch {self._torch.__version__} f{self._bits}"

    @property
    def input_sizes(self) -> tuple[tuple[int, int]]:
        """Every input that it can run: one, for a batch is of one size."""
        return (self.input_size,)

    @property
    def rounds_at_once(self) -> int:
        """One: what it keeps on the device is of the round that runs."""
        return 1

    @property
    def inputs_at_once(self) -> int:
        """Inputs that it works on at the same time."""
        return 1 if self.device == "cpu" else self.max_batch

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find objects in every image; see `Detector.detect`."""
        if self._yolo is None:
            raise DetectorError("the detector was closed; open another one")
        check_images(images)
        out_of_memory: type[BaseException] = self._torch.OutOfMemoryError
        try:
            return run_in_batches(
                images,
                self.max_batch,
                lambda part: self._predict(part, confidence),
                out_of_memory,
                self._halve,
            )
        except out_of_memory as error:
            raise OutOfDeviceMemoryError(
                f"{self.device} has not enough free memory for one frame; end what else uses it, or choose a smaller "
                "model or FARM_DETECT_SIZE"
            ) from error
        except RuntimeError as error:
            raise DetectorError(f"Ultralytics failed to run the model: {error}") from error

    def detect_inputs(self, inputs: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find objects in inputs of the one size there is; see `Detector.detect_inputs`."""
        check_inputs(inputs, self.input_sizes)
        return self.detect(inputs, confidence=confidence)

    def _predict(self, images: Sequence[BgrImage], confidence: float) -> list[Detections]:
        results = self._yolo.predict(
            list(images),
            imgsz=list(self.input_size),
            conf=confidence,
            iou=NMS_IOU,
            max_det=MAX_DETECTIONS,
            device=self.device,
            quantize=self._bits,
            # Always the whole square: else a frame's result would depend on the sizes of the others in its batch.
            rect=False,
            verbose=False,
        )
        return [self._read(result.boxes) for result in results]

    def _read(self, boxes: Any) -> Detections:
        xyxy = np.asarray(boxes.xyxy.cpu(), np.float32).reshape(-1, 4)
        scores = np.asarray(boxes.conf.cpu(), np.float32)
        class_id = np.asarray(boxes.cls.cpu(), np.float32)
        finite = np.isfinite(xyxy).all(axis=1) & np.isfinite(scores) & np.isfinite(class_id)
        self.boxes_dropped += int(finite.size - np.count_nonzero(finite))
        xyxy, scores, class_id = xyxy[finite], scores[finite], class_id[finite]
        return Detections(xyxy, np.clip(scores, 0, 1), class_id.astype(np.int64)).select(strongest(scores))

    def _halve(self, batch: int) -> None:
        log.warning("out of device memory, smaller batches from now on", device=self.device, batch=batch)
        self.max_batch = batch
        self._torch.cuda.empty_cache()

    def close(self) -> None:
        """Give the model's memory back; may be called twice."""
        self._yolo = None
        if self.device != "cpu":
            self._torch.cuda.empty_cache()


def import_torch_extra() -> tuple[ModuleType, ModuleType]:
    """Return torch and ultralytics, told beforehand to install and download nothing."""
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "true"
    try:
        return importlib.import_module("torch"), importlib.import_module("ultralytics")
    except (ImportError, OSError, RuntimeError) as error:
        raise BackendMissingError(
            f"this model needs torch and Ultralytics, which do not load here ({error}). Install them with: "
            "pip install -r requirements-torch.txt; or choose an ONNX model"
        ) from error


def _load(ultralytics: ModuleType, path: Path) -> Any:
    try:
        # Asked beforehand: Ultralytics would look for a missing file in the network.
        path.stat()
        return ultralytics.YOLO(str(path))
    except LOADING_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DetectorError(
            f"Ultralytics cannot read {path}: {reason}. The file is missing, damaged or of another library; "
            "fetch it again or export it to ONNX"
        ) from error


def _torchvision_works() -> bool:
    """Tell whether torchvision loads; beside a torch built for CPU the usual build does not."""
    try:
        importlib.import_module("torchvision")
    except (ImportError, OSError, RuntimeError):
        return False
    return True


def _skip_warm_up(predictor: Any) -> None:
    """Ultralytics' warm-up calls torchvision; everything else works without it."""
    predictor.done_warmup = True
