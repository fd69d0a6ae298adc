"""`./farm models ...` on a folder of weights of the test's own."""

import importlib.util
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.commands import Call
from tests.support.weights import yolo11n
from workers.detection.devices import count_driver_devices


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


@pytest.mark.skipif(count_driver_devices() > 0, reason="a CUDA device is there")
def test_an_engine_without_a_device_is_a_clear_error(call: Call) -> None:
    """Given no NVIDIA device, when an engine is asked for, then the error says so."""
    failed = call("models", "engine", "yolov8n")
    assert failed.returncode == 1
    assert "no NVIDIA device is visible" in failed.stderr


def with_weights_and_pictures(tmp_path: Path) -> Path:
    """Put the default model into the test's folder of weights; return a folder of pictures."""
    models = tmp_path / "data" / "models"
    models.mkdir(parents=True)
    shutil.copyfile(yolo11n().path, models / "yolo11n.onnx")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(10):
        noise = np.random.default_rng(number).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(pictures / f"{number}.png"), noise)
    return pictures


@pytest.mark.skipif(importlib.util.find_spec("nncf") is not None, reason="NNCF is installed")
def test_quantising_without_its_packages_names_the_remedy(call: Call, tmp_path: Path) -> None:
    """Given no NNCF, when a model is to be quantised, then the error says how it is installed."""
    failed = call("models", "quantise", "yolo11n", "--images", str(with_weights_and_pictures(tmp_path)))
    assert failed.returncode == 1
    assert "./farm setup --quantise" in failed.stderr


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("nncf") is None, reason="NNCF is not installed: ./farm setup --quantise")
def test_a_quantised_model_is_added_under_a_name_of_its_own(call: Call, tmp_path: Path) -> None:
    """Given ten pictures, when the default model is quantised, then the new one is listed, and the old one stays."""
    made = call("models", "quantise", "yolo11n", "--images", str(with_weights_and_pictures(tmp_path)))
    assert made.returncode == 0, made.stderr
    assert (states(call)["yolo11n-int8"]["origin"], states(call)["yolo11n"]["state"]) == ("own", "present")
