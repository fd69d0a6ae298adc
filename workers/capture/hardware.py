"""Decoding on an NVIDIA device (NVDEC), by libav's own decoders: packets, modes and errors are those of the CPU.

Frames come back to main memory as NV12, so that all behind the decoder is the same. That copies frames which are looked
at and no others: at one a second 3 MB for a camera of 1080p.
"""

from typing import Final

import av
import structlog
from av.codec.hwaccel import HWAccel, hwdevices_available

from contract.errors import FarmError

#: The codec that is tried: any device that decodes has it.
_TRIED: Final = "h264"

log = structlog.get_logger(__name__)


class DecodeDeviceError(FarmError):
    """The device that is to decode cannot be used."""


def accelerator(device: str) -> HWAccel | None:
    """Return what makes libav decode on `device`; None: on the CPU, for that was asked for or nothing else goes now.

    Codecs and profiles that the device does not know are decoded on the CPU by libav itself.

    Args:
        device: ``cpu``, ``cuda`` or ``cuda:N``.
    """
    if device == "cpu":
        return None
    # Its memory may be full by now, or it may have fallen off its bus: cameras are worth more than the device.
    if problem := _problem_with(device):
        log.warning("decoding_on_cpu", device=device, error=problem)
        return None
    return _wanted(device)


def check_decode_device(device: str) -> None:
    """Make sure that `device` decodes.

    Raises:
        DecodeDeviceError: It does not; says what to look at.
    """
    if device != "cpu" and (problem := _problem_with(device)):
        raise DecodeDeviceError(
            f"FARM_DECODE_DEVICE={device}, but no NVIDIA device decodes for this process ({problem}); check nvidia-smi "
            "and, in a container, that NVIDIA_DRIVER_CAPABILITIES has video. Or set FARM_DECODE_DEVICE=cpu"
        )


def _problem_with(device: str) -> str:
    """Return why a device does not decode; empty: it does."""
    if "cuda" not in hwdevices_available():
        return "this build of libav cannot use one"
    try:
        _wanted(device).create(av.Codec(_TRIED, "r"))
    except (av.FFmpegError, OSError, NotImplementedError) as error:
        return str(error)
    return ""


def _wanted(device: str) -> HWAccel:
    # The primary context is shared by all cameras, and with torch: one for each would take hundreds of megabytes.
    return HWAccel("cuda", device.partition(":")[2] or "0", options={"primary_ctx": "1"}, allow_software_fallback=True)
