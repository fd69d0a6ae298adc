"""`./farm chaos`: breaks a farm of its own at random for as long as asked, then checks the log of it.

Run: python -m tests.chaos --minutes N [--seed S] [--cameras 8] [--workers 3] [--out FILE.jsonl]
     python -m tests.chaos --check FILE.jsonl
"""

import argparse
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Final

from contract.errors import FarmError
from runtime.settings import PROJECT_DIR
from tests.chaos.event_log import LogUnreadableError, read_log
from tests.chaos.fault_kinds import KINDS
from tests.chaos.invariants import check
from tests.chaos.run import Plan, run_chaos
from tests.chaos.summary import show

_DIE_WITH_PARENT: Final = PROJECT_DIR / "runtime" / "die_with_parent.py"
#: Given to the process that does the work; nobody else gives it.
_INNER: Final = "--in-a-group-of-its-own"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./farm chaos", description="Break a farm of its own at random, then check what its log shows."
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="how long things are broken (default: 5)")
    parser.add_argument("--seed", type=int, help="draw the same faults as a former run; printed at its beginning")
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument(
        "--only",
        action="append",
        choices=sorted(KINDS),
        default=[],
        metavar="KIND",
        help=f"draw only this fault; may be given several times: {', '.join(KINDS)}",
    )
    parser.add_argument("--out", type=Path, help="where the log goes (default: .farm/chaos-SEED.jsonl)")
    parser.add_argument(
        "--slack", type=float, default=1.0, help="let everything take so many times as long: on a busy machine"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the logs of the farm's processes there")
    parser.add_argument("--check", type=Path, metavar="FILE", help="only check a log that was kept")
    parser.add_argument(_INNER, action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.minutes <= 0 or given.slack <= 0 or given.cameras < 1 or given.workers < 2:
        parser.error("needs --minutes and --slack greater than 0, at least one camera and at least two workers")
    return given


def main() -> int:
    """Run, check and summarise; 0: the invariants hold, 1: they do not, 2: it could not be found out."""
    given = _arguments()
    if not given.in_a_group_of_its_own and given.check is None:
        return _in_a_group_of_its_own()
    try:
        path = given.check or _run(given)
        lines = read_log(path)
    except (FarmError, LogUnreadableError) as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 2
    findings = check(lines, given.slack)
    show(findings, lines, path, given.slack)
    return 1 if findings.violations else 0


def _run(given: argparse.Namespace) -> Path:
    seed = given.seed if given.seed is not None else secrets.randbelow(10**6)
    out = given.out or PROJECT_DIR / ".farm" / f"chaos-{seed}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    print(f"chaos for {given.minutes:g} minutes with seed {seed}; the log goes to {out}", flush=True)
    plan = Plan(given.minutes * 60, seed, given.cameras, given.workers, tuple(given.only))
    run_chaos(plan, out, lambda text: print(text, flush=True), keep=given.keep)
    return out


def _in_a_group_of_its_own() -> int:
    """Do the work in a process that a Ctrl-C at the terminal does not reach: nor does it reach the farm, then."""
    command = [sys.executable, str(_DIE_WITH_PARENT), str(os.getpid())]
    command += [sys.executable, "-m", "tests.chaos", *sys.argv[1:], _INNER]
    with subprocess.Popen(command, process_group=0) as process:

        def pass_on(number: int, _frame: FrameType | None) -> None:
            process.send_signal(number)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, pass_on)
        return process.wait()


if __name__ == "__main__":
    sys.exit(main())
