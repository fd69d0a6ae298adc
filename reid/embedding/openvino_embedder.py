"""Embeddings on OpenVINO: the default on CPU."""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
from openvino.preprocess import ColorFormat, PrePostProcessor

from reid.embedding.description import EmbedderModel
from reid.embedding.errors import EmbedderError, UnusableModelError
from reid.embedding.pictures import DEVIATION, MEAN, check_images, fit
from reid.embedding.vectors import normalised
from reid.images import BgrImage, Embeddings
from runtime.cpus import usable_cpus
from runtime.signal_stack import kept_signal_stack

#: Pictures in one run of the model. Twice as many were no quicker (benchmarks/README.md), and keep one core busy while
#: the others have nothing to do.
PICTURES_AT_ONCE: Final = 4


class OpenVinoEmbedder:
    """Runs a ``.onnx`` file or an OpenVINO folder on the CPU, each core by itself.

    Two graphs are compiled, one for `PICTURES_AT_ONCE` pictures and one for single ones that are left: a graph of open
    size is compiled anew for every number that it has not seen, and runs no quicker.

    Args:
        model: The model.
        threads: Cores to use; 0: all that this process may use.

    Raises:
        UnusableModelError: It is no model that makes one embedding of one picture.
        EmbedderError: It cannot be read or compiled.
    """

    def __init__(self, model: EmbedderModel, *, threads: int = 0) -> None:
        self.name, self.version = model.name, model.version
        core = ov.Core()
        graph = _read(core, model)
        self._size = _input_size(graph, model)
        self._cores = threads or usable_cpus()
        self._requests: dict[int, list[ov.InferRequest]] = {}
        dimensions: set[int] = set()
        for pictures in (1, PICTURES_AT_ONCE):
            static = _made_static(graph, model, (pictures, 3, *self._size))
            if static is None:
                continue
            dimensions.add(_dimension(static, model, pictures))
            self._requests[pictures] = self._compiled(core, static, model)
        if not self._requests:
            batch = graph.input(0).partial_shape[0]
            raise UnusableModelError(f"{model.name} takes {batch} pictures, no fewer; export it for any number")
        self.dimension = dimensions.pop()
        self.runtime = f"OpenVINO {ov.__version__.split('-')[0]} f32"

    def _compiled(self, core: ov.Core, graph: ov.Model, model: EmbedderModel) -> list[ov.InferRequest]:
        options: dict[str, str | int | bool] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": self._cores,
            "NUM_STREAMS": str(self._cores),
            # Every process would pin its threads to the same first cores.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            with kept_signal_stack():
                compiled = core.compile_model(_with_preprocessing(graph), "CPU", options)
                return [compiled.create_infer_request() for _ in range(self._cores)]
        except RuntimeError as error:
            raise EmbedderError(f"OpenVINO cannot compile {model.path}: {_first_line(error)}") from error

    def embed(self, images: Sequence[BgrImage]) -> Embeddings:
        """Return one embedding of each picture; see `Embedder.embed`."""
        check_images(images)
        raw = np.empty((len(images), self.dimension), np.float32)
        running: deque[tuple[ov.InferRequest, slice]] = deque()
        turns = dict.fromkeys(self._requests, 0)
        try:
            for part in self._parts(len(images)):
                # Answered in order: a request is free again once as many were waited for as there are of its kind.
                if len(running) == self._cores:
                    _finish(*running.popleft(), raw)
                pictures = part.stop - part.start
                request = self._requests[pictures][turns[pictures] % self._cores]
                turns[pictures] += 1
                for target, image in zip(request.get_input_tensor().data, images[part], strict=True):
                    fit(image, target)
                request.start_async()
                running.append((request, part))
            while running:
                _finish(*running.popleft(), raw)
        except RuntimeError as error:
            raise EmbedderError(f"OpenVINO failed to run {self.name}: {_first_line(error)}") from error
        finally:
            for request, _ in running:
                request.wait()
        return normalised(raw, self.name)

    def _parts(self, count: int) -> Iterator[slice]:
        """Yield which pictures go into which run: full ones, then the rest one by one."""
        start = 0
        for pictures in sorted(self._requests, reverse=True):
            while count - start >= pictures:
                yield slice(start, start + pictures)
                start += pictures


