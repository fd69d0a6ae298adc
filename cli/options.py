"""Options that several commands share, and what they mean."""

import os
import re
from typing import Annotated

import typer

DEVICES = re.compile(r"auto|cpu|cuda(:\d+)?")


def _check_device(value: str | None) -> str | None:
    if value is not None and DEVICES.fullmatch(value) is None:
        raise typer.BadParameter(f"{value!r} is none of auto, cpu, cuda, cuda:0, cuda:1, ...")
    return value


DeviceOption = Annotated[
    str | None,
    typer.Option("--device", callback=_check_device, help="Where workers detect: auto, cpu, cuda or cuda:N."),
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Also show what the processes write.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON.")]


def use_device(device: str | None) -> None:
    """Set FARM_DEVICE for this process and all that it starts."""
    if device is not None:
        os.environ["FARM_DEVICE"] = device
