"""Picks and opens the backend for a model, a device and the settings."""

import importlib
import time
from functools import partial
from typing import Final

import structlog

from runtime.settings import WorkerSettings
from workers.detection.detector import BackendMissingError, Detector, DetectorError, ModelDescription
from workers.detection.devices import choose_device, count_driver_devices, look_for_cuda
from workers.detection.fallback import FallbackDetector

#: Backends that read a format, the preferred one first; the first two run on the CPU only.
BACKENDS_OF_FORMAT: Final[dict[str, tuple[str, ...]]] = {
    "onnx": ("openvino", "onnxruntime", "ultralytics"),
    "openvino": ("openvino", "ultralytics"),
    "pt": ("ultralytics",),
    "engine": ("ultralytics",),
}
#: Folder in FARM_MODELS_DIR with compiled graphs; it may be deleted at any time.
CACHE_FOLDER: Final = "compiled"

log = structlog.get_logger(__name__)


def open_detector(model: ModelDescription, settings: WorkerSettings) -> Detector:
    """Open the detector that the settings ask for.

    Args:
        model: The model file; a pickled one must be trusted already.
        settings: device, detector, detect_*, max_batch and the models' folder are used.

    Raises:
        DetectorError: Or one of its kinds: format, device, backend and model do not go together or cannot be used.
    """
    backend = _first_that_loads(backends_for(model, settings.detector))
    if backend == "ultralytics":
        return _open_ultralytics(model, settings)
    _check_cpu(model, settings.device)
    if backend == "onnxruntime":
        from workers.detection.onnxruntime_detector import OnnxRuntimeDetector

        return OnnxRuntimeDetector(
            model,
            input_size=settings.detect_size,
            threads=settings.detect_threads,
            max_batch=settings.max_batch,
        )
    from workers.detection.openvino_detector import OpenVinoDetector

    return OpenVinoDetector(
        model,
        input_size=settings.detect_size,
        threads=settings.detect_threads,
        max_batch=settings.max_batch,
        cache_dir=settings.models_path / CACHE_FOLDER,
        precision=settings.detect_precision,
    )


def backends_for(model: ModelDescription, wanted: str) -> tuple[str, ...]:
    """Return the backends to try, the preferred one first.

    Args:
        model: The model; its format decides.
        wanted: ``auto``, ``openvino``, ``onnxruntime`` or ``ultralytics``.

    Raises:
        DetectorError: No backend reads the format, or not the one that was asked for.
    """
    readers = BACKENDS_OF_FORMAT.get(model.format)
    if readers is None:
        raise DetectorError(
            f"{model.path.name} has format {model.format}, which no detector reads; use one of "
            f"{', '.join(BACKENDS_OF_FORMAT)}"
        )
    if wanted == "auto":
        return readers
    if wanted not in readers:
        raise DetectorError(
            f"FARM_DETECTOR={wanted} cannot read {model.path.name} ({model.format}); set it to auto or to one of: "
            f"{', '.join(readers)}"
        )
    return (wanted,)


def _first_that_loads(backends: tuple[str, ...]) -> str:
    """Return the first backend whose library loads; Ultralytics says itself what it lacks, when it is opened."""
    for backend in backends:
        if backend == "ultralytics" or _loads(backend):
            return backend
        log.warning("a detection library does not load here", library=backend)
    raise BackendMissingError(f"{backends[0]} does not load here; install it with: pip install -r requirements.txt")


def _open_ultralytics(model: ModelDescription, settings: WorkerSettings) -> Detector:
    from workers.detection.ultralytics_detector import UltralyticsDetector

    device = choose_device(settings.device, look_for_cuda())
    if model.format == "engine" and device == "cpu":
        raise DetectorError(
            f"{model.path.name} is a TensorRT engine and runs only on an NVIDIA device of the kind it was built on; "
            "none can be used here. Choose an ONNX model"
        )

    def open_on(chosen: str) -> UltralyticsDetector:
        return UltralyticsDetector(
            model,
            device=chosen,
            input_size=settings.detect_size,
            threads=settings.detect_threads,
            max_batch=settings.max_batch,
            half=settings.detect_precision != "f32",
        )

    if device == "cpu" or model.format == "engine":
        return open_on(device)
    return FallbackDetector(partial(open_on, device), partial(open_on, "cpu"), time.monotonic)


def _check_cpu(model: ModelDescription, wanted: str) -> None:
    """Refuse CUDA for a model that runs on the CPU; say so where a device lies idle."""
    if wanted.startswith("cuda"):
        choose_device(wanted, look_for_cuda())  # names the nearer problem first, if there is no CUDA at all
        raise DetectorError(
            f"FARM_DEVICE={wanted}, but {model.path.name} runs on the CPU only. Choose a .pt model for CUDA, or set "
            "FARM_DEVICE=cpu"
        )
    if wanted == "auto" and count_driver_devices():
        log.warning(
            "the model runs on the CPU and the CUDA device lies idle; a .pt model would use it", model=model.path.name
        )


def _loads(module: str) -> bool:
    try:
        importlib.import_module(module)
    except (ImportError, OSError):
        return False
    return True
