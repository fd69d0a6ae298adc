"""Makes an INT8 model of a float one, calibrated with pictures of the cameras it shall serve. Needs NNCF.

What is left in float: everything behind the last convolutions of each branch. There boxes are computed in pixels, from
0 to the input's side, and eight bits for that are steps of two or three pixels.
"""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import openvino as ov
import yaml
from av.error import FFmpegError
from numpy.typing import NDArray

from workers.detection.detector import BackendMissingError, DetectorError, ModelDescription
from workers.detection.letterbox import Letterbox
from workers.pictures import BgrImage

#: Pictures that are looked at: more make hardly a difference, and each costs a run of the model.
MOST_PICTURES: Final = 300
LEAST_PICTURES: Final = 10
PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
RECORDINGS: Final = frozenset({".mp4", ".mkv", ".avi", ".mov", ".ts", ".gif"})
#: Seconds of a recording between two pictures that are taken from it.
RECORDING_STEP_SECONDS: Final = 2.0


def quantise(model: ModelDescription, pictures: Sequence[BgrImage], *, side: int, target: Path) -> None:
    """Write an INT8 OpenVINO model; its input stays as open as the model's.

    Args:
        model: An ONNX file or an OpenVINO folder of a float model.
        pictures: Of what its cameras see, at least `LEAST_PICTURES`, any sizes, BGR; none that it is tested with.
        side: Of the square they are fitted into where the model leaves it open, pixels.
        target: Folder to write ``<name>.xml``, ``.bin`` and ``metadata.yaml`` into; made.

    Raises:
        BackendMissingError: NNCF is not installed.
        DetectorError: Too few pictures, or the model cannot be read or quantised.
    """
    nncf = _import_nncf()
    if len(pictures) < LEAST_PICTURES:
        raise DetectorError(
            f"{len(pictures)} pictures are too few to calibrate with; give a folder with {LEAST_PICTURES} or more, "
            "of what the cameras see by day and by night"
        )
    try:
        graph = ov.Core().read_model(_file_of(model.path))
        shape = graph.input(0).partial_shape
        height, width = (int(each.get_length()) if each.is_static else side for each in (shape[2], shape[3]))
        dataset = nncf.Dataset([_planes(picture, (height, width)) for picture in pictures])
        quantised = nncf.quantize(
            graph,
            dataset,
            # Its activations (SiLU) go below zero: eight unsigned bits would be too few for them.
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(pictures),
            ignored_scope=nncf.IgnoredScope(names=float_tail(graph), validate=False),
        )
    except RuntimeError as error:
        raise DetectorError(f"{model.path.name} cannot be quantised: {str(error).splitlines()[0]}") from error
    target.mkdir(parents=True, exist_ok=True)
    ov.save_model(quantised, target / f"{model.path.stem}.xml", compress_to_fp16=False)
    said = {"names": dict(model.class_names), "task": "detect", "imgsz": [height, width]}
    (target / "metadata.yaml").write_text(yaml.safe_dump(said))


def float_tail(graph: ov.Model) -> list[str]:
    """Return the names of the operations between the last convolutions and the output.

    A convolution with a single output channel is not one of those: it is how some heads take a mean.
    """
    names: list[str] = []
    seen: set[str] = set()
    waiting = [graph.output(0).get_node()]
    while waiting:
        node = waiting.pop()
        name = node.get_friendly_name()
        is_last_convolution = node.get_type_name() == "Convolution" and node.output(0).partial_shape[1] != 1
        if name in seen or is_last_convolution or node.get_type_name() in {"Constant", "Parameter"}:
            continue
        seen.add(name)
        names.append(name)
        waiting += [value.get_source_output().get_node() for value in node.inputs()]
    return names


def read_pictures(folder: Path, most: int = MOST_PICTURES) -> list[BgrImage]:
    """Return pictures of the files in a folder and below: images, and a frame every few seconds of recordings.

    Args:
        folder: Files that are no pictures are passed over.
        most: Taken evenly of all there are.

    Raises:
        DetectorError: There is no such folder.
    """
    if not folder.is_dir():
        raise DetectorError(f"there is no folder {folder}; name one with pictures or recordings of your cameras")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES | RECORDINGS)
    pictures = [picture for path in files for picture in _pictures_of(path)]
    step = max(len(pictures) / most, 1.0)
    return [pictures[int(number * step)] for number in range(min(most, len(pictures)))]


def _pictures_of(path: Path) -> Iterator[BgrImage]:
    """Yield the picture of a file, or some of a recording; nothing of a file that cannot be decoded."""
    try:
        with av.open(str(path)) as container:
            due = 0.0
            for frame in container.decode(video=0):
                if (frame.time or 0.0) >= due:
                    due = (frame.time or 0.0) + RECORDING_STEP_SECONDS
                    yield np.ascontiguousarray(frame.to_ndarray(format="bgr24"))
    except (FFmpegError, IndexError):
        return


def _planes(picture: BgrImage, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return shape (1, 3, H, W), RGB in [0, 1], as the model was trained."""
    canvas = np.empty((*size, 3), np.uint8)
    Letterbox.fit((picture.shape[0], picture.shape[1]), size).draw(picture, canvas)
    planes = canvas[None, :, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(planes)


def _file_of(path: Path) -> Path:
    return next(iter(sorted(path.glob("*.xml"))), path) if path.is_dir() else path


def _import_nncf() -> Any:
    try:
        return importlib.import_module("nncf")
    except ImportError as error:
        raise BackendMissingError(
            f"quantising needs NNCF, which does not load here ({error}). Install it with: ./farm setup --quantise"
        ) from error
