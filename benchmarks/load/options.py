"""Arguments that several benchmarks have."""

import argparse
from pathlib import Path
from typing import Any

import model_store
from model_store import ModelFile
from runtime.settings import WorkerSettings
from tests.support.weights import CACHE_DIR, yolo11n


def add_farm_options(parser: argparse.ArgumentParser) -> None:
    """Add the cores, the farm's settings, the model and the file of the figures."""
    parser.add_argument("--cores", type=int, default=2, help="of this machine that everything runs on")
    parser.add_argument("--model", default="yolo11n", help="FARM_MODEL of the workers")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FARM_NAME=VALUE", help="setting of the farm; may be repeated"
    )
    parser.add_argument("--out", type=Path, help="write the figures as JSON")


def settings_of(options: argparse.Namespace) -> dict[str, str]:
    """Return the farm's settings that were asked for."""
    given = dict(one.split("=", 1) for one in options.set)
    return {"FARM_MODEL": options.model, **given}


def worker_settings(options: argparse.Namespace) -> WorkerSettings:
    """Return the settings that a worker of the farm has, for a detector of the benchmark's own."""
    given: dict[str, Any] = {name.removeprefix("FARM_").lower(): value for name, value in settings_of(options).items()}
    return WorkerSettings(**given)


def model_of(options: argparse.Namespace) -> ModelFile:
    """Return the model that the workers run."""
    return yolo11n() if options.model == "yolo11n" else model_store.resolve(options.model, CACHE_DIR)


def parse_size(text: str) -> tuple[int, int]:
    """Read ``640x360``."""
    width, height = text.split("x")
    return int(width), int(height)
