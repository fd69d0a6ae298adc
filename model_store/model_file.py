"""What is known of one model: the value that `resolve` gives to workers, and the sidecar of a model that was added."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from model_store.manifest import Format, Kind, Sha256

#: ``present`` says only that a file of the right size is there; ``whole`` that its hash is right too.
State = Literal["missing", "present", "whole", "corrupt"]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model whose file is there and whole."""

    name: str
    #: The file, or the folder of an OpenVINO model.
    path: Path
    format: Format
    sha256: str
    #: Name of every class by its index; empty where nobody knows.
    class_names: Mapping[int, str]
    #: Height and width in pixels that it was made for; None where it takes any, or nobody knows.
    input_size: tuple[int, int] | None
    #: None where it was added and does not say what it is for.
    kind: Kind | None
    #: Its hash is in the manifest, or a person vouched for it.
    trusted: bool


class Sidecar(BaseModel):
    """What is written beside a model that a person has added."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    #: Name of the file or folder beside the sidecar.
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    format: Format
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0)]
    class_names: dict[int, str] = {}
    input_size: tuple[int, int] | None = None
    kind: Kind | None = None
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class ModelState:
    """One line of `./farm models list` or `verify`."""

    name: str
    format: Format
    kind: Kind | None
    #: ``manifest``, or ``own`` for one that a person has added.
    origin: Literal["manifest", "own"]
    state: State
    #: Whether it is used without ``--trust``.
    trusted: bool
    size_bytes: int
    licence: str
    path: Path
    #: What is wrong and what helps; empty when nothing is.
    detail: str = ""
