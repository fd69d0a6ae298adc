"""The folder of models: fetch, list, verify, and resolve a name to a file that may be loaded."""

from pathlib import Path
from typing import Final

from model_store import own_models
from model_store.errors import CorruptModelError, ModelMissingError, UnknownModelError, UntrustedWeightsError
from model_store.fetching import fetch_file, no_progress
from model_store.hashing import sha256_of
from model_store.manifest import PICKLED, ManifestModel, load_manifest, unknown_text
from model_store.model_file import ModelFile, ModelState, State
from model_store.sources import Progress

#: Kind of a model -> the setting that names it; the detector's where it is another.
_SETTINGS: Final = {"reid": "FARM_REID_MODEL"}


def fetch(name: str, models_dir: Path, progress: Progress = no_progress) -> Path:
    """Make the model `name` present; a damaged file is fetched again.

    Args:
        name: A model of the manifest, or one that was added, which is only verified.
        models_dir: The store; made where it is missing.
        progress: Called with bytes done and in all, a few times a second.

    Returns:
        The file, whose hash was verified.

    Raises:
        UnknownModelError: There is no model of that name.
        FetchError: No source brought it; says what each answered and what helps.
        CorruptModelError: It was added and is damaged.
    """
    if own_models.exists(name, models_dir):
        model = own_models.load(name, models_dir)
        _check_hash(model)
        return model.path
    wanted = load_manifest().model(name)
    setting = _SETTINGS.get(wanted.kind, "FARM_MODEL")
    own = f", or use a model of your own: ./farm models add FILE --name NAME, and {setting}=NAME"
    return fetch_file(wanted, models_dir, progress, remedy=own)


def resolve(name: str, models_dir: Path, *, trust_pickled: bool = False) -> ModelFile:
    """Return the model `name` for loading, after verifying its hash.

    Args:
        name: A model of the manifest, or one that was added.
        models_dir: The store.
        trust_pickled: Use pickled weights that nobody has vouched for.

    Raises:
        UnknownModelError: There is no model of that name.
        ModelMissingError: Its file is not there.
        CorruptModelError: Its file is not the one that was recorded.
        UntrustedWeightsError: It is a pickle that is not in the manifest, and was added without trust.
    """
    model = _known(name, models_dir)
    _check_hash(model)
    if model.format in PICKLED and not (model.trusted or trust_pickled):
        raise UntrustedWeightsError(
            f"{model.path} (sha256 {model.sha256}) is a pickle: loading it can run any code in it. If you trust where "
            f"it comes from, add it with: ./farm models add FILE --name {name} --trust"
        )
    return model


def list_models(models_dir: Path) -> list[ModelState]:
    """Return every model that the manifest has or that was added; compares sizes, not hashes."""
    return [_state(name, models_dir, hashed=False) for name in _all_names(models_dir)]


def verify(models_dir: Path, name: str | None = None) -> list[ModelState]:
    """Return the state of model `name`, or of all; hashes the files that are there.

    Raises:
        UnknownModelError: There is no model `name`.
    """
    names = _all_names(models_dir) if name is None else [name]
    return [_state(each, models_dir, hashed=True) for each in names]


def _all_names(models_dir: Path) -> list[str]:
    return [*load_manifest().models, *own_models.names(models_dir)]


def _known(name: str, models_dir: Path) -> ModelFile:
    if own_models.exists(name, models_dir):
        return own_models.load(name, models_dir)
    listed = load_manifest().models.get(name)
    if listed is None:
        known = load_manifest().models
        raise UnknownModelError(unknown_text(name, known))
    return _from_manifest(name, listed, models_dir)


def _from_manifest(name: str, listed: ManifestModel, models_dir: Path) -> ModelFile:
    return ModelFile(
        name=name,
        path=models_dir / listed.file,
        format=listed.format,
        sha256=listed.sha256,
        class_names=listed.class_names,
        input_size=listed.input_size,
        kind=listed.kind,
        trusted=True,
    )


def _check_hash(model: ModelFile) -> None:
    try:
        found = sha256_of(model.path)
    except FileNotFoundError as error:
        raise ModelMissingError(
            f"the weights {model.path.name} (sha256 {model.sha256}) are not there; get them with "
            f"`./farm models fetch {model.name}`, or put the file at {model.path}"
        ) from error
    except OSError as error:
        raise ModelMissingError(f"{model.path} cannot be read: {error.strerror or error}") from error
    if found != model.sha256:
        raise CorruptModelError(
            f"{model.path} is damaged or another file: its sha256 is {found}, not {model.sha256}; "
            f"{_corrupt_remedy(model.name)}"
        )


def _corrupt_remedy(name: str) -> str:
    if name in load_manifest().models:
        return f"get it again with: ./farm models fetch {name}"
    return f"add it again with: ./farm models add FILE --name {name}"


def _state(name: str, models_dir: Path, *, hashed: bool) -> ModelState:
    listed = load_manifest().models.get(name)
    detail = ""
    state: State = "missing"
    model = _known(name, models_dir)
    size = listed.size_bytes if listed else own_models.read_sidecar(name, models_dir).size_bytes
    if model.path.exists():
        state = "present" if own_models.size_of(model.path) == size else "corrupt"
    try:
        if hashed:
            _check_hash(model)
            state = "whole"
    except ModelMissingError as error:
        detail = str(error)
    except CorruptModelError as error:
        state, detail = "corrupt", str(error)
    return ModelState(
        name=name,
        format=model.format,
        kind=model.kind,
        origin="manifest" if listed else "own",
        state=state,
        trusted=model.trusted or model.format not in PICKLED,
        size_bytes=size,
        licence=listed.licence if listed else "",
        path=model.path,
        detail=detail,
    )