def _finish(request: ov.InferRequest, part: slice, raw: Embeddings) -> None:
    request.wait()
    raw[part] = request.get_output_tensor().data.reshape(part.stop - part.start, -1)


def _read(core: ov.Core, model: EmbedderModel) -> ov.Model:
    file = model.path
    if file.is_dir():
        file = _graph_of(file, model)
    if not file.is_file():
        raise EmbedderError(f"{file} does not exist; get it with: ./farm models fetch {model.name}")
    try:
        graph = core.read_model(file)
    except RuntimeError as error:
        raise UnusableModelError(
            f"OpenVINO cannot read {file}: {_first_line(error)}. It is damaged or no model; get it again with: "
            f"./farm models fetch {model.name}"
        ) from error
    if len(graph.inputs) != 1:
        raise UnusableModelError(f"{model.name} has {len(graph.inputs)} inputs; an embedder takes one picture")
    return graph


def _graph_of(folder: Path, model: EmbedderModel) -> Path:
    graphs = sorted(folder.glob("*.xml"))
    if len(graphs) != 1:
        raise UnusableModelError(
            f"{folder} holds {len(graphs)} .xml files, and an OpenVINO model is one and its .bin; add {model.name} "
            "again"
        )
    return graphs[0]


def _input_size(graph: ov.Model, model: EmbedderModel) -> tuple[int, int]:
    shape = graph.input(0).partial_shape
    if shape.rank.is_dynamic or len(shape) != 4 or (shape[1].is_static and shape[1].get_length() != 3):
        raise UnusableModelError(f"{model.name} takes {shape}, not (pictures, 3, height, width); it is no embedder")
    height, width = (
        side.get_length() if side.is_static else usual
        for side, usual in zip((shape[2], shape[3]), model.input_size, strict=True)
    )
    return height, width


def _made_static(graph: ov.Model, model: EmbedderModel, shape: tuple[int, int, int, int]) -> ov.Model | None:
    """Return the graph for one number of pictures, or None where it was exported for another."""
    batch = graph.input(0).partial_shape[0]
    if batch.is_static and batch.get_length() != shape[0]:
        return None
    static = graph.clone()
    try:
        static.reshape(list(shape))
    except RuntimeError as error:
        raise UnusableModelError(f"{model.name} cannot take {shape}: {_first_line(error)}") from error
    return static


def _dimension(graph: ov.Model, model: EmbedderModel, pictures: int) -> int:
    """Return how many numbers it answers for each picture."""
    shape = graph.output(0).partial_shape
    sides = [side.get_length() if side.is_static else None for side in shape] if shape.rank.is_static else []
    one_row = len(sides) in (2, 4) and sides[0] == pictures and all(side == 1 for side in sides[2:])
    dimension = int(sides[1] or 0) if one_row else 0
    if len(graph.outputs) != 1 or dimension < 2:
        raise UnusableModelError(
            f"{model.name} answers {len(graph.outputs)} times {shape} to {pictures} pictures; an embedder answers one "
            "row of numbers to each. Choose a model of kind reid: see `./farm models list`"
        )
    return dimension


def _with_preprocessing(graph: ov.Model) -> ov.Model:
    """Let the graph itself turn uint8 BGR rows into the planes that it takes: cheaper than in Python, same values."""
    steps = PrePostProcessor(graph)
    tensor = steps.input().tensor()
    tensor.set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(ColorFormat.BGR)
    steps.input().preprocess().convert_color(ColorFormat.RGB).convert_element_type(ov.Type.f32).mean(list(MEAN)).scale(
        list(DEVIATION)
    )
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.output().tensor().set_element_type(ov.Type.f32)
    return steps.build()


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("Exception from")]
    return lines[0] if lines else type(error).__name__
