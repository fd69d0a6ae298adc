"""A person's own models: each is a folder ``own/<name>/`` with the model and a sidecar ``model.json``."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from contract.ids import is_valid_id
from model_store.errors import CorruptModelError, ModelNameError, ModelStoreError
from model_store.hashing import sha256_of
from model_store.inspection import Inspection, inspect
from model_store.manifest import load_manifest
from model_store.model_file import ModelFile, Sidecar

_FOLDER: Final = "own"
_SIDECAR: Final = "model.json"


def add(path: Path, name: str, models_dir: Path, *, trust: bool = False) -> ModelFile:
    """Copy a model into the store; one of the same name that was added before is replaced.

    Args:
        path: A ``.pt``, ``.onnx`` or ``.engine`` file, or an OpenVINO folder.
        name: What FARM_MODEL calls it.
        models_dir: The store; made where it is missing.
        trust: The person vouches for pickled weights, which can run code when they are loaded.

    Returns:
        What was stored. Pickled weights that nobody vouched for are stored, but `resolve` refuses them.

    Raises:
        ModelNameError: The name cannot be used, or belongs to the manifest.
        UnreadableModelError: It is not a model of a known format.
        ModelStoreError: The store cannot be written.
    """
    if not is_valid_id(name):
        raise ModelNameError(f"{name!r} cannot name a model: use up to 64 letters, digits, dots, dashes, underscores")
    if name in load_manifest().models:
        raise ModelNameError(f"{name} is a model of the manifest; choose another name for your own")
    seen = inspect(path)
    own = models_dir / _FOLDER
    try:
        own.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".adding-", dir=own) as scratch:
            _write(path, name, seen, Path(scratch), trust=trust)
            # Two renames: a reader in between is told that the model is missing, never given half of it.
            with tempfile.TemporaryDirectory(prefix=".replaced-", dir=own) as bin_:
                if (own / name).exists():
                    (own / name).rename(Path(bin_) / name)
                (Path(scratch) / name).rename(own / name)
    except OSError as error:
        raise ModelStoreError(f"cannot store {name} in {own}: {error.strerror or error}") from error
    return load(name, models_dir)


def _write(path: Path, name: str, seen: Inspection, scratch: Path, *, trust: bool) -> None:
    target = scratch / name
    target.mkdir()
    kept = target / (f"{name}_openvino_model" if seen.format == "openvino" else f"{name}{path.suffix.lower()}")
    if seen.format == "openvino":
        kept.mkdir()
        for part in seen.files:
            _copy(part, kept / part.name)
    else:
        _copy(path, kept)
    sidecar = Sidecar(
        file=kept.name,
        format=seen.format,
        sha256=sha256_of(kept),
        size_bytes=size_of(kept),
        class_names=dict(seen.class_names),
        input_size=seen.input_size,
        kind=seen.kind,
        trusted=trust,
    )
    (target / _SIDECAR).write_text(sidecar.model_dump_json(indent=2) + "\n")


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb") as stream:
        os.fsync(stream.fileno())


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    return path.stat().st_size


def names(models_dir: Path) -> list[str]:
    """Return the names of the models that were added, sorted."""
    return sorted(sidecar.parent.name for sidecar in (models_dir / _FOLDER).glob(f"[!.]*/{_SIDECAR}"))


def exists(name: str, models_dir: Path) -> bool:
    """Tell whether a model of that name was added."""
    return is_valid_id(name) and (models_dir / _FOLDER / name / _SIDECAR).is_file()


def read_sidecar(name: str, models_dir: Path) -> Sidecar:
    """Return what was written when `name` was added.

    Raises:
        CorruptModelError: The sidecar cannot be read.
    """
    path = models_dir / _FOLDER / name / _SIDECAR
    try:
        return Sidecar.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise CorruptModelError(f"{path} cannot be read; add the model {name} again") from error


def load(name: str, models_dir: Path) -> ModelFile:
    """Return the model `name` that was added; its hash is not verified.

    Raises:
        CorruptModelError: Its sidecar cannot be read.
    """
    sidecar = read_sidecar(name, models_dir)
    return ModelFile(
        name=name,
        path=models_dir / _FOLDER / name / sidecar.file,
        format=sidecar.format,
        sha256=sidecar.sha256,
        class_names=sidecar.class_names,
        input_size=sidecar.input_size,
        kind=sidecar.kind,
        trusted=sidecar.trusted,
    )
