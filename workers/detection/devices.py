"""Which device a model runs on; looks for CUDA without paying for torch where there is no NVIDIA driver."""

import ctypes
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from typing import Final

from workers.detection.detector import DeviceUnavailableError

CPU: Final = "cpu"
CUDA: Final = "cuda"


@dataclass(frozen=True, slots=True)
class CudaView:
    """What this process can see of CUDA."""

    #: Devices that the NVIDIA driver lets this process use; 0 without a driver.
    driver_devices: int
    torch_installed: bool
    #: Devices that torch can use; 0 for a torch built for CPU.
    torch_devices: int


def count_driver_devices() -> int:
    """Ask the NVIDIA driver for its devices, minding CUDA_VISIBLE_DEVICES; 0 without a driver. Takes milliseconds."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def look_for_cuda() -> CudaView:
    """Look for CUDA; torch is imported only where the driver has devices, for that takes seconds."""
    driver_devices = count_driver_devices()
    torch_installed = importlib.util.find_spec("torch") is not None
    torch_devices = 0
    if driver_devices and torch_installed:
        torch = importlib.import_module("torch")
        torch_devices = int(torch.cuda.device_count()) if torch.cuda.is_available() else 0
    return CudaView(driver_devices, torch_installed, torch_devices)


def choose_device(wanted: str, view: CudaView) -> str:
    """Return ``cpu`` or ``cuda:N``.

    Args:
        wanted: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        view: What is there.

    Raises:
        DeviceUnavailableError: A CUDA device was asked for and cannot be used; the text says why.
    """
    if wanted == CPU:
        return CPU
    if wanted == "auto":
        return f"{CUDA}:0" if view.torch_devices else CPU
    index = int(wanted.partition(":")[2] or 0)
    if index >= view.torch_devices:
        raise DeviceUnavailableError(f"FARM_DEVICE={wanted}, but {_why_not(index, view)}. Or set FARM_DEVICE=cpu")
    return f"{CUDA}:{index}"


def _why_not(index: int, view: CudaView) -> str:
    if not view.driver_devices:
        return (
            "no NVIDIA device is visible to this process; check nvidia-smi, CUDA_VISIBLE_DEVICES and, in a container, "
            "that it was started with the GPU"
        )
    if not view.torch_installed:
        return "torch is not installed; install it with: pip install -r requirements-torch.txt"
    if not view.torch_devices:
        return "torch is installed without CUDA, or for another driver; install requirements-torch.txt from PyPI"
    return f"there are only {view.torch_devices} CUDA devices and the first is cuda:0, so that cuda:{index} is none"
