"""What this machine's CPU can do."""

from pathlib import Path
from typing import Final

CPU_INFO: Final = Path("/proc/cpuinfo")


def has_amx(info_file: Path = CPU_INFO) -> bool:
    """Tell whether the CPU multiplies bfloat16 matrices in hardware (Intel AMX)."""
    try:
        return " amx_bf16" in info_file.read_text()
    except OSError:
        return False
