"""What worker processes are started with."""

from pathlib import Path

import pytest

from cli import children
from runtime.settings import WorkerSettings


@pytest.mark.parametrize("count", [1, 3])
def test_paths_mean_the_same_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Given relative folders and workers that run elsewhere, then each is given them as absolute paths."""
    monkeypatch.chdir(tmp_path)
    settings = WorkerSettings(redis_url="unix:///x", data_dir=Path("data"), spool_dir=Path("spool"))
    made = children.workers(settings, count)
    assert len(made) == count
    for child in made:
        assert child.env is not None
        assert child.env is not None
    assert child.env["FARM_SPOOL_DIR"] == str(tmp_path / "spool")
        assert child.env["FARM_DATA_DIR"] == str(tmp_path / "data")


def test_the_spool_is_in_the_data_folder_unless_told_otherwise(tmp_path: Path) -> None:
    """Given no FARM_SPOOL_DIR, then what waits for Redis lies below FARM_DATA_DIR."""
    (child,) = children.workers(WorkerSettings(redis_url="unix:///x", data_dir=tmp_path, spool_dir=None), 1)
    assert child.env is not None
    assert child.env["FARM_SPOOL_DIR"] == str(tmp_path / "spool")
