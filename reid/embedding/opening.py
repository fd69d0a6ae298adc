"""Opens the embedder that the settings ask for."""

import importlib
from typing import Final

import structlog

import model_store
from reid.embedding.description import USUAL_SIZE, EmbedderModel
from reid.embedding.devices import Provider, choose_providers
from reid.embedding.embedder import Embedder
from reid.embedding.errors import DeviceMissingError, EmbedderError, UnusableModelError
from runtime.settings import ReidSettings

#: Formats that an embedder reads.
READ: Final = ("onnx", "openvino")

log = structlog.get_logger(__name__)


def open_embedder(settings: ReidSettings) -> Embedder:
    """Open the embedder that the settings ask for.

    Args:
        settings: `reid_model`, `reid_device`, `reid_threads` and the models' folder are used.

    Raises:
        ModelStoreError: There is no such model, or its file is missing or damaged.
        UnusableModelError: It is no model that makes embeddings.
        DeviceMissingError: The device cannot be used.
        EmbedderError: It cannot be opened.
    """
    stored = model_store.resolve(settings.reid_model, settings.models_path)
    _check_kind(stored)
    model = EmbedderModel(stored.name, stored.path, stored.sha256, stored.input_size or USUAL_SIZE)
    on_device = _open_on_device(model, stored.format, settings)
    if on_device is not None:
        return on_device
    if _loads("openvino"):
        from reid.embedding.openvino_embedder import OpenVinoEmbedder

        return OpenVinoEmbedder(model, threads=settings.reid_threads)
    if stored.format != "onnx":
        raise EmbedderError(f"{model.name} needs OpenVINO, which does not load here; choose a .onnx model")
    log.warning("OpenVINO does not load here, embeddings are made with ONNX Runtime")
    from reid.embedding.onnxruntime_embedder import OnnxRuntimeEmbedder

    return OnnxRuntimeEmbedder(model, threads=settings.reid_threads)


def _open_on_device(model: EmbedderModel, model_format: str, settings: ReidSettings) -> Embedder | None:
    """Return the embedder on a CUDA device; None: the CPU is to be used."""
    providers = _providers(settings.reid_device)
    if not providers:
        return None
    if model_format != "onnx":
        if settings.reid_device == "auto":
            return None
        raise UnusableModelError(f"{model.name} runs on the CPU only; CUDA needs a .onnx model")
    from reid.embedding.onnxruntime_embedder import OnnxRuntimeEmbedder

    try:
        return OnnxRuntimeEmbedder(model, providers=providers, threads=settings.reid_threads)
    except DeviceMissingError as error:
        if settings.reid_device != "auto":
            raise
        log.warning("embeddings are made on the CPU", reason=str(error))
        return None


def _providers(wanted: str) -> tuple[Provider, ...]:
    if wanted == "cpu":
        return ()
    import onnxruntime

    return choose_providers(wanted, onnxruntime.get_available_providers())


def _check_kind(model: model_store.ModelFile) -> None:
    # A model that somebody added may not say what it is for; its shapes do, when it is opened.
    if model.kind not in ("reid", None):
        raise UnusableModelError(
            f"{model.name} is a model of kind {model.kind} and makes no embeddings; choose one of kind reid: see "
            "`./farm models list`"
        )
    if model.format not in READ:
        raise UnusableModelError(
            f"{model.name} has format {model.format}; embedders read {' and '.join(READ)}: export it to ONNX and add "
            "that with: ./farm models add FILE --name NAME"
        )


def _loads(module: str) -> bool:
    try:
        importlib.import_module(module)
    except (ImportError, OSError):
        return False
    return True
