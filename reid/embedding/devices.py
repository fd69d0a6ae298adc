"""What an embedder runs on. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from reid.embedding.errors import DeviceMissingError

CPU_PROVIDER: Final = "CPUExecutionProvider"
CUDA_PROVIDER: Final = "CUDAExecutionProvider"
TENSORRT_PROVIDER: Final = "TensorrtExecutionProvider"


@dataclass(frozen=True, slots=True)
class Provider:
    """One of ONNX Runtime's ways to run a model."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)


def choose_providers(wanted: str, available: Collection[str]) -> tuple[Provider, ...]:
    """Return the providers for a CUDA device, the preferred one first; none: run on the CPU.

    TensorRT computes in half precision; CUDA alone computes as the model's file says.

    Args:
        wanted: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        available: Those that this build of ONNX Runtime has.

    Raises:
        DeviceMissingError: CUDA was asked for and this build has none.
    """
    if wanted == "cpu" or (wanted == "auto" and CUDA_PROVIDER not in available):
        return ()
    if CUDA_PROVIDER not in available:
        raise DeviceMissingError(
            f"FARM_REID_DEVICE={wanted}, but this ONNX Runtime is built for the CPU; install onnxruntime-gpu in its "
            "place, or set FARM_REID_DEVICE=cpu"
        )
    device = {"device_id": wanted.partition(":")[2] or "0"}
    half = Provider(TENSORRT_PROVIDER, {**device, "trt_fp16_enable": "1"})
    return (*([half] if TENSORRT_PROVIDER in available else []), Provider(CUDA_PROVIDER, device))
