"""`./farm models ...` on a folder of weights of the test's own."""

import json
from pathlib import Path

from tests.support.commands import Call


def states(call: Call) -> dict[str, dict[str, object]]:
    """Return what `models list` says, by name."""
    return {entry["name"]: entry for entry in json.loads(call("models", "list", "--json").stdout)}


def test_the_list_says_what_is_there(call: Call, tmp_path: Path) -> None:
    """Given an empty folder and then a file of the wrong size, the default detector is missing, then corrupt."""
    assert states(call)["yolo11n"]["state"] == "missing"
    weights = tmp_path / "data" / "models" / "yolo11n.onnx"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"half a downl")
    assert states(call)["yolo11n"]["state"] == "corrupt"
    assert "yolo11n" in call("models", "list").stdout


def test_damaged_weights_end_verify_with_1_and_the_remedy(call: Call, tmp_path: Path) -> None:
    """Given a damaged file, verify names it, its hash and how to get it again."""
    weights = tmp_path / "data" / "models" / "yolo11n.onnx"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"half a downl")
    failed = call("models", "verify")
    assert failed.returncode == 1
    assert "./farm models fetch yolo11n" in failed.stderr


def test_verify_of_nothing_is_fine_and_of_a_missing_model_is_not(call: Call) -> None:
    """Given an empty folder, verifying all that is there succeeds; a model that is named must be there."""
    assert call("models", "verify").returncode == 0
    assert "./farm models fetch yolo11n" in call("models", "verify", "yolo11n").stderr


def test_an_unknown_model_is_told_with_those_that_exist(call: Call) -> None:
    """Given a name that nobody knows, the error lists the manifest."""
    failed = call("models", "fetch", "yolo99")
    assert failed.returncode == 1
    assert "no model is named 'yolo99'" in failed.stderr
    assert "yolo11n" in failed.stderr


def test_what_is_no_model_cannot_be_added(call: Call, tmp_path: Path) -> None:
    """Given a text file, or no file, adding it is refused by name."""
    (tmp_path / "notes.onnx").write_text("not a model")
    for name in ("notes.onnx", "nowhere.onnx"):
        failed = call("models", "add", str(tmp_path / name))
        assert failed.returncode == 1
        assert name in failed.stderr
        assert "Traceback" not in failed.stderr


def test_workers_are_not_started_without_their_model(call: Call, tmp_path: Path) -> None:
    """Given a model that nobody knows in the command's folder, `up` says so before anything is started."""
    (tmp_path / "none.env").write_text("FARM_MODEL=yolo99\nFARM_API_PORT=15999\n")
    failed = call("up", "--workers", "1")
    assert failed.returncode == 1
    assert "no model is named 'yolo99'" in failed.stderr
    assert not (tmp_path / "data" / "farm.lock").exists()
    assert not (tmp_path / "data" / "valkey").exists()
