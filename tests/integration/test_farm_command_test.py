"""`./farm test` over a small folder of tests: what fails beside others is asked once more, alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.developer_commands import WHOLE
from tests.support.api_server import REPOSITORY

#: Runs the command in another checkout.
COMMAND = """
import sys
from pathlib import Path
import typer
from cli import developer_commands
developer_commands.PROJECT_DIR = Path(sys.argv.pop(1))
app = typer.Typer()
app.callback()(lambda: None)
developer_commands.register(app)
app()
"""
#: The first time that each of these is run, it fails.
PASSES_ALONE = """
from pathlib import Path

def test_of_times():
    came = Path(__file__).with_suffix(".came")
    is_first = not came.exists()
    came.touch()
    assert not is_first
"""
FAILS = "def test_broken():\n    assert 1 + 1 == 3\n"
PASSES = "def test_sound():\n    assert 1 + 1 == 2\n"


def run(folder: Path, **files: str) -> subprocess.CompletedProcess[str]:
    """Run `./farm test --whole` over `files`, name -> text."""
    (folder / "pytest.ini").touch()
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        [sys.executable, "-c", COMMAND, str(folder), "test", WHOLE],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize(
    ("files", "code", "lines"),
    [
        ({"a": PASSES_ALONE, "b": PASSES}, 0, ["1 failed, 1 passed", "once more, alone", "1 passed"]),
        ({"a": PASSES_ALONE, "b": FAILS}, 1, ["2 failed", "once more, alone", "1 failed, 1 passed"]),
        ({"a": PASSES, "b": "import no_such_module"}, 2, ["1 passed, 1 error", "once more, alone", "1 error"]),
    ],
    ids=["one passes alone", "one is broken", "one cannot be read"],
)
def test_what_fails_beside_others_is_run_alone_and_decides(
    tmp_path: Path, files: dict[str, str], code: int, lines: list[str]
) -> None:
    """Given tests, when all are run, those that failed are run again by themselves; only these failures count."""
    result = run(tmp_path, **files)
    assert result.returncode == code, result.stdout + result.stderr
    said = result.stdout
    for line in lines:
        assert line in said, result.stdout
        said = said[said.index(line) + len(line) :]
