"""What worker processes are started with."""

from pathlib import Path

import pytest

from cli import children
from runtime.child_process import Child
from runtime.settings import WorkerSettings


def _environment(child: Child) -> dict[str, str]:
    assert child.env is not None
    return dict(child.env)


@pytest.mark.parametrize("count", [1, 3])
def test_paths_mean_the_same_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Given relative folders and workers that run elsewhere, then each is given them as absolute paths."""
    monkeypatch.chdir(tmp_path)
    settings = WorkerSettings(redis_url="unix:///x", data_dir=Path("data"), spool_dir=Path("spool"))
    made = [_environment(child) for child in children.workers(settings, count)]
    assert len(made) == count
    assert {each["FARM_SPOOL_DIR"] for each in made} == {str(tmp_path / "spool")}
    assert {each["FARM_DATA_DIR"] for each in made} == {str(tmp_path / "data")}


def test_the_spool_is_in_the_data_folder_unless_told_otherwise(tmp_path: Path) -> None:
    """Given no FARM_SPOOL_DIR, then what waits for Redis lies below FARM_DATA_DIR."""
    settings = WorkerSettings(redis_url="unix:///x", data_dir=tmp_path, spool_dir=None)
    (child,) = children.workers(settings, 1)
    assert _environment(child)["FARM_SPOOL_DIR"] == str(tmp_path / "spool")
