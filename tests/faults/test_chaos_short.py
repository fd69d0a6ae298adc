"""Half a minute of random faults: the invariants hold, and a run that is interrupted is checked all the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.event_log import read_log
from tests.support.farm import REPOSITORY
from tests.support.weights import yolo11n

#: With this seed many kinds of faults are drawn in half a minute.
SEED = 3
#: Other tests may run beside this one.
SLACK = "3"


def chaos(log: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `./farm chaos` on a small farm."""
    yolo11n()
    command = [
        sys.executable,
        "-m",
        "tests.chaos",
        "--cameras",
        "3",
        "--workers",
        "2",
        "--slack",
        SLACK,
        "--out",
        str(log),
    ]
    return subprocess.Popen(
        [*command, *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("FARM_")},
    )


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_farm_that_is_broken_at_random_for_half_a_minute_keeps_its_promises(tmp_path: Path) -> None:
    """Given a seed, when faults are drawn for 35 s, then no invariant is broken, and much was tried."""
    log = tmp_path / "chaos.jsonl"
    with chaos(log, "--minutes", "0.6", "--seed", str(SEED)) as process:
        output, _ = process.communicate(timeout=350)
    assert process.returncode == 0, output
    assert "All invariants hold" in output
    lines = read_log(log)
    kinds = {line["kind"] for line in lines if line["what"] == "fault"}
    assert len(kinds) >= 4, kinds
    assert sum(line["what"] == "result" for line in lines) > 60


@pytest.mark.long
@pytest.mark.timeout(400)
def test_an_interrupted_run_ends_in_order_and_is_checked(tmp_path: Path) -> None:
    """Given a run of an hour, when Ctrl-C is pressed, then the farm is ended, the log is whole and checked."""
    log = tmp_path / "chaos.jsonl"
    with chaos(log, "--minutes", "60", "--seed", str(SEED)) as process:
        wait_for_line(log, '"what":"breaking"')
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    lines = read_log(log)
    assert lines[-1]["what"] == "end"
    assert lines[-1]["interrupted"] is True


def wait_for_line(log: Path, part: str, seconds: float = 150) -> None:
    """Wait until the log has a line with `part` in it."""
    deadline = time.monotonic() + seconds
    while not log.exists() or part not in log.read_text():
        assert time.monotonic() < deadline, f"no line with {part} within {seconds} s"
        time.sleep(0.1)
