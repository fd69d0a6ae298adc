"""Makes the lock files anew from the `.in` files: `python -m cli.lock [--upgrade]`. For maintainers."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT_DIR: Final = Path(__file__).resolve().parent.parent
OLDEST_PYTHON: Final = "3.11"
#: torch's CUDA libraries: which of them are needed depends on the build of torch that pip finds.
_LEFT_TO_PIP: Final = ("cuda-", "nvidia-cu", "nvidia-nccl", "nvidia-nv", "triton")


@dataclass(frozen=True)
class Lock:
    """One lock file and how it is made."""

    source: str
    target: str
    header: str
    hashes: bool = True
    #: Lock files whose versions this one must agree with.
    agrees_with: tuple[str, ...] = ()


LOCKS: Final = (
    Lock(
        "requirements.in",
        "requirements.txt",
        """\
# Locked: everything CamFarm runs on, for Linux and macOS, Python 3.11 and newer. Made by `python -m cli.lock`.
# Install with: pip install --no-deps --require-hashes -r requirements.txt
# --no-deps because the lock is complete; without it pip would ask for opencv-python, which is left out on purpose
# (see requirements-overrides.in).
""",
    ),
    Lock(
        "requirements-dev.in",
        "requirements-dev.txt",
        """\
# Locked: what tests, linters and benchmarks need on top of requirements.txt. Made by `python -m cli.lock`.
# Install with: pip install --no-deps --require-hashes -r requirements-dev.txt
""",
        agrees_with=("requirements.txt",),
    ),
    Lock(
        "requirements-quantise.in",
        "requirements-quantise.txt",
        """\
# Locked: what `./farm models quantise` needs on top of requirements.txt. Made by `python -m cli.lock`.
# Install with: pip install --no-deps --require-hashes -r requirements-quantise.txt
""",
        agrees_with=("requirements.txt",),
    ),
    Lock(
        "requirements-node.in",
        "requirements-node.txt",
        """\
# Locked: Node for building the web UI, where the machine has none. Made by `python -m cli.lock`.
# `./farm` installs it into .farm/node, with --target, --no-deps and --require-hashes.
""",
    ),
    Lock(
        "requirements-torch.in",
        "requirements-torch.txt",
        """\
# Pinned: torch and Ultralytics on top of requirements.txt, for .pt and .engine weights and for CUDA.
# Made by `python -m cli.lock`. Install with: pip install -r requirements-torch.txt
# Two builds of torch answer to the same pin, so it has no hash:
# * CUDA: on Linux the index's torch 2.13.0 is the CUDA build. It names its NVIDIA libraries and triton itself, and pip
#   brings those that belong to it by normal resolution; that is why they are not listed here and why this file is
#   installed with dependencies. macOS gets the CPU and Metal build from the same place.
# * CPU: where pip is given a wheel of torch 2.13.0+cpu (PIP_FIND_LINKS with a folder, or PIP_EXTRA_INDEX_URL with
#   PyTorch's index of CPU builds) it takes that one, which has no NVIDIA dependencies. torchvision from the index does
#   not import beside it; Ultralytics needs it only installed.
""",
        hashes=False,
        agrees_with=("requirements.txt",),
    ),
)


def command(lock: Lock, output: Path, *, upgrade: bool = False) -> list[str]:
    """Return the resolver's command line for `lock`, to be run in the project's folder."""
    options = ["--universal", "--no-emit-index-url", "--no-header", "--quiet", "--python-version", OLDEST_PYTHON]
    options += ["--override", "requirements-overrides.in", "--output-file", str(output)]
    options += ["--generate-hashes"] if lock.hashes else []
    options += ["--upgrade"] if upgrade else []
    for name in lock.agrees_with:
        options += ["--constraint", name]
    return [sys.executable, "-m", "uv", "pip", "compile", *options, lock.source]


def without_left_to_pip(text: str) -> str:
    """Return lock file `text` without the packages that pip shall find by itself."""
    kept: list[str] = []
    keeping = True
    for line in text.splitlines():
        if not line.startswith((" ", "#")):
            keeping = not line.startswith(_LEFT_TO_PIP)
        if keeping:
            kept.append(line)
    return "\n".join(kept) + "\n"


def main(arguments: list[str]) -> int:
    """Write every lock file; return the exit code."""
    upgrade = "--upgrade" in arguments
    for lock in LOCKS:
        target = PROJECT_DIR / lock.target
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "lock.txt"
            if target.exists():  # the resolver keeps versions that the old lock has
                output.write_text(target.read_text())
            result = subprocess.run(command(lock, output, upgrade=upgrade), cwd=PROJECT_DIR, check=False)
            if result.returncode:
                return result.returncode
            text = output.read_text()
        text = text if lock.hashes else without_left_to_pip(text)
        target.write_text(lock.header + text)
        print(f"{lock.target}: {sum(not line.startswith((' ', '#')) for line in text.splitlines())} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
