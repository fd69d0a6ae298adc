"""Runs `./farm ...` commands inside the test's own process, on a data folder of the test's own."""

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from cli.app import main


@dataclass(frozen=True)
class Answer:
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


class Call(Protocol):
    """Runs one command in this process: starting an interpreter for each would take most of the time."""

    def __call__(self, *arguments: str, stdin: str = "") -> Answer:
        """Run `./farm` with `arguments`."""
        ...


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Give a way to run commands on a data folder of the test's own."""
    monkeypatch.setenv("FARM_ENV_FILE", str(tmp_path / "none.env"))
    monkeypatch.setenv("FARM_DATA_DIR", str(tmp_path / "data"))

    def run(*arguments: str, stdin: str = "") -> Answer:
        monkeypatch.setattr(sys, "argv", ["farm", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main()
        return Answer(code, *capfd.readouterr())

    return run
