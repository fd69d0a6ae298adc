"""YOLO on OpenVINO: the default on CPU."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, Literal

import openvino as ov
import structlog
from openvino.preprocess import ColorFormat, PrePostProcessor

from runtime.cpus import usable_cpus
from runtime.signal_stack import kept_signal_stack
from workers.detection.cpus import has_amx
from workers.detection.detector import (
    DetectorError,
    ModelDescription,
    UnsupportedModelError,
    check_images,
    check_inputs,
)
from workers.detection.input_sizes import Size
from workers.detection.letterbox import Letterbox
from workers.detection.raw_model import OPEN, OutputReader, choose_input_sizes, class_names_of, fit_and_draw
from workers.frames import Detections
from workers.pictures import BgrImage

#: Cores that work on one frame together. More cut the time of one frame ever less and the frames per second of the
#: machine ever more; measured on two cores only, where two on one frame cost 3 % over one each and halve its age.
THREADS_PER_FRAME: Final = 4

#: Rounds that may be on their way at once: while one runs, the next is converted, scaled and drawn, and the one before
#: is read, which takes long where the interpreter has other things to do.
ROUNDS_AT_ONCE: Final = 2

Precision = Literal["auto", "f32", "bf16"]
#: What one round runs on: for each size of input as many requests as there are inputs at once.
_Requests = dict[Size, list[ov.InferRequest]]

log = structlog.get_logger(__name__)


class OpenVinoDetector:
    """Runs a ``.onnx`` file or an OpenVINO folder on the CPU.

    A graph is compiled for each size of input, all of them when it is opened: what a first frame of another size would
    wait for is 0.1 s. Each is for one frame: on a CPU a batch dimension is slower than one frame after the other (see
    benchmarks/README.md), and so no batch size ever causes a compilation and fixed-shape models work as well.

    Args:
        model: The model; its folder or file must exist.
        input_size: Side in pixels of the largest input for models that leave it open.
        threads: Threads of the runtime; 0: all that this process may use.
        max_batch: What `max_batch` reports.
        cache_dir: Where compiled graphs are kept for a quicker start; None, or not writable: nowhere.
        precision: ``auto``: bfloat16 where the CPU has AMX, else float32, which equals the model exactly.

    Raises:
        UnsupportedModelError: It is not a YOLO detector.
        DetectorError: It cannot be read or compiled.
    """

    def __init__(
        self,
        model: ModelDescription,
        *,
        input_size: int = 640,
        threads: int = 0,
        max_batch: int = 8,
        cache_dir: Path | None = None,
        precision: Precision = "auto",
    ) -> None:
        self.class_names: Mapping[int, str] = class_names_of(model)
        self.device = "cpu"
        self.max_batch = max_batch
        self.rounds_at_once = ROUNDS_AT_ONCE
        self._is_closed = False
        wanted_precision = ("bf16" if has_amx() else "f32") if precision == "auto" else precision
        core = ov.Core()
        graph = _read(core, model.path)
        self.input_sizes = choose_input_sizes([_size(side) for side in graph.input(0).partial_shape], input_size)
        self.input_size = self.input_sizes[-1]
        options = _compile_options(threads, wanted_precision, cache_dir)
        largest = _made_static(graph, model.path, self.input_size)
        self._reader = OutputReader([_size(side) for side in largest.output(0).partial_shape], dict(self.class_names))
        try:
            with kept_signal_stack():
                compiled = {
                    size: core.compile_model(_with_preprocessing(_made_static(graph, model.path, size)), "CPU", options)
                    for size in self.input_sizes
                }
                self.inputs_at_once = int(compiled[self.input_size].get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
                self._free: SimpleQueue[_Requests] = SimpleQueue()
                for _ in range(self.rounds_at_once):
                    self._free.put(
                        {
                            size: [each.create_infer_request() for _ in range(self.inputs_at_once)]
                            for size, each in compiled.items()
                        }
                    )
        except RuntimeError as error:
            raise DetectorError(f"OpenVINO cannot compile {model.path}: {_first_line(error)}") from error
        self.runtime = f"OpenVINO {ov.__version__.split('-')[0]} {_arithmetic(graph, compiled[self.input_size])}"

    @property
    def boxes_dropped(self) -> int:
        """Boxes thrown away since opening because the model's answer made no sense."""
        return self._reader.dropped

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find objects in every image; see `Detector.detect`."""
        check_images(images)
        return self._run([(image, self.input_size) for image in images], confidence)

    def detect_inputs(self, inputs: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find objects in inputs of several sizes; see `Detector.detect_inputs`."""
        check_inputs(inputs, self.input_sizes)
        return self._run([(image, (image.shape[0], image.shape[1])) for image in inputs], confidence)

    def _run(self, images: Sequence[tuple[BgrImage, Size]], confidence: float) -> list[Detections]:
        """Find objects in images, each in the input of the size beside it."""
        try:
            requests = self._free.get_nowait()
        except Empty as error:
            why = "was closed; open another one" if self._is_closed else f"runs {self.rounds_at_once} rounds already"
            raise DetectorError(f"the detector {why}") from error
        try:
            return self._run_on(requests, images, confidence)
        finally:
            if not self._is_closed:
                self._free.put(requests)

    def _run_on(
        self, requests: _Requests, images: Sequence[tuple[BgrImage, Size]], confidence: float
    ) -> list[Detections]:
        found: list[Detections] = []
        started: list[tuple[ov.InferRequest, Letterbox]] = []
        try:
            for index, (image, size) in enumerate(images):
                # Answered in order: the request of this place is free once so many were waited for, whatever its size.
                if len(started) == self.inputs_at_once:
                    found.append(self._finish(*started.pop(0), confidence))
                request = requests[size][index % self.inputs_at_once]
                letterbox = fit_and_draw(image, request.get_input_tensor().data[0])
                request.start_async()
                started.append((request, letterbox))
            while started:
                found.append(self._finish(*started.pop(0), confidence))
        except RuntimeError as error:
            for request, _ in started:
                request.cancel()
            raise DetectorError(f"OpenVINO failed to run the model: {_first_line(error)}") from error
        return found

    def _finish(self, request: ov.InferRequest, letterbox: Letterbox, confidence: float) -> Detections:
        request.wait()
        return self._reader.read(request.get_output_tensor().data, letterbox, confidence)

    def close(self) -> None:
        """Give the model's memory and threads back; may be called twice."""
        self._is_closed = True
        with suppress(Empty):
            while True:
                self._free.get_nowait()


