"""Arguments that several benchmarks have."""

import argparse
from pathlib import Path


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


def parse_size(text: str) -> tuple[int, int]:
    """Read ``640x360``."""
    width, height = text.split("x")
    return int(width), int(height)
