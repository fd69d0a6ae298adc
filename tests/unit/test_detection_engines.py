"""Names of engines, and what they cannot be built of; building itself needs an NVIDIA device."""

from pathlib import Path

import pytest

from contract.ids import is_valid_id
from tests.support.weights import Weights
from workers.detection.detector import UnsupportedModelError
from workers.detection.engines import build_engine, engine_name


@pytest.mark.parametrize(
    ("gpu", "name"),
    [
        ("NVIDIA L4", "yolov8n-nvidia-l4"),
        ("NVIDIA GeForce RTX 4090", "yolov8n-nvidia-geforce-rtx-4090"),
        ("Tesla T4 (MIG 1g.5gb)", "yolov8n-tesla-t4-mig-1g-5gb"),
    ],
)
def test_an_engine_is_named_after_its_device(gpu: str, name: str) -> None:
    """Given the driver's name of a device, then the engine's name holds it and can be used in the store."""
    assert engine_name("yolov8n", gpu) == name
    assert is_valid_id(engine_name("yolov8n", gpu))


def test_a_long_name_is_cut() -> None:
    """Given a device with a very long name, then the engine's name still fits into the store."""
    assert is_valid_id(engine_name("yolov8n", "NVIDIA " + "very long " * 20))


def test_an_engine_is_built_of_pickled_weights_only(tmp_path: Path) -> None:
    """Given an ONNX model, when an engine is asked for, then the error says what is needed."""
    with pytest.raises(UnsupportedModelError, match=r"m\.onnx is no \.pt file"):
        build_engine(Weights(Path("m.onnx"), "onnx", {}), tmp_path, device="cuda:0", side=640, max_batch=8)
