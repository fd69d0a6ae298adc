"""`./farm test`, `lint` and `bench`: for people who change CamFarm."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from cli import web_ui
from cli.node import NoNodeError
from contract.errors import FarmError
from runtime.cpus import usable_cpus

#: The checkout; `runtime.settings` has the same, and takes a tenth of a second to import.
PROJECT_DIR: Final = Path(__file__).resolve().parent.parent
#: Most tests wait for real processes, so files run side by side: one more than there are cores, at most four. In their
#: order: whole farms first, quick ones fill the gaps.
IN_PARALLEL: Final = [
    *("-n", str(min(4, usable_cpus() + 1))),
    *("--dist", "loadfile", "--no-loadscope-reorder"),
]
#: Only what failed in the run before, one after the other; a handful of failures says all there is to say.
ALONE: Final = ["--last-failed", "--last-failed-no-failures", "none", "--maxfail", "5"]
#: pytest's exit code where tests ran and some failed.
SOME_FAILED: Final = 1
#: Asks for all tests.
WHOLE: Final = "--whole"
#: Settings of a command that hands its arguments on, --help included.
PASS_THROUGH: Final = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


class UnknownBenchmarkError(FarmError, LookupError):
    """There is no benchmark of that name."""


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(context_settings=PASS_THROUGH)(test)
    app.command()(lint)
    app.command(context_settings=PASS_THROUGH)(bench)


def test(context: typer.Context) -> None:
    """Run all but the longest tests, several files at a time; with --whole those too.

    A few that fail are run once more, alone: times are no evidence on a machine that other tests share.
    Other arguments go to pytest, which then runs one test after the other.
    """
    pytest = [sys.executable, "-m", "pytest"]
    if context.args not in ([], [WHOLE]):
        become([*pytest, *context.args])
    chosen = [] if context.args else ["-m", "not long"]
    code = subprocess.run([*pytest, *IN_PARALLEL, "--cache-clear", *chosen], cwd=PROJECT_DIR, check=False).returncode
    if code != SOME_FAILED:
        raise typer.Exit(code)
    print("\nWhat failed above is run once more, alone: it is broken if it fails again.", flush=True)
    become([*pytest, *ALONE, *chosen])


def lint() -> None:
    """Run every static check and report all of them."""
    bin_dir = Path(sys.executable).parent
    checks = {
        "ruff check": [sys.executable, "-m", "ruff", "check"],
        "ruff format": [sys.executable, "-m", "ruff", "format", "--check"],
        "mypy": [sys.executable, "-m", "mypy"],
        "import arrows": [str(bin_dir / "lint-imports"), "--no-logo"],
    }
    failed = []
    for name, command in checks.items():
        began = time.monotonic()
        result = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
        verdict = "ok" if result.returncode == 0 else "FAILED"
        print(f"{name:<14} {verdict:<7}{time.monotonic() - began:5.1f} s", flush=True)
        if result.returncode:
            failed.append(name)
            print(result.stdout + result.stderr, flush=True)
    if not _web_ui_passes():
        failed.append("web UI")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
        raise typer.Exit(1)


def _web_ui_passes() -> bool:
    """Check the web UI, and say how it did; without Node, or what it is checked with, that is said and no failure."""
    began = time.monotonic()
    verdict, said = "ok", ""
    try:
        web_ui.check()
    except (NoNodeError, web_ui.NoPackagesError) as error:
        verdict, said = "skipped", str(error)
    except web_ui.WebBuildError as error:
        verdict, said = "FAILED", str(error)
    print(f"{'web UI':<14} {verdict:<7}{time.monotonic() - began:5.1f} s", flush=True)
    if said:
        print(said, flush=True)
    return verdict != "FAILED"


def bench(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One benchmark; without it the names are listed.")] = None,
) -> None:
    """Run one benchmark; arguments after its name go to it."""
    folder = PROJECT_DIR / "benchmarks"
    names = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    if name is None or name in {"-h", "--help"}:
        print("benchmarks (./farm bench NAME): " + (", ".join(names) or "none"))
        return
    if name not in names:
        raise UnknownBenchmarkError(f"there is no benchmark {name!r}; there are: {', '.join(names)}")
    become([sys.executable, "-m", f"benchmarks.{name}", *context.args])


def become(command: list[str]) -> None:
    """Run `command` in place of this process, in the checkout."""
    os.chdir(PROJECT_DIR)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - a list, no shell
