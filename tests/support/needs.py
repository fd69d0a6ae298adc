"""Skips tests whose marker names something that this machine does not have, and says what it is."""

import shutil
from collections.abc import Callable
from typing import Final

import pytest

from cli.bootstrap import gpu_is_visible
from runtime.settings import PROJECT_DIR

SHARED_DATA: Final = PROJECT_DIR.parent / "shared" / "data"
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


def _missing_gpu() -> str:
    return "" if gpu_is_visible() else "no NVIDIA GPU is visible"


def _missing_data() -> str:
    return "" if SHARED_DATA.is_dir() else f"no test data in {SHARED_DATA}"


def _missing_browser() -> str:
    return "" if any(map(shutil.which, _BROWSERS)) else f"none of {', '.join(_BROWSERS)} is installed"


#: Marker -> what is missing for it, or an empty text.
NEEDS: Final[dict[str, Callable[[], str]]] = {
    "gpu": _missing_gpu,
    "shared_data": _missing_data,
    "browser": _missing_browser,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that cannot run here as skipped, with the reason."""
    for name, find_missing in NEEDS.items():
        marked = [item for item in items if item.get_closest_marker(name)]
        reason = find_missing() if marked else ""
        for item in marked if reason else []:
            item.add_marker(pytest.mark.skip(reason=reason))
