"""What every contestant writes down: when each frame was captured and when it was done with. Standard library only.

A contestant is a program of its own that is started with the arguments below, perhaps by the Python of another
environment. It notes frames for `--settle` and then `--seconds` seconds, writes ``--out`` and waits to be ended.
"""

import argparse
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return the arguments that all contestants have."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--url", action="append", required=True, help="a camera; may be repeated")
    made.add_argument("--model", required=True, help="the model's file")
    made.add_argument("--settle", type=float, default=10.0, help="seconds from the first frame until it counts")
    made.add_argument("--seconds", type=float, default=30.0)
    made.add_argument("--out", type=Path, required=True)
    return made


class FrameLog:
    """Notes frames from any thread; the main thread calls `finish`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._frames: dict[int, list[tuple[float, float]]] = defaultdict(list)
        self._first = threading.Event()
        self._is_broken = False
        threading.excepthook = self._failed

    def _failed(self, told: threading.ExceptHookArgs) -> None:
        """Let nobody wait for a thread that has died."""
        threading.__excepthook__(told)
        self._is_broken = True
        self._first.set()

    def note(self, camera: int, captured: float) -> None:
        """Take note of a frame that is done with now; `captured` is Unix seconds."""
        self._frames[camera].append((captured, time.time()))
        self._first.set()

    def finish(self, more: Callable[[], dict[str, float]] = dict) -> None:
        """Wait for the first frame and the two spans, write everything down and what `more` says, wait to be ended."""
        if not self._first.wait(120) or self._is_broken:
            sys.exit("no frame came within two minutes, or what was to bring them has died")
        time.sleep(self._options.settle)
        since, cpu = time.time(), time.process_time()
        time.sleep(self._options.seconds)
        until, cpu = time.time(), time.process_time() - cpu
        told: dict[str, object] = {"since": since, "until": until, "cpu_seconds": cpu, "more": more()}
        told["frames"] = {str(camera): list(its) for camera, its in self._frames.items()}
        unfinished = self._options.out.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(told))
        unfinished.replace(self._options.out)
        threading.Event().wait()
