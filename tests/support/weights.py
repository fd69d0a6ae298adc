"""Real weights for tests, kept in the checkout's `.farm/models` between runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

import model_store

PROJECT_DIR: Final = Path(__file__).resolve().parents[2]
CACHE_DIR: Final = PROJECT_DIR / ".farm" / "models"


@dataclass(frozen=True, slots=True)
class Weights:
    """A model as detectors want it described, for files that are in no store."""

    path: Path
    format: str
    class_names: Mapping[int, str]


@cache
def fetched(name: str) -> model_store.ModelFile:
    """Return a model of the manifest; skips the test where it is not there and cannot be fetched."""
    try:
        model_store.fetch(name, CACHE_DIR)
    except model_store.FetchError as error:
        pytest.skip(str(error))
    return model_store.resolve(name, CACHE_DIR)


def yolo11n() -> model_store.ModelFile:
    """Return the default detector, an ONNX file."""
    return fetched("yolo11n")


def yolov8n_pt() -> model_store.ModelFile:
    """Return the vendor's pickled weights, trusted by their hash."""
    return fetched("yolov8n")
