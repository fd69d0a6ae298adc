"""Builds TensorRT engines; each serves only the kind of device and the TensorRT that it was built with.

Its name in the store holds the device's, so that machines of several kinds can share one folder of models.
"""

import re
import shutil
from pathlib import Path
from typing import Final

from workers.detection.detector import DetectorError, ModelDescription, UnsupportedModelError
from workers.detection.ultralytics_detector import LOADING_ERRORS, import_torch_extra

#: Longest name that a model may have in the store.
_LONGEST_NAME: Final = 64


def engine_name(model: str, gpu: str) -> str:
    """Return what the engine of a model is called on a kind of device: ``yolov8n-nvidia-l4``."""
    words = re.sub(r"[^a-z0-9]+", "-", gpu.lower()).strip("-")
    return f"{model}-{words}"[:_LONGEST_NAME].rstrip("-")


def gpu_name(device: str) -> str:
    """Return the driver's name of ``cuda:N``.

    Raises:
        BackendMissingError: The torch extra is not installed.
    """
    torch, _ = import_torch_extra()
    return str(torch.cuda.get_device_name(device))


def build_engine(model: ModelDescription, scratch: Path, *, device: str, side: int, max_batch: int) -> Path:
    """Build a half precision engine for batches up to `max_batch`; takes minutes.

    Args:
        model: A ``.pt`` file that is trusted: it is loaded, which runs the pickle in it.
        scratch: An empty folder.
        device: ``cuda:N``, known to be there.
        side: Of the square input, pixels.
        max_batch: Frames in one call at most.

    Returns:
        The file in `scratch`.

    Raises:
        UnsupportedModelError: It is no ``.pt`` file.
        BackendMissingError: The torch extra is not installed.
        DetectorError: TensorRT is missing, or fails.
    """
    if model.format != "pt":
        raise UnsupportedModelError(f"{model.path.name} is no .pt file; engines are built of those only")
    _, ultralytics = import_torch_extra()
    copied = scratch / model.path.name  # Ultralytics writes beside the file it reads
    shutil.copyfile(model.path, copied)
    try:
        built = ultralytics.YOLO(str(copied)).export(
            format="engine", device=device, imgsz=side, batch=max_batch, dynamic=max_batch > 1, quantize=16
        )
    except (AssertionError, *LOADING_ERRORS) as error:
        raise DetectorError(
            f"no engine can be built of {model.path.name} on {device}: {error}. Building needs TensorRT: "
            "pip install tensorrt"
        ) from error
    return Path(built)
