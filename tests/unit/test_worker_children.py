"""What worker processes are started with."""

from pathlib import Path

import pytest

from cli import children
from cli.models import usable_recognisers
from cli.steps import Steps
from runtime.child_process import Child
from runtime.settings import StackSettings, WorkerSettings


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


def test_reid_workers_have_the_recognisers_that_can_be_had_and_share_the_cores(tmp_path: Path) -> None:
    """Given three ReID workers, then each is told which recognisers there are, and how many threads it may have."""
    settings = StackSettings(redis_url="unix:///x", data_dir=tmp_path)
    made = [_environment(child) for child in children.reid_workers(settings, 3, "colours")]
    assert len(made) == 3
    assert {each["FARM_RECOGNISERS"] for each in made} == {"colours"}
    assert {each["FARM_REID_THREADS"] for each in made} == {str(max(1, children.usable_cores() // 3))}
    assert {each["FARM_DATA_DIR"] for each in made} == {str(tmp_path)}


def test_without_the_weights_that_tell_people_apart_the_other_recognisers_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a model that nobody has, then what needs it is left out with a warning, and all else goes on."""
    warnings: list[str] = []
    steps = Steps()
    monkeypatch.setattr(steps, "warn", warnings.append)
    settings = StackSettings(data_dir=tmp_path, reid_model="no-such-model", recognisers="reid,colours")
    assert usable_recognisers(settings, steps) == "colours"
    assert "nobody is recognised across cameras" in warnings[0]
    assert "no-such-model" in warnings[0]
    assert usable_recognisers(settings.model_copy(update={"recognisers": "colours"}), steps) == "colours"
    assert len(warnings) == 1
