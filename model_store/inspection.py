"""Reads what a model file says of itself: its classes and input size. Loads no weights of a pickle, and no torch."""

import ast
import json
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args

import yaml

from model_store.errors import UnreadableModelError
from model_store.manifest import Format, Kind

FORMATS: Final[dict[str, Format]] = {".onnx": "onnx", ".pt": "pt", ".engine": "engine"}
_OPENVINO_SUFFIX: Final = "_openvino_model"
#: Longest JSON header of an engine that is believed; real ones have a few kilobytes.
_MAX_HEADER_BYTES: Final = 1_000_000
#: Ultralytics' names of tasks.
_TASKS: Final[dict[str, Kind]] = {"detect": "detect", "pose": "pose", "segment": "segment"}
_ADDABLE: Final = f"a {', '.join(FORMATS)} file, or an OpenVINO folder named *{_OPENVINO_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a model says of itself; empty where it does not say."""

    format: Format
    #: The files that belong to it: the file itself, or those in an OpenVINO folder.
    files: tuple[Path, ...]
    class_names: Mapping[int, str] = field(default_factory=dict)
    #: Height and width in pixels.
    input_size: tuple[int, int] | None = None
    kind: Kind | None = None


def inspect(path: Path) -> Inspection:
    """Find out what `path` is.

    Raises:
        UnreadableModelError: It is not a model of a known format, or damaged.
    """
    if path.is_dir():
        return _inspect_openvino(path)
    if not path.is_file():
        raise UnreadableModelError(f"there is no file {path}; give {_ADDABLE}")
    match FORMATS.get(path.suffix.lower()):
        case "onnx":
            return _inspect_onnx(path)
        case "pt":
            return _inspect_torch(path)
        case "engine":
            return _inspect_engine(path)
    raise UnreadableModelError(f"{path.name} is not a model of a known format; give {_ADDABLE}")


def _inspect_onnx(path: Path) -> Inspection:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as failures

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except (failures.Fail, failures.InvalidProtobuf, failures.InvalidGraph, failures.InvalidArgument) as error:
        raise UnreadableModelError(f"{path.name} is not a usable ONNX model: {error}") from error
    except failures.NotImplemented as error:
        raise UnreadableModelError(f"{path.name} uses operators that ONNX Runtime does not know: {error}") from error
    said = session.get_modelmeta().custom_metadata_map
    shape = session.get_inputs()[0].shape if session.get_inputs() else []
    return Inspection("onnx", (path,), **_understood(said, shape))


def _inspect_torch(path: Path) -> Inspection:
    # torch.save writes a zip; what is in it is a pickle and is not opened here.
    if not zipfile.is_zipfile(path):
        raise UnreadableModelError(f"{path.name} is not a whole PyTorch file; export or download it again")
    return Inspection("pt", (path,))


def _inspect_engine(path: Path) -> Inspection:
    """Read the header that Ultralytics writes before the plan: its length, then JSON; a bare plan has none."""
    with path.open("rb") as stream:
        prefix = stream.read(4)
        length = struct.unpack("<i", prefix)[0] if len(prefix) == 4 else 0
        header = stream.read(length) if 0 < length <= _MAX_HEADER_BYTES else b""
    if len(prefix) < 4:
        raise UnreadableModelError(f"{path.name} is empty; build the engine again on this machine")
    try:
        said = json.loads(header)
    except ValueError:
        said = {}
    return Inspection("engine", (path,), **_understood(said if isinstance(said, dict) else {}, []))


def _inspect_openvino(folder: Path) -> Inspection:
    import openvino

    graphs = sorted(folder.glob("*.xml"))
    if len(graphs) != 1 or not graphs[0].with_suffix(".bin").is_file():
        raise UnreadableModelError(f"{folder.name} is not an OpenVINO model: it needs one .xml and the .bin beside it")
    try:
        model = openvino.Core().read_model(graphs[0])
    except RuntimeError as error:
        raise UnreadableModelError(f"{folder.name} is not a usable OpenVINO model: {error}") from error
    metadata = folder / "metadata.yaml"
    try:
        said = yaml.safe_load(metadata.read_text()) if metadata.is_file() else {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnreadableModelError(f"{metadata.name} of {folder.name} cannot be read: {error}") from error
    dimensions = model.inputs[0].partial_shape if model.inputs else []
    shape = [size.get_length() if size.is_static else None for size in dimensions]
    parts = (graphs[0], graphs[0].with_suffix(".bin"), *([metadata] if metadata.is_file() else []))
    return Inspection("openvino", parts, **_understood(said if isinstance(said, dict) else {}, shape))


def _understood(said: Mapping[str, Any], shape: list[Any]) -> dict[str, Any]:
    """Return the fields of `Inspection` that metadata in Ultralytics' words and an input shape give."""
    sizes = [size for size in shape[2:4] if isinstance(size, int) and size > 0]
    imgsz = _literal(said.get("imgsz"))
    if len(sizes) != 2 and isinstance(imgsz, list | tuple) and len(imgsz) == 2:
        sizes = [int(side) for side in imgsz]
    kind = _TASKS.get(str(said.get("task")))
    assert kind is None or kind in get_args(Kind)
    return {
        "class_names": _class_names(_literal(said.get("names"))),
        "input_size": tuple(sizes) if len(sizes) == 2 else None,
        "kind": kind,
    }


def _literal(value: Any) -> Any:
    """Return what a string such as ``"{0: 'person'}"`` says; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _class_names(names: Any) -> dict[int, str]:
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return {}
    try:
        return {int(index): str(name) for index, name in names.items()}
    except (TypeError, ValueError):
        return {}
