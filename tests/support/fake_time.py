"""Steps the wall clock of real processes, with libfaketime, which is preloaded into them.

Debian and Ubuntu have it as ``libfaketime``. Monotonic clocks go on as they are, as they do on a machine whose wall
clock is set.
"""

from pathlib import Path
from typing import Final

import pytest

#: Where distributions put the library.
_PLACES: Final = ("/usr/lib*/*/faketime", "/usr/lib*/faketime", "/usr/local/lib/faketime")


class FakeTime:
    """The wall clock of the processes that are started with `environment`; right until it is set."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._offset = folder / "offset"
        self._offset.write_text("+0")
        self.environment: Final = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            # Looked at with every question for the time, so that a step is a step for all threads at once.
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step_to(self, seconds: int) -> None:
        """Set the clock to `seconds` ahead of the right time, or behind it."""
        written = self._offset.with_suffix(".new")
        written.write_text(f"{seconds:+d}")
        written.replace(self._offset)


@pytest.fixture
def fake_time(tmp_path: Path) -> FakeTime:
    """A clock to be stepped; skips where libfaketime is not installed."""
    found = [path for place in _PLACES for path in Path("/").glob(f"{place[1:]}/libfaketimeMT.so.1")]
    if not found:
        pytest.skip("libfaketime is not installed (apt-get install libfaketime)")
    return FakeTime(found[0], tmp_path)
