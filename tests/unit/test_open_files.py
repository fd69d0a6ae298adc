"""The limit of open files."""

import resource
import subprocess
import sys

import pytest

SCRIPT = """
import resource
from runtime.open_files import allow_many_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(allow_many_open_files(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(("soft", "hard", "then"), [(200, 4_000, 4_000), (300, 300, 300)])
def test_a_process_may_have_as_many_files_open_as_the_system_allows(soft: int, hard: int, then: int) -> None:
    """Given a soft limit below the hard one, then it is raised to that; else it stays."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip(f"this system allows fewer than {hard} open files")
    script = SCRIPT.format(soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(then)] * 2
