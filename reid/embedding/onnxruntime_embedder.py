"""Embeddings on ONNX Runtime: for machines that OpenVINO has no build for, and for CUDA."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from reid.embedding.description import EmbedderModel
from reid.embedding.devices import CPU_PROVIDER, Provider
from reid.embedding.errors import DeviceMissingError, EmbedderError, UnusableModelError
from reid.embedding.pictures import check_images, planes
from reid.embedding.vectors import normalised
from reid.images import BgrImage, Embeddings
from runtime.cpus import usable_cpus

#: Pictures in one run: enough for a GPU to be busy, and 6 MB of input.
PICTURES_AT_ONCE: Final = 16

#: ONNX Runtime's exceptions have no base of their own.
ORT_ERRORS: Final = (
    ort_errors.EPFail,
    ort_errors.EngineError,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.ModelLoaded,
    ort_errors.NoModel,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
#: What a model may take, and numpy's name of it.
_NUMBERS: Final[dict[str, type[np.floating[Any]]]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxRuntimeEmbedder:
    """Runs a ``.onnx`` file.

    Args:
        model: The model.
        providers: What runs it, the preferred one first; see `devices`.
        threads: Cores to use on the CPU; 0: all that this process may use.

    Raises:
        UnusableModelError: It is no model that makes one embedding of one picture.
        DeviceMissingError: The preferred provider does not start.
        EmbedderError: It cannot be read.
    """

    def __init__(self, model: EmbedderModel, *, providers: Sequence[Provider] = (), threads: int = 0) -> None:
        self.name, self.version = model.name, model.version
        wanted = [*providers] or [Provider(CPU_PROVIDER)]
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or usable_cpus()
        if not model.path.is_file():
            raise EmbedderError(f"{model.path} does not exist; get it with: ./farm models fetch {model.name}")
        try:
            self._session = ort.InferenceSession(
                str(model.path), options, providers=[(each.name, dict(each.options)) for each in wanted]
            )
        except ORT_ERRORS as error:
            raise UnusableModelError(
                f"ONNX Runtime cannot read {model.path}: {error}. It is damaged or no model; get it again with: "
                f"./farm models fetch {model.name}"
            ) from error
        # A provider whose libraries are missing is left out with nothing but a line on stderr.
        if not {each.name for each in wanted} & set(self._session.get_providers()[:1]):
            raise DeviceMissingError(
                f"{wanted[0].name} does not start here; install what it needs (CUDA and cuDNN), or set "
                "FARM_REID_DEVICE=cpu"
            )
        self._input = self._session.get_inputs()[0]
        self._number, self._at_once, self._size = _understood(self._session, model)
        self.dimension = self._dimension(model)
        self.runtime = f"ONNX Runtime {ort.__version__} {self._session.get_providers()[0]}"

    def _dimension(self, model: EmbedderModel) -> int:
        """Return how many numbers it answers for each picture; this also warms it up."""
        answer = self._run([np.zeros((*self._size, 3), np.uint8)])
        one_row = answer.ndim in (2, 4) and answer.shape[0] == 1 and all(side == 1 for side in answer.shape[2:])
        if len(self._session.get_outputs()) != 1 or not one_row or answer.shape[1] < 2:
            raise UnusableModelError(
                f"{model.name} answers {len(self._session.get_outputs())} times {answer.shape} to one picture; an "
                "embedder answers one row of numbers. Choose a model of kind reid: see `./farm models list`"
            )
        return int(answer.shape[1])

    def embed(self, images: Sequence[BgrImage]) -> Embeddings:
        """Return one embedding of each picture; see `Embedder.embed`."""
        check_images(images)
        raw = np.empty((len(images), self.dimension), np.float32)
        for start in range(0, len(images), self._at_once):
            part = images[start : start + self._at_once]
            raw[start : start + len(part)] = self._run(part).reshape(len(part), -1)
        return normalised(raw, self.name)

    def _run(self, images: Sequence[BgrImage]) -> NDArray[np.float32]:
        taken = planes(images, self._size).astype(self._number, copy=False)
        try:
            answer: NDArray[np.float32] = self._session.run(None, {self._input.name: taken})[0]
        except ORT_ERRORS as error:
            raise EmbedderError(f"ONNX Runtime failed to run {self.name}: {error}") from error
        return answer


def _understood(session: Any, model: EmbedderModel) -> tuple[type[np.floating[Any]], int, tuple[int, int]]:
    """Return the numbers it takes, how many pictures at once at most, and their height and width."""
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    number = _NUMBERS.get(inputs[0].type) if inputs else None
    # What is open has a name, or None.
    sizes = [side if isinstance(side, int) else None for side in shape]
    if number is None or len(sizes) != 4 or sizes[1] not in (3, None):
        raise UnusableModelError(
            f"{model.name} takes {[each.shape for each in inputs]}, not (pictures, 3, height, width); it is no embedder"
        )
    if sizes[0] not in (1, None):
        raise UnusableModelError(f"{model.name} takes {sizes[0]} pictures, no fewer; export it for any number")
    height, width = (side or usual for side, usual in zip(sizes[2:], model.input_size, strict=True))
    return number, sizes[0] or PICTURES_AT_ONCE, (height, width)