def _size(dimension: ov.Dimension) -> int:
    return int(dimension.get_length()) if dimension.is_static else OPEN


def _read(core: ov.Core, path: Path) -> ov.Model:
    """Read the model and check that it has one input and one output."""
    file = path
    if path.is_dir():
        graphs = sorted(path.glob("*.xml"))
        if len(graphs) != 1:
            raise DetectorError(
                f"{path} holds {len(graphs)} .xml files; an OpenVINO model is a folder with one .xml and its .bin. "
                "Export the model again, or name the right folder"
            )
        file = graphs[0]
    if not file.is_file():
        raise DetectorError(f"{file} does not exist; fetch the model again with ./farm models fetch, or add the file")
    try:
        graph = core.read_model(file)
    except RuntimeError as error:
        raise DetectorError(
            f"OpenVINO cannot read {file}: {_first_line(error)}. The file is damaged or not a model; fetch it again"
        ) from error
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise UnsupportedModelError(
            f"{file.name} has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; a detector has one of each. "
            "Segmentation models and the like cannot be used here"
        )
    return graph


def _made_static(graph: ov.Model, path: Path, size: Size) -> ov.Model:
    """Return the graph for one frame of `size`; the weights are shared."""
    height, width = size
    if [_size(side) for side in graph.input(0).partial_shape] == [1, 3, height, width]:
        return graph
    static = graph.clone()
    try:
        static.reshape([1, 3, height, width])
    except RuntimeError as error:
        raise UnsupportedModelError(
            f"{path.name} cannot take frames of {width} by {height} pixels; FARM_DETECT_SIZE must be a multiple of "
            f"32 that the model allows ({_first_line(error)})"
        ) from error
    return static


def _with_preprocessing(graph: ov.Model) -> ov.Model:
    """Let the graph itself turn uint8 BGR rows into float RGB planes in [0, 1]: cheaper than in Python, same values."""
    steps = PrePostProcessor(graph)
    tensor = steps.input().tensor()
    tensor.set_element_type(ov.Type.u8)
    tensor.set_layout(ov.Layout("NHWC"))
    tensor.set_color_format(ColorFormat.BGR)
    steps.input().preprocess().convert_color(ColorFormat.RGB).convert_element_type(ov.Type.f32).scale(255.0)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.output().tensor().set_element_type(ov.Type.f32)
    return steps.build()


def _arithmetic(graph: ov.Model, compiled: ov.CompiledModel) -> str:
    """Say what is really computed with: a CPU without bfloat16 falls back to float32, and quantised layers to int8."""
    rest = {"f32": "f32", "bf16": "bf16", "f16": "f16"}.get(
        compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name(), "f32"
    )
    quantised = any(node.get_type_name() == "FakeQuantize" for node in graph.get_ops())
    return f"int8 and {rest}" if quantised else rest


def _compile_options(threads: int, precision: str, cache_dir: Path | None) -> dict[str, str | int | bool]:
    used_threads = threads or usable_cpus()
    options: dict[str, str | int | bool] = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": used_threads,
        "NUM_STREAMS": str(max(1, used_threads // THREADS_PER_FRAME)),
        # Every process would pin its threads to the same first cores: two workers then ran at half speed.
        "ENABLE_CPU_PINNING": False,
    }
    if cache_dir is not None:
        try:
            cache_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            log.warning("no cache of compiled models, starts take longer", folder=str(cache_dir), error=str(error))
        else:
            if os.access(cache_dir, os.W_OK):
                options["CACHE_DIR"] = str(cache_dir)
    return options


def _first_line(error: Exception) -> str:
    """OpenVINO's messages are stack traces of its source; their last line with text says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("Exception from")]
    return lines[0] if lines else type(error).__name__
