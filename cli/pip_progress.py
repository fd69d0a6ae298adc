"""Runs pip and shows how far it is; says in one sentence what went wrong. Only the standard library."""

import collections
import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

#: Lines of pip's output that an error shows.
_SHOWN_LINES: Final = 6
_POLL_SECONDS: Final = 0.25
_REQUIREMENT = re.compile(r"(?m)^[A-Za-z0-9][A-Za-z0-9._-]*(\[.*\])?==")
_COLLECTING = re.compile(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)(?:\[.*?\])?(?:==([^ ]+))?")
#: A wheel that lies in a folder that pip was told of (PIP_FIND_LINKS).
_PROCESSING = re.compile(r"Processing (?:\S*/)?([A-Za-z0-9_.]+)-([0-9][^-/]*)[-.]\S*")
_DOWNLOADING = re.compile(r"Downloading \S+ \(([^)]+)\)")
_BUILDING = re.compile(r"Building wheel for (\S+)")
_INSTALLING = "Installing collected packages: "

#: What pip says -> what it means and what helps; the first that matches counts.
_MEANINGS: Final = (
    (
        r"No space left on device|Errno 28",
        "the disk is full; free some space, or name another place with FARM_VENV=/some/folder",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "a downloaded package is not the one that was locked; if a proxy or mirror is in between, it is at fault",
    ),
    (
        r"ensurepip",
        "this Python cannot make virtual environments; on Debian or Ubuntu run `apt install python3-venv`",
    ),
    (
        r"name resolution|Name or service not known|nodename nor servname|Failed to establish|"
        r"Connection (refused|reset)|NewConnectionError|"
        r"timed out|ConnectTimeout|ProxyError|Cannot connect to proxy|SSLError|CERTIFICATE|"
        r"from versions: none",
        "the package index cannot be reached; check the network, set HTTPS_PROXY, or point PIP_INDEX_URL at a mirror",
    ),
    (
        r"No matching distribution|requires a different Python|not a supported wheel",
        "a package has no build for this machine; use Python 3.11 to 3.13 on Linux (x86_64, aarch64) or macOS",
    ),
    (r"Permission denied|Read-only file system", "the folder cannot be written; set FARM_VENV to a place of yours"),
)


class BootstrapError(Exception):
    """The environment cannot be made ready; the text says why and what to do."""


def failure_text(lines: Iterable[str], returncode: int) -> str:
    """Return one sentence that says what `lines`, the output of a program that failed, mean, and the last of them."""
    shown = [line.rstrip() for line in lines if line.strip()]
    text = "\n".join(shown)
    meaning = next((means for pattern, means in _MEANINGS if re.search(pattern, text)), "")
    if not meaning and returncode < 0:
        meaning = f"it was killed by signal {-returncode}; perhaps the machine ran out of memory"
    tail = "".join(f"\n  | {line}" for line in shown[-_SHOWN_LINES:])
    return f"installing failed: {meaning or f'exit code {returncode}'}. The last lines were:{tail}"


class Progress:
    """What pip has done so far, read from its output."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.seen = 0
        self.installing: list[str] = []
        self._current = ""

    def read(self, line: str) -> tuple[str, bool] | None:
        """Take one line of pip's output.

        Returns:
            What to show and whether it is only passing, or None when the line says nothing new.
        """
        if line.startswith("Ignoring "):  # not for this machine
            self.total -= 1
            return None
        if match := _COLLECTING.match(line) or _PROCESSING.match(line):
            self.seen += 1
            self.total = max(self.total, self.seen)  # without a complete lock pip finds more than were listed
            self._current = " ".join(filter(None, match.groups()))
            return self._numbered(self._current), False
        if match := _DOWNLOADING.search(line):
            return self._numbered(f"{self._current} ({match[1]})"), True
        if match := _BUILDING.search(line):
            return f"building {match[1]}", False
        if line.startswith(_INSTALLING):
            self.installing = line.removeprefix(_INSTALLING).strip().split(", ")
            return f"installing {len(self.installing)} packages", False
        return None

    def _numbered(self, text: str) -> str:
        return f"[{self.seen}/{self.total}] {text}"


class Screen:
    """Shows one line that is overwritten on a terminal, and one line per step elsewhere."""

    def __init__(self) -> None:
        self._stream = sys.stderr
        self._terminal = self._stream.isatty()

    def show(self, text: str, *, passing: bool = False) -> None:
        """Show `text`; one that is `passing` appears only on a terminal."""
        if self._terminal:
            width = os.get_terminal_size(self._stream.fileno()).columns or 80
            self._stream.write(f"\r\x1b[K{text[: width - 1]}")
            self._stream.flush()
        elif not passing:
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Leave the terminal with an empty line."""
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


class PipRun:
    """One `pip install`."""

    def __init__(self, python: Path, arguments: list[str], *, keep_open: int) -> None:
        """Prepare to run pip.

        Args:
            python: The interpreter of the virtual environment.
            arguments: What follows `pip install`.
            keep_open: Descriptor that pip inherits: the lock, which must be held as long as pip runs.
        """
        self._python = python
        self._arguments = arguments
        self._keep_open = keep_open
        self.last_lines: collections.deque[str] = collections.deque(maxlen=40)
        self.returncode = 0
        self.began_to_install = False

    def install(self, lock_file: Path) -> int:
        """Run it; return pip's exit code."""
        progress = Progress(len(_REQUIREMENT.findall(lock_file.read_text())))
        command = [str(self._python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
        process = subprocess.Popen(
            [*command, "--progress-bar", "off", *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**environment, "PYTHONUNBUFFERED": "1"},
            pass_fds=[self._keep_open],
        )
        screen = Screen()
        try:
            self._follow(process, progress, screen)
            self.returncode = process.wait()
        finally:
            screen.close()
            if process.poll() is None:
                process.terminate()
                process.wait()
        return self.returncode

    def _follow(self, process: "subprocess.Popen[str]", progress: Progress, screen: Screen) -> None:
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_pump, args=(process, lines), daemon=True).start()
        began = time.time()
        while True:
            try:
                line = lines.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if progress.installing:
                    done = installed_since(self._python, began)
                    screen.show(f"[{done}/{len(progress.installing)}] installing", passing=True)
                continue
            if line is None:
                return
            self.last_lines.append(line)
            if news := progress.read(line):
                screen.show(news[0], passing=news[1])
            if progress.installing and not self.began_to_install:
                self.began_to_install, began = True, time.time()


#: pip's own settings that would send packages elsewhere than into the virtual environment.
_MISLEADING: Final = frozenset(
    {"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_HASHES", "PIP_NO_DEPS"}
)


def _pump(process: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str | None]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def installed_since(python: Path, began: float) -> int:
    """Return how many packages the virtual environment of `python` has got since `began` (Unix seconds)."""
    made = 0
    for folder in python.parent.parent.glob("lib/python3*/site-packages/*.dist-info"):
        with contextlib.suppress(FileNotFoundError):  # pip is at work: what was there a moment ago may be gone
            made += folder.stat().st_mtime >= began
    return made
